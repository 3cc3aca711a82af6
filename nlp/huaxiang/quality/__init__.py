"""质检: rules and scorecards over turns, findings and metrics."""
