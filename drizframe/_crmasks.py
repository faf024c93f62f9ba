"""Cosmic-ray masks that a run is given: by the user, or by an earlier run of the drop-in."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.config.types import is_blank
from drizframe.engine.stored import stored
from drizframe.errors import MaskWarning, MissingInputError, ParameterError, ShapeError
from drizframe.model import Chip, ChipUnit, DerivedImage, Exposure, LazyImage, PlaneKey, Window, lazy
from drizframe.stock.io.crmasks import crmask_name, read_crmask, require_fit

if TYPE_CHECKING:
    from drizframe.config import Parameters
    from drizframe.engine.store import Store

__all__ = ["given_masks", "masks_beside", "masks_of_run", "rays_of"]

Mask = np.ndarray[Any, np.dtype[np.uint8]]
Found = dict[ChipUnit, Mask]

#: Planes of cosmic rays: found, and given.
_RAYS = ("mask.cr", "mask.cr.given")
_FORMS = (
    "give Result.cosmic_rays or the Result of an earlier run, a mapping from names of exposures to masks of their chips, or a folder, "
    "a wildcard or a list of files named <exposure>_sciN_crmask.fits"
)
_STALE_GIVEN = "Make it again with driz_cr=True, or leave it out of crmasks."
_STALE_BESIDE = "Make the masks again (driz_cr=True), delete this file, or leave masks of earlier runs alone with use_crmasks=False."


def _chips(exposures: Sequence[Exposure]) -> Iterable[tuple[ChipUnit, Exposure, Chip]]:
    """Yield all chips of a run."""
    for i, exposure in enumerate(exposures):
        for k, chip in enumerate(exposure.chips):
            yield ChipUnit(i, k), exposure, chip


def given_masks(given: Any, exposures: Sequence[Exposure]) -> tuple[Found, list[str]]:
    """Return the masks that the parameter `crmasks` holds.

    Parameters
    ----------
    given : Any
        Result; mapping; sequence of masks, one for each exposure in order; path, wildcard, or sequence of paths.
    exposures : sequence of Exposure
        What is combined.

    Returns
    -------
    masks : dict of ChipUnit to ndarray of uint8
        1 good, 0 cosmic ray.
    notes : list of str
        Exposures for which there is none.

    Raises
    ------
    ParameterError
        For another form, or a name of no exposure.
    ShapeError
        If an array does not have the shape of its chip.
    InputError
        If a file is missing, cannot be read, or belongs to other pixels.
    """
    masks = getattr(given, "cosmic_rays", given)
    if isinstance(masks, list | tuple) and not any(isinstance(m, str | os.PathLike) for m in masks):
        masks = _in_order(masks, exposures)
    found = _of_mapping(masks, exposures) if isinstance(masks, Mapping) else _of_paths(masks, exposures)
    return found, _lacking(found, exposures)


def _in_order(masks: Sequence[Any], exposures: Sequence[Exposure]) -> dict[str, Any]:
    """Return masks that were given one after the other by the names of the exposures."""
    if len(masks) != len(exposures):
        msg = f"Parameter crmasks has {len(masks)} items, but there are {len(exposures)} exposures. Give one for each; or {_FORMS}."
        raise ParameterError(msg)
    return {e.name: m for e, m in zip(exposures, masks, strict=True)}


def _lacking(found: Found, exposures: Sequence[Exposure]) -> list[str]:
    """Name the chips that have no mask."""
    names = [f"{e.name} chip {c.extver}" for u, e, c in _chips(exposures) if u not in found]
    return [f"No cosmic-ray mask was given for {', '.join(names)}."] if names else []


def _of_mapping(masks: Mapping[Any, Any], exposures: Sequence[Exposure]) -> Found:
    by_name = {e.name: i for i, e in enumerate(exposures)}
    found: Found = {}
    for name, value in masks.items():
        if name not in by_name:
            msg = f"Parameter crmasks names {name!r}, which is no exposure of this run. There are: {', '.join(by_name)}."
            raise ParameterError(msg)
        exposure = exposures[by_name[name]]
        single = isinstance(value, np.ndarray) and value.ndim == 2
        items = (
            [value]
            if single or not isinstance(value, Sequence | np.ndarray) or isinstance(value, str)
            else list(value)
        )
        if len(items) != len(exposure.chips):
            msg = f"Parameter crmasks has {len(items)} masks for {name!r}, which has {len(exposure.chips)} chips. Give one for each."
            raise ParameterError(msg)
        for k, (item, chip) in enumerate(zip(items, exposure.chips, strict=True)):
            found[ChipUnit(by_name[name], k)] = _one(item, exposure, chip)
    return found


def _one(item: Any, exposure: Exposure, chip: Chip) -> Mask:
    """Return one mask, of an array or a file."""
    if isinstance(item, str | os.PathLike):
        return _read(Path(item), exposure, chip, _STALE_GIVEN)
    array = np.asarray(item)
    where = f"Parameter crmasks: the mask of {exposure.name!r} chip {chip.extver}"
    if array.dtype.kind not in "iu":
        hint = " (of booleans it is not known which of them is good)" if array.dtype.kind == "b" else ""
        msg = f"{where} has type {array.dtype}{hint}; it must hold whole numbers, 1 good, 0 cosmic ray, as Result.cosmic_rays."
        raise ParameterError(msg)
    if array.shape != chip.shape:
        msg = f"{where} has shape {array.shape}, but the chip has {chip.shape}. Give a mask on the pixels of the chip."
        raise ShapeError(msg)
    mask: Mask = (array != 0).astype(np.uint8)
    return mask


def _read(path: Path, exposure: Exposure, chip: Chip, advice: str) -> Mask:
    if not path.is_file():
        msg = f"The cosmic-ray mask {str(path)!r} does not exist. Correct crmasks."
        raise MissingInputError(msg)
    file = read_crmask(path)
    require_fit(file, exposure, chip, advice)
    return file.mask


def _of_paths(given: Any, exposures: Sequence[Exposure]) -> Found:
    items = [given] if isinstance(given, str | os.PathLike) else given
    if not isinstance(items, Sequence | set | frozenset) or not all(
        isinstance(i, str | os.PathLike) for i in items
    ):
        msg = f"Parameter crmasks is {type(given).__name__}; {_FORMS}."
        raise ParameterError(msg)
    files: dict[str, Path] = {}
    for item in items:
        for path in _files(os.path.expanduser(os.fspath(item))):  # noqa: PTH111  (kept as text for glob)
            files.setdefault(path.name, path)
    wanted = {crmask_name(e, c): (u, e, c) for u, e, c in _chips(exposures)}
    if not files.keys() & wanted.keys():
        msg = (
            f"Parameter crmasks = {given!r}: none of these files is a mask of this run. They must have names as "
            f"{next(iter(wanted))!r}; or {_FORMS}."
        )
        raise MissingInputError(msg)
    return {u: _read(files[n], e, c, _STALE_GIVEN) for n, (u, e, c) in wanted.items() if n in files}


def _files(text: str) -> list[Path]:
    """Return the masks in a folder, the files of a wildcard, or the file."""
    path = Path(text)
    if path.is_dir():
        return sorted(path.glob("*_crmask.fits"))
    if path.is_file():
        return [path]
    found = [Path(p) for p in sorted(glob.glob(text))]  # noqa: PTH207  (the pattern may be absolute)
    if not found:
        msg = f"Parameter crmasks: {text!r} is no folder and matches no file. Correct it."
        raise MissingInputError(msg)
    return found


def masks_beside(exposures: Sequence[Exposure], folders: Sequence[Path]) -> tuple[Found, list[str]]:
    """Return the masks of an earlier run that lie where the reference looks for them: beside the inputs.

    Parameters
    ----------
    exposures : sequence of Exposure
        What is combined.
    folders : sequence of pathlib.Path
        Where the drop-in leaves masks of exposures that share a file with others.

    Returns
    -------
    masks : dict of ChipUnit to ndarray of uint8
        1 good, 0 cosmic ray.
    notes : list of str
        The files that are used, and the exposures that have none while others have.

    Raises
    ------
    InputError
        If a mask is stale: of another shape, or made of other pixels.
    """
    found: Found = {}
    files: list[Path] = []
    for unit, exposure, chip in _chips(exposures):
        split = bool(exposure.extra.get("split"))
        places = folders if split or exposure.path is None else [exposure.path.parent]
        path = next(
            (p / crmask_name(exposure, chip) for p in places if (p / crmask_name(exposure, chip)).is_file()),
            None,
        )
        if path is not None:
            found[unit] = _read(path, exposure, chip, _STALE_BESIDE)
            files.append(path)
    if not found:
        return {}, []
    text = f"driz_cr is off: cosmic rays are left out by the masks of an earlier run, {', '.join(map(str, files))}."
    notes = [text + " use_crmasks=False leaves these masks alone."]
    lacking = [f"{e.name} chip {c.extver}" for u, e, c in _chips(exposures) if u not in found]
    if lacking:
        notes.append(f"There is no such mask for {', '.join(lacking)}: cosmic rays stay in there.")
    return found, notes


def masks_of_run(
    exposures: Sequence[Exposure],
    parameters: Parameters,
    note: Callable[..., None],
    folders: Sequence[Path] | None = None,
) -> Found:
    """Return the masks that a run applies besides those that it makes.

    Parameters
    ----------
    exposures : sequence of Exposure
        What is combined.
    parameters : Parameters
        `crmasks`; and for the drop-in `use_crmasks`, which counts if `driz_cr` is off and the final image is made.
    note : callable
        ``note(text, warn=MaskWarning)`` tells the user.
    folders : sequence of pathlib.Path, optional
        Of the drop-in, for masks of exposures that share a file with others; None: masks of earlier runs are not looked for.

    Raises
    ------
    DrizframeError
        See `given_masks` and `masks_beside`.
    """
    given = parameters.crmasks
    found: Found = {}
    notes: list[str] = []
    if not (is_blank(given) or (isinstance(given, Sequence | Mapping | set | frozenset) and not given)):
        if not parameters.driz_combine:
            msg = "Parameter crmasks: masks are applied in the final step, which is off. Switch driz_combine on, or leave crmasks out."
            raise ParameterError(msg)
        found, notes = given_masks(given, exposures)
        notes = [] if parameters.driz_cr else notes
    elif (
        folders is not None and parameters.use_crmasks and parameters.driz_combine and not parameters.driz_cr
    ):
        found, notes = masks_beside(exposures, folders)
        notes += _flagged_before(exposures, parameters)
    for text in notes:
        note(text, warn=MaskWarning)
    return found


def _flagged_before(exposures: Sequence[Exposure], parameters: Parameters) -> list[str]:
    """Name the exposures whose flags say what an earlier run took for cosmic rays."""
    bit = parameters.crbit
    if (parameters.resetbits or 0) & bit or parameters.final_bits is None or parameters.final_bits & bit:
        return []
    counts: dict[str, int] = {}
    for _, exposure, chip in _chips(exposures):
        dq = chip.plane("dq")
        if dq is not None:
            counts[exposure.name] = counts.get(exposure.name, 0) + int(
                np.count_nonzero(dq.astype(np.int64) & bit)
            )
    names = [f"{name} ({count} pixels)" for name, count in counts.items() if count]
    if not names:
        return []
    text = f"driz_cr is off: pixels that carry the flag {bit} of an earlier run are left out, of {', '.join(names)}."
    return [text + " use_crmasks=False, or resetbits, lets them count."]


def rays_of(store: Store, exposures: Sequence[Exposure]) -> dict[ChipUnit, LazyImage]:
    """Return the cosmic rays of a run, those that were found and those that were given, of each exposure that has any.

    Parameters
    ----------
    store : Store
        Holds the planes of the run.
    exposures : sequence of Exposure
        What was combined.

    Returns
    -------
    dict of ChipUnit to LazyImage
        The mask of each chip, which is read when it is asked for.
    """
    found: dict[ChipUnit, list[LazyImage]] = {}
    for name in _RAYS:
        for unit in store.chips(name):
            mask = stored(store, PlaneKey(name, unit))
            found.setdefault(unit, []).extend([] if mask is None else [mask])
    known = {u.exposure for u in found}
    return {u: _joined(found.get(u, []), c.shape) for u, _, c in _chips(exposures) if u.exposure in known}


def _joined(masks: Sequence[LazyImage], shape: tuple[int, int]) -> LazyImage:
    """Return what several masks mark together."""
    if len(masks) == 1:
        return masks[0]
    good = lazy(np.broadcast_to(np.ones((), dtype=np.uint8), shape))
    return JoinedMasks(masks, shape) if masks else DerivedImage(good, np.array)


class JoinedMasks:
    """Masks of which a pixel is 1 where all are; it is a `LazyImage`.

    Parameters
    ----------
    masks : sequence of LazyImage
        At least one.
    shape : tuple of int
        Rows and columns.
    """

    __slots__ = ("_masks", "dtype", "shape")

    def __init__(self, masks: Sequence[LazyImage], shape: tuple[int, int]) -> None:
        self._masks, self.shape = tuple(masks), shape
        self.dtype = np.dtype(np.uint8)

    def read(self, window: Window | None = None) -> Mask:
        """Return them joined, or a window of that."""
        good: Mask = np.logical_and.reduce([m.read(window) != 0 for m in self._masks]).astype(np.uint8)
        return good
