"""What all instruments share: keyword lists, overrides, units, and the assembly of `Exposure` and `Chip`.

An instrument module is a table of `Detector` records; everything that differs between detectors is a field
there.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from drizframe.errors import InputError, ParameterError
from drizframe.model import Chip, Exposure
from drizframe.model.units import PixelUnit, ScaledSource, parse_unit, rescaled

if TYPE_CHECKING:
    from pathlib import Path

    from astropy.io.fits import Header

    from drizframe.hooks import InstrumentOptions
    from drizframe.model import PixelSource

__all__ = [
    "FLIPPED_X",
    "FLIPPED_Y",
    "Detector",
    "exposure_from_headers",
    "header_number",
    "keyword_mean",
    "resolve",
]

#: Handedness of detectors: y mirrored (ACS/WFC, unknown ones) and x mirrored (all others that are known).
FLIPPED_Y = ((1.0, 0.0), (0.0, -1.0))
FLIPPED_X = ((-1.0, 0.0), (0.0, 1.0))


def _no_dark(primary: Header, science: Header, exptime: float) -> float | None:
    return None


def _no_tails(primary: Header, chip: int) -> int:
    return 0


def _no_extra(primary: Header, science: Header) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """What is fixed for one detector.

    Parameters
    ----------
    native_unit : str
        What the pipeline delivers: ``"electrons"``, ``"electrons/s"``, ``"counts"`` or ``"counts/s"``;
        assumed where ``BUNIT`` is missing.
    gain, readnoise : float or None
        Constants (electrons per count, electrons); None: from the keywords.
    gain_keywords, readnoise_keywords : str
        Comma-separated; the mean of the non-zero values counts.
    table : callable or None
        ``table(primary, science, quantity, value) -> float``: calibrated value for a header value (WFPC2).
    gain_applies : bool
        Whether pixel values are counts that the gain turns into electrons.
    dark : callable
        ``dark(primary, science, exptime)``: electrons per exposure, or None.
    tails : callable
        ``tails(primary, chip)``: direction of charge-transfer tails.
    chip_keyword : str
        Keyword of the chip's number on the detector, looked for in the science, then in the primary header.
    exptime_in_science : bool
        Whether the exposure time stands in the science header.
    parity : tuple of tuple of float
        Handedness.
    saturation_bits, cr_bits : int
        Data-quality bits.
    extra : callable
        ``extra(primary, science)``: facts for `Chip.extra`.
    """

    native_unit: str
    gain: float | None = None
    readnoise: float | None = None
    gain_keywords: str = ""
    readnoise_keywords: str = ""
    table: Callable[[Header, Header, str, float], float] | None = None
    gain_applies: bool = False
    dark: Callable[[Header, Header, float], float | None] = field(default=_no_dark)
    tails: Callable[[Header, int], int] = field(default=_no_tails)
    chip_keyword: str = "CCDCHIP"
    exptime_in_science: bool = False
    parity: tuple[tuple[float, float], tuple[float, float]] = FLIPPED_X
    saturation_bits: int = 256
    cr_bits: int = 4096
    extra: Callable[[Header, Header], Mapping[str, Any]] = field(default=_no_extra)


def header_number(header: Header, key: str, default: float | None = None) -> float | None:
    """Return a keyword as a finite float; `default` where it is missing, blank or no number."""
    try:
        value = float(header[key])
    except (KeyError, TypeError, ValueError):
        return default
    return value if math.isfinite(value) else default


def keyword_mean(headers: tuple[Header, ...], keywords: str, where: str) -> float:
    """Return the mean of the non-zero values of some keywords; 0.0 if all are zero.

    Parameters
    ----------
    headers : tuple of Header
        Where to look, in this order.
    keywords : str
        Comma-separated names.
    where : str
        The file, for messages.

    Raises
    ------
    InputError
        If one of the keywords is missing or is no number.
    """
    values = []
    for key in (k.strip() for k in keywords.split(",") if k.strip()):
        found = next((n for h in headers if (n := header_number(h, key)) is not None), None)
        if found is None:
            msg = (
                f"{where} has no number in keyword {key!r}. "
                "Add it, name another keyword (gnkeyword, rnkeyword, expkeyword) or give the value (gain, "
                "rdnoise, exptime)."
            )
            raise InputError(msg)
        if found != 0.0:
            values.append(found)
    return math.fsum(values) / len(values) if values else 0.0


def resolve(
    quantity: str,
    value: float | None,
    keyword: str,
    headers: tuple[Header, ...],
    default: float | str,
    where: str,
) -> float:
    """Return gain, read noise or exposure time after the user's overrides (``gain``, ``gnkeyword`` …).

    Parameters
    ----------
    quantity : str
        ``"gain"``, ``"rdnoise"`` or ``"exptime"``.
    value : float or None
        The user's value.
    keyword : str
        The user's keywords, or blank.
    headers : tuple of Header
        Where keywords are looked for.
    default : float or str
        The detector's own constant or keywords.
    where : str
        The file, for messages.

    Raises
    ------
    ParameterError
        If both a value and a keyword are given.
    InputError
        If a keyword is missing.
    """
    if value is not None and keyword.strip():
        other = {"gain": "gnkeyword", "rdnoise": "rnkeyword", "exptime": "expkeyword"}[quantity]
        msg = (
            f"Both {quantity}={value!r} and {other}={keyword!r} are given, so the value is ambiguous. "
            f"Give one of them and leave the other blank."
        )
        raise ParameterError(msg)
    if value is not None:
        return float(value)
    if keyword.strip():
        return keyword_mean(headers, keyword, where)
    return keyword_mean(headers, default, where) if isinstance(default, str) else float(default)


def _exptime(
    primary: Header, science: Header, detector: Detector, options: InstrumentOptions, where: str
) -> float:
    """Return the exposure time in seconds; 0.0 where the header has none (the exposure is dropped later)."""
    headers = (science, primary) if detector.exptime_in_science else (primary, science)
    own = next((n for h in headers if (n := header_number(h, "EXPTIME")) is not None), 0.0)
    return resolve("exptime", options.exptime, options.exptime_keyword, headers, own, where)


def _gain(
    primary: Header, science: Header, detector: Detector, options: InstrumentOptions, where: str
) -> float:
    """Return electrons per count."""
    default: float | str = detector.gain_keywords if detector.gain is None else detector.gain
    given = options.gain is not None or bool(options.gain_keyword.strip())
    if not given and not detector.gain_applies and detector.gain is None:
        try:
            return keyword_mean((primary, science), detector.gain_keywords, where)
        except InputError:
            return 1.0  # the image is in electrons: its gain is a fact for the record, no factor
    gain = resolve("gain", options.gain, options.gain_keyword, (primary, science), default, where)
    if detector.table is not None and not given:
        gain = detector.table(primary, science, "gain", gain)
    if detector.gain_applies and not gain > 0:
        msg = (
            f"{where}: the gain is {gain!r}; it must be above 0 electrons per count. Give the parameter gain."
        )
        raise InputError(msg)
    return gain


def _readnoise(
    primary: Header, science: Header, detector: Detector, options: InstrumentOptions, where: str
) -> float:
    """Return the read noise in electrons."""
    given = options.readnoise is not None or bool(options.readnoise_keyword.strip())
    if detector.table is not None and not given:
        header_gain = keyword_mean((primary, science), detector.gain_keywords, where)
        return detector.table(primary, science, "readnoise", header_gain)
    default: float | str = detector.readnoise_keywords if detector.readnoise is None else detector.readnoise
    return resolve(
        "rdnoise", options.readnoise, options.readnoise_keyword, (primary, science), default, where
    )


def pixel_unit(science: Header, native: str, where: str) -> tuple[PixelUnit, str]:
    """Return the unit of an image, and what was assumed or converted.

    Parameters
    ----------
    science : Header
        Its header.
    native : str
        What the instrument delivers, for an image without ``BUNIT`` (or with one of a flux in ergs).
    where : str
        File and extension, for messages.

    Raises
    ------
    InputError
        If ``BUNIT`` is no unit in which exposures can be averaged.
    """
    text = str(science.get("BUNIT", "") or "").strip()
    if not text:
        usual = parse_unit(native, where)
        assert usual is not None  # noqa: S101  (a detector has a unit)
        return usual, f"no BUNIT; taken as {usual.text}"
    if "ergs" in text.lower():  # a flux: a rate in any case
        assumed = parse_unit(native.split("/", maxsplit=1)[0] + "/s", where)
        assert assumed is not None  # noqa: S101
        return assumed, f"BUNIT {text!r} is a flux; taken as {assumed.text}"
    if text.upper() == "UNITLESS":
        kind = native.split("/", maxsplit=1)[0].upper()
        assumed = parse_unit(kind, where)
        assert assumed is not None  # noqa: S101
        return dataclasses.replace(assumed, text=text), f"BUNIT is {text!r}; taken as {kind}"
    unit = parse_unit(text, f"{where}: BUNIT")
    assert unit is not None  # noqa: S101
    kept = text if text.upper() == unit.text else unit.text
    return dataclasses.replace(unit, text=kept), ""


def _shape(science: Header) -> tuple[int, int]:
    """Return rows and columns of a science image (also of one stored as a constant)."""
    axes = ("NAXIS2", "NAXIS1") if science.get("NAXIS", 0) else ("NPIX2", "NPIX1")
    return int(science.get(axes[0], 0)), int(science.get(axes[1], 0))


def _chip_number(primary: Header, science: Header, keyword: str, extver: int) -> int:
    """Return the chip's own number; `extver` where the keyword is missing and several chips exist."""
    for header in (science, primary):
        number = header_number(header, keyword)
        if number is not None:
            return int(number)
    return 1 if keyword == "CCDCHIP" else extver


