"""The stock steps."""
