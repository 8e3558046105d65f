"""Scheduled jobs: what runs when, and what happens when it could not."""
