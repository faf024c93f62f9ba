"""Headers of inputs as products may use them: sound cards only, with the sky of this run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from drizframe.stock.io.facts import ProductFacts, distinct, plain
from drizframe.stock.io.grid_keywords import drop_grid
from drizframe.stock.io.sound_cards import sound_header
from drizframe.stock.io.text import header_text

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from drizframe.model import Chip, Exposure

__all__ = ["InputHeaders", "exposure_header", "input_headers", "read_primary", "read_science"]

#: Unit of the images of weights and flags in templates.
NO_UNIT = "UNITLESS"


@dataclass(slots=True, kw_only=True)
class InputHeaders:
    """Headers of all inputs of a product.

    Parameters
    ----------
    primaries : list of Header
        Of each distinct exposure.
    science, errors, flags : list of Header
        Of each chip; without an error or data-quality image, the science header.
    rows : list of dict
        All keywords of each chip; those of the primary header win.
    notes : list of str
        Warnings about cards that were left out.
    """

    primaries: list[Header] = field(default_factory=list)
    science: list[Header] = field(default_factory=list)
    errors: list[Header] = field(default_factory=list)
    flags: list[Header] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def first(self) -> tuple[Header, Header, Header, Header]:
        """The headers of the first chip."""
        return self.primaries[0], self.science[0], self.errors[0], self.flags[0]


def _file(exposure: Exposure) -> str:
    return str(exposure.path or exposure.name)


def read_primary(exposure: Exposure) -> tuple[Header, tuple[str, ...]]:
    """Return the primary header of an exposure without an old sky value, and warnings.

    Parameters
    ----------
    exposure : Exposure
        As it was read.
    """
    from astropy.io.fits import Header

    own = Header() if exposure.primary is None else exposure.primary
    header, notes = sound_header(own, f"{_file(exposure)}[0]")
    header.remove("MDRIZSKY", ignore_missing=True)
    if "file" in exposure.extra:
        header["FILENAME"] = header_text(exposure.extra["file"])
    return header, notes


def read_science(exposure: Exposure, chip: Chip) -> tuple[Header, tuple[str, ...]]:
    """Return the science header of a chip, and warnings.

    Parameters
    ----------
    exposure, chip
        As they were read.
    """
    place = chip.extra.get("hdu")
    where = f"{_file(exposure)}[{f'SCI,{chip.extver}' if place is None or place else 0}]"
    return sound_header(chip.header, where)


def _other(exposure: Exposure, chip: Chip, kind: str, science: Header) -> tuple[Header, tuple[str, ...]]:
    """Return the header of the error or data-quality image; without one, the science header."""
    own = chip.extra.get("headers", {}).get(kind)
    where = f"{_file(exposure)}[{kind.upper()},{chip.extver}]"
    header, notes = sound_header(science if own is None else own, where)
    header["BUNIT"] = NO_UNIT
    return header, notes


def exposure_header(primary: Header) -> Header:
    """Return what a primary header tells of the exposure; what describes an array in it is left out.

    Parameters
    ----------
    primary : Header
        Of an input; it is not changed.

    Notes
    -----
    Where it has no world coordinates, ``EQUINOX`` is that of the position of the target and stays.
    """
    header = primary.copy()
    drop_grid(header, equinox="CTYPE1" in header or "CRVAL1" in header)
    for key in ("BUNIT", "DATAMIN", "DATAMAX"):
        header.remove(key, ignore_missing=True)
    return header


def input_headers(facts: ProductFacts) -> InputHeaders:
    """Return the headers of all inputs of a product.

    Parameters
    ----------
    facts : ProductFacts
        What was drizzled.
    """
    result = InputHeaders()
    own: dict[int, Header] = {}
    for exposure in distinct(facts.exposures):
        header, notes = read_primary(exposure)
        result.primaries.append(header)
        result.notes += notes
    for unit, exposure, chip in facts.chips():
        if id(exposure) not in own:
            own[id(exposure)] = read_primary(exposure)[0]
        science, notes = read_science(exposure, chip)
        error, more = _other(exposure, chip, "err", science)
        flags, others = _other(exposure, chip, "dq", science)
        level = facts.sky.get(unit)
        if level is not None:
            science["MDRIZSKY"] = (plain(level), "Sky value computed by AstroDrizzle")
        result.science.append(science)
        result.errors.append(error)
        result.flags.append(flags)
        result.rows.append(_row(own[id(exposure)], science))
        result.notes += [*notes, *more, *others]
    result.notes = list(dict.fromkeys(result.notes))
    return result


def _row(primary: Header, science: Header) -> dict[str, Any]:
    """Return all keywords of a chip."""
    from astropy.io.fits.card import Undefined

    both: dict[str, Any] = {}
    for header in (science, primary):
        both.update({c.keyword: c.value for c in header.cards if not isinstance(c.value, Undefined)})
    return {k: v for k, v in both.items() if k not in {"", "COMMENT", "HISTORY"}}
