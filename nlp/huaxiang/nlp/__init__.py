"""From turns to findings with evidence and conversation metrics."""
