"""What a step may ask of the engine while it works."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np

    from drizframe.config import Parameters
    from drizframe.hooks.plugins.registry import Registry
    from drizframe.hooks.records.base import Component
    from drizframe.hooks.records.interpolator import Interpolator
    from drizframe.hooks.records.kernel import Kernel
    from drizframe.hooks.records.step import Step
    from drizframe.model import Chip, ChipInput, Drizzled, Exposure, Frame, Overlap, PixelMap, Unit, Window
    from drizframe.model.planes import Scope

__all__ = ["Job"]


class Job(Protocol):
    """What the engine hands to `Step.run`.

    The unit to work on, read access to planes, and the engine's services.
    """

    unit: Unit
    window: Window | None
    parameters: Parameters
    exposures: Sequence[Exposure]
    registry: Registry
    backend: Literal["auto", "reference", "cython"]

    @property
    def chip(self) -> Chip:
        """The chip of this unit."""

    @property
    def exposure(self) -> Exposure:
        """The exposure of this unit."""

    def units(self, scope: Scope) -> Sequence[Unit]:
        """All chips or exposures of the run, in order."""

    def chip_number(self, unit: Unit) -> int:
        """Number of a chip over the whole run, from 1."""

    def read(self, name: str, unit: Unit | None = None, window: Window | None = None) -> Any:
        """A plane (read-only) of this or another unit; None if it was not made."""

    def component(self, family: str, name: Any) -> Any:
        """A component record by family and name (a record is returned as it is)."""

    def call(self, component: Component) -> Callable[..., Any]:
        """The implementation to use: compiled or reference, by `backend`."""

    def plugin_options(self, component: Component | Step | None = None) -> Any:
        """The validated parameter section of a component, or of this step if none is named; None if it has none."""

    def frame(self, which: Literal["separate", "final"]) -> Frame:
        """An output frame."""

    def pixel_map(self, unit: Unit, which: Literal["separate", "final"]) -> PixelMap:
        """The map from a chip to a frame."""

    def blot_map(self, unit: Unit) -> PixelMap:
        """The map from a chip to the separate frame that the blot step uses."""

    def scale_ratio(self, unit: Unit, which: Literal["separate", "final"]) -> float:
        """Root of the area of an output pixel over that of an undistorted pixel of the chip; see `PixelScale`."""

    def overlaps(self) -> Sequence[Overlap]:
        """Overlaps of all chips of different exposures on the sky."""

    def drizzle(self, inputs: Iterable[ChipInput], kernel: Kernel, **options: Any) -> Drizzled:
        """Drizzle chips, taken one at a time, onto the window of this job.

        See `drizframe.pixels.drizzle.drizzle`.
        """

    def blot(
        self,
        image: np.ndarray[Any, Any] | Callable[[Window], Any],
        unit: Unit,
        *,
        interpolator: Interpolator,
        factor: float,
        **options: Any,
    ) -> np.ndarray[Any, Any]:
        """Resample an image on the separate frame onto a chip; see `drizframe.pixels.blot`."""

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        """Results of a function for every item, in order; several are computed at a time."""

    def note(self, message: str, *, warn: bool = False) -> None:
        """Write a line into the log; as a warning if `warn`."""
