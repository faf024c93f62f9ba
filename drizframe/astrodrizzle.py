"""The drop-in under the path that scripts import: ``from drizframe.astrodrizzle import AstroDrizzle``.

This name stands for `drizframe.compat.astrodrizzle`: however it is imported, it is that one module object.
"""

from __future__ import annotations

import sys

from drizframe.compat import astrodrizzle as _module
from drizframe.compat.astrodrizzle import AstroDrizzle, help  # noqa: A004  (the reference's name)

__all__ = ["AstroDrizzle", "help"]

sys.modules[__name__] = _module
