"""Headers of products."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import drizframe
from drizframe.stock.io.blending import Rules, blend, choose_rules, keyword_table
from drizframe.stock.io.facts import ProductFacts, distinct, plain, totals

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from drizframe.model import Chip, Exposure, Frame

__all__ = ["ProductHeaders", "blot_header", "frame_headers", "product_headers", "simple_header", "wcs_type"]

#: Keywords of distortion and of earlier solutions, which no product has.
_STALE = re.compile(
    r"^(D2IM(?!FILE).*|DP\d.*|CPDIS\d|CPERR\d|CP\d.*|TDD(?!CORR)\w*|DGEOEXT|NPOLEXT|[AB]P?_(ORDER|DMAX|\d+_\d+)|MJDREF"
    r"|IDC(?!TAB)\w*|S(CD\d_\d|CTYPE\d|CRVAL\d|CRPIX\d|NAXIS\d|ORIENTA)|(?:CD|PC)\d_\d|PV\d_\d|CDELT\d|CROTA\d"
    r"|(WCSNAME|WCSAXES|WCSTYPE|C(TYPE|RPIX|RVAL|DELT|UNIT|ROTA)\d|(CD|PC|PV|PS)\d_\d|LONPOLE|LATPOLE|RADESYS|EQUINOX"
    r"|RESTFRQ|RESTWAV|MJDREF)[A-Z])$"
)
#: Look-up tables and time-dependent terms, which a file without the tables must not name.
_TABLES = re.compile(r"^(D2IM(?!FILE).*|DP\d.*|CPDIS\d|CPERR\d|TDD_C\w*|NPOLEXT)$")
#: Statistics of single input images; they mean nothing for a product.
_STATISTICS = (
    "NGOODPIX", "GOODMIN", "GOODMAX", "GOODMEAN", "SNRMIN", "SNRMAX", "SNRMEAN", "SOFTERRS", "DATAMIN", "DATAMAX",
)  # fmt: skip
#: Structure of an extension, which a file without extensions does not have.
_STRUCTURE = frozenset(
    {"SIMPLE", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "NAXIS3", "EXTEND", "XTENSION", "PCOUNT", "GCOUNT", "EXTNAME", "EXTVER",
     "BSCALE", "BZERO", "DATE", "IRAF-TLM", "COMMENT", "HISTORY", "", "PIXVALUE", "NPIX1", "NPIX2"}
)  # fmt: skip
_NO_UNIT = "UNITLESS"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProductHeaders:
    """Headers of the parts of a product, without ``FILENAME`` and ``NEXTEND``, which the writer adds.

    Parameters
    ----------
    primary, sci, wht, ctx : Header
        Headers.
    table : mapping of str to list
        Columns of the table of input keywords; empty: none.
    notes : tuple of str
        Warnings.
    """

    primary: Header
    sci: Header
    wht: Header
    ctx: Header
    table: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def parts(self) -> dict[str, Header]:
        """Return the headers as `Mosaic.headers` wants them."""
        return {"primary": self.primary, "sci": self.sci, "wht": self.wht, "ctx": self.ctx}


def wcs_type(name: str) -> str:
    """Return ``WCSTYPE``, a description of a WCS in words, from its name.

    Parameters
    ----------
    name : str
        ``WCSNAME``, such as ``IDC_0461802ej-FIT_REL_GAIAeDR3``.
    """
    parts = name.strip().upper().split("-", maxsplit=1)
    if not parts[0]:
        return "not aligned"
    base = {"IDC": "undistorted ", "OPU": "pipeline default "}.get(parts[0][:3], "user-defined ")
    if len(parts) == 1:
        return base + "not aligned"
    tail = name.strip().split("-", maxsplit=1)[1]
    if "FIT" not in parts[1]:
        return f"{base}a priori solution based on {tail}"
    words = tail.split("_", maxsplit=2)
    catalog = words[2] if len(words) > 2 else "an unknown catalog"
    how = {
        "REL": "relatively aligned to",
        "IMG": "aligned image-by-image to",
        "EVM": "aligned by visit-exposures to",
        "SVM": "aligned by visit to",
    }.get(words[1].upper() if len(words) > 1 else "", "aligned to")
    return f"{base}a posteriori solution {how} {catalog}"


def _clean(header: Header) -> None:
    """Remove distortion, earlier WCSs, scaling and statistics."""
    for key in [k for k in dict.fromkeys(header) if _STALE.match(k)]:
        header.remove(key, ignore_missing=True, remove_all=True)
    for key in ("BSCALE", "BZERO", *_STATISTICS):
        header.remove(key, ignore_missing=True, remove_all=True)


def _put_wcs(header: Header, frame: Frame) -> None:
    """Write the WCS of the frame."""
    core = frame.wcs.wcs
    matrix = frame.wcs.pixel_scale_matrix
    if frame.name:
        header["WCSNAME"] = (frame.name, "Coordinate system title")
        header["WCSTYPE"] = wcs_type(frame.name)
    else:
        header.remove("WCSNAME", ignore_missing=True)
    header["WCSAXES"] = (2, "Number of coordinate axes")
    header["VAFACTOR"] = (1.0, "velocity aberration plate scale factor")
    header["ORIENTAT"] = (frame.orientation, "position angle of image y axis (deg. e of n)")
    for i in (0, 1):
        header[f"CTYPE{i + 1}"] = core.ctype[i].removesuffix("-SIP")
        header[f"CRPIX{i + 1}"] = float(core.crpix[i])
        header[f"CRVAL{i + 1}"] = float(core.crval[i])
        header[f"CUNIT{i + 1}"] = "deg"
        for j in (0, 1):
            header[f"CD{i + 1}_{j + 1}"] = float(matrix[i, j])
    if core.radesys:
        header["RADESYS"] = core.radesys
    if core.radesys.startswith("FK") and core.equinox == core.equinox:  # noqa: PLR0124  (not NaN)
        header["EQUINOX"] = float(core.equinox)


def _science(facts: ProductFacts, unit: Any, chip: Chip) -> Header:
    """Return a chip's science header with the sky of this run."""
    header = chip.header.copy()
    level = facts.sky.get(unit)
    if level is not None:
        header["MDRIZSKY"] = (plain(level), "Sky value computed by AstroDrizzle")
    return header


