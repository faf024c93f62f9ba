"""Where two plugins want the same: who comes first, and what the user is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from drizframe.engine.order import ordered
from drizframe.hooks import STAGES, Entry, PluginManager, Step
from drizframe.hooks.markers import is_ours

__all__ = ["precedence_notes", "rivals_note"]

_RULE = "the plugin that was registered last is asked first; tryfirst and trylast count"


def precedence_notes(steps: Sequence[Step], manager: PluginManager) -> Iterator[str]:
    """Tell which of two plugins decides, where both replace one stage or filter one plane.

    Parameters
    ----------
    steps : sequence of Step
        Of the run, in their order.
    manager : PluginManager
        Where they come from.
    """
    yield from _replacements(steps, manager)
    yield from _filters(steps)


def rivals_note(found: Sequence[Entry], things: str) -> str:
    """Tell which of several components takes something that those of other providers take too; blank if there are none.

    Parameters
    ----------
    found : sequence of Entry
        Those that take it, in the order in which they are asked; the first one gets it.
    things : str
        What they take: "files such as *.npz".
    """
    first = found[0]
    others = [e for e in found[1:] if e.provider != first.provider]
    if not others:
        return ""
    names = " and ".join(f"{e.record.label} of {e.provider}" for e in others)
    return (
        f"More than one {first.record.family} takes {things}: {first.record.label} of {first.provider} reads them, not {names} (the "
        f"plugin that was registered last is asked first, drizframe last; tryfirst and trylast count). Disable a plugin with "
        f"DRIZFRAME_DISABLED_PLUGINS to change that."
    )


def _replacements(steps: Sequence[Step], manager: PluginManager) -> Iterator[str]:
    providers = {s.name: s.provider.split(" around ")[-1] for s in steps}
    for hook, stage in STAGES.items():
        asked = manager.replacing(hook)
        used = providers.get(stage)
        if used not in asked:
            continue
        unused = list(dict.fromkeys(n for n in asked[asked.index(used) + 1 :] if n != used))
        if unused:
            yield (
                f"More than one plugin replaces the stage {stage!r}: {used} is used, not {' and '.join(unused)} ({_RULE}). "
                f"Disable one of them with DRIZFRAME_DISABLED_PLUGINS."
            )


def _filters(steps: Sequence[Step]) -> Iterator[str]:
    planes = {p: None for s in steps for p in s.produces if p in s.consumes}
    turned = [s.name for s in ordered(list(reversed(steps)))] if planes else []
    for plane in planes:
        strange = [
            s for s in steps if plane in s.produces and plane in s.consumes and not is_ours(s.provider)
        ]
        for one, two in combinations(strange, 2):
            if one.provider != two.provider and turned.index(two.name) < turned.index(one.name):
                yield (
                    f"Steps {one.name!r} ({one.provider}) and {two.name!r} ({two.provider}) both filter the plane {plane!r}, and "
                    f"neither says which comes first: {one.name!r} does ({_RULE}). after=({one.name!r},) in step {two.name!r} "
                    f"would settle it."
                )
