"""Interpolators: the value of an image at any position."""
