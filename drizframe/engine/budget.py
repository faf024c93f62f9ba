"""What the tasks of a step hold in memory, and what that leaves for planes that are kept."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drizframe.engine.bound import BoundStep
from drizframe.engine.geometry import KEPT
from drizframe.errors import ParameterError
from drizframe.grids.maps import Maps
from drizframe.hooks import Need
from drizframe.model import Plane

if TYPE_CHECKING:
    from drizframe.engine.chains import Chain
    from drizframe.engine.plan import Plan

__all__ = ["Budget", "Load", "Share", "chain_load_of", "load_of"]

Shape = tuple[int, int]

#: Part of the limit that is left alone, as one over this: small things that nobody counts, and what the allocator keeps.
SLACK = 6
#: Part of the limit, as one over this, from which results that wait for others count as large.
LARGE = 8
#: Bytes from which maps are counted in the least limit; fewer are among the small things.
SMALL = 1 << 20
#: Bytes a pixel of types that stand for several.
_SIZES = {
    "real": 4,
    "integer": 4,
    "float32": 4,
    "float64": 8,
    "uint8": 1,
    "uint16": 2,
    "int16": 2,
    "int32": 4,
}
#: Pixels beside those under a tile that its chips are read with, and those around the part of a frame under a chip.
MARGIN = 32


@dataclass(frozen=True, slots=True)
class Load:
    """Bytes of one task at most.

    Parameters
    ----------
    reads : int
        What it reads at a time, where that is not in memory.
    work : int
        What it holds beside that.
    makes : int
        What it returns; the images of one unit where it is called for the run.
    where : str
        The largest thing that it is called for, for messages.
    """

    reads: int
    work: int
    makes: int
    where: str = ""

    @property
    def total(self) -> int:
        """Bytes of a task that is alone."""
        return self.reads + self.work + self.makes


@dataclass(frozen=True, slots=True)
class Share:
    """How a step shares the memory.

    Parameters
    ----------
    workers : int
        Tasks at a time.
    ahead : int
        Tasks that are handed out at a time, with those whose results wait.
    kept : int
        Bytes of planes that stay in memory meanwhile.
    """

    workers: int
    ahead: int
    kept: int


class Budget:
    """Shares the memory of a run among the tasks of a step and the planes that are kept.

    Parameters
    ----------
    plan : Plan
        What will be done.
    limit : int
        Bytes that the run may hold, `max_memory`.
    """

    def __init__(self, plan: Plan, limit: int) -> None:
        self._plan, self._limit = plan, limit
        self._loads = [load_of(plan, step) for step in plan.steps]
        self._alone = {id(step): load for step, load in zip(plan.steps, self._loads, strict=True)}
        self._chained: dict[int, int] = {}  # workers of chains, by their first step

    def of(self, index: int) -> Share:
        """Return the share of a step: fewer tasks at a time where all would not fit.

        Parameters
        ----------
        index : int
            Number of the step.
        """
        load = self._loads[index]
        room = self._limit - self._limit // SLACK
        alone, workers = load.reads + load.work, self._chained.get(index) or self._workers(load, room // 2)
        ahead = workers if 2 * workers * load.makes > self._limit // LARGE else 2 * workers
        maps = self._plan.maps
        held = maps.nbytes if isinstance(maps, Maps) else 0
        return Share(workers, ahead, max(0, room - held - workers * alone - ahead * load.makes))

    def apart(self, index: int) -> Share:
        """Return the share of a step whose tasks work in other processes; `kept` is that of each of them.

        Parameters
        ----------
        index : int
            Number of the step.
        """
        load = self._loads[index]
        room = self._limit - self._limit // SLACK
        each = load.reads + load.work + 2 * load.makes  # what it made is packed before it goes
        workers = self._workers(Load(load.reads, load.work, 3 * load.makes), room * 2 // 3)
        rest = room - workers * each - (workers + 1) * load.makes  # those that come are unpacked
        return Share(workers, workers, max(0, rest) // workers)

    def _workers(self, load: Load, room: int) -> int:
        """Return how many tasks of a kind fit into a part of the memory at a time."""
        workers = self._plan.workers
        while workers > 1 and workers * load.total > room:
            workers -= 1
        return workers

    def takes(self, chain: Chain) -> bool:
        """Whether there is memory for a chain, with as many tasks at a time as for its steps one by one; its share is that then.

        It may take more of the memory than these, for what it hands on is not kept beside it.
        """
        load, room = chain_load_of(self._plan, chain), self._limit - self._limit // SLACK
        most = min(self._workers(self._alone[id(step)], room // 2) for step in chain.steps)
        workers = min(most, self._workers(load, room * 2 // 3))
        if load.total > room or workers < most:
            return False
        self._loads[chain.first], self._chained[chain.first] = load, workers
        return True

    @property
    def least(self) -> int:
        """The least limit that would do, in bytes: the heaviest task alone, and the maps that are always kept, if they are large."""
        maps = self._plan.maps
        kept = min(maps.total, KEPT) if isinstance(maps, Maps) else 0
        kept -= kept % SMALL
        return (max((load.total for load in self._loads), default=0) + kept) * SLACK // (SLACK - 1) + 1

    def check(self) -> None:
        """Refuse a limit that one task of a step alone would break.

        Raises
        ------
        ParameterError
            It names the least limit that would do.
        """
        if self.least <= self._limit:
            return
        step, load = max(zip(self._plan.steps, self._loads, strict=True), key=lambda pair: pair[1].total)
        smaller = ", or a smaller tile_size" if step.over == "tile" else ""
        msg = (
            f"Parameter max_memory is {_size(self._limit)}, but step {step.name!r} holds {_size(load.total)} for {load.where}, and a part "
            f"of the limit is left for maps and other things. Give at least max_memory='{math.ceil(self.least / 1e4) / 100:g}MB'{smaller}."
        )
        raise ParameterError(msg)


def _size(nbytes: int) -> str:
    return f"{nbytes / 1e6:.3g} MB"


def load_of(plan: Plan, step: BoundStep) -> Load:
    """Return what one task of a step holds at most, as it is declared.

    Parameters
    ----------
    plan : Plan
        Frames, chips and planes of the run.
    step : BoundStep
        Declares what it reads, makes, and holds beside that.
    """
    shape = _shape(plan, step)
    needs = [(n, plan.planes[n.plane]) for n in step.needs.values() if n.plane in plan.planes]
    reads = sum(_read(plan, step, need, plane, shape) for need, plane in needs)
    makes = sum(_made(plan, plane, shape, step.over) for plane in step.planes.values())
    names = {"tile": "one tile", "band": "some rows of one chip", "run": "one chip"}
    where = f"{names.get(step.over, f'one {step.over}')} of {shape[0]} x {shape[1]} pixels"
    return Load(reads, step.work(shape), makes, where)


def chain_load_of(plan: Plan, chain: Chain) -> Load:
    """Return what one task of a chain holds at most: that of any of its steps, with what was made before and is still needed.

    Parameters
    ----------
    plan : Plan
        Frames, chips and planes of the run.
    chain : Chain
        Steps that are done together.
    """
    shape = _shape(plan, chain.steps[0])
    if chain.over == "chip":
        shape = plan.largest
    held: dict[str, int] = {}
    most = reads = 0
    for number, step in enumerate(chain.steps, start=1):
        own = _shape(plan, step)
        outside = [
            (need, plan.planes[name])
            for name, need in step.needs.items()
            if name in plan.planes and name not in held
        ]
        read = sum(_read(plan, step, need, plane, own) for need, plane in outside)
        made = {name: _made(plan, plane, shape, chain.over) for name, plane in step.planes.items()}
        again = sum(made[name] for name in made if name in held)  # what is changed, before and after
        held |= made
        most, reads = max(most, read + step.work(own) + again + sum(held.values())), max(reads, read)
        needed = chain.needed(number)
        held = {name: size for name, size in held.items() if name in needed}
    makes = sum(held.values())
    where = load_of(plan, chain.steps[0]).where
    return Load(reads, most - reads - makes, makes, where)


def _shape(plan: Plan, step: BoundStep) -> Shape:
    """Return rows and columns of the largest thing that a step is called for; of a run, of its largest chip."""
    ny, nx = plan.largest
    if step.over == "band":
        return min(plan.band, ny), nx
    if step.over != "tile":
        return ny, nx
    area = plan.grid_shape(step.grid)
    if step.grid == "exposure":
        area = plan.widest
    side = plan.parameters.tile_size
    return min(side, area[0]), min(side, area[1])


def _bytes(plan: Plan, plane: Plane) -> int:
    """Return bytes a pixel."""
    layers = 1
    if plane.kind == "cube" and plane.dtype == "int32":  # one bit for each chip
        layers = (len(plan.chips) - 1) // 32 + 1
    return layers * _SIZES[plane.dtype]


def _read(plan: Plan, step: BoundStep, need: Need, plane: Plane, shape: Shape) -> int:
    """Return the bytes of a plane that a task reads at a time."""
    if plane.kind == "value" or not plane.is_made(plan.parameters):
        return 0
    assert isinstance(need.border, int)  # noqa: S101  (bound)
    return _bytes(plan, plane) * _pixels(plan, step, plane, shape, need.border)


def _pixels(plan: Plan, step: BoundStep, plane: Plane, shape: Shape, border: int) -> int:
    """Return how many pixels of a plane a task reads at a time."""
    ny, nx = plan.largest
    rows = shape[0] if step.over == "band" else step.step.rows or ny
    if step.over == "tile":
        if plane.on == "chip":
            return min(ny, math.ceil(math.hypot(*shape) * plan.scales[1]) + MARGIN) * nx
        return (shape[0] + 2 * border) * (shape[1] + 2 * border)
    if plane.on == "chip":
        return min(ny, rows + 2 * border) * nx
    if plane.on == "exposure":
        windows = plan.footprints.values()
        return max((min(w.shape[0], step.step.rows or w.shape[0]) * w.shape[1] for w in windows), default=0)
    frame = plan.grid_shape(plane.grid)
    if step.over == "run":
        return min(frame[0], step.step.rows or frame[0]) * frame[1]
    scale = plan.scales[0]
    return min(math.prod(frame), math.ceil((rows / scale + MARGIN) * (nx / scale + MARGIN)))


def _made(plan: Plan, plane: Plane, shape: Shape, over: str) -> int:
    """Return the bytes of a plane that a task makes; of a step over the run, those of the largest of them.

    `over` is what the task is called for, with a shape: for a chain not always what the step is.
    """
    if plane.kind == "value" or not plane.is_made(plan.parameters):
        return 0
    size = _bytes(plan, plane)
    if over in ("tile", "band"):
        return size * math.prod(shape)
    if plane.on == "frame":
        return size * math.prod(plan.grid_shape(plane.grid))
    if plane.on == "exposure":
        return size * max((math.prod(w.shape) for w in plan.footprints.values()), default=0)
    chips = max((len(e.chips) for e in plan.exposures), default=0) if over == "exposure" else 1
    return size * chips * math.prod(plan.largest)
