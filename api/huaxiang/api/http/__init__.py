"""The HTTP interface: thin endpoints under ``/v1``, health, metrics, and the edge around them."""
