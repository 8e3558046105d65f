"""From samples to usage per site and period: pure functions, and the job that runs them."""
