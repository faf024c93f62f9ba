"""The pluggy markers; a plugin needs only `hookimpl`."""

from __future__ import annotations

import pluggy

__all__ = ["PROJECT", "hookimpl", "hookspec"]

#: Name of the project in pluggy and of the entry-point group.
PROJECT = "drizframe"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
