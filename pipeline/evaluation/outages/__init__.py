"""How quick and how true alerts are, where what really happened is known."""
