"""Headers of mosaics and of singly drizzled images."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drizframe.stock.io.text import header_text
from drizframe.stock.products.blending import Rules, blend, choose_rules, keyword_table
from drizframe.stock.products.drizzle_keywords import drop_drizzle, put_drizzle
from drizframe.stock.products.facts import ProductFacts, distinct, totals
from drizframe.stock.products.grid_keywords import STRUCTURE, describes_array, drop_grid, put_pixel_sizes
from drizframe.stock.products.input_headers import InputHeaders, exposure_header, input_headers
from drizframe.stock.products.wcs_keywords import put_frame

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from drizframe.hooks import ProductLayer
    from drizframe.model import Exposure, Frame

__all__ = ["ProductHeaders", "frame_headers", "product_headers", "put_unit", "rules_for", "simple_header"]

#: Statistics of input images, which blending rules may combine; else they mean nothing for a product.
BLENDED_STATISTICS = (
    "GOODMIN", "GOODMAX", "GOODMEAN", "SNRMIN", "SNRMAX", "SNRMEAN", "SOFTERRS",
)  # fmt: skip
#: Statistics of one image, which no product takes over.
STATISTICS = ("NGOODPIX", "DATAMIN", "DATAMAX")
#: Keywords of a file or a run that stand in the primary header only.
_OF_THE_FILE = (
    "FILENAME", "FILETYPE", "NEXTEND", "PROD_VER", "DRIZPARS", "RULESVER", "BLENDVER", "RULEFILE",
)  # fmt: skip
#: A scale of 1 against the detector, which blending rules write.
_UNIT_SCALE = re.compile(r"LTM1_1|LTM2_2")
#: Cards of an extension that a file with one image does not take over.
_NOT_IN_SIMPLE = frozenset({"DATE", "IRAF-TLM", "", "COMMENT", "HISTORY"})
_PARTS = ("sci", "wht", "ctx")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProductHeaders:
    """Headers of the parts of a product, without ``FILENAME`` and ``NEXTEND``, which the writer adds.

    Parameters
    ----------
    primary, sci, wht, ctx : Header
        Headers.  That of the primary HDU tells of the exposures and the run, the others also of their arrays.
    others : mapping of str to Header
        Those of further layers, by name.
    table : mapping of str to list
        Columns of the table of input keywords; empty: none.
    notes : tuple of str
        Warnings.
    """

    primary: Header
    sci: Header
    wht: Header
    ctx: Header
    others: Mapping[str, Header] = field(default_factory=dict)
    table: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def parts(self) -> dict[str, Header]:
        """Return the headers as `Mosaic.headers` wants them."""
        return {"primary": self.primary, "sci": self.sci, "wht": self.wht, "ctx": self.ctx, **self.others}


def _filter_note(facts: ProductFacts) -> tuple[str, ...]:
    """Return a warning if photometric keywords of different filters were averaged."""
    zero = [c.header.get("PHOTFLAM") for _, _, c in facts.chips()]
    modes = {tuple(str(c.header.get("PHOTMODE", "")).split()[2:]) for _, _, c in facts.chips()}
    if len(modes) > 1 and any(z is not None for z in zero):
        return (
            "the inputs have different filters; PHOTFLAM and its like in the product are means over them",
        )
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
    inputs = input_headers(facts)
    rules = rules_for(facts.exposures, inputs.primaries[0], facts.rules_file, facts.rules_folder)
    table: Mapping[str, Sequence[Any]] = {}
    notes = inputs.notes
    if facts.kind == "single":
        primary, sci, wht, ctx = inputs.first
        primary = exposure_header(primary)
    else:
        primary, sci, wht, ctx = _blended(rules, inputs)
        table = keyword_table(rules, inputs.rows, inputs.first)
        notes += (*_filter_note(facts), *_date_notes(facts))
        _put_rules(primary, rules, facts)
    for kind, header in zip(_PARTS, (sci, wht, ctx), strict=True):
        _clean(header, facts, rules)
        header["EXTNAME"], header["EXTVER"] = kind.upper(), 1
        put_frame(header, facts.frame)
    for header in (primary, sci, wht, ctx):
        put_pixel_sizes(header, facts.exposures[0].chips[0].wcs, facts.frame.wcs)
    _put_primary(primary, facts)
    _put_science(sci, facts)
    wht["CCDCHIP"] = "-999"
    others = {
        n: _further(wht, e.name, e.unit_of(facts.bunit), e.meaning)
        for n, e in facts.layers.items()
        if n not in _PARTS
    }
    return ProductHeaders(primary=primary, sci=sci, wht=wht, ctx=ctx, others=others, table=table, notes=notes)


def rules_for(
    exposures: Sequence[Exposure], primary: Header, rules_file: str = "", folder: Path | None = None
) -> Rules | None:
    """Return the rules by which headers of exposures are blended, or None.

    Parameters
    ----------
    exposures : sequence of Exposure
        In input order.
    primary : Header
        Primary header of the first; its ``TELESCOP`` decides for an instrument that is not known.
    rules_file, folder
        See `choose_rules`.
    """
    instruments = [str(e.extra.get("rules") or e.family) for e in exposures]
    return choose_rules(rules_file, instruments, str(primary.get("TELESCOP", "")), folder)


def _blended(rules: Rules | None, inputs: InputHeaders) -> list[Header]:
    """Return one primary, SCI, ERR and DQ header for those of all inputs."""
    primaries = [exposure_header(h) for h in inputs.primaries]
    groups = (primaries, inputs.science, inputs.errors, inputs.flags)
    return [blend(rules, group, inputs.first) for group in groups]


def _clean(header: Header, facts: ProductFacts, rules: Rules | None) -> None:
    """Remove what belongs to the grid, the file, or the pixels of an input."""
    blended = facts.kind == "final" and rules is not None
    neutral = blended and all(header.get(k, 1.0) == 1.0 for k in ("LTM1_1", "LTM2_2"))
    drop_grid(header, keep=_UNIT_SCALE if neutral else None)
    drop_drizzle(header)
    for key in (*STATISTICS, *_OF_THE_FILE, *(() if rules is not None else BLENDED_STATISTICS)):
        header.remove(key, ignore_missing=True, remove_all=True)
    for key, value in _times(facts).items():
        if key in header:
            header[key] = value


def _times(facts: ProductFacts) -> dict[str, float]:
    """Return exposure time, start and end of a product, as far as they are known; empty if the time is not."""
    seconds, start, end, _ = totals(facts.exposures)
    if facts.kind == "single":
        seconds, start, end = facts.exposures[0].exptime, facts.exposures[0].start, facts.exposures[0].end
    if not seconds > 0:
        return {}
    dates = {key: date for key, date in (("EXPSTART", start), ("EXPEND", end)) if date > 0}
    return {"EXPTIME": seconds, "TEXPTIME": seconds, **dates}


def _date_notes(facts: ProductFacts) -> Iterator[str]:
    """Tell where start or end of a mosaic is that of some exposures only."""
    own = distinct(facts.exposures)
    for key, dates in (("EXPSTART", [e.start for e in own]), ("EXPEND", [e.end for e in own])):
        lacking = [str(e.path or e.name) for e, date in zip(own, dates, strict=True) if not date > 0]
        if lacking and len(lacking) < len(own):
            yield f"{', '.join(lacking)}: {key} is missing or cannot be; {key} of the mosaic is that of the other exposures."


def _further(weight: Header, name: str, unit: str, meaning: str) -> Header:
    """Return the header of a further layer of a mosaic."""
    header = weight.copy()
    header["EXTNAME"] = name
    if unit:
        header["BUNIT"] = (unit, f"Units of {header_text(meaning)}")
    else:
        header.remove("BUNIT", ignore_missing=True)
    return header


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
    primary["DRIZPARS"] = (header_text(facts.log), "Logfile for processing")
    root = header_text(facts.exposures[0].name if facts.kind == "single" else Path(facts.names.root).name)
    primary["ROOTNAME"] = root.removesuffix(facts.exposures[0].product_tag)
    times = _times(facts)
    if times:
        primary["EXPTIME"] = (times["EXPTIME"], "exposure duration (seconds)--calculated")
        primary.set("TEXPTIME", times["TEXPTIME"], after="EXPTIME")
    for key, word in (("EXPSTART", "start"), ("EXPEND", "end")):
        if key in times:
            primary[key] = (times[key], f"exposure {word} time (Modified Julian Date)")
        else:
            primary.remove(key, ignore_missing=True)
    primary["ASN_MTYP"] = ("PROD-DTH", "Role of the Member in the Association")
    for key in ("DRIZCORR", "DITHCORR"):
        if key in primary:
            primary[key] = "COMPLETE"
    put_drizzle(primary, facts)
    primary["HISTORY"] = "Processing performed using:"
    for name, version in (
        ("drizframe", facts.version),
        ("astropy", astropy.__version__),
        ("NumPy", np.__version__),
    ):
        primary["HISTORY"] = f"    {name} version {version}"


def _put_science(sci: Header, facts: ProductFacts) -> None:
    """Write what the science image is."""
    sci.remove("OBJECT", ignore_missing=True)
    if "CCDCHIP" in sci:
        sci["CCDCHIP"] = "-999"
    if "NCOMBINE" in sci:
        sci["NCOMBINE"] = totals(facts.exposures)[3] if facts.kind == "final" else 1
    put_unit(sci, facts.bunit)


def put_unit(sci: Header, unit: str) -> None:
    """Write the unit of a science image.

    Parameters
    ----------
    sci : Header
        Header that gets it.
    unit : str
        As ``BUNIT`` spells it.
    """
    comment = "counts * gain = electrons" if unit.lower().startswith("count") else "Units of science product"
    sci["BUNIT"] = (unit, comment)


def simple_header(primary: Header, extension: Header, kind: str) -> Header:
    """Return the header of a file that holds one image: the primary header, and what the extension adds.

    Where both describe an array, the extension counts.

    Parameters
    ----------
    primary, extension : Header
        Headers of a file with extensions.
    kind : str
        ``"SCI"``, ``"WHT"`` or ``"CTX"``.
    """
    header = primary.copy()
    for key in [k for k in dict.fromkeys(header) if describes_array(k) or k == "NEXTEND"]:
        if key in extension or STRUCTURE.fullmatch(key) or key == "NEXTEND":
            header.remove(key, ignore_missing=True, remove_all=True)
    if "FILETYPE" in header or "TELESCOP" not in header:
        header["FILETYPE"] = (kind, "Type of data in array")
    else:
        header.insert("TELESCOP", ("FILETYPE", kind, "Type of data in array"))
    for card in extension.cards:
        key = card.keyword
        if key not in header and key not in _NOT_IN_SIMPLE and not STRUCTURE.fullmatch(key):
            header.append(card, bottom=False)
    return header


def frame_headers(
    frame: Frame, unit: str, exptime: float, layers: Mapping[str, ProductLayer] | None = None
) -> dict[str, Header]:
    """Return headers of a product of which nothing is known but its frame.

    Parameters
    ----------
    frame : Frame
        Output grid.
    unit : str
        Unit of the science image.
    exptime : float
        Total exposure time in seconds; 0: unknown.
    layers : mapping of str to ProductLayer, optional
        What it has besides science image, weight and context.
    """
    from astropy.io.fits import Header

    headers = {k: Header() for k in ("primary", *_PARTS)}
    if exptime > 0:
        headers["primary"]["EXPTIME"] = (exptime, "exposure duration (seconds)--calculated")
    for kind in _PARTS:
        put_frame(headers[kind], frame)
    put_unit(headers["sci"], unit)
    for name, layer in (layers or {}).items():
        if name not in headers:
            headers[name] = _further(headers["wht"], layer.extension, layer.unit, layer.meaning)
    return headers