def _other(chip: Chip, kind: str) -> Header:
    """Return the header of the error or data-quality image; without one, the science header."""
    header = chip.extra.get("headers", {}).get(kind, chip.header).copy()
    header["BUNIT"] = _NO_UNIT
    return header


def _primary(exposure: Exposure) -> Header:
    """Return the primary header of an exposure without an old sky value."""
    from astropy.io.fits import Header

    header = exposure.primary.copy() if exposure.primary is not None else Header()
    header.remove("MDRIZSKY", ignore_missing=True)
    if "file" in exposure.extra:
        header["FILENAME"] = exposure.extra["file"]
    return header


def _sets(facts: ProductFacts) -> tuple[list[Header], list[Header], list[Header], list[Header]]:
    """Return primary headers of exposures, and SCI, ERR and DQ headers of chips."""
    chips = facts.chips()
    return (
        [_primary(e) for e in distinct(facts.exposures)],
        [_science(facts, u, c) for u, _, c in chips],
        [_other(c, "err") for _, _, c in chips],
        [_other(c, "dq") for _, _, c in chips],
    )


def _row(exposure: Exposure, science: Header) -> dict[str, Any]:
    """Return all keywords of a chip; those of the primary header win."""
    from astropy.io.fits.card import Undefined

    both: dict[str, Any] = {}
    for header in (science, _primary(exposure)):
        both.update({c.keyword: c.value for c in header.cards if not isinstance(c.value, Undefined)})
    return {k: v for k, v in both.items() if k not in {"", "COMMENT", "HISTORY"}}


def _filter_note(facts: ProductFacts) -> tuple[str, ...]:
    """Return a warning if photometric keywords of different filters were averaged."""
    zero = [c.header.get("PHOTFLAM") for _, _, c in facts.chips()]
    modes = {tuple(str(c.header.get("PHOTMODE", "")).split()[2:]) for _, _, c in facts.chips()}
    if len(modes) > 1 and any(z is not None for z in zero):
        return ("the inputs have different filters; PHOTFLAM and its like in the product are means over them",)
    return ()


def product_headers(facts: ProductFacts) -> ProductHeaders:
    """Return the headers of a mosaic, or of one singly drizzled exposure.

    Parameters
    ----------
    facts : ProductFacts
        What they must say.

    Returns
    -------
    ProductHeaders
    """
    primaries, science, errors, flags = _sets(facts)
    table: Mapping[str, Sequence[Any]] = {}
    notes: tuple[str, ...] = ()
    if facts.kind == "single":
        primary, sci, wht, ctx = primaries[0], science[0], errors[0], flags[0]
    else:
        telescope = str(primaries[0].get("TELESCOP", ""))
        rules = choose_rules(facts.rules_file, [e.family for e in facts.exposures], telescope, facts.rules_folder)
        context = (primaries[0], science[0], errors[0], flags[0])
        primary, sci, wht, ctx = (blend(rules, group, context) for group in (primaries, science, errors, flags))
        rows = [_row(e, h) for (_, e, _), h in zip(facts.chips(), science, strict=True)]
        table = keyword_table(rules, rows, context)
        notes = _filter_note(facts)
        _put_rules(primary, rules, facts)
    for header in (sci, wht, ctx):
        _clean(header)
        _put_wcs(header, facts.frame)
    _put_primary(primary, facts)
    _put_science(sci, facts)
    wht["CCDCHIP"] = "-999"
    return ProductHeaders(primary=primary, sci=sci, wht=wht, ctx=ctx, table=table, notes=notes)


