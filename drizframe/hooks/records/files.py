"""Files: instruments read the facts of headers, readers make exposures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from drizframe.errors import HookError
from drizframe.hooks.records.base import Component
from drizframe.hooks.records.fields import check_fields, text, texts
from drizframe.hooks.records.signatures import Calls

__all__ = ["Instrument", "InstrumentOptions", "Reader"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentOptions:
    """Overrides that an `Instrument` honours while it reads headers.

    Parameters
    ----------
    gain, readnoise, exptime : float or None
        Values; for gain and read noise the mean of several is formed before it comes here.
    gain_keyword, readnoise_keyword, exptime_keyword : str
        Comma-separated header keywords (mean of the non-zero values); blank: the instrument's own.
    """

    gain: float | None = None
    readnoise: float | None = None
    exptime: float | None = None
    gain_keyword: str = ""
    readnoise_keyword: str = ""
    exptime_keyword: str = ""
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
    """

    family: ClassVar[str] = "instrument"
    takes_options: ClassVar[bool] = False
    CALLS: ClassVar[Calls] = {
        "reference": "primary, science, *, name, path, source, options, wcs",
        "matches": "primary_header",
    }

    matches: Callable[[Any], bool] | None = None
    rules: str = ""
    requires: tuple[str, ...] = ()

    def _check_types(self) -> None:
        Component._check_types(self)  # noqa: SLF001  (zero-argument super() fails in a dataclass with slots)
        check_fields(self.label, self, rules=text, requires=texts(tuple))

    def _check(self) -> None:
        Component._check(self)  # noqa: SLF001  (zero-argument super() fails in a dataclass with slots)
        if self.matches is None:
            msg = f"{self.label} has no matches(primary_header) -> bool."
            raise HookError(msg)
        unknown = sorted(set(self.requires) - {"dq", "err"})
        if unknown:
            msg = f"{self.label} requires {unknown}. Choose from 'dq' and 'err'."
            raise HookError(msg)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Reader(Component):
    """Files to exposures.

    Parameters
    ----------
    matches : callable
        ``matches(path) -> bool``, cheap.
    reference : callable
        ``reference(path, *, instruments, options) -> list[Exposure]``: `instruments` is a callable that finds
        the `Instrument` for a primary header, `options` an `InstrumentOptions`.
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
            raise HookError(msg)
