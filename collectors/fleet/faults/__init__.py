"""What goes wrong in an invented network over months, and what asking it shows of that."""