def _chip(
    primary: Header,
    science: Header,
    extver: int,
    detector: Detector,
    options: InstrumentOptions,
    where: str,
    load: PixelSource,
    wcs: Any,
    known: PixelUnit | None,
) -> tuple[Chip, str]:
    """Return one chip and what was assumed."""
    exptime = _exptime(primary, science, detector, options, where)
    gain = _gain(primary, science, detector, options, where)
    unit, note = (
        pixel_unit(science, detector.native_unit, f"{where}[SCI,{extver}]") if known is None else (known, "")
    )
    factor = gain if detector.gain_applies and not unit.physical else 1.0
    if unit.factor != 1.0:
        note = (
            f"BUNIT {science.get('BUNIT')!r}: the numbers are multiplied by {unit.factor:.6g} to be {unit.text}; values and "
            "limits of the sky count in that unit"
        )
        science, load = rescaled(science, unit.text, unit.factor), ScaledSource(load, unit.factor)
    number = _chip_number(primary, science, detector.chip_keyword, extver)
    linear = bool(options.extra.get("coeffs", True))
    idc = {
        k: header_number(science, k) if linear else None
        for k in ("IDCSCALE", "IDCV2REF", "IDCV3REF", "IDCTHETA")
    }
    chip = Chip(
        extver=extver,
        shape=_shape(science),
        wcs=wcs,
        load=load,
        header=science,
        exptime=exptime,
        gain=gain,
        effective_gain=factor,
        conversion=factor * (exptime if unit.rate else 1.0),
        readnoise=_readnoise(primary, science, detector, options, where),
        dark=detector.dark(primary, science, exptime),
        rate=unit.rate,
        bunit=unit.text,
        native_unit=unit.native if unit.physical else detector.native_unit,
        cte_direction=detector.tails(primary, number),
        detector_chip=number,
        idc_scale=idc["IDCSCALE"],
        v2ref=idc["IDCV2REF"],
        v3ref=idc["IDCV3REF"],
        theta=idc["IDCTHETA"],
        ltv=(header_number(science, "LTV1", 0.0) or 0.0, header_number(science, "LTV2", 0.0) or 0.0),
        saturation_bits=detector.saturation_bits,
        cr_bits=detector.cr_bits,
        extra=dict(detector.extra(primary, science)),  # noqa: S610  (no Django here)
    )
    return chip, note and f"{where}[SCI,{extver}]: {note}"


