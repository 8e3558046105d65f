"""What carries a message to people: one file a kind."""
