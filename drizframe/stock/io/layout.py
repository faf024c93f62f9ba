"""Which extension of a file holds what."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drizframe.errors import InputError, MissingInputError, ParameterError
from drizframe.fits.opening import open_fits, sound
from drizframe.fits.stamps import stamps_of
from drizframe.stock.io.source import FitsSource, image_shape

if TYPE_CHECKING:
    from astropy.io.fits import HDUList, Header

__all__ = [
    "ChipPlace",
    "check_pixels",
    "companion",
    "find_chips",
    "image_header",
    "is_image",
    "listed",
    "name_of",
    "select_group",
    "version_of",
    "with_files",
]

#: Extensions next to SCI, by EXTVER.
_PLANES = {"ERR": "err", "DQ": "dq", "TIME": "time", "IVM": "ivm"}
#: How a tile-compressed image without a name is called.
_UNNAMED = "COMPRESSED_IMAGE"
#: Most pixels of an image: as many as a mosaic may have by default.
_MAX_PIXELS = 400_000_000
#: Most chips of an exposure.
_MAX_CHIPS = 512
#: EXTVER below which chips are numbered.
_MAX_VERSION = 10_000
#: Largest plausible BSCALE and BZERO.
_MAX_SCALING = 1e30


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipPlace:
    """Where one chip is in its file.

    Parameters
    ----------
    extver : int
        Number of the chip.
    index : int
        Number of its science extension, from 0 (PRIMARY).
    header : Header
        Copy of its science header.
    places : dict
        As in `FitsSource`.
    others : dict of str to Header
        Headers of its other images.
    unusable : dict of str to str
        Images of it that are there but cannot be used, and why.
    fixed : str
        Why the file cannot be edited; blank: it can.
    """

    extver: int
    index: int
    header: Header
    places: dict[str, tuple[str, int, int]]
    others: dict[str, Header] = field(default_factory=dict)
    unusable: dict[str, str] = field(default_factory=dict)
    fixed: str = ""

    @property
    def source(self) -> FitsSource:
        """The pixels, of the files as they are now."""
        return FitsSource(dict(self.places), stamps_of(path for path, _, _ in self.places.values()))

    @property
    def facts(self) -> dict[str, Any]:
        """What products want to know: headers of the other images, and where the science image really is."""
        return {"headers": self.others, "hdu": self.places["sci"][1], "fixed": self.fixed}


def is_image(hdu: Any) -> bool:
    """Tell whether an HDU holds an image of two axes (or a cube of one plane, or a constant that stands for one)."""
    from astropy.io import fits

    kinds = (fits.PrimaryHDU, fits.ImageHDU, fits.CompImageHDU)
    return isinstance(hdu, kinds) and image_shape(hdu.header) is not None


def name_of(hdu: Any) -> str:
    """Return ``EXTNAME`` in upper case; blank for an image that has none."""
    name = str(hdu.header.get("EXTNAME", "")).strip().upper()
    return "" if name == _UNNAMED else name


def version_of(hdu: Any) -> int | None:
    """Return ``EXTVER`` (1 where it is missing); None where it is no whole number."""
    value = hdu.header.get("EXTVER", 1)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def listed(hdus: HDUList) -> str:
    """Return what a file holds, for messages."""
    return ", ".join(
        f"{i} {name_of(h) or ('PRIMARY' if i == 0 else '(no name)')},{h.header.get('EXTVER', 1)}"
        f"{'' if is_image(h) or (i == 0 and not h.header.get('NAXIS')) else ' (no image of two axes)'}"
        for i, h in enumerate(hdus)
    )


def image_header(header: Header) -> Header:
    """Return a copy of a header; that of a cube of one plane without its further axes.

    Parameters
    ----------
    header : Header
        Of an image.
    """
    result = header.copy()
    axes = header.get("NAXIS", 0)
    if axes > 2:
        further = "|".join(str(i) for i in range(3, axes + 1))
        keys = re.compile(
            rf"NAXIS({further})|C(TYPE|RPIX|RVAL|DELT|UNIT|ROTA|NAME)({further})|(CD|PC)(({further})_\d|\d_({further}))"
            rf"|P[VS]({further})_\d+"
        )
        for key in [k for k in dict.fromkeys(result) if keys.fullmatch(k)]:
            result.remove(key, ignore_missing=True, remove_all=True)
        result["NAXIS"] = 2
        if "WCSAXES" in result:
            result["WCSAXES"] = 2
    return result


def companion(path: Path) -> Path | None:
    """Return the data-quality file of a science file (``_c0m.fits`` → ``_c1m.fits``), if it is there."""
    name = path.name
    mark = name.rfind("_c0")
    if mark < 0 or not name.lower().endswith((".fits", ".fits.gz", ".fits.xz", ".fits.bz2", ".fits.fz")):
        return None
    other = path.with_name(name[:mark] + "_c1" + name[mark + 3 :])
    return other if other.is_file() else None


def _from_other_file(path: Path, extver: int, names: tuple[str, ...]) -> tuple[int, Header] | None:
    """Return number and header of a chip's extension in a second file: by name and EXTVER, else by EXTVER."""
    with open_fits(path) as hdus, sound(path):
        images = [(i, h) for i, h in enumerate(hdus) if is_image(h)]
        by_name = [(i, h) for i, h in images if name_of(h) in names and version_of(h) == extver]
        by_version = [(i, h) for i, h in images if i > 0 and version_of(h) == extver]
        only = images if len(images) == 1 and extver == 1 else []
        return next(((i, h.header.copy()) for i, h in (*by_name, *by_version, *only)), None)


