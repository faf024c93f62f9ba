"""What all instruments share: keyword lists, overrides, units, and the assembly of `Exposure` and `Chip`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from drizframe.errors import InputError, ParameterError
from drizframe.headers.detector import Detector
from drizframe.headers.image_unit import pixel_unit
from drizframe.headers.limits import Limits, checked_number, plausible_scale, within
from drizframe.headers.readout import chip_number, readout_notes
from drizframe.model import Chip, Exposure
from drizframe.model.bunit import PixelUnit, rescaled
from drizframe.model.sources import ScaledSource

if TYPE_CHECKING:
    from pathlib import Path

    from astropy.io.fits import Header

    from drizframe.hooks import InstrumentOptions
    from drizframe.model import PixelSource

__all__ = ["exposure_from_headers", "header_number", "keyword_mean", "resolve"]

#: Numbers of the distortion model: arcsec, arcsec, degrees; the scale is compared with that of the WCS.
_MODEL = {"IDCSCALE": None, "IDCV2REF": (-1e4, 1e4), "IDCV3REF": (-1e4, 1e4), "IDCTHETA": (-360.0, 360.0)}
#: Offset of a subarray, pixels; position angle, degrees.
_OFFSETS, _ANGLES = (-1e5, 1e5), (-360.0, 360.0)


def header_number(header: Header, key: str, default: float | None = None) -> float | None:
    """Return a keyword as a finite float; `default` where it is missing, blank or no number.

    Parameters
    ----------
    header : Header
        Where to look.
    key : str
        Name of the keyword.
    default : float or None
        What stands for a number that is not there.

    Returns
    -------
    number : float or None
        Finite, or `default`.
    """
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

    Returns
    -------
    mean : float
        In the unit of the keywords.

    Raises
    ------
    InputError
        If one of the keywords is missing, is no number or below 0.
    """
    values = []
    for key in (k.strip() for k in keywords.split(",") if k.strip()):
        found = checked_number(headers, key, where, (0.0, math.inf))
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


def _advice(parameter: str, *, given: bool) -> str:
    """Return what to do about a number that cannot be."""
    if given:
        return f"Give another {parameter}."
    return f"Correct it in the header, or give the parameter {parameter}."


def _exptime(
    primary: Header, science: Header, detector: Detector, options: InstrumentOptions, where: str
) -> float:
    """Return the exposure time in seconds; 0.0 where the header has none (the exposure is dropped later)."""
    headers = (science, primary) if detector.exptime_in_science else (primary, science)
    own = checked_number(headers, "EXPTIME", where) or 0.0
    found = resolve("exptime", options.exptime, options.exptime_keyword, headers, own, where)
    given = options.exptime is not None
    what = "the parameter exptime (s)" if given else f"{options.exptime_keyword.strip() or 'EXPTIME'} (s)"
    return (
        found
        if found <= 0
        else within(found, detector.limits.exptime, what, where, _advice("exptime", given=given))
    )


def _gain(
    primary: Header,
    science: Header,
    detector: Detector,
    options: InstrumentOptions,
    where: str,
    notes: list[str],
) -> float:
    """Return electrons per count."""
    default: float | str = detector.gain_keywords if detector.gain is None else detector.gain
    given = options.gain is not None or bool(options.gain_keyword.strip())
    if not given and not detector.gain_applies and detector.gain is None:
        return _unused_gain(primary, science, detector, where, notes)
    gain = resolve("gain", options.gain, options.gain_keyword, (primary, science), default, where)
    if detector.table is not None and not given:
        gain = _calibrated(detector, primary, science, "gain", gain, where)
    if detector.gain_applies:
        advice = _advice("gain", given=options.gain is not None)
        within(gain, detector.limits.gain, "the gain (electrons per count)", where, advice)
    return gain


def _unused_gain(primary: Header, science: Header, detector: Detector, where: str, notes: list[str]) -> float:
    """Return the gain of an image that is in electrons: a fact for the record, no factor; 1 where it is not known."""
    keys = [k.strip() for k in detector.gain_keywords.split(",")]
    if not all(k in primary or k in science for k in keys):
        return 1.0
    try:
        gain = keyword_mean((primary, science), detector.gain_keywords, where)
        return within(gain, detector.limits.gain, f"the gain ({detector.gain_keywords})", where)
    except InputError as error:
        notes.append(f"{error} The image is in electrons, so it is used without.")
        return 1.0


def _calibrated(
    detector: Detector, primary: Header, science: Header, quantity: str, value: float, where: str
) -> float:
    """Return what the detector's table says; where it refuses, the error names the file."""
    assert detector.table is not None  # noqa: S101  (asked only then)
    try:
        return detector.table(primary, science, quantity, value)
    except InputError as error:
        msg = f"{where}: {error}"
        raise type(error)(msg) from error


def _readnoise(
    primary: Header, science: Header, detector: Detector, options: InstrumentOptions, where: str
) -> float:
    """Return the read noise in electrons."""
    given = options.readnoise is not None or bool(options.readnoise_keyword.strip())
    if detector.table is not None and not given:
        header_gain = keyword_mean((primary, science), detector.gain_keywords, where)
        return _calibrated(detector, primary, science, "readnoise", header_gain, where)
    default: float | str = detector.readnoise_keywords if detector.readnoise is None else detector.readnoise
    found = resolve(
        "rdnoise", options.readnoise, options.readnoise_keyword, (primary, science), default, where
    )
    advice = _advice("rdnoise", given=options.readnoise is not None)
    return within(found, detector.limits.readnoise, "the read noise (electrons)", where, advice)


