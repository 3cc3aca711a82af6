"""The manager's overview: what was inspected since, what went wrong in it, and how scores go."""
