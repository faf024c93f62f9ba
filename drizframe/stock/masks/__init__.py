"""Masks of detector defects: how their files are named."""

from drizframe.stock.masks.static import static_mask_name, static_mask_names

__all__ = ["static_mask_name", "static_mask_names"]
