"""The stored history over all stages: what rules see of it, scorecards tried on it, the lab."""
