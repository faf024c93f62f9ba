"""The unit of an image: the only place that reads ``BUNIT`` and its like.

Astropy knows most units; the spellings that cameras and pipelines write besides (``ELECTRONS/S``, ``cps``, ``e-``, ``ADU``,
``counts per second``) are put into its words first.
"""

from __future__ import annotations

import functools
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from drizframe.errors import InputError

if TYPE_CHECKING:
    from astropy.io.fits import Header


__all__ = [
    "WANTED",
    "PixelUnit",
    "astropy_unit",
    "conversion_factor",
    "parse_unit",
    "product_unit",
    "rescaled",
]

Kind = Literal["electrons", "counts", "flux", "brightness"]

#: What may be written, for messages.
WANTED = (
    "write electrons, electrons/s, counts or counts/s (also e-, DN, ADU, cps), a flux per pixel (nJy) or a surface "
    "brightness (MJy/sr)"
)

#: Words of the field (lower case) and those of astropy.
_WORDS = {
    **dict.fromkeys(("e", "electron", "electrons", "photoelectron", "photoelectrons", "elec"), "electron"),
    **dict.fromkeys(("ph", "phot", "photon", "photons"), "ph"),
    **dict.fromkeys(("ct", "cts", "cnt", "cnts", "count", "counts"), "ct"),
    **dict.fromkeys(("dn", "dns", "adu", "adus"), "DN"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("minute", "minutes"), "min"),
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("pix", "pixel", "pixels", "px"), "pix"),
    **dict.fromkeys(("erg", "ergs"), "erg"),
    **dict.fromkeys(("angstrom", "angstroms", "ang"), "Angstrom"),
    **dict.fromkeys(("micron", "microns"), "um"),
    **dict.fromkeys(("jansky", "janskys"), "Jy"),
    **dict.fromkeys(("nanomaggy", "nanomaggies"), "nmgy"),
    "cps": "ct s-1", "flam": "erg Angstrom-1 s-1 cm-2", "fnu": "erg Hz-1 s-1 cm-2", "kelvin": "K",
    "per": "/", "sr": "sr", "steradian": "sr", "steradians": "sr", "beam": "beam", "beams": "beam",
    "arcsec": "arcsec", "arcsecs": "arcsec", "sqarcsec": "arcsec2", "arcmin": "arcmin", "hz": "Hz", "cm": "cm",
}  # fmt: skip

#: Units of a flux, per pixel or, divided by a solid angle, of a surface brightness.
_FLUXES = (
    "Jy", "W m-2", "W m-2 um-1", "ph s-1 m-2", "ph s-1 m-2 um-1", "ph s-1 m-2 Hz-1", "mgy",
)  # fmt: skip
_ELECTRONS, _COUNTS = {"electron", "ph"}, {"ct", "adu", "DN"}
_THOUSANDS = {"": "", "k": "10**3 ", "M": "10**6 "}
_LOGARITHMIC = {"mag", "dex", "dB"}


@dataclass(frozen=True, slots=True)
class PixelUnit:
    """What the numbers of an image are.

    Parameters
    ----------
    text : str
        The unit: ``"ELECTRONS"``, ``"ELECTRONS/S"``, ``"COUNTS"``, ``"COUNTS/S"``; of others, as it was given.
    kind : {"electrons", "counts", "flux", "brightness"}
        Electrons and counts that an exposure gathers in a pixel; flux of a pixel (nJy), which grows with its area;
        surface brightness (MJy/sr), which does not.
    rate : bool
        True for numbers that do not grow with exposure time.
    factor : float
        Times the numbers of the image gives numbers in `text` (60 s to a minute: 1/60 for electrons per minute).
    """

    text: str
    kind: Kind
    rate: bool
    factor: float = 1.0

    @property
    def physical(self) -> bool:
        """Whether this is a flux or a surface brightness, which no gain and no exposure time turns into electrons."""
        return self.kind in ("flux", "brightness")

    @property
    def native(self) -> str:
        """The word for `Chip.native_unit`: ``"electrons/s"``, ``"counts"``, ``"flux"``, …."""
        return self.kind if self.physical else self.text.lower()


def parse_unit(given: Any, where: str = "unit") -> PixelUnit | None:
    """Return what a unit says about an image; None for a blank one.

    Parameters
    ----------
    given : str or astropy.units.UnitBase
        Such as ``BUNIT`` of a header.
    where : str
        What has that unit, for messages: ``"x.fits: BUNIT of SCI,1"``.

    Raises
    ------
    InputError
        If it is no unit, a magnitude, or none that exposures of other depth can be averaged in.
    """
    if isinstance(given, str):
        text = " ".join(given.split())
        return _of_text(text, where) if text else None
    from astropy.units import UnitBase
    from astropy.units.function import FunctionUnitBase

    if isinstance(given, FunctionUnitBase):
        raise InputError(_refusal(where, str(given), "is logarithmic; averages need linear numbers"))
    if not isinstance(given, UnitBase):
        msg = f"{where} is {given!r}, which is no unit; give a text or a unit of astropy.units."
        raise InputError(msg)
    return _classified(given, given.to_string(), where)


@functools.lru_cache(maxsize=256)
def _of_text(text: str, where: str) -> PixelUnit:
    from astropy.units import UnitBase
    from astropy.units.function import FunctionUnitBase

    if re.match(r"(ab|st|vega)?\s*mag(s|nitudes?)?\b", text, re.IGNORECASE):
        raise InputError(_refusal(where, text, "is logarithmic; averages need linear numbers"))
    unit = astropy_unit(text)
    if isinstance(unit, FunctionUnitBase):
        raise InputError(_refusal(where, text, "is logarithmic; averages need linear numbers"))
    if not isinstance(unit, UnitBase):
        raise InputError(_refusal(where, text, "is no unit that is known"))
    return _classified(unit, text, where)


