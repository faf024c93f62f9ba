"""The reference's Python names, for scripts that were written for it."""
