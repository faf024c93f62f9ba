"""What AstroDrizzle's files look like: names, headers, tables, and the writers that make them."""
