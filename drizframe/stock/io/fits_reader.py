"""FITS files to exposures."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drizframe.config.inputs import root_name
from drizframe.config.names import base_name
from drizframe.config.peek import is_product
from drizframe.errors import InputError, UnreadableInputError
from drizframe.fits.opening import SUFFIXES, open_fits, open_stream, sound
from drizframe.fits.stamps import Stamp
from drizframe.fits.structure import Structure, structure_of
from drizframe.headers import header_number
from drizframe.hooks import Reader, hookimpl
from drizframe.model.sources import stored
from drizframe.stock.io.cards import Kind, readable, remember_readable
from drizframe.stock.io.checksums import verify_sums
from drizframe.stock.io.chip_wcs import chip_wcs, promote
from drizframe.stock.io.inherited import with_inherited
from drizframe.stock.io.layout import (
    ChipPlace,
    find_chips,
    image_header,
    is_image,
    name_of,
    select_group,
    with_files,
)
from drizframe.stock.io.recovery import settle_folders
from drizframe.stock.io.required import check_required, orphans
from drizframe.stock.io.waivered import is_waivered, split_primary, waivered_chips

if TYPE_CHECKING:
    from astropy.io.fits import HDUList, Header

    from drizframe.hooks import Instrument, InstrumentOptions
    from drizframe.model import Exposure, PixelSource

__all__ = ["FITS", "read_fits"]

#: Values of EXPNAME that name nothing.
_NO_NAME = frozenset({"", "N/A", "NONE", "UNKNOWN"})


def matches(path: Path) -> bool:
    """Tell whether the name, or the first bytes, are of a FITS file."""
    if path.name.lower().endswith(SUFFIXES):
        return True
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(6) == b"SIMPLE"


def _with_exposure_keys(primary: Header, science: Header, keys: Sequence[str]) -> Header:
    """Return a copy of a primary header that describes one exposure of the file."""
    own = primary.copy()
    for key in keys:
        if key in science:
            own[key] = (science[key], science.comments[key])
    return own


def _empty(place: ChipPlace) -> list[str]:
    """Return which of the error and data-quality images of an image set hold nothing."""
    return [kind for kind in ("err", "dq") if kind in place.others and kind not in place.places]


def _sets(
    instrument: Instrument, primary: Header, chips: Sequence[ChipPlace], path: Path, notes: list[str]
) -> list[tuple[str, str, Header, list[ChipPlace]]]:
    """Return the exposures of a file: name, file name, primary header, chips.

    A file of image sets may hold several exposures; each becomes one of its own, with its chip numbered 1.
    """
    keys = instrument.exposure_keys
    if not instrument.image_sets or len(chips) == 1:
        own = _with_exposure_keys(primary, chips[0].header, keys) if keys else primary
        return [(root_name(path.name), path.name, own, list(chips))]
    result = []
    for place in chips:
        empty = _empty(place)
        if empty:
            listed = " and ".join(k.upper() for k in empty)
            notes.append(f"{path}: image set {place.extver} is left out, its {listed} holds no pixels")
            continue
        name = _set_name(place, path)
        header = place.header.copy()
        header["EXTVER"] = 1
        others = {k: v.copy() for k, v in place.others.items()}
        for other in others.values():
            other["EXTVER"] = 1
        moved = dataclasses.replace(place, extver=1, index=1, header=header, others=others)
        result.append((name, f"{name}_flt.fits", _with_exposure_keys(primary, header, keys), [moved]))
    if not result:
        msg = f"{path}: every image set lacks its ERR or DQ image. Get the calibrated file again."
        raise InputError(msg)
    return result


def _set_name(place: ChipPlace, path: Path) -> str:
    """Return the name of an image set, which becomes that of its file."""
    given = str(place.header.get("EXPNAME", "")).strip()
    if given.upper() in _NO_NAME:
        return f"{root_name(path.name)}_{place.extver}"
    return base_name(given, f"{path}[{place.index}]: EXPNAME").lower()


def _exposure(
    hdus: HDUList,
    path: Path,
    name: str,
    file_name: str,
    primary: Header,
    chips: Sequence[ChipPlace],
    instrument: Instrument,
    options: InstrumentOptions,
    found: Structure,
) -> Exposure:
    """Return one exposure."""
    wcskey = str(options.extra.get("wcskey") or "")
    distortion = bool(options.extra.get("coeffs", True))
    chosen = select_group(chips, options.extra.get("group"), str(path))
    allowed = options.extra.get("allow_missing") or ()
    # A mosaic keeps the names of its camera, but no camera made it: it never had flags.
    told = [] if is_product(primary) else list(check_required(chosen, instrument, allowed, path, found.note))
    science, wcs, sources = {}, {}, {}
    for place in chosen:
        where = f"{path}[{place.places['sci'][1]}]"
        header = promote(with_inherited(place.header, primary), wcskey, where)
        wcs[place.extver], notes = chip_wcs(header, primary, hdus, where, distortion=distortion)
        told += notes
        science[place.extver], sources[place.extver] = header, place.source

    def source(extver: int) -> PixelSource:
        return sources[extver]

    exposure = instrument.read(
        primary.copy(), science, name=name, path=path, source=source, options=options, wcs=wcs.__getitem__
    )
    by_version = {p.extver: p for p in chosen}
    fixed = {"fixed": "has bytes behind its last extension"} if found.tail else {}
    renewed = [
        dataclasses.replace(c, extra={**c.extra, **by_version[c.extver].facts, **fixed})
        for c in exposure.chips
    ]
    extra = {
        **exposure.extra,
        "file": file_name,
        "split": file_name != path.name,
        "rules": instrument.rules,
    }
    pa_v3 = exposure.pa_v3 if exposure.pa_v3 is not None else _support_angle(path, primary)
    return dataclasses.replace(
        exposure.with_chips(renewed), extra=extra, pa_v3=pa_v3, warnings=(*exposure.warnings, *told)
    )


def _support_angle(path: Path, primary: Header) -> float | None:
    """Return ``PA_V3`` from the support file ``<ROOTNAME>_spt.fits`` next to the exposure, if it is there."""
    root = str(primary.get("ROOTNAME", "")).strip()
    support = path.with_name(f"{base_name(root, f'{path}[0]: ROOTNAME').lower() if root else ''}_spt.fits")
    if not support.is_file():
        return None
    with open_fits(support) as hdus:
        found = [n for h in hdus if (n := header_number(h.header, "PA_V3")) is not None]
    return found[0] if found else None


def read_fits(
    path: Path | str, *, instruments: Callable[[Any], Instrument], options: InstrumentOptions
) -> list[Exposure]:
    """Read the headers of a FITS file; the file is not changed, and no pixels are loaded.

    Parameters
    ----------
    path : pathlib.Path or str
        ``.fits``, also compressed by gzip, bzip2 or xz; waivered FITS too.
    instruments : callable
        Finds the `Instrument` for a primary header.
    options : InstrumentOptions
        Overrides; in `extra`: ``wcskey`` (letter or name), ``group``, ``coeffs`` (False: no distortion),
        ``ivm`` (file name), ``verify_inputs`` (what is done about checksums that do not hold; blank: nothing),
        ``allow_missing`` (images that may be missing although the instrument has them).

    Returns
    -------
    list of Exposure
        One, or one for each image set.

    Raises
    ------
    MissingInputError, UnreadableInputError
        If the file does not exist, or is damaged.
    InputError
        If it holds no science image, or a spectrum.
    WCSError
        If a chip has no celestial WCS.
    ParameterError
        If `wcskey` or `group` name something that the file does not have.
    """
    path = Path(path)
    ivm = options.extra.get("ivm")
    with open_fits(path) as hdus, sound(path):
        stamp = Stamp.of(path.stat())
        found = structure_of(str(path), stamp)
        _check_loaded(hdus, path, found)
        notes = _readable(hdus, path, stamp)
        notes += [found.note] if found.note else []
        old = is_waivered(hdus)
        primary = split_primary(hdus, path) if old else _primary(hdus)
        instrument = instruments(primary)
        if instrument.check is not None:
            instrument.check(primary, path)
        maps = Path(ivm) if ivm else None
        if old:
            chips = [with_files(place, path, maps) for place in waivered_chips(hdus, path)]
        else:
            chips = find_chips(hdus, path, ivm=maps)
            notes += orphans(hdus, chips, path)
        exposures = [
            _exposure(hdus, path, name, file_name, header, places, instrument, options, found)
            for name, file_name, header, places in _sets(instrument, primary, chips, path, notes)
        ]
    files = [
        file
        for e in exposures
        for c in e.chips
        for file, _, _ in getattr(stored(c.load), "places", {}).values()
    ]
    notes += verify_sums(files, str(options.extra.get("verify_inputs") or "no"))
    return [dataclasses.replace(e, warnings=(*notes, *e.warnings)) for e in exposures]


def _check_loaded(hdus: HDUList, path: Path, found: Structure) -> None:
    """Refuse a file of which astropy reads less than there is: it leaves out what it cannot read, and all that follows."""
    from astropy.io.fits import Header

    with warnings.catch_warnings():  # astropy says so by a warning
        warnings.simplefilter("ignore")
        count = len(hdus)
    if count >= len(found.names):
        return
    begin, end = found.headers[count]
    with open_stream(path) as stream:
        stream.seek(begin)
        header = Header.fromstring(stream.read(end - begin))
    readable(header, f"{path}[{count}]", "science")  # names the card, if it is one
    name = found.names[count] or "no name"
    msg = f"{path}[{count}] ({name}) is damaged: its header cannot be read. Get the file again."
    raise UnreadableInputError(msg)


def _readable(hdus: HDUList, path: Path, stamp: Stamp) -> list[str]:
    """Remove cards that cannot be parsed from all headers; return warnings."""
    notes: list[str] = []
    for i, hdu in enumerate(hdus):
        named = name_of(hdu) in {"", "SCI"}
        kind: Kind = (
            "science" if i == 0 or (is_image(hdu) and named) else "image" if is_image(hdu) else "other"
        )
        found = readable(hdu.header, f"{path}[{i}]", kind)
        if not found:
            remember_readable(f"{path}[{i}]", stamp)
        notes += found
    return notes


def _primary(hdus: HDUList) -> Header:
    """Return the primary header; where the only image was moved behind it by compression, with the keywords of that."""
    primary = image_header(hdus[0].header)
    if len(hdus) == 2 and "EXTNAME" not in hdus[1].header and not is_image(hdus[0]) and is_image(hdus[1]):
        for card in hdus[1].header.cards:
            if card.keyword not in primary and not card.keyword.startswith(
                ("XTENSION", "PCOUNT", "GCOUNT", "NAXIS")
            ):
                primary.append(card, bottom=True)
    return primary


def settle(paths: Sequence[Path]) -> list[str]:
    """Finish edits of inputs that an interrupted run of the drop-in began, and remove what it left beside them.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Inputs.

    Returns
    -------
    list of str
        What was done.

    Raises
    ------
    OutputError
        If another run is editing them, or what is left cannot be finished.
    """
    return settle_folders({p.resolve().parent for p in paths})


FITS = Reader(
    name="fits",
    summary="FITS files with SCI, ERR and DQ extensions, or one image.",
    matches=matches,
    reference=read_fits,
    settle=settle,
    traits=frozenset({"picklable"}),
)


@hookimpl
def drizframe_readers() -> Iterator[Reader]:
    """Offer FITS."""
    yield FITS
