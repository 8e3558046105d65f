"""Where an idle spot would serve people better, and whether a move did what was expected."""
