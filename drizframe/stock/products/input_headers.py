"""Headers of inputs as products may use them: sound cards only, with the sky of this run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from drizframe.stock.io.sound_cards import sound_header
from drizframe.stock.io.text import header_text, plain
from drizframe.stock.products.facts import ProductFacts, distinct
from drizframe.stock.products.grid_keywords import drop_grid

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from drizframe.model import Chip, Exposure

__all__ = ["InputHeaders", "exposure_header", "input_headers", "read_primary"]

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
    faults : dict of str to list of str
        What was left out, and of which headers.
    """

    primaries: list[Header] = field(default_factory=list)
    science: list[Header] = field(default_factory=list)
    errors: list[Header] = field(default_factory=list)
    flags: list[Header] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    faults: dict[str, list[str]] = field(default_factory=dict)

    def blame(self, where: str, faults: tuple[str, ...]) -> None:
        """Note what was left out of a header.

        Parameters
        ----------
        where : str
            File and extension.
        faults : tuple of str
            Words on each card.
        """
        for fault in faults:
            found = self.faults.setdefault(fault, [])
            if where not in found:
                found.append(where)

    @property
    def notes(self) -> tuple[str, ...]:
        """A warning for each fault, with the first headers that have it."""
        named = {
            f: ", ".join(w[:3]) + (f" and {len(w) - 3} more" if len(w) > 3 else "")
            for f, w in self.faults.items()
        }
        return tuple(f"{where}: {fault}" for fault, where in named.items())

    @property
    def first(self) -> tuple[Header, Header, Header, Header]:
        """The headers of the first chip."""
        return self.primaries[0], self.science[0], self.errors[0], self.flags[0]


def _file(exposure: Exposure) -> str:
    return str(exposure.path or exposure.name)


def read_primary(exposure: Exposure) -> tuple[Header, tuple[str, ...]]:
    """Return the primary header of an exposure without an old sky value, and what was left out.

    Parameters
    ----------
    exposure : Exposure
        As it was read.
    """
    from astropy.io.fits import Header

    header, faults = sound_header(Header() if exposure.primary is None else exposure.primary)
    header.remove("MDRIZSKY", ignore_missing=True)
    if "file" in exposure.extra:
        header["FILENAME"] = header_text(exposure.extra["file"])
    return header, faults


def _where(exposure: Exposure, kind: str = "", chip: Chip | None = None) -> str:
    """Return file and extension; the science image of some is in the primary HDU."""
    if chip is None or (kind == "SCI" and chip.extra.get("hdu") == 0):
        return f"{_file(exposure)}[0]"
    return f"{_file(exposure)}[{kind},{chip.extver}]"


def _other(chip: Chip, kind: str) -> tuple[Header, tuple[str, ...]]:
    """Return the header of the error or data-quality image; without one, the science header."""
    own = chip.extra.get("headers", {}).get(kind)
    header, faults = sound_header(chip.header if own is None else own)
    header["BUNIT"] = NO_UNIT
    return header, () if own is None else faults


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
        header, faults = read_primary(exposure)
        own[id(exposure)] = header
        result.primaries.append(header)
        result.blame(_where(exposure), faults)
    for unit, exposure, chip in facts.chips():
        if id(exposure) not in own:  # the second of two that are the same
            own[id(exposure)] = read_primary(exposure)[0]
        level = facts.sky.get(unit)
        groups = {"SCI": result.science, "ERR": result.errors, "DQ": result.flags}
        for kind, group in groups.items():
            header, faults = sound_header(chip.header) if kind == "SCI" else _other(chip, kind.lower())
            if kind == "SCI" and level is not None:
                header["MDRIZSKY"] = (plain(level), "Sky value computed by AstroDrizzle")
            result.blame(_where(exposure, kind, chip), faults)
            group.append(header)
        result.rows.append(_row(own[id(exposure)], result.science[-1]))
    return result


def _row(primary: Header, science: Header) -> dict[str, Any]:
    """Return all keywords of a chip."""
    from astropy.io.fits.card import Undefined

    both: dict[str, Any] = {}
    for header in (science, primary):
        both.update({c.keyword: c.value for c in header.cards if not isinstance(c.value, Undefined)})
    return {k: v for k, v in both.items() if k not in {"", "COMMENT", "HISTORY"}}
