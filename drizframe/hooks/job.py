"""What a step may ask of the engine while it works: a kind of job for each thing that a step can work over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, overload

if TYPE_CHECKING:
    import numpy as np

    from drizframe.config import Parameters
    from drizframe.errors import DrizframeWarning
    from drizframe.hooks.plugins.registry import Registry
    from drizframe.hooks.records.base import Component
    from drizframe.hooks.records.interpolator import Interpolator
    from drizframe.hooks.records.kernel import Kernel
    from drizframe.hooks.records.step import Step
    from drizframe.model import (
        Chip,
        ChipInput,
        ChipUnit,
        Drizzled,
        Exposure,
        ExposureUnit,
        Frame,
        Overlap,
        PixelMap,
        Unit,
        Window,
    )

__all__ = ["BandJob", "ChipJob", "ExposureJob", "Job", "TileJob"]


class Job(Protocol):
    """What the engine hands to `Step.run`: read access to planes, and the engine's services.

    A step over the run gets this; the others get more.
    """

    unit: Any
    parameters: Parameters
    exposures: Sequence[Exposure]
    registry: Registry
    backend: Literal["auto", "reference", "cython"]

    @overload
    def units(self, scope: Literal["chip"]) -> Sequence[ChipUnit]: ...

    @overload
    def units(self, scope: Literal["exposure"]) -> Sequence[ExposureUnit]: ...

    def units(self, scope: str) -> Sequence[Any]:
        """All chips or exposures of the run, in order."""

    def chip_of(self, unit: ChipUnit) -> Chip:
        """Any chip of the run."""

    def chip_number(self, unit: ChipUnit) -> int:
        """Number of a chip over the whole run, from 1."""

    def read(self, name: str, unit: Unit | None = None, window: Window | None = None) -> Any:
        """A plane (read-only) of this or another unit; None if it was not made and the need is optional.

        Without a window, a step over tiles or bands gets its own with the border that it declared.
        """

    def each(self, name: str) -> Iterator[tuple[Any, Any]]:
        """The units that have a plane, in order, with the plane as `read` gives it."""

    def component(self, family: str, name: Any) -> Any:
        """A component record by family and name (a record is returned as it is)."""

    def call(self, component: Component) -> Callable[..., Any]:
        """The implementation to use: compiled or reference, by `backend`.

        Arrays that it is given are read-only from then on; what it answers is checked.
        """

    def plugin_options(self, component: Component | Step | None = None) -> Any:
        """The validated parameter section of a component, or of this step if none is named; None if it has none."""

    def frame(self, which: str) -> Frame:
        """An output frame, ``"separate"`` or ``"final"``."""

    def footprint(self, unit: ExposureUnit) -> Window:
        """The part of the separate frame that an exposure covers."""

    def pixel_map(self, unit: ChipUnit, which: str) -> PixelMap:
        """The map from a chip to a frame."""

    def blot_map(self, unit: ChipUnit) -> PixelMap:
        """The map from a chip to the separate frame that the blot step uses."""

    def scale_ratio(self, unit: ChipUnit, which: str) -> float:
        """Root of the area of an output pixel over that of an undistorted pixel of the chip; see `PixelScale`."""

    def overlaps(self) -> Sequence[Overlap]:
        """Overlaps of all chips of different exposures on the sky."""

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        """Results of a function for every item, in order; several are computed at a time."""

    def wanted(self, name: str) -> bool:
        """Whether anybody uses a plane that this step makes: another step, the products, or the user."""

    def note(self, message: str, *, warn: bool | type[DrizframeWarning] = False) -> None:
        """Write a line into the log; as a warning if `warn`, which can be a kind, such as `drizframe.errors.SkyWarning`."""


class ExposureJob(Job, Protocol):
    """The job of a step over exposures, and over tiles of their footprints."""

    @property
    def exposure(self) -> Exposure:
        """The exposure of this unit."""


class ChipJob(ExposureJob, Protocol):
    """The job of a step over chips."""

    @property
    def chip(self) -> Chip:
        """The chip of this unit."""

    def blot(
        self,
        image: np.ndarray[Any, Any] | Callable[[Window], Any],
        unit: ChipUnit,
        *,
        interpolator: Interpolator,
        factor: float,
        **options: Any,
    ) -> np.ndarray[Any, Any]:
        """Resample an image on the separate frame onto a chip; see `drizframe.pixels.blot`."""


class BandJob(ChipJob, Protocol):
    """The job of a step over bands of chips."""

    @property
    def window(self) -> Window:
        """Rows of the chip, and all columns."""


class TileJob(Job, Protocol):
    """The job of a step over tiles of a frame; over tiles of footprints, `ExposureJob` as well."""

    @property
    def exposure(self) -> Exposure:
        """The exposure of the footprint, with grid ``"exposure"``."""

    @property
    def window(self) -> Window:
        """The tile, in pixels of the frame."""

    def touching(self, kernel: Kernel, pixfrac: float) -> Iterator[ChipUnit]:
        """The chips of this unit that a kernel can spread onto the tile, in order."""

    def rows(self, unit: ChipUnit, kernel: Kernel, pixfrac: float) -> Window:
        """The rows of a chip that a kernel can spread onto the tile, and all of its columns: what `read` need not exceed."""

    def drizzle(self, inputs: Iterable[ChipInput], kernel: Kernel, **options: Any) -> Drizzled:
        """Drizzle chips, taken one at a time, onto the window of this job.

        See `drizframe.pixels.drizzle.drizzle`.
        """
