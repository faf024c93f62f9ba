"""Chains: steps that follow each other and are done together, unit by unit.

A step over chips that reads what the step before it made of the same chip need not wait until that one is done with all chips.  Such
steps are one task for each unit; what they hand on to each other never reaches the store, unless somebody wants it later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from drizframe.engine.bound import BoundStep
from drizframe.engine.plan import Plan
from drizframe.model import ChipUnit, Unit, Window

__all__ = ["Chain", "chains_of", "tasks_of", "windows_of"]

#: What steps of one chain work over: the same units, or parts of these.
_KINDS = (frozenset({"chip", "band"}), frozenset({"exposure"}))


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Steps that are done together.

    Parameters
    ----------
    first : int
        Number of the first one in the plan.
    steps : tuple of BoundStep
        They follow each other there; often it is one.
    later : frozenset of str
        Names of the planes that are wanted when the chain is done.
    """

    first: int
    steps: tuple[BoundStep, ...]
    later: frozenset[str] = frozenset()

    @property
    def stop(self) -> int:
        """Number of the step that comes after it."""
        return self.first + len(self.steps)

    @property
    def made(self) -> frozenset[str]:
        """Names of the planes that its steps make or change."""
        return frozenset(name for step in self.steps for name in step.planes)

    @property
    def over(self) -> str:
        """What it is called for: bands if all that one hands on to the next is the own band, which is whole."""
        first = self.steps[0]
        if first.over not in ("chip", "band"):
            return first.over
        made = self.made
        whole = any(
            step.over == "chip" or step.filtered or any(step.needs[n].border for n in made & set(step.needs))
            for step in self.steps
        )
        return "chip" if whole else "band"

    def maker_of(self, name: str) -> BoundStep:
        """Return the last step that makes a plane."""
        return next(step for step in reversed(self.steps) if name in step.planes)

    def needed(self, number: int) -> frozenset[str]:
        """Return names of planes that are wanted after so many of its steps: by others of it, or when it is done."""
        return self.later.union(*(step.needs for step in self.steps[number:]))


def chains_of(plan: Plan, wanted: Iterable[str], fits: Callable[[Chain], bool]) -> list[Chain]:
    """Return the steps of a plan as chains, in order.

    Parameters
    ----------
    plan : Plan
        What will be done.
    wanted : iterable of str
        Names of planes that stay to the end of the run.
    fits : callable
        ``fits(chain)``: whether there is memory for it.

    Returns
    -------
    list of Chain
        Every step is in one.  Whatever needs what another unit's task of the same chain makes begins a new one.
    """
    later = frozenset(wanted)
    after: list[frozenset[str]] = []  # what is wanted when a step is done
    for step in reversed(plan.steps):
        after.append(later)
        later |= frozenset(step.needs)
    after.reverse()
    found: list[Chain] = []
    for index, step in enumerate(plan.steps):
        if found:
            last = found[-1]
            longer = Chain(last.first, (*last.steps, step), after[index])
            if _by_unit(plan, longer) and fits(longer):
                found[-1] = longer
                continue
        found.append(Chain(index, (step,), after[index]))
    return found


def _by_unit(plan: Plan, chain: Chain) -> bool:
    """Whether no task of a chain reads what another one makes, and nothing is lost by taking its steps together.

    What a step changes counts as made, by those before it too: they must not see what it has made of another unit.
    """
    overs = {step.over for step in chain.steps}
    if not any(overs <= kind for kind in _KINDS):
        return False
    if "band" in overs and chain.over == "chip" and len(plan.chips) < plan.workers:
        return False  # bands keep more workers busy
    made = chain.made
    return all(step.needs[n].of == "own" for step in chain.steps for n in made & set(step.needs))


def tasks_of(plan: Plan, chain: Chain) -> list[tuple[Unit, Window | None]]:
    """Return the unit of every task of a chain of several steps, with the rows if it works on bands."""
    over = chain.over
    if over == "band":
        return [(unit, rows) for unit in plan.chips for rows in plan.bands(unit)]
    return [(unit, None) for unit in plan.unit_list(over)]


def windows_of(plan: Plan, step: BoundStep, unit: Unit, window: Window | None) -> Sequence[Window | None]:
    """Return what a step is called for within a task of its chain."""
    if isinstance(unit, ChipUnit) and step.over == "band" and window is None:
        return plan.bands(unit)
    return (window,)
