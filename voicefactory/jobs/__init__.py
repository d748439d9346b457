"""Long work, done by worker processes and written down in one table that the page only reads."""