def _shape(science: Header) -> tuple[int, int]:
    """Return rows and columns of a science image (also of one stored as a constant)."""
    axes = ("NAXIS2", "NAXIS1") if science.get("NAXIS", 0) else ("NPIX2", "NPIX1")
    return int(science.get(axes[0], 0)), int(science.get(axes[1], 0))


def _date(
    key: str, primary: Header, science: Mapping[int, Header], where: str, limits: Limits, notes: list[str]
) -> float:
    """Return a date of the primary, else of the science headers; 0.0 if there is none, or none that can be."""
    try:
        where = f"{where}[0]" if key in primary else where
        found = checked_number((primary, *science.values()), key, where)
        return within(found, limits.date, f"{key} (MJD)", where) if found else 0.0
    except InputError as error:
        notes.append(f"{error} The exposure is used without it.")
        return 0.0


def _dark(
    primary: Header, science: Header, detector: Detector, exptime: float, where: str, notes: list[str]
) -> float | None:
    """Return the dark signal; None where it is not known or cannot be (only inverse-variance weights need it)."""
    dark = detector.dark(primary, science, exptime)
    low, high = detector.limits.dark
    if dark is None or low <= dark <= high:
        return dark
    notes.append(f"{where}: the dark signal is {dark!r} electrons, which cannot be; it is left out")
    return None


def _distortion_model(science: Header, where: str) -> dict[str, float | None]:
    """Return what the header tells of the distortion model."""
    return {key: checked_number((science,), key, where, limits) for key, limits in _MODEL.items()}


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
) -> tuple[Chip, str, list[str]]:
    """Return one chip, what was assumed, and warnings."""
    notes: list[str] = []
    where = f"{where}[SCI,{extver}]"
    exptime = _exptime(primary, science, detector, options, where)
    gain = _gain(primary, science, detector, options, where, notes)
    unit, note = pixel_unit(science, detector.native_unit, where, notes) if known is None else (known, "")
    factor = gain if detector.gain_applies and not unit.physical else 1.0
    if unit.factor != 1.0:
        note = (
            f"BUNIT {science.get('BUNIT')!r}: the numbers are multiplied by {unit.factor:.6g} to be {unit.text}; values and "
            "limits of the sky count in that unit"
        )
        science, load = rescaled(science, unit.text, unit.factor), ScaledSource(load, unit.factor)
    number = chip_number(primary, science, detector.chip_keyword, extver, where)
    notes += readout_notes(primary, science, detector, number, where)
    linear = bool(options.extra.get("coeffs", True))
    idc = _distortion_model(science, where) if linear else dict.fromkeys(_MODEL)
    ltv = [checked_number((science,), key, where, _OFFSETS) or 0.0 for key in ("LTV1", "LTV2")]
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
        dark=_dark(primary, science, detector, exptime, where, notes),
        rate=unit.rate,
        bunit=unit.text,
        native_unit=unit.native if unit.physical else detector.native_unit,
        cte_direction=detector.tails(primary, number),
        detector_chip=number,
        idc_scale=plausible_scale(idc["IDCSCALE"], wcs, detector.limits, where, notes),
        v2ref=idc["IDCV2REF"],
        v3ref=idc["IDCV3REF"],
        theta=idc["IDCTHETA"],
        ltv=(ltv[0], ltv[1]),
        saturation_bits=detector.saturation_bits,
        cr_bits=detector.cr_bits,
        extra=dict(detector.extra(primary, science)),  # noqa: S610  (no Django here)
    )
    return chip, note and f"{where}: {note}", notes


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
    source : callable
        Pixel source by ``EXTVER``.
    options : InstrumentOptions
        Overrides.
    wcs : callable
        WCS by ``EXTVER``.
    family : str
        Name of the instrument component.
    detector_name : str
        Name for `Exposure.detector`.
    units : mapping of int to PixelUnit, optional
        Unit of each science image by ``EXTVER``, where an instrument reads it by itself; by default what ``BUNIT`` says.

    Returns
    -------
    exposure : Exposure
        Its pixels are read when they are asked for.

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
    chips = tuple(chip for chip, _, _ in made)
    warnings = [w for _, _, notes in made for w in notes]
    return Exposure(
        name=name,
        exptime=chips[0].exptime if chips else 0.0,
        chips=chips,
        start=_date("EXPSTART", primary, science, where, detector.limits, warnings),
        end=_date("EXPEND", primary, science, where, detector.limits, warnings),
        path=path,
        primary=primary,
        instrument=str(primary.get("INSTRUME", family)).strip().upper(),
        detector=detector_name,
        family=family,
        pa_v3=checked_number((primary,), "PA_V3", f"{where}[0]", _ANGLES),
        parity=detector.parity,
        history=tuple(note for _, note, _ in made if note),
        warnings=tuple(dict.fromkeys(warnings)),
        extra={"moving_target": "T" in str(primary.get("MTFLAG", "")).upper()},
    )
