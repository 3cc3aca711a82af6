"""Who is calling, and what they may do: users, sessions, tokens, device keys."""
