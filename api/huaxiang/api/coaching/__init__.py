"""Coaching over the stores: reads what the stages kept, and puts figures, clips and advice together."""
