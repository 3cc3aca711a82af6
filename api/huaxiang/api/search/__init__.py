"""Full text of conversations in Mandarin: found by any words of theirs, with the second they were said."""
