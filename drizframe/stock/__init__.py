"""What drizframe ships; every component and step here is a plugin like anybody's.

A room is a folder, and a module of it that implements a hook is a plugin: there is no list of them.
"""

from __future__ import annotations

import pkgutil
import re
from importlib.util import find_spec
from pathlib import Path

__all__ = ["modules"]

#: What a module that is a plugin holds; the others are what plugins share.
_MARK = re.compile(rb"^@hookimpl\b", re.MULTILINE)


def modules() -> tuple[str, ...]:
    """Dotted names of the plugins that drizframe ships, sorted; none of them is imported."""
    rooms = sorted(m.name for m in pkgutil.iter_modules(__path__) if m.ispkg)
    return tuple(
        name for room in rooms for name in _public(f"{__name__}.{room}") if _MARK.search(_text(name))
    )


def _public(room: str) -> list[str]:
    """Dotted names of the modules of a room, sorted, but for those that begin with an underscore."""
    spec = find_spec(room)
    places = (spec.submodule_search_locations if spec else None) or []
    return sorted(f"{room}.{m.name}" for m in pkgutil.iter_modules(places) if not m.name.startswith("_"))


def _text(name: str) -> bytes:
    """Return the source of a module; packages are installed as files."""
    spec = find_spec(name)
    return Path(spec.origin).read_bytes() if spec and spec.origin else b""
