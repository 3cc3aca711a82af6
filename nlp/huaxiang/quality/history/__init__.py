"""The whole stored history: features of every conversation, scored again at once, and what rules come to."""