def _refusal(where: str, text: str, why: str) -> str:
    return f"{where} is {text!r}, which {why}. Convert the image, and {WANTED}, so that exposures can be weighted."


def astropy_unit(text: str) -> Any:
    """Return a text as a unit of astropy; None if it is none."""
    from astropy import units

    known = [units.photometric.mgy, units.astrophys.beam]
    with warnings.catch_warnings(), units.add_enabled_units(known):
        warnings.simplefilter("ignore")  # astropy's advice on several slashes
        for candidate in (_spelled(text), text):
            try:
                return units.Unit(candidate)
            except (ValueError, TypeError):
                continue
    return None


def _spelled(text: str) -> str:
    """Put the field's spellings into the words of astropy."""
    text = re.sub(r"\b(digital|data)\s+(numbers?|units?)\b", "DN", text, flags=re.IGNORECASE)
    text = re.sub(
        r"\b([kM]?)e[-\u2212](?!\d)", lambda m: _THOUSANDS[m[1]] + "electron", text
    )  # e- but not e-1
    energy = re.search(r"\bergs?\b", text, re.IGNORECASE) is not None

    def word(match: re.Match[str]) -> str:
        found = match[0]
        if found == "A" and energy:
            return "Angstrom"  # ampere otherwise
        if jansky := re.fullmatch(r"([A-Za-z]?)jy", found, re.IGNORECASE):
            prefix = jansky[1]
            return (prefix if prefix in "mM" else prefix.lower()) + "Jy"
        return _WORDS.get(found.lower(), found)

    return re.sub(r"(?<![\d.A-Za-z_])[A-Za-z]+(?![A-Za-z_])", word, text)


def _classified(unit: Any, text: str, where: str) -> PixelUnit:
    """Return the record of a unit of astropy."""
    plain = unit.decompose()
    powers: dict[str, float] = {b.name: float(p) for b, p in zip(plain.bases, plain.powers, strict=True)}
    if _LOGARITHMIC & set(powers):
        raise InputError(_refusal(where, text, "is logarithmic; averages need linear numbers"))
    if powers.get("pix") == -1:  # per pixel says nothing more
        del powers["pix"]
    counted = [n for n in powers if n in _ELECTRONS | _COUNTS and powers[n] == 1]
    rest = {n: p for n, p in powers.items() if n not in counted}
    rate = rest == {"s": -1}
    if len(counted) == 1 and (rate or not rest):
        kind: Kind = "electrons" if counted[0] in _ELECTRONS else "counts"
        return PixelUnit(kind.upper() + ("/S" if rate else ""), kind, rate, float(plain.scale))
    solid = {"rad": -2.0} if powers.get("rad") == -2 else {"beam": -1.0} if powers.get("beam") == -1 else {}
    of_rates = len(counted) == 1 and rest == {"s": -1, **solid}
    if powers == {"K": 1} or (solid and (of_rates or _is_flux(unit, solid))):
        return PixelUnit(text, "brightness", rate=True)
    if _is_flux(unit, {}):
        return PixelUnit(text, "flux", rate=True)
    why = "counts neither electrons nor DN, and is no flux or surface brightness either"
    raise InputError(_refusal(where, text, why))


def _is_flux(unit: Any, solid: dict[str, float]) -> bool:
    """Whether a unit, times a solid angle and pixels, is a flux."""
    from astropy import units

    for name in solid:
        unit = unit * (units.rad**2 if name == "rad" else units.astrophys.beam)
    return any(u.is_equivalent(units.Unit(f)) for f in _FLUXES for u in (unit, unit * units.pix))


def conversion_factor(given: PixelUnit, wanted: PixelUnit) -> float | None:
    """Return what numbers in `given.text` are multiplied by to be in `wanted.text`; None if nothing converts them.

    Parameters
    ----------
    given, wanted : PixelUnit
        Two units; electrons and counts are left to gain and exposure time, and need no factor.
    """
    if not given.physical and not wanted.physical:
        return 1.0
    if given.kind != wanted.kind:
        return None
    if given.text == wanted.text:
        return 1.0
    from astropy import units

    a, b = astropy_unit(given.text), astropy_unit(wanted.text)
    for left, right in ((a, b), (a * units.pix, b), (a, b * units.pix)):  # nJy/pixel is nJy
        if left.is_equivalent(right):
            return float(left.to(right))
    return None


def rescaled(header: Header, text: str, factor: float) -> Header:
    """Return a copy of a science header for numbers that are multiplied by `factor` to have the unit `text`."""
    found = header.copy()
    found["BUNIT"] = text
    sky = found.get("MDRIZSKY")
    if isinstance(sky, int | float):
        found["MDRIZSKY"] = sky * factor
    return found


def product_unit(native: str, text: str, *, units: str, counts: bool) -> str:
    """Return ``BUNIT`` of a product.

    Parameters
    ----------
    native : str
        `Chip.native_unit` of the first chip.
    text : str
        Its `Chip.bunit`.
    units : {"cps", "counts"}
        Whether the product is per second (parameter ``final_units``).
    counts : bool
        Whether chips that count are divided by their gain (``proc_unit="native"``).

    Returns
    -------
    str
        ``counts/s`` or ``counts`` for native units of counts; a flux or surface brightness as it is; else the unit of the
        input with or without ``/S``.
    """
    in_counts = native.startswith("counts")
    if in_counts and counts:
        return "counts/s" if units == "cps" else "counts"
    if native in ("flux", "brightness"):
        return text
    base = text.split("/", maxsplit=1)[0].strip()
    if in_counts or not base:
        base = "ELECTRONS"
    return f"{base}/S" if units == "cps" else base