def _put_rules(primary: Header, rules: Rules | None, facts: ProductFacts) -> None:
    """Say which rules were used."""
    if rules is None:
        return
    primary["RULESVER"] = (rules.version, "Version ID for header kw rules file")
    primary["BLENDVER"] = (facts.version, "Version of drizframe that blended headers")
    primary["RULEFILE"] = (rules.name, "Rules for blending headers")
    if facts.rules_history:
        primary["HISTORY"] = "Header generation rules:"
        for key, column in rules.columns:
            primary["HISTORY"] = f"{key} {column}" if key != column else key
        for words in rules.functions:
            primary["HISTORY"] = " ".join(words)


def _put_primary(primary: Header, facts: ProductFacts) -> None:
    """Write the keywords of the run."""
    import astropy
    import numpy as np

    primary["EXTEND"] = True
    primary["DATE"] = (time.strftime("%Y-%m-%d"), "date this file was written (yyyy-mm-dd)")
    primary["PROD_VER"] = f"drizframe {facts.version}"
    primary["DRIZPARS"] = (facts.log, "Logfile for processing")
    root = facts.exposures[0].name if facts.kind == "single" else Path(facts.names.root).name
    primary["ROOTNAME"] = root.removesuffix("_drw")
    seconds, start, end, _ = totals(facts.exposures)
    if facts.kind == "single":
        seconds, start, end = facts.exposures[0].exptime, facts.exposures[0].start, facts.exposures[0].end
    if seconds > 0:
        primary["EXPTIME"] = (seconds, "exposure duration (seconds)--calculated")
        primary.set("TEXPTIME", seconds, after="EXPTIME")
        primary["EXPSTART"] = (start, "exposure start time (Modified Julian Date)")
        primary["EXPEND"] = (end, "exposure end time (Modified Julian Date)")
    primary["ASN_MTYP"] = ("PROD-DTH", "Role of the Member in the Association")
    for key in ("DRIZCORR", "DITHCORR"):
        if key in primary:
            primary[key] = "COMPLETE"
    _put_drizzle(primary, facts)
    primary["HISTORY"] = "Processing performed using:"
    for name, version in (("drizframe", facts.version), ("astropy", astropy.__version__), ("NumPy", np.__version__)):
        primary["HISTORY"] = f"    {name} version {version}"


def _put_drizzle(primary: Header, facts: ProductFacts) -> None:
    """Write ``NDRIZIM`` and one set of keywords for each chip."""
    chips = facts.chips()
    primary["NDRIZIM"] = (len(chips), "Drizzle, No. images drizzled onto output")
    for number, (unit, exposure, chip) in enumerate(chips, start=1):
        for key, (value, comment) in _drizzle_keys(facts, unit, exposure, chip).items():
            name = f"D{number:03d}{key}"
            primary[name if len(name) <= 8 else f"HIERARCH {name}"] = (value, f"Drizzle, {comment}")


def _drizzle_keys(facts: ProductFacts, unit: Any, exposure: Exposure, chip: Chip) -> dict[str, tuple[Any, str]]:
    """Return the keywords of one chip: value and comment."""
    name = str(exposure.extra.get("file", f"{exposure.name}.fits"))
    stem = facts.stem
    scale = facts.weight_scale.get(unit, 1)
    return {
        "VER": (f"drizframe {facts.version}", "task version"),
        "GEOM": ("wcs", "source of geometric information"),
        "DATA": (f"{name}[sci,{chip.extver}]", "input data image"),
        "DEXP": (chip.exptime, "input image exposure time (s)"),
        "OUDA": (f"{stem}.fits", "output data image"),
        "OUWE": (f"{stem}_wht.fits", "output weighting image"),
        "OUCO": (f"{stem}_ctx.fits" if facts.context else "", "output context image"),
        "MASK": (f"{exposure.name}_sci{chip.extver}_{facts.kind}_mask.fits", "input weighting image"),
        "WTSC": (scale, "weighting factor for input image"),
        "KERN": (facts.kernel, "form of weight distribution kernel"),
        "PIXF": (facts.pixfrac, "linear size of drop"),
        "COEF": ("SIP" if facts.coeffs else "", "source of coefficients"),
        "OUUN": (facts.units, "units of output image - counts or cps"),
        "FVAL": ("INDEF" if facts.fillval is None else str(facts.fillval), "fill value for zero weight output pix"),
        "WKEY": (facts.wcskey, "WCS version of the input image"),
        "SCAL": (facts.frame.scale, "pixel size (arcsec) of output image"),
        "ISCL": (chip.idc_scale if chip.idc_scale is not None else "", "default IDCTAB pixel size(arcsec)"),
    }


