"""Files: instruments read the facts of headers, readers make exposures."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from drizframe.errors import PluginError, RecordError
from drizframe.hooks.records.base import Component
from drizframe.hooks.records.fields import check_fields, text, texts
from drizframe.hooks.records.options import named
from drizframe.hooks.records.signatures import Calls

if TYPE_CHECKING:
    from drizframe.model import Exposure

__all__ = ["Instrument", "InstrumentOptions", "Reader"]

_TAG = re.compile(r"_dr[a-z0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentOptions:
    """Overrides that an `Instrument` honours while it reads headers.

    Parameters
    ----------
    gain, readnoise, exptime : float or None
        Values; for gain and read noise the mean of several is formed before it comes here.
    gain_keyword, readnoise_keyword, exptime_keyword : str
        Comma-separated header keywords (mean of the non-zero values); blank: the instrument's own.
    extra : dict
        What concerns the reader and not the values: ``"coeffs"`` (whether distortion is used), ``"wcskey"``, ``"group"``.
    """

    gain: float | None = None
    readnoise: float | None = named("rdnoise", None)
    exptime: float | None = None
    gain_keyword: str = named("gainkeyword", "")
    readnoise_keyword: str = named("rnkeyword", "")
    exptime_keyword: str = named("expkeyword", "")
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Instrument(Component):
    """Reads the facts of exposures and chips from headers.

    Parameters
    ----------
    matches : callable
        ``matches(primary_header) -> bool``.
    reference : callable
        ``reference(primary, science, *, name, path, source, options, wcs) -> Exposure``: `science` maps
        EXTVER to header, ``source(extver)`` gives the chip's `PixelSource`, ``wcs(extver)`` its WCS,
        `options` an `InstrumentOptions`.
    rules : str
        Name of the header-blending rules.
    requires : tuple of str
        Images that every file of the instrument has for each chip, of ``"dq"`` and ``"err"``: a file that lacks one is
        refused, unless the user allows it (``allow_missing``).
    check : callable or None
        ``check(primary, path) -> None``: raises `InputError` for files of the instrument that hold no images, such as
        spectra; asked before anything else is looked at.
    usual_rate : callable or None
        ``usual_rate(primary, science) -> bool or None``: whether an image without ``BUNIT`` is in units per second.
    numbered_by_detector : bool
        Whether the number of the detector or camera tells which part of a detector a chip is, because ``EXTVER`` counts
        image sets.  Chips with the same number share a static mask.
    image_sets : bool
        Whether a file may hold several exposures, one for each ``EXTVER``; each becomes one of its own, called as its
        ``EXPNAME`` says.
    exposure_keys : tuple of str
        Keywords of the science header that tell of the exposure, and count before those of the primary header.
    product_tag : str
        What products of the instrument have in their names in place of ``"_drz"``, such as ``"_drw"``: ``"_dr"`` and a letter or digit.
    needs_roll : bool
        Whether an exposure with a distortion model cannot be used without ``PA_V3``.
    fallback : bool
        Whether it is asked after all others, because it takes headers of any camera.
    """

    family: ClassVar[str] = "instrument"
    takes_options: ClassVar[bool] = False
    CALLS: ClassVar[Calls] = {
        "reference": "primary, science, *, name, path, source, options, wcs",
        "matches": "primary_header",
        "check": "primary, path",
        "usual_rate": "primary, science",
    }

    matches: Callable[[Any], bool] | None = None
    rules: str = ""
    requires: tuple[str, ...] = ()
    check: Callable[[Any, Any], None] | None = None
    usual_rate: Callable[[Any, Any], bool | None] | None = None
    numbered_by_detector: bool = False
    image_sets: bool = False
    exposure_keys: tuple[str, ...] = ()
    product_tag: str = ""
    needs_roll: bool = True
    fallback: bool = False

    def _check_types(self) -> None:
        Component._check_types(self)  # noqa: SLF001  (zero-argument super() fails in a dataclass with slots)
        check_fields(
            self.label, self, rules=text, requires=texts(tuple), exposure_keys=texts(tuple), product_tag=text
        )

    def _check(self) -> None:
        Component._check(self)  # noqa: SLF001  (zero-argument super() fails in a dataclass with slots)
        if self.matches is None:
            msg = f"{self.label} has no matches(primary_header) -> bool."
            raise RecordError(msg)
        unknown = sorted(set(self.requires) - {"dq", "err"})
        if unknown:
            msg = f"{self.label} requires {unknown}. Choose from 'dq' and 'err'."
            raise RecordError(msg)
        if self.product_tag and not _TAG.fullmatch(self.product_tag):
            msg = f"{self.label} has product_tag = {self.product_tag!r}; give '_dr' and one letter or digit, such as '_drw'."
            raise RecordError(msg)

    def read(self, primary: Any, science: Any, **where: Any) -> Exposure:
        """Return the exposure that `reference` makes, with what this record says of all exposures of the instrument.

        Parameters
        ----------
        primary, science, **where
            As `reference` is given them.
        """
        from drizframe.model import Exposure

        assert self.reference is not None  # noqa: S101  (checked when the record was made)
        made = self.reference(primary, science, **where)
        if not isinstance(made, Exposure):
            msg = f"{self.label} returned {type(made).__name__}; it must return an Exposure."
            raise PluginError(msg, self)
        chips = (
            [dataclasses.replace(c, usual_rate=self.usual_rate(made.primary, c.header)) for c in made.chips]
            if self.usual_rate is not None
            else made.chips
        )
        return dataclasses.replace(
            made.with_chips(chips), numbered_by_detector=self.numbered_by_detector or made.numbered_by_detector,
            product_tag=self.product_tag or made.product_tag, needs_roll=self.needs_roll,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Reader(Component):
    """Files to exposures.

    Parameters
    ----------
    matches : callable
        ``matches(path) -> bool``, cheap.
    reference : callable
        ``reference(path, *, instruments, options) -> list[Exposure]``: `instruments` is a callable that finds
        the `Instrument` for a primary header, whose `read` makes an exposure; `options` an `InstrumentOptions`.
    settle : callable or None
        ``settle(paths) -> list[str]``: finishes what an interrupted run left half done to files, and returns
        what it did, for warnings.  Called with all files of a run that the reader takes, before any is read.
    """

    family: ClassVar[str] = "reader"
    takes_options: ClassVar[bool] = False
    CALLS: ClassVar[Calls] = {
        "reference": "path, *, instruments, options",
        "matches": "path",
        "settle": "paths",
    }

    matches: Callable[[Path], bool] | None = None
    settle: Callable[[Sequence[Path]], Sequence[str]] | None = None

    def _check(self) -> None:
        Component._check(self)  # noqa: SLF001  (zero-argument super() fails in a dataclass with slots)
        if self.matches is None:
            msg = f"{self.label} has no matches(path) -> bool."
            raise RecordError(msg)
