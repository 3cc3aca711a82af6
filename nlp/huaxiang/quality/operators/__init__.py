"""What conditions look for: each module finds the hits of a few operators in given turns."""
