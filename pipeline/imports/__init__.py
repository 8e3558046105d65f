"""History from files: samples of another system, checked row by row, into the same store."""