def _check_shape(place: ChipPlace, header: Header, kind: str, where: str) -> None:
    """Refuse an image that lies on other pixels than the science image."""
    found, wanted = image_shape(header), image_shape(place.header)
    if found is not None and wanted is not None and found != wanted:
        msg = (
            f"{where}: the {kind.upper()} image has {found[1]} x {found[0]} pixels, the science image of chip {place.extver} "
            f"has {wanted[1]} x {wanted[0]}. Both must lie on the same pixels; get the file again."
        )
        raise InputError(msg)


def check_pixels(header: Header, where: str) -> None:
    """Refuse an image (or cube) that is too large to be held in memory.

    Parameters
    ----------
    header : Header
        Its header.
    where : str
        The file and extension, for messages.

    Raises
    ------
    InputError
        If it has more than 4e8 pixels.
    """
    axes = [int(header[f"NAXIS{i}"]) for i in range(1, header.get("NAXIS", 0) + 1)]
    pixels = math.prod(axes) if axes else 0
    if pixels > _MAX_PIXELS:
        msg = f"{where} has {pixels} pixels; images of up to {_MAX_PIXELS} are read. Cut it into parts."
        raise InputError(msg)


def _check_scaling(header: Header, where: str) -> None:
    """Refuse a scaling that makes one number, or none, of all pixels."""
    for key, default in (("BSCALE", 1.0), ("BZERO", 0.0)):
        value = header.get(key, default)
        good = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _MAX_SCALING
        if not good or (key == "BSCALE" and value == 0):
            msg = f"{where}: {key} is {value!r}; pixel values are BZERO + BSCALE times what is stored. Correct it."
            raise InputError(msg)


def _beside(hdus: HDUList) -> dict[int | None, list[tuple[int, str, Any]]]:
    """Return the images beside SCI by EXTVER: number, kind and HDU of each."""
    found: dict[int | None, list[tuple[int, str, Any]]] = {}
    for i, hdu in enumerate(hdus):
        kind = _PLANES.get(name_of(hdu))
        if kind is not None:
            found.setdefault(version_of(hdu), []).append((i, kind, hdu))
    return found


def _place(
    path: Path, index: int, extver: int, science: Any, beside: Sequence[tuple[int, str, Any]], held: str
) -> ChipPlace:
    """Return the place of a chip: its science image, those beside it, and what the file holds, for messages."""
    from astropy.io import fits

    place = ChipPlace(
        extver=extver, index=index, header=image_header(science.header), places={"sci": (str(path), index, -1)},
        unusable=dict.fromkeys(("dq", "err"), held),
    )  # fmt: skip
    check_pixels(science.header, f"{path}[{index}]")
    _check_scaling(science.header, f"{path}[{index}]")
    for i, kind, hdu in beside:
        if kind in place.others:
            continue
        if not isinstance(hdu, fits.PrimaryHDU | fits.ImageHDU | fits.CompImageHDU):
            place.unusable[kind] = f"extension {i} is a table or damaged"
            continue
        place.others[kind] = hdu.header.copy()
        place.unusable[kind] = f"extension {i} has NAXIS = {hdu.header.get('NAXIS')!r}"
        if is_image(hdu):
            _check_shape(place, hdu.header, kind, f"{path}[{i}]")
            _check_scaling(hdu.header, f"{path}[{i}]")
            place.places[kind] = (str(path), i, -1)
    return place


