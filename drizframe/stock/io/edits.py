"""What AstroDrizzle changes in its input files, done last and in one act.

Archived copies in ``OrIg_files``, files of single STIS exposures, cosmic-ray flags in DQ, ``MDRIZSKY``.  Only
the drop-in calls this; a run of the native interface never writes to an input.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import MissingInputError, OutputError
from drizframe.model.sources import scale_of, stored
from drizframe.stock.io.atomic import check_folder
from drizframe.stock.io.facts import plain
from drizframe.stock.io.journal import Change, commit, recover
from drizframe.stock.io.opening import open_fits, sound
from drizframe.stock.io.source import FitsSource, constant_shape
from drizframe.stock.io.text import header_text
from drizframe.stock.io.unpacking import PACKED

if TYPE_CHECKING:
    from astropy.io.fits import HDUList

    from drizframe.model import Exposure, Unit

__all__ = [
    "ARCHIVE",
    "EditPlan",
    "FileEdit",
    "commit_edits",
    "edited_paths",
    "plan_edits",
    "restore_inputs",
    "single_exposure",
]

#: Folder of archived inputs.
ARCHIVE = "OrIg_files"
_READ_ONLY = 0o444


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FileEdit:
    """Changes of one file.

    Parameters
    ----------
    source : pathlib.Path
        File to start from.
    target : pathlib.Path
        File to write: the same, or that of one exposure of it.
    exposure : Exposure or None
        For a file of one exposure: which.
    sky : mapping of int to float
        ``MDRIZSKY`` by number of the science extension in `target`.
    masks : mapping of int to ndarray
        Cosmic-ray masks (1 = good) by number of the data-quality extension in `target`.
    """

    source: Path
    target: Path
    exposure: Exposure | None = None
    sky: Mapping[int, float] = field(default_factory=dict)
    masks: Mapping[int, np.ndarray[Any, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EditPlan:
    """All changes of a run.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the run; the archive is in it.
    files : sequence of FileEdit
        Changes of files.
    originals : sequence of pathlib.Path
        Files to archive.
    preserve, overwrite : bool
        Archive files that have no copy yet; archive all, replacing older copies.
    resetbits : int or None
        Bits to clear in every DQ extension of the files; a negative number is a complement, applied as it is.
    crbit : int or None
        Bit to set where a mask is 0.
    """

    folder: Path
    files: Sequence[FileEdit] = ()
    originals: Sequence[Path] = ()
    preserve: bool = True
    overwrite: bool = False
    resetbits: int | None = None
    crbit: int | None = None


def _same(a: Path, b: Path) -> bool:
    return a.absolute() == b.absolute()


def _packed(path: Path) -> bool:
    return path.suffix.lower() in {*PACKED, ".fz"}


def _targets(exposures: Sequence[Exposure], folder: Path) -> dict[int, Path]:
    """Return the file that is edited, or made, for each exposure of a file."""
    targets: dict[int, Path] = {}
    owners: dict[Path, Path] = {}
    for i, exposure in enumerate(exposures):
        if exposure.path is None:
            continue
        target = folder / str(exposure.extra["file"]) if exposure.extra.get("split") else exposure.path
        if owners.setdefault(target, exposure.path) != exposure.path:
            target = folder / f"{exposure.name}_flt.fits"  # another file holds an exposure of that name
        targets[i] = target
    return targets


def edited_paths(exposures: Sequence[Exposure], folder: Path, *, archive: bool) -> list[Path]:
    """Return the files that `plan_edits` will change or make; asked before the work, to see whether it can be done.

    Parameters
    ----------
    exposures : sequence of Exposure
        As read from files.
    folder : pathlib.Path
        Folder of the run.
    archive : bool
        Whether inputs are archived.

    Raises
    ------
    OutputError
        If the folder of the archive cannot be used.
    """
    paths: list[Path] = []
    for i, target in _targets(exposures, folder).items():
        if _packed(target):
            continue
        paths.append(target)
        if not exposures[i].extra.get("split"):
            loads = [stored(c.load) for c in exposures[i].chips]
            sources = [s for s in loads if isinstance(s, FitsSource)]
            paths += [Path(s.places["dq"][0]) for s in sources if "dq" in s.places]
    copies = folder / ARCHIVE
    if archive and paths and (copies.exists() or copies.is_symlink()):
        check_folder(copies)
    return list(dict.fromkeys(p for p in paths if not _packed(p)))


def plan_edits(
    exposures: Sequence[Exposure],
    *,
    folder: Path,
    sky: Mapping[Unit, float] | None = None,
    masks: Mapping[Unit, np.ndarray[Any, Any]] | None = None,
    resetbits: int | None = None,
    crbit: int | None = None,
    preserve: bool = True,
    overwrite: bool = False,
) -> tuple[EditPlan, tuple[str, ...]]:
    """Return the changes of files that a run asks for, and what cannot be changed.

    Parameters
    ----------
    exposures : sequence of Exposure
        As read from files.
    folder : pathlib.Path
        Folder of the run.
    sky : mapping of Unit to float, optional
        Sky level of chips.
    masks : mapping of Unit to ndarray, optional
        Cosmic-ray masks of chips, 1 = good.
    resetbits, crbit, preserve, overwrite
        See `EditPlan`.

    Returns
    -------
    EditPlan
    tuple of str
        Warnings.
    """
    from drizframe.model import Unit

    notes: list[str] = []
    sky, masks = sky or {}, masks or {}
    edits: dict[tuple[Path, Path], FileEdit] = {}
    targets = _targets(exposures, folder)
    for i, exposure in enumerate(exposures):
        if exposure.path is None:
            continue
        split = bool(exposure.extra.get("split"))
        target = targets[i]
        if _packed(target):
            notes.append(f"{target} is compressed; its flags and MDRIZSKY are not updated")
            continue
        fixed = next((c.extra["fixed"] for c in exposure.chips if c.extra.get("fixed")), "")
        if fixed:
            notes.append(f"{target} {fixed}; its flags and MDRIZSKY are not updated")
            continue
        sources = [stored(c.load) for c in exposure.chips]
        if any(isinstance(s, FitsSource) and s.places["sci"][2] >= 0 for s in sources):
            notes.append(f"{target} is a waivered FITS file; its flags and MDRIZSKY are not updated")
            continue
        for j, chip in enumerate(exposure.chips):
            unit, source = Unit(i, j), sources[j]
            science = 1 if split else int(chip.extra.get("hdu", 0))
            level = {science: sky[unit] / scale_of(chip.load)} if unit in sky else {}
            _merge(edits, exposure, exposure.path, target, split, level, {})
            if unit in masks and isinstance(source, FitsSource) and "dq" in source.places:
                dq_file, index, _ = source.places["dq"]
                if split:
                    flags = 1 + _parts(source).index("dq")
                    _merge(edits, exposure, exposure.path, target, split, {}, {flags: masks[unit]})
                else:
                    _merge(edits, exposure, Path(dq_file), Path(dq_file), split, {}, {index: masks[unit]})
            elif unit in masks:
                notes.append(
                    f"{exposure.path} has no DQ image for chip {chip.extver}; cosmic rays are not flagged "
                    "there"
                )
    originals = list(dict.fromkeys(e.path for e in exposures if e.path is not None))
    plan = EditPlan(
        folder=folder,
        files=tuple(edits.values()),
        originals=tuple(originals),
        preserve=preserve,
        overwrite=overwrite,
        resetbits=resetbits,
        crbit=crbit,
    )
    return plan, tuple(dict.fromkeys(notes))


def _merge(
    edits: dict[tuple[Path, Path], FileEdit],
    exposure: Exposure,
    source: Path,
    target: Path,
    split: bool,
    sky: Mapping[int, float],
    masks: Mapping[int, np.ndarray[Any, Any]],
) -> None:
    """Add changes of one chip to those of its file; a pixel that any of several masks marks is marked."""
    key = (source, target)
    old = edits.get(key) or FileEdit(source=source, target=target, exposure=exposure if split else None)
    joined = dict(old.masks)
    for index, mask in masks.items():
        good = np.asarray(mask) != 0
        joined[index] = good & (np.asarray(joined[index]) != 0) if index in joined else good
    edits[key] = FileEdit(
        source=source, target=target, exposure=old.exposure, sky={**old.sky, **sky}, masks=joined
    )


def _parts(source: Any) -> list[str]:
    """Return the images that a file of one exposure gets, in order."""
    return [k for k in ("sci", "err", "dq") if isinstance(source, FitsSource) and k in source.places]


def single_exposure(hdus: HDUList, exposure: Exposure) -> HDUList:
    """Return the extensions of one exposure: all of its file, or one image set of a file with several.

    Parameters
    ----------
    hdus : HDUList
        The open file.
    exposure : Exposure
        As it was read from it.

    Returns
    -------
    HDUList
        Independent of `hdus`.
    """
    from astropy.io import fits

    if not exposure.extra.get("split"):
        return fits.HDUList([h.copy() for h in hdus])
    primary = fits.PrimaryHDU(header=exposure.primary)
    primary.header["FILENAME"] = header_text(exposure.extra["file"])
    parts: list[Any] = [primary]
    for chip in exposure.chips:
        source = stored(chip.load)
        places = source.places if isinstance(source, FitsSource) else {}
        for kind in _parts(source):
            copied = hdus[places[kind][1]].copy()
            copied.header["EXTVER"] = chip.extver
            copied.ver = chip.extver
            parts.append(copied)
    primary.header["NEXTEND"] = len(parts) - 1
    return fits.HDUList(parts)


def _new_flags(flags: np.ndarray[Any, Any], resetbits: int | None) -> np.ndarray[Any, Any]:
    """Return flags with bits cleared, in the type they have."""
    if not resetbits:
        return flags
    return (flags.astype(np.int64) & ~np.int64(resetbits)).astype(flags.dtype)


def _flag(flags: np.ndarray[Any, Any], mask: np.ndarray[Any, Any], crbit: int | None) -> np.ndarray[Any, Any]:
    """Return flags with `crbit` set where a mask is 0."""
    if not crbit:
        return flags
    return np.where(np.asarray(mask) == 0, flags.astype(np.int64) | crbit, flags).astype(flags.dtype)


def _apply(hdus: HDUList, edit: FileEdit, resetbits: int | None, crbit: int | None) -> None:
    """Change the open copy of a file."""
    hdus[0].header.remove("MDRIZSKY", ignore_missing=True)
    for index, level in edit.sky.items():
        hdus[index].header["MDRIZSKY"] = (plain(level), "Sky value computed by AstroDrizzle")
    flagged = {i for i, h in enumerate(hdus) if h.name in {"DQ", "SDQ"}} | set(edit.masks)
    for index in flagged:
        hdu = hdus[index]
        shape = constant_shape(hdu.header)
        if hdu.data is None and shape is None:
            continue
        old = (
            np.full(shape, hdu.header["PIXVALUE"], dtype=np.int16)
            if shape is not None
            else np.asarray(hdu.data)
        )
        new = _new_flags(old, resetbits)
        if index in edit.masks:
            new = _flag(new, edit.masks[index], crbit)
        if not np.array_equal(new, old):
            hdu.data = new
            for key in ("PIXVALUE", "NPIX1", "NPIX2") if shape is not None else ():
                hdu.header.remove(key, ignore_missing=True)


def _write_edit(temporary: Path, edit: FileEdit, resetbits: int | None, crbit: int | None) -> None:
    """Write the changed copy of a file."""
    from astropy.io import fits

    if edit.exposure is not None:
        with open_fits(edit.source) as hdus, sound(edit.source):
            copy = single_exposure(hdus, edit.exposure)
            _apply(copy, edit, resetbits, crbit)
            sums = any("CHECKSUM" in h.header for h in copy)
            copy.writeto(temporary, output_verify="silentfix", checksum=sums)
        return
    shutil.copyfile(edit.source, temporary)
    with (
        sound(edit.source),
        fits.open(temporary, mode="update", memmap=False, uint=True, output_verify="silentfix") as hdus,
    ):
        _apply(hdus, edit, resetbits, crbit)


def _copy(temporary: Path, source: Path) -> None:
    shutil.copyfile(source, temporary)


def _archive_changes(plan: EditPlan) -> list[Change]:
    """Return the copies to make in the archive; two files of one name get different ones."""
    if not (plan.preserve or plan.overwrite):
        return []
    folder = plan.folder / ARCHIVE
    changes = []
    taken: set[str] = set()
    for path in plan.originals:
        name, number = path.name, 2
        while name in taken:
            name, number = f"{path.stem}_{number}{path.suffix}", number + 1
        taken.add(name)
        if plan.overwrite or not (folder / name).exists():
            changes.append(Change(target=folder / name, write=partial(_copy, source=path), mode=_READ_ONLY))
    return changes


def _make_archive(folder: Path) -> None:
    """Make the folder of the copies."""
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        msg = (
            f"The folder {folder} for copies of the inputs cannot be made ({error.strerror}). Move away what "
            "has that name, or set preserve=False. No input was changed."
        )
        raise OutputError(msg) from error


def commit_edits(plan: EditPlan) -> None:
    """Make all changes, or none.

    Parameters
    ----------
    plan : EditPlan
        From `plan_edits`.

    Raises
    ------
    MissingInputError
        If an input has vanished.
    OutputError
        If a folder or file is not writable, or another run is at work in the folder.
    """
    if not plan.files:
        return
    for path in (*plan.originals, *(f.source for f in plan.files)):
        if not path.is_file():
            msg = (
                f"{path} has vanished since the run began. Its flags and sky value are not written; run "
                "again."
            )
            raise MissingInputError(msg)
    for edit in plan.files:
        if edit.target.exists() and not os.access(edit.target, os.W_OK):
            msg = (
                f"{edit.target} is read-only, so its flags and sky value cannot be written. Change its "
                "permissions."
            )
            raise OutputError(msg)
    recover(plan.folder)
    archive = _archive_changes(plan)
    if archive or plan.preserve or plan.overwrite:
        _make_archive(plan.folder / ARCHIVE)
    edits = [
        Change(
            target=f.target,
            write=partial(_write_edit, edit=f, resetbits=plan.resetbits, crbit=plan.crbit),
        )
        for f in plan.files
    ]
    commit(plan.folder, [*archive, *edits])


def restore_inputs(paths: Sequence[Path], folder: Path) -> list[Path]:
    """Replace inputs by their archived copies, before anything is read (parameter ``restore``).

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Inputs.
    folder : pathlib.Path
        Folder of the run.

    Returns
    -------
    list of pathlib.Path
        The files that were replaced; those without a copy stay as they are.
    """
    mask = os.umask(0)
    os.umask(mask)
    changes = [
        Change(target=p, write=partial(_copy, source=folder / ARCHIVE / p.name), mode=0o666 & ~mask)
        for p in dict.fromkeys(paths)
        if (folder / ARCHIVE / p.name).is_file() and not _same(p, folder / ARCHIVE / p.name)
    ]
    commit(folder, changes)
    return [c.target for c in changes]
