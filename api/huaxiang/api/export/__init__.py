"""Takes corrected conversations out: as labelled text to train on, and as audio with its true words."""
