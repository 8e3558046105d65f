"""What is on its way to a remote store: durable on this machine until the store has it."""
