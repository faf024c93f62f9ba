"""What all tasks of one run share."""

from __future__ import annotations

import dataclasses
import math
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from drizframe.engine.bus import Bus
from drizframe.engine.geometry import chip_coverage
from drizframe.engine.plan import Plan
from drizframe.engine.store import Store
from drizframe.errors import DrizframeWarning
from drizframe.grids.coverage import Coverage
from drizframe.hooks import Component, Kernel, Registry
from drizframe.model import Overlap, PlaneKey, Unit, Window
from drizframe.pixels.reach import footprint_of_pixel
from drizframe.system.memory import Watch

if TYPE_CHECKING:
    from drizframe.engine.resuming import Resumption

__all__ = ["NEAR", "RunContext", "told_at"]

#: How near a tile a chip lies that counts as touching it where no kernel was asked, as `footprint_of_pixel` says it: its pixels and two
#: more, and two pixels of the frame.
NEAR = (2.5, 2.0)
#: Bytes a pixel of the inputs for which there is room in memory whatever the steps: twice what the stock ones keep.
PLENTY = 64
#: Pixels of inputs and frames from which the memory that a step has freed is given back.
LARGE = 1 << 22
#: Indices of chips that are kept at a time.
COVERAGES = 8


#: Where something was told: to be sorted by.
Place = tuple[Any, ...]


def told_at(unit: Unit, window: Window | None = None) -> Place:
    """Return by what the notes of the tasks of a step are sorted, so that their order does not depend on who was first."""
    return (*dataclasses.astuple(unit), *(() if window is None else (window.y0, window.x0)))


@dataclass(slots=True, eq=False)
class RunContext:
    """What all tasks of one run share; `apart`: tasks work in processes that share the disk only."""

    plan: Plan
    registry: Registry
    store: Store
    bus: Bus
    keep: frozenset[str] = frozenset()
    workers: int = 0
    watch: Watch | None = None
    backends: dict[str, str] = field(default_factory=dict)
    called: dict[int, tuple[Component, str]] = field(default_factory=dict)
    #: Of tasks: the text, whether it is a warning, and the step.
    notes: list[tuple[str, bool | type[DrizframeWarning], str, Place]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    overlaps: list[Overlap] | None = None
    options: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    loading: dict[PlaneKey, threading.RLock] = field(default_factory=dict)
    covered: dict[tuple[str, int, float], tuple[Kernel | None, Coverage]] = field(default_factory=dict)
    resumption: Resumption | None = None
    apart: bool = False
    _records: frozenset[int] = field(init=False)
    ample: bool = field(init=False)

    def lock_of(self, key: PlaneKey) -> threading.RLock:
        """Return the lock of a plane that is being loaded."""
        with self.lock:
            return self.loading.setdefault(key, threading.RLock())

    def coverage(self, grid: str, kernel: Kernel | None, pixfrac: float) -> Coverage:
        """Return which chips a kernel can spread where on a frame; they are indexed when this is asked first.

        None: what lies as near as `NEAR`.
        """
        key = grid, id(kernel), pixfrac
        with self.lock:
            found = self.covered.get(key)
            if found is None or found[0] is not kernel:
                if len(self.covered) >= COVERAGES:  # a step that makes a kernel for each task
                    self.covered.clear()
                plan = self.plan
                found = self.covered[key] = (
                    kernel,
                    chip_coverage(
                        plan.chips,
                        lambda unit: plan.maps[grid, unit],
                        lambda unit: (
                            NEAR
                            if kernel is None
                            else footprint_of_pixel(kernel, pixfrac, plan.ratios[grid, unit])
                        ),
                    ),
                )
            return found[1]

    def wanted(self, name: str) -> bool:
        """Whether a step needs a plane, or somebody asks for it at the end of the run."""
        plane = self.plan.planes[name]
        return (
            name in self.keep
            or plane.stays
            or bool(plane.product)
            or any(name in s.needs for s in self.plan.steps)
        )

    def __post_init__(self) -> None:
        """Gather the records of the run, those of the registry and those that were given; see whether memory may become short."""
        self.workers = self.workers or self.plan.workers
        pixels = sum(e.size for e in self.plan.exposures)
        self.ample = PLENTY * pixels <= self.store.limit
        parameters = self.plan.parameters
        given = (getattr(parameters, n) for n in type(parameters).model_fields)
        direct = (c for c in given if isinstance(c, Component))
        self._records = frozenset(id(c) for c in (*direct, *(e.record for e in self.registry)))

    @property
    def large(self) -> bool:
        """Whether there are so many pixels that what a step has freed is worth giving back."""
        frames = (f.shape for f in self.plan.frames.values())
        return sum(e.size for e in self.plan.exposures) + sum(map(math.prod, frames)) > LARGE

    def note_named(self, family: str, name: str, kind: str) -> tuple[Component, str] | None:
        """Remember by name which implementation ran; return the component, None for one that a step made for itself."""
        if family not in self.registry.families or name not in self.registry.names(family):
            with self.lock:
                self.backends[f"{family} {name}"] = kind
            return None
        component: Component = self.registry.get(family, name)
        self.note_backend(component, kind)
        return component, kind

    def note_backend(self, component: Component, kind: str) -> None:
        """Remember which implementation of a component runs; two records may have one name."""
        self.backends[f"{component.family} {component.name}"] = kind
        if id(component) in self._records:  # not what a task made of one: that may hold its images
            self.called[id(component)] = (component, kind)
