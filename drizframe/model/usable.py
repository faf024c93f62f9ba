"""Why an exposure cannot be combined, by what its headers say."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drizframe.model.exposure import Exposure

__all__ = ["why_unusable"]

#: Where other telescopes write the exposure time.
_TIMES = ("XPOSURE", "EFFEXPTM", "EXPOSURE", "EXP_TIME", "TELAPSE", "ITIME")


def why_unusable(exposure: Exposure) -> str | None:
    """Say why the headers of an exposure forbid to combine it; None if they do not.

    Parameters
    ----------
    exposure : Exposure
        As read.

    Returns
    -------
    str or None
        The reason, for a warning that names the exposure; it tells file, extension and keyword.
    """
    if not exposure.exptime > 0:
        return _no_time(exposure)
    counts = [c.header.get("NGOODPIX") for c in exposure.chips]
    if counts and all(n is not None and n == 0 for n in counts):
        return f"the headers of {_file(exposure)} say that no pixel is good (NGOODPIX = 0)"
    modelled = exposure.needs_roll and any(c.v2ref is not None for c in exposure.chips)
    if modelled and exposure.pa_v3 is None:
        return (
            f"PA_V3 is missing from the primary header of {_file(exposure)}, and no _spt.fits file tells it"
        )
    return None


def _file(exposure: Exposure) -> str:
    return str(exposure.path or exposure.name)


def _no_time(exposure: Exposure) -> str:
    """Tell an exposure time of 0 from one that no header has."""
    own = [(f"{_file(exposure)}[0]", exposure.primary)]
    own += [(f"{_file(exposure)}[SCI,{c.extver}]", c.header) for c in exposure.chips]
    for where, header in own:
        value = None if header is None else header.get("EXPTIME")
        if isinstance(value, int | float):
            found = f"EXPTIME is {value!r} s in {where}"
            break
    else:
        found = f"EXPTIME is missing in {own[0][0]}"
    if exposure.path is None:
        return f"its exposure time is {exposure.exptime!r} s"
    other = next((k for k in _TIMES for _, h in own if h is not None and _is_time(h.get(k))), None)
    hint = "" if other is None else f" (expkeyword={other!r} takes {other})"
    return f"{found}; correct it, or give the parameter exptime{hint}"


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0
