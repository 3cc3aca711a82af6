"""Sellers and teams, what answers objections, what goes with won conversations, and coaching."""
