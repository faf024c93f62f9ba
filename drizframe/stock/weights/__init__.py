"""Weightings: the weight map of a chip."""
