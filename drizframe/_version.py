"""The version of drizframe: apart from the root, which nothing in the package imports."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0.dev0"
