"""Spotwatch's command line: one file a group of commands, and the composition root."""
