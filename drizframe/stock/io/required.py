"""Images that a file must have: what its instrument says, and chips whose science image is gone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from drizframe.errors import InputError
from drizframe.stock.io.layout import ChipPlace, listed, name_of, version_of

if TYPE_CHECKING:
    from astropy.io.fits import HDUList

    from drizframe.hooks import Instrument

__all__ = ["check_required", "orphans"]

_MEANING = {"dq": "data-quality flags", "err": "errors"}


def check_required(
    chips: Sequence[ChipPlace], instrument: Instrument, allowed: Collection[str], path: Path, note: str = ""
) -> tuple[str, ...]:
    """Refuse chips without an image that their instrument always has.

    Parameters
    ----------
    chips : sequence of ChipPlace
        Chips that are used.
    instrument : Instrument
        Its `requires` names the images.
    allowed : collection of str
        What may be missing all the same (parameter ``allow_missing``).
    path : pathlib.Path
        The file.
    note : str
        What is odd about the file, for the message.

    Returns
    -------
    tuple of str
        Warnings: what is missing, and allowed to be.

    Raises
    ------
    InputError
        If an image is missing.
    """
    notes = []
    for kind in instrument.requires:
        missing = [str(c.extver) for c in chips if kind not in c.places]
        if not missing:
            continue
        which = f"chip {', '.join(missing)}"
        if kind in allowed:
            notes.append(f"{path}: {which} is combined without {kind.upper()} ({_MEANING[kind]})")
            continue
        why = next(
            (w for c in chips if kind not in c.places and (w := c.unusable.get(kind))), "there is none"
        )
        odd = f"{note}. " if note else ""
        msg = (
            f"{path}: {which} has no usable {kind.upper()} image ({_MEANING[kind]}), which every file of "
            f"{instrument.name.upper()} has: {why}. {odd}Get the file again; if it was made without it (a drizzled image, a "
            f"file of your own), say so with allow_missing={kind!r}."
        )
        raise InputError(msg)
    return tuple(notes)


def orphans(hdus: HDUList, chips: Sequence[ChipPlace], path: Path) -> list[str]:
    """Return a warning for each EXTVER that has errors or flags but no science image.

    Parameters
    ----------
    hdus : HDUList
        The open file.
    chips : sequence of ChipPlace
        Its chips.
    path : pathlib.Path
        Its name.
    """
    have = {c.extver for c in chips}
    alone = sorted(
        {
            v
            for h in hdus
            if name_of(h) in {"ERR", "DQ"} and (v := version_of(h)) is not None and (v or 1) not in have
        }
    )
    return [
        f"{path}: there are ERR or DQ images with EXTVER = {v}, but no science image of that number; a chip may be missing "
        f"(found: {listed(hdus)})"
        for v in alone
    ]
