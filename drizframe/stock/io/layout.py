"""Which extension of a file holds what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drizframe.errors import InputError, MissingInputError, ParameterError
from drizframe.stock.io.opening import open_fits
from drizframe.stock.io.source import FitsSource, constant_shape
from drizframe.stock.io.stamps import stamps_of

if TYPE_CHECKING:
    from astropy.io.fits import HDUList, Header

__all__ = ["ChipPlace", "companion", "find_chips", "select_group", "with_files"]

#: Extensions next to SCI, by EXTVER.
_PLANES = {"ERR": "err", "DQ": "dq", "TIME": "time", "IVM": "ivm"}


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
    """

    extver: int
    index: int
    header: Header
    places: dict[str, tuple[str, int, int]]
    others: dict[str, Header] = field(default_factory=dict)

    @property
    def source(self) -> FitsSource:
        """The pixels, of the files as they are now."""
        return FitsSource(dict(self.places), stamps_of(path for path, _, _ in self.places.values()))

    @property
    def facts(self) -> dict[str, Any]:
        """What products want to know: headers of the other images, and where the science image really is."""
        return {"headers": self.others, "hdu": self.places["sci"][1]}


def _is_image(hdu: Any) -> bool:
    """Tell whether an extension holds an image of two axes (or a constant that stands for one)."""
    if not getattr(hdu, "is_image", False):
        return False
    return hdu.header.get("NAXIS", 0) == 2 or constant_shape(hdu.header) is not None


def companion(path: Path) -> Path | None:
    """Return the data-quality file of a science file (``_c0m.fits`` → ``_c1m.fits``), if it is there."""
    name = path.name
    mark = name.rfind("_c0")
    if mark < 0 or not name.lower().endswith((".fits", ".fits.gz", ".fits.xz")):
        return None
    other = path.with_name(name[:mark] + "_c1" + name[mark + 3 :])
    return other if other.is_file() else None


def _from_other_file(path: Path, extver: int, names: tuple[str, ...]) -> int | None:
    """Return the number of a chip's extension in a second file: by name and EXTVER, else by EXTVER."""
    with open_fits(path) as hdus:
        images = [(i, h) for i, h in enumerate(hdus) if _is_image(h)]
        for i, hdu in images:
            if hdu.name in names and hdu.ver == extver:
                return i
        for i, hdu in images:
            if i > 0 and hdu.ver == extver:
                return i
        return images[0][0] if len(images) == 1 and extver == 1 else None


def _place(hdus: HDUList, path: Path, index: int, extver: int) -> ChipPlace:
    """Return the place of the chip whose science image is extension `index`."""
    places = {"sci": (str(path), index, -1)}
    others = {}
    for i, hdu in enumerate(hdus):
        kind = _PLANES.get(hdu.name)
        if (
            kind is None
            or hdu.ver != hdus[index].ver
            or kind in others
            or not getattr(hdu, "is_image", False)
        ):
            continue
        others[kind] = hdu.header.copy()
        if _is_image(hdu):
            places[kind] = (str(path), i, -1)
    return ChipPlace(
        extver=extver, index=index, header=hdus[index].header.copy(), places=places, others=others
    )


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
        index = _from_other_file(other, place.extver, ("DQ", "SDQ", "SCI"))
        if index is not None:
            place.places["dq"] = (str(other), index, -1)
    if ivm is not None:
        if not ivm.is_file():
            msg = (
                f"{ivm}, the inverse-variance map of {path}, does not exist. Correct the second column of "
                "the list."
            )
            raise MissingInputError(msg)
        index = _from_other_file(ivm, place.extver, ("IVM",))
        if index is None:
            msg = (
                f"{ivm} has no image for chip {place.extver} of {path}. Give one IVM extension with each "
                "EXTVER."
            )
            raise InputError(msg)
        place.places["ivm"] = (str(ivm), index, -1)
    return place


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
    science = [i for i, h in enumerate(hdus) if h.name == "SCI" and _is_image(h)]
    if not science and _is_image(hdus[0]):
        science = [0]
    if not science:
        found = ", ".join(f"{i} {h.name or '(no name)'}" for i, h in enumerate(hdus))
        msg = (
            f"{path} has no science image: no extension named SCI with two axes (found: {found}). "
            f"Name the extension with EXTNAME = 'SCI', and number chips by EXTVER."
        )
        raise InputError(msg)
    places: dict[int, ChipPlace] = {}
    for index in science:
        extver = int(hdus[index].ver or 1)
        if extver in places:
            msg = f"{path} has two SCI extensions with EXTVER = {extver}. Number the chips 1, 2, …"
            raise InputError(msg)
        places[extver] = with_files(_place(hdus, path, index, extver), path, ivm)
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
