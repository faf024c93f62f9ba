"""What AstroDrizzle changes in its input files, done last and in one act.

Archived copies in ``OrIg_files``, files of single STIS exposures, cosmic-ray flags in DQ, ``MDRIZSKY``.  Only
the drop-in calls this; a run of the native interface never writes to an input.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drizframe.compat.archive import archive_changes, check_archive, make_archive
from drizframe.compat.commit import Change, commit
from drizframe.compat.edit_contents import check_editable, write_edit
from drizframe.compat.rights import check_owner
from drizframe.errors import MissingInputError, OutputError
from drizframe.fits.stamps import Stamp, check_unchanged, stamp_of
from drizframe.model import ChipUnit, LazyImage, lazy
from drizframe.model.sources import scale_of, stored
from drizframe.stock.io.journal import ARCHIVE
from drizframe.stock.io.locks import is_packed
from drizframe.stock.io.single_exposure import split_parts
from drizframe.stock.io.source import FitsSource

if TYPE_CHECKING:
    import numpy as np

    from drizframe.model import Exposure

__all__ = ["EditPlan", "FileEdit", "commit_edits", "edited_paths", "plan_edits"]


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
    masks : mapping of int to tuple of LazyImage
        Cosmic-ray masks (1 = good) by number of the data-quality extension in `target`; a pixel that any of several marks is
        marked.
    stamp : Stamp or None
        Of `source`, when its headers were read; it must still be that file.
    """

    source: Path
    target: Path
    exposure: Exposure | None = None
    sky: Mapping[int, float] = field(default_factory=dict)
    masks: Mapping[int, tuple[LazyImage, ...]] = field(default_factory=dict)
    stamp: Stamp | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EditPlan:
    """All changes of a run.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the run; the archive is in it.
    files : sequence of FileEdit
        Changes of files.
    originals : mapping of pathlib.Path to Stamp or None
        Files to archive, and what they were when their headers were read.
    preserve, overwrite : bool
        Archive files that have no copy yet; archive all, replacing older copies.
    resetbits : int or None
        Bits to clear in every DQ extension of the files; a negative number is a complement, applied as it is.
    crbit : int or None
        Bit to set where a mask is 0.
    """

    folder: Path
    files: Sequence[FileEdit] = ()
    originals: Mapping[Path, Stamp | None] = field(default_factory=dict)
    preserve: bool = True
    overwrite: bool = False
    resetbits: int | None = None
    crbit: int | None = None


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


