"""Who is told of outages: what is decided, how it is worded, how it gets there for certain."""
