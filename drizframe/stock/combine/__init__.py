"""Combiners: one image out of a stack of singly drizzled images."""
