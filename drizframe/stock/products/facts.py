"""What a product's header must say, in one record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from drizframe._version import __version__
from drizframe.config.outputs import OutputNames
from drizframe.model import ChipUnit

if TYPE_CHECKING:
    from drizframe.model import Chip, Exposure, Extension, Frame

__all__ = ["ProductFacts", "distinct", "totals"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProductFacts:
    """All that headers of a product tell about the run.

    Parameters
    ----------
    kind : {"final", "single"}
        The mosaic, or one exposure on the separate frame (`exposures` then holds that one).
    frame : Frame
        Output grid.
    exposures : sequence of Exposure
        What was drizzled, in input order.
    names : OutputNames
        Names of the final products.
    sky : mapping of ChipUnit to float or None
        Sky level of chips in their units, by position in `exposures`; missing or None: not written.
    sky_method : mapping of ChipUnit to str
        How the sky of chips was found; missing: not written.
    weight_scale : mapping of ChipUnit to float
        Factor of the weight map; missing: 1.
    kernel, pixfrac, units, fillval, wcskey
        Parameters of the step; `fillval` None means INDEF.
    bunit : str
        ChipUnit of the image.
    build : bool
        Whether the final product is one file with several extensions.
    context : bool
        Whether there is a context image.
    log : str
        Name of the log file.
    rules_file : str
        The user's blending rules; blank: search.
    rules_folder : pathlib.Path or None
        Folder that may hold ``*.rules``.
    rules_history : bool
        Whether the rules are written into ``HISTORY``.
    layers : mapping of str to Extension
        Layers of the mosaic, by name.
    version : str
        Version of drizframe.
    """

    frame: Frame
    exposures: Sequence[Exposure]
    names: OutputNames
    kind: Literal["final", "single"] = "final"
    sky: Mapping[ChipUnit, float | None] = field(default_factory=dict)
    sky_method: Mapping[ChipUnit, str] = field(default_factory=dict)
    weight_scale: Mapping[ChipUnit, float] = field(default_factory=dict)
    kernel: str = "square"
    pixfrac: float = 1.0
    units: str = "cps"
    fillval: float | None = None
    wcskey: str = ""
    coeffs: bool = True
    bunit: str = "ELECTRONS/S"
    build: bool = False
    context: bool = True
    log: str = ""
    rules_file: str = ""
    rules_folder: Path | None = None
    rules_history: bool = False
    layers: Mapping[str, Extension] = field(default_factory=dict)
    version: str = __version__

    def chips(self) -> list[tuple[ChipUnit, Exposure, Chip]]:
        """Return all chips in processing order with their addresses."""
        return [(ChipUnit(i, j), e, c) for i, e in enumerate(self.exposures) for j, c in enumerate(e.chips)]

    @property
    def stem(self) -> str:
        """Root and tag of the final product, without the folder."""
        return Path(self.names.stem).name


def distinct(exposures: Sequence[Exposure]) -> list[Exposure]:
    """Return each exposure once, in order; the same image set of the same file is the same exposure.

    Parameters
    ----------
    exposures : sequence of Exposure
        What was drizzled; a file that was given twice is there twice, under two names.
    """
    once: dict[tuple[Any, str], Exposure] = {}
    for e in exposures:
        key = (None, e.name) if e.path is None else (e.path, str(e.extra.get("file", "")))
        once.setdefault(key, e)
    return list(once.values())


def totals(exposures: Sequence[Exposure]) -> tuple[float, float, float, int]:
    """Return exposure time (s), start and end (MJD) of a product, and the number of distinct exposures.

    Parameters
    ----------
    exposures : sequence of Exposure
        What was drizzled; one that occurs twice counts once.
    """
    once = distinct(exposures)
    starts = [e.start for e in once if e.start > 0]
    ends = [e.end for e in once if e.end > 0]
    return float(sum(e.exptime for e in once)), min(starts, default=0.0), max(ends, default=0.0), len(once)
