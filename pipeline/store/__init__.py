"""Where samples and what is computed from them are kept."""
