"""How pixels move: drizzle, blot, and statistics of them."""
