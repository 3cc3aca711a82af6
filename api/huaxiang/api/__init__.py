"""Joins the stages: composition root, HTTP, command line, worker."""
