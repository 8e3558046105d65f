"""Who stayed how long, without who: session records, and what is counted from them."""
