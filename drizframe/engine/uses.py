"""When planes are needed next: what a step and those after it still read, and what nobody reads any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from drizframe.engine.bound import BoundStep
from drizframe.engine.plan import Plan
from drizframe.model import INPUTS, ChipUnit, ExposureUnit, PlaneKey, Unit

__all__ = ["Uses"]

#: Comes after all steps.
NEVER = 1 << 30
_INPUTS = frozenset(plane.name for plane in INPUTS)


class Uses:
    """What the tasks that are still to be done read.

    Parameters
    ----------
    plan : Plan
        Its steps run in order.
    keep : frozenset of str
        Names of planes that stay to the end of the run.
    """

    def __init__(self, plan: Plan, keep: frozenset[str]) -> None:
        self._plan, self._keep = plan, keep
        self._index = 0
        self._steps: Sequence[BoundStep] = ()
        self._units: Counter[Unit] = Counter()
        self._by_unit = False
        self._later: dict[str, int] = {}

    def begin(self, index: int, units: Iterable[Unit], stop: int | None = None) -> None:
        """Go on to a step, or to a chain of them, and to its tasks.

        Parameters
        ----------
        index : int
            Number of the step.
        units : iterable of Unit
            What each of its tasks works on.
        stop : int, optional
            Number of the step after the chain.
        """
        stop = index + 1 if stop is None else stop
        self._index, self._steps = index, self._plan.steps[index:stop]
        # only what works unit by unit is done with the planes of one before it is done with all
        self._by_unit = all(
            s.over in ("exposure", "chip", "band") or s.grid == "exposure" for s in self._steps
        )
        self._units = Counter(units) if self._by_unit else Counter()
        self._later = {}
        for number in range(len(self._plan.steps) - 1, stop - 1, -1):
            self._later.update(dict.fromkeys(self._plan.steps[number].needs, number))

    def done(self, unit: Unit) -> bool:
        """Count a task; return whether it was the last one of its unit."""
        self._units[unit] -= 1
        return self._by_unit and not self._units[unit]

    def when(self, key: PlaneKey) -> tuple[int, bool, int, int]:
        """Tell how late a plane is needed next: the step, and within it the unit, in order.

        Of one step's planes inputs stay longest: those that leave are decoded again, and others lie in scratch as they are.
        """
        at = self._index if self._is_open(key) else self._later.get(key.name, NEVER)
        unit, made = key.unit, key.name not in _INPUTS
        if isinstance(unit, ChipUnit):
            return at, made, unit.exposure, unit.chip
        return at, made, unit.exposure if isinstance(unit, ExposureUnit) else 0, 0

    def over(self, unit: Unit) -> list[PlaneKey]:
        """Return what nobody needs any more of a unit, all of whose tasks are done; not all of it need be there."""
        changed = frozenset().union(*(step.filtered for step in self._steps))
        needed = dict.fromkeys(n for step in self._steps for n in step.needs)
        names = [n for n in needed if n not in changed and n not in self._keep and n not in self._later]
        return [k for n in names for u in self._around(unit) if not self._is_open(k := PlaneKey(n, u))]

    def left(self, keys: Iterable[PlaneKey]) -> list[PlaneKey]:
        """Return the planes that no later step and no product needs, when a step is done."""
        return [k for k in keys if k.name not in self._later and k.name not in self._keep]

    def _is_open(self, key: PlaneKey) -> bool:
        """Whether the step or chain that works now may still read a plane."""
        needs = [step.needs[key.name] for step in self._steps if key.name in step.needs]
        if not needs:
            return False
        chip = isinstance(key.unit, ChipUnit)
        own = all(need.of == "own" or (need.of == "touching" and chip) for need in needs)
        if not self._by_unit or not own:
            return True
        return any(self._units[u] > 0 for u in self._around(key.unit))

    def _around(self, unit: Unit) -> Sequence[Unit]:
        """Return the units whose tasks read planes of a unit as their own."""
        if isinstance(unit, ChipUnit):
            return unit, ExposureUnit(unit.exposure)
        if isinstance(unit, ExposureUnit):
            return unit, *self._plan.chips_of(unit.exposure)
        return (unit,)
