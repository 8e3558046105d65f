"""What is down, since when, why, and how sure that is."""
