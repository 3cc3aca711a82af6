"""From decoded audio to turns: transcribe, attribute, normalise."""
