"""Kernels: how an input pixel spreads over output pixels."""
