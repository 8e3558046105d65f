"""What people look at: the tables of the terminal, dashboards and pages."""
