"""Parameters, bits and where they come from."""