def _put_science(sci: Header, facts: ProductFacts) -> None:
    """Write what the science image is."""
    sci.remove("OBJECT", ignore_missing=True)
    if "CCDCHIP" in sci:
        sci["CCDCHIP"] = "-999"
    if "NCOMBINE" in sci:
        sci["NCOMBINE"] = totals(facts.exposures)[3] if facts.kind == "final" else 1
    _put_unit(sci, facts.bunit)


def _put_unit(sci: Header, unit: str) -> None:
    comment = "counts * gain = electrons" if unit.lower().startswith("count") else "Units of science product"
    sci["BUNIT"] = (unit, comment)


def blot_header(exposure: Exposure, chip: Chip, sky: float | None = None, version: str = drizframe.__version__) -> tuple[Header, Header]:
    """Return primary and science header of a blotted image: the chip's own, with its distortion.

    Parameters
    ----------
    exposure, chip
        Where the image was blotted to.
    sky : float, optional
        Sky level of the chip.
    version : str
        Version of drizframe.
    """
    primary = _primary(exposure)
    sci = chip.header.copy()
    for key in [k for k in dict.fromkeys(sci) if _TABLES.match(k)]:
        sci.remove(key, ignore_missing=True, remove_all=True)
    for key in ("BSCALE", "BZERO", "OBJECT", *_STATISTICS):
        sci.remove(key, ignore_missing=True)
    if sky is not None:
        sci["MDRIZSKY"] = (plain(sky), "Sky value computed by AstroDrizzle")
    if str(sci.get("WCSNAME", "")).strip():
        sci["WCSTYPE"] = wcs_type(str(sci["WCSNAME"]))
    matrix = chip.wcs.pixel_scale_matrix
    sci["ORIENTAT"] = (
        math.degrees(math.atan2(matrix[0, 1], matrix[1, 1])), "position angle of image y axis (deg. e of n)"
    )  # fmt: skip
    sci["VAFACTOR"] = (1.0, "velocity aberration plate scale factor")
    if "CCDCHIP" in sci:
        sci["CCDCHIP"] = "-999"
    if "NCOMBINE" in sci:
        sci["NCOMBINE"] = 1
    _put_unit(sci, chip.bunit)
    primary["EXTEND"] = True
    primary["DATE"] = (time.strftime("%Y-%m-%d"), "date this file was written (yyyy-mm-dd)")
    primary["PROD_VER"] = f"drizframe {version}"
    primary["ROOTNAME"] = exposure.name
    primary["EXPTIME"] = (exposure.exptime, "exposure duration (seconds)--calculated")
    primary.set("TEXPTIME", exposure.exptime, after="EXPTIME")
    primary["EXPSTART"], primary["EXPEND"] = exposure.start, exposure.end
    primary["ASN_MTYP"] = ("PROD-DTH", "Role of the Member in the Association")
    primary["NDRIZIM"] = (1, "Drizzle, No. images drizzled onto output")
    return primary, sci


def simple_header(primary: Header, extension: Header, kind: str) -> Header:
    """Return the header of a file that holds one image: the primary header, and what the extension adds.

    Parameters
    ----------
    primary, extension : Header
        Headers of a file with extensions.
    kind : str
        ``"SCI"``, ``"WHT"`` or ``"CTX"``.
    """
    header = primary.copy()
    for key in ("NEXTEND", "EXTNAME", "EXTVER", "PCOUNT", "GCOUNT", "XTENSION"):
        header.remove(key, ignore_missing=True, remove_all=True)
    if "FILETYPE" in header or "TELESCOP" not in header:
        header["FILETYPE"] = (kind, "Type of data in array")
    else:
        header.insert("TELESCOP", ("FILETYPE", kind, "Type of data in array"))
    for card in extension.cards:
        if card.keyword not in _STRUCTURE and card.keyword not in header:
            header.append(card, bottom=False)
    return header


def frame_headers(frame: Frame, unit: str, exptime: float) -> dict[str, Header]:
    """Return headers of a product of which nothing is known but its frame.

    Parameters
    ----------
    frame : Frame
        Output grid.
    unit : str
        Unit of the science image.
    exptime : float
        Total exposure time in seconds; 0: unknown.
    """
    from astropy.io.fits import Header

    headers = {k: Header() for k in ("primary", "sci", "wht", "ctx")}
    if exptime > 0:
        headers["primary"]["EXPTIME"] = (exptime, "exposure duration (seconds)--calculated")
    for kind in ("sci", "wht", "ctx"):
        _put_wcs(headers[kind], frame)
    _put_unit(headers["sci"], unit)
    return headers