def with_files(place: ChipPlace, path: Path, ivm: Path | None) -> ChipPlace:
    """Add images that stand in other files: data quality of old cameras, and the user's inverse variance.

    Parameters
    ----------
    place : ChipPlace
        A chip; its `places` are completed.
    path : pathlib.Path
        Its file.
    ivm : pathlib.Path or None
        File with inverse-variance maps.

    Raises
    ------
    MissingInputError, InputError
        If the inverse-variance file, or its image of this chip, is missing.
    """
    other = None if "dq" in place.places else companion(path)
    if other is not None:
        found = _from_other_file(other, place.extver, ("DQ", "SDQ", "SCI"))
        if found is not None:
            _check_shape(place, found[1], "dq", f"{other}[{found[0]}]")
            place.places["dq"] = (str(other), found[0], -1)
    if ivm is not None:
        if not ivm.is_file():
            msg = (
                f"{ivm}, the inverse-variance map of {path}, does not exist. Correct the second column of "
                "the list."
            )
            raise MissingInputError(msg)
        found = _from_other_file(ivm, place.extver, ("IVM",))
        if found is None:
            msg = (
                f"{ivm} has no image for chip {place.extver} of {path}. Give one IVM extension with each "
                "EXTVER."
            )
            raise InputError(msg)
        _check_shape(place, found[1], "ivm", f"{ivm}[{found[0]}]")
        place.places["ivm"] = (str(ivm), found[0], -1)
    return place


def _science(hdus: HDUList) -> list[int]:
    """Return the numbers of the science images: all named SCI; else the primary one, or the only one without a name."""
    named = [i for i, h in enumerate(hdus) if name_of(h) == "SCI" and is_image(h)]
    if named:
        return named
    if is_image(hdus[0]):
        return [0]
    nameless = [i for i, h in enumerate(hdus) if not name_of(h) and is_image(h)]
    return nameless if len(nameless) == 1 else []


def find_chips(hdus: HDUList, path: Path, *, ivm: Path | None = None) -> list[ChipPlace]:
    """Return the chips of a file in order of EXTVER; without any ``SCI``, an image in the primary HDU counts.

    Parameters
    ----------
    hdus : HDUList
        The open file.
    path : pathlib.Path
        Its name.
    ivm : pathlib.Path, optional
        File with inverse-variance maps.

    Raises
    ------
    InputError
        If there is no science image, or two with one EXTVER.
    """
    from astropy.io import fits

    science = _science(hdus)
    if not science:
        msg = (
            f"{path} has no science image: no extension named SCI with two axes (found: {listed(hdus)}). "
            f"Name the extension with EXTNAME = 'SCI', and number chips by EXTVER; give the planes of a cube one by one."
        )
        raise InputError(msg)
    if len(science) > _MAX_CHIPS:
        msg = f"{path} has {len(science)} science images; at most {_MAX_CHIPS} make an exposure. Split the file."
        raise InputError(msg)
    beside, held = _beside(hdus), f"found {listed(hdus)}"
    fixed = "holds tile-compressed images" if any(isinstance(h, fits.CompImageHDU) for h in hdus) else ""
    places: dict[int, ChipPlace] = {}
    for index in science:
        extver = version_of(hdus[index])
        if extver is None or not 0 <= extver < _MAX_VERSION:
            value = hdus[index].header.get("EXTVER")
            msg = f"{path}[{index}]: EXTVER is {value!r}; number the chips of a file 1, 2, …"
            raise InputError(msg)
        if (extver or 1) in places:
            msg = f"{path} has two SCI extensions with EXTVER = {extver}. Number the chips 1, 2, …"
            raise InputError(msg)
        place = _place(path, index, extver or 1, hdus[index], beside.get(extver, ()), held)
        places[extver or 1] = with_files(dataclasses.replace(place, fixed=fixed), path, ivm)
    return [places[v] for v in sorted(places)]


def select_group(chips: Sequence[ChipPlace], group: Any, where: str) -> list[ChipPlace]:
    """Return the chips that the parameter ``group`` names.

    Parameters
    ----------
    chips : sequence of ChipPlace
        All chips.
    group : None, str, int or sequence
        Blank: all.  Numbers of HDUs (``1``, ``"1,4"``), or a chip by name (``"sci,1"``, ``("sci", 1)``).
    where : str
        The file, for messages.

    Raises
    ------
    ParameterError
        If it does not name science images of the file.
    """
    if group is None or (isinstance(group, str | Sequence) and not group):
        return list(chips)
    items = (
        group.split(",")
        if isinstance(group, str)
        else list(group)
        if isinstance(group, Sequence)
        else [group]
    )
    words = [str(v).strip() for v in items]
    if words[0].isalpha():
        chosen = [c for c in chips if words[0].lower() == "sci" and words[1:] == [str(c.extver)]]
    elif all(w.isdigit() for w in words):
        chosen = [c for c in chips if str(c.index) in words]
        if len(chosen) != len(set(words)):
            chosen = []
    else:
        chosen = []
    if not chosen:
        have = ", ".join(f"{c.index} (sci,{c.extver})" for c in chips)
        msg = (
            f"group={group!r} does not name science images of {where}. It has HDU {have}. "
            f"Give HDU numbers such as 1 or '1,4', or one extension such as 'sci,1'; blank: all."
        )
        raise ParameterError(msg)
    return chosen
