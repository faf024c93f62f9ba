"""The pluggy markers; a plugin needs only `hookimpl`."""

from __future__ import annotations

import pluggy

__all__ = ["CONTRACT", "PROJECT", "hookimpl", "hookspec", "is_ours"]

#: Name of the project in pluggy and of the entry-point group.
PROJECT = "drizframe"

#: Version of the contract with plugins: hooks, records, and what their functions are given.  It grows when a plugin
#: that was written before would break.  A plugin may say which one it was written for, with a module attribute
#: ``drizframe_contract = 2``; one that was written for another is not used.
CONTRACT = 2

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


def is_ours(provider: str) -> bool:
    """Whether a provider is drizframe itself, by the name that `PluginManager.source_of` gives it; nobody's counts as its own."""
    return provider in ("", PROJECT)