def _first_number(key: str, primary: Header, science: Mapping[int, Header]) -> float:
    """Return a keyword of the primary, else of the science headers; 0.0 if there is none."""
    for header in (primary, *science.values()):
        number = header_number(header, key)
        if number is not None:
            return number
    return 0.0


def exposure_from_headers(
    detector: Detector,
    primary: Header,
    science: Mapping[int, Header],
    *,
    name: str,
    path: Path | None,
    source: Callable[[int], PixelSource],
    options: InstrumentOptions,
    wcs: Callable[[int], Any],
    family: str,
    detector_name: str = "",
    units: Mapping[int, PixelUnit] | None = None,
) -> Exposure:
    """Return the exposure that some headers describe.

    Parameters
    ----------
    detector : Detector
        The facts that no header tells.
    primary : Header
        Primary header.
    science : mapping of int to Header
        Science headers by ``EXTVER``.
    name : str
        Root name of the exposure.
    path : pathlib.Path or None
        Its file.
    source, wcs : callable
        Pixel source and WCS by ``EXTVER``.
    options : InstrumentOptions
        Overrides.
    family : str
        Name of the instrument component.
    detector_name : str
        Name for `Exposure.detector`.
    units : mapping of int to PixelUnit, optional
        Unit of each science image by ``EXTVER``, where an instrument reads it by itself; by default what ``BUNIT`` says.

    Raises
    ------
    InputError
        If a keyword that is needed is missing.
    ParameterError
        If a value and a keyword are both given.
    """
    where = str(path) if path is not None else name
    made = [
        _chip(primary, science[v], v, detector, options, where, source(v), wcs(v), (units or {}).get(v))
        for v in sorted(science)
    ]
    chips = tuple(chip for chip, _ in made)
    return Exposure(
        name=name,
        exptime=chips[0].exptime if chips else 0.0,
        chips=chips,
        start=_first_number("EXPSTART", primary, science),
        end=_first_number("EXPEND", primary, science),
        path=path,
        primary=primary,
        instrument=str(primary.get("INSTRUME", family)).strip().upper(),
        detector=detector_name,
        family=family,
        pa_v3=header_number(primary, "PA_V3"),
        parity=detector.parity,
        history=tuple(note for _, note in made if note),
        extra={"moving_target": "T" in str(primary.get("MTFLAG", "")).upper()},
    )
