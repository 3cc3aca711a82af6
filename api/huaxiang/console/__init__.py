"""The pages of the manager's console."""