def _changing(exposure: Exposure) -> dict[str, set[int]]:
    """Return the extensions of each file of an exposure that an edit changes."""
    found: dict[str, set[int]] = {}
    if any(c.extra.get("fixed") for c in exposure.chips):
        return found
    for source in (stored(c.load) for c in exposure.chips):
        if isinstance(source, FitsSource) and source.places["sci"][2] < 0:
            for kind in ("sci", "dq"):
                if kind in source.places:
                    file, index, _ = source.places[kind]
                    found.setdefault(file, {0}).add(index)
    return found


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
    UnreadableInputError
        If a file can be read but not written again.
    """
    paths: list[Path] = []
    for i, target in _targets(exposures, folder).items():
        if is_packed(target):
            continue
        for file, numbers in _changing(exposures[i]).items():
            check_editable(Path(file), numbers)
        paths.append(target)
        if not exposures[i].extra.get("split"):
            loads = [stored(c.load) for c in exposures[i].chips]
            sources = [s for s in loads if isinstance(s, FitsSource)]
            paths += [Path(s.places["dq"][0]) for s in sources if "dq" in s.places]
    found = list(dict.fromkeys(p for p in paths if not is_packed(p)))
    for path in found:
        check_owner(path.resolve())
    if archive and found:
        check_archive(folder / ARCHIVE)
    return found


def plan_edits(
    exposures: Sequence[Exposure],
    *,
    folder: Path,
    sky: Mapping[ChipUnit, float] | None = None,
    masks: Mapping[ChipUnit, np.ndarray[Any, Any] | LazyImage] | None = None,
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
    sky : mapping of ChipUnit to float, optional
        Sky level of chips.
    masks : mapping of ChipUnit to ndarray or LazyImage, optional
        Cosmic-ray masks of chips, 1 = good.
    resetbits, crbit, preserve, overwrite
        See `EditPlan`.

    Returns
    -------
    EditPlan
    tuple of str
        Warnings.
    """
    notes: list[str] = []
    sky, masks = sky or {}, masks or {}
    edits: dict[tuple[Path, Path], FileEdit] = {}
    targets = _targets(exposures, folder)
    for i, exposure in enumerate(exposures):
        if exposure.path is None:
            continue
        split = bool(exposure.extra.get("split"))
        target = targets[i]
        if is_packed(target):
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
            unit, source = ChipUnit(i, j), sources[j]
            science = 1 if split else int(chip.extra.get("hdu", 0))
            level = {science: sky[unit] / scale_of(chip.load)} if unit in sky else {}
            _merge(edits, exposure, exposure.path, target, split, level, {})
            if unit in masks and isinstance(source, FitsSource) and "dq" in source.places:
                dq_file, index, _ = source.places["dq"]
                if split:
                    flags = 1 + split_parts(source).index("dq")
                    _merge(edits, exposure, exposure.path, target, split, {}, {flags: lazy(masks[unit])})
                else:
                    _merge(
                        edits, exposure, Path(dq_file), Path(dq_file), split, {}, {index: lazy(masks[unit])}
                    )
            elif unit in masks:
                notes.append(
                    f"{exposure.path} has no DQ image for chip {chip.extver}; cosmic rays are not flagged "
                    "there"
                )
    originals = {e.path: stamp_of(e) for e in exposures if e.path is not None}
    plan = EditPlan(
        folder=folder,
        files=tuple(edits.values()),
        originals=originals,
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
    masks: Mapping[int, LazyImage],
) -> None:
    """Add changes of one chip to those of its file.

    Links stay links: the file that an input leads to is edited.  A link in place of a file that is made is replaced.
    """
    stamp = stamp_of(exposure, source)
    source = source.resolve()
    target = target if split else source
    key = (source, target)
    old = edits.get(key) or FileEdit(
        source=source, target=target, exposure=exposure if split else None, stamp=stamp
    )
    joined = dict(old.masks)
    for index, mask in masks.items():
        joined[index] = (*joined.get(index, ()), mask)
    edits[key] = dataclasses.replace(old, sky={**old.sky, **sky}, masks=joined)


def commit_edits(plan: EditPlan) -> list[str]:
    """Make all changes, or none; first the copies, which are of use by themselves.

    Parameters
    ----------
    plan : EditPlan
        From `plan_edits`.

    Returns
    -------
    list of str
        What other runs had left in the folders, and is finished now.

    Raises
    ------
    MissingInputError
        If an input has vanished.
    InputError
        If an input is not the file that the run was planned with.
    OutputError
        If a folder or file is not writable, or another run is at work in the folder.
    """
    if not plan.files:
        return []
    for path in (*plan.originals, *(f.source for f in plan.files)):
        if not path.is_file():
            msg = (
                f"{path} has vanished since the run began. Its flags and sky value are not written; run "
                "again."
            )
            raise MissingInputError(msg)
    for edit in plan.files:
        if edit.stamp is not None:
            check_unchanged(edit.source, Stamp.of(edit.source.stat()), edit.stamp)
        if edit.target.exists() and not os.access(edit.target, os.W_OK):
            msg = (
                f"{edit.target} is read-only, so its flags and sky value cannot be written. Change its "
                "permissions."
            )
            raise OutputError(msg)
    copies: list[Change] = []
    if plan.preserve or plan.overwrite:
        folder = plan.folder / ARCHIVE
        make_archive(folder)
        copies = archive_changes(plan.originals, folder, overwrite=plan.overwrite)
    edits = [
        Change(
            target=f.target,
            write=partial(write_edit, edit=f, resetbits=plan.resetbits, crbit=plan.crbit),
            like=f.source if f.exposure is not None else None,
            stamp=f.stamp if f.exposure is None else None,
        )
        for f in plan.files
    ]
    return [*commit(copies), *commit(edits)]
