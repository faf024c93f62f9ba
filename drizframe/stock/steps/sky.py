"""Step 2: the sky of every chip, computed or given by the user."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.config.bits import good_mask
from drizframe.errors import ParameterWarning, RunError, SkyWarning
from drizframe.hooks import (
    Job,
    Need,
    SkyChip,
    SkyMethod,
    SkyOptions,
    StatisticOptions,
    Step,
    hookimpl,
    options_from,
)
from drizframe.model import Chip, ChipUnit, Exposure, Plane, PlaneKey, SkyValue, Window
from drizframe.pixels.statistics import order_of_one
from drizframe.stock.steps._pieces import ROWS, pieces
from drizframe.stock.steps._sky_alarm import is_beyond_noise, is_lost
from drizframe.stock.steps._sky_files import SkyFile, header_sky, keyword_sky, read_sky_file
from drizframe.stock.steps._sky_masks import read_mask_catalogue, user_masks
from drizframe.stock.steps._sky_units import brightness_conversion

if TYPE_CHECKING:
    from drizframe.config import Parameters
    from drizframe.hooks import Asked

__all__ = ["SKY", "sky_mask"]

Image = np.ndarray[Any, Any]
Bools = np.ndarray[Any, np.dtype[np.bool_]]


def sky_mask(dq: Image | None, static: Image | None, user: Image | None, bits: int | None) -> Bools | None:
    """Return the pixels that may be used for the sky.

    Parameters
    ----------
    dq : ndarray of integers, shape (ny, nx), or None
        Data-quality flags.
    static, user : ndarray of uint8, shape (ny, nx), or None
        Masks, 1 = good.
    bits : int or None
        Flags that are good for the sky; None: flags do not matter.

    Returns
    -------
    ndarray of bool, shape (ny, nx), or None
        None: all pixels.
    """
    parts: list[Bools] = []
    if dq is not None and bits is not None:
        parts.append(good_mask(dq, bits).astype(bool))
    parts += [mask != 0 for mask in (static, user) if mask is not None]
    return np.logical_and.reduce(parts) if parts else None


def mask_of(job: Job, unit: ChipUnit, user: Image | None, rows: Window | None = None) -> Bools | None:
    """Return the pixels of a chip, or of some rows, that may be used for the sky; None: all."""
    parameters = job.parameters
    dq = job.read("dq", unit, rows) if parameters.sky_bits is not None else None
    static = job.read("mask.static", unit, rows) if parameters.use_static else None
    return sky_mask(dq, static, user, parameters.sky_bits)


@dataclass(frozen=True, slots=True, eq=False)
class _Pixels:
    """Gives the usable pixels of one chip."""

    job: Job
    unit: ChipUnit
    label: str
    user: Image | None

    def __call__(self, region: Any = None) -> Image:
        """See `SkyChip.pixels`."""
        job, shape = self.job, self.job.exposures[self.unit.exposure].chips[self.unit.chip].shape
        wanted = None if region is None else np.asarray(region, dtype=bool)
        chosen, count, usable = np.empty(shape[0] * shape[1], dtype=np.float32), 0, False
        for rows in pieces(shape):
            mask = self._mask(rows)
            usable = usable or mask is None or bool(mask.any())
            if wanted is not None:
                mask = wanted[rows.slices] if mask is None else mask & wanted[rows.slices]
            image: Image = job.read("sci", self.unit, rows)
            values = np.ravel(image) if mask is None else image[mask]
            finite = np.isfinite(values)
            if (
                not finite.all()
            ):  # trap 05-9: such a pixel does not cost the chip its sky, whatever the statistic
                values = values[finite]
            chosen[count : count + values.size] = values
            count += values.size
        if not usable:
            job.note(
                f"{self.label}: no pixel is left for the sky. Check sky_bits and the masks.", warn=SkyWarning
            )
        values = chosen[:count]
        values.flags.writeable = False
        return values

    def _mask(self, rows: Window) -> Bools | None:
        """Return the pixels of some rows that may be used for the sky; None: all."""
        return mask_of(self.job, self.unit, None if self.user is None else self.user[rows.slices], rows)


def _chip(job: Job, unit: ChipUnit) -> tuple[Exposure, Chip]:
    exposure = job.exposures[unit.exposure]
    return exposure, exposure.chips[unit.chip]


def _warner(job: Job) -> Callable[[str], None]:
    return lambda message: job.note(message, warn=SkyWarning)


def _user_masks(job: Job) -> dict[ChipUnit, Image]:
    """Return the masks of the user's catalogue."""
    path = job.parameters.skymask_cat.strip()
    if not path:
        return {}
    warn = _warner(job)
    lines = read_mask_catalogue(path, warn)
    found = {
        ChipUnit(i, k): mask
        for i, exposure in enumerate(job.exposures)
        for k, mask in user_masks(lines, exposure, warn).items()
    }
    if not found:
        job.note(f"skymask_cat {path!r} gives no mask for any image of this run.", warn=SkyWarning)
    return found


def _sky_chips(job: Job, masks: Mapping[ChipUnit, Image]) -> list[SkyChip]:
    """Return the chips as sky methods see them."""
    chips = []
    for unit in job.units("chip"):
        exposure, chip = _chip(job, unit)
        label = f"{exposure.name}[sci,{chip.extver}]"
        factor, doubt = brightness_conversion(exposure, chip)
        if doubt:
            job.note(f"{label}: {doubt}.", warn=SkyWarning)
        pixels = _Pixels(job, unit, label, masks.get(unit))
        chips.append(
            SkyChip(
                key=unit, exposure=unit.exposure, name=label, conversion=factor, pixels=pixels,
                of_exposure=exposure, of_chip=chip,
            )
        )  # fmt: skip
    return chips


def _statistic(job: Job) -> Callable[[Any], tuple[Any, int]]:
    """Return the statistic with the user's options."""
    p = job.parameters
    record = job.component("sky statistic", p.skystat)
    function = job.call(record)
    own = job.plugin_options(record)
    options = options_from(StatisticOptions, p, "sky", plugin=own)

    physical = any(c.physical for e in job.exposures for c in e.chips)

    def statistic(values: Any) -> tuple[Any, int]:
        factor, chosen = 1.0, options
        if physical:
            factor = order_of_one(values)
            values, chosen = values * np.float32(factor), _scaled(options, factor)
        level, number = function(values, chosen)
        return (level / factor if physical else level), number

    return statistic


def _scaled(options: StatisticOptions, factor: float) -> StatisticOptions:
    """Return options whose limits fit values that were multiplied by `factor`."""
    limits = {n: getattr(options, n) for n in ("lower", "upper")}
    return dataclasses.replace(options, **{n: v * factor for n, v in limits.items() if v is not None})


def _method(job: Job) -> SkyMethod:
    """Return the method, or the one that it names for runs with too few exposures."""
    tried: list[str] = []
    name = job.parameters.skymethod
    while True:
        method = job.component("sky method", name)
        assert isinstance(method, SkyMethod)  # noqa: S101  (the registry keeps families apart)
        if len(job.exposures) >= method.minimum:
            return method
        tried.append(method.name)
        if not method.fallback or method.fallback in tried:
            msg = (
                f"skymethod {method.name!r} needs {method.minimum} exposures, but the run has "
                f"{len(job.exposures)}, and it "
                f"names no other method. Choose 'localmin'."
            )
            raise RunError(msg)
        job.note(
            f"skymethod {method.name!r} needs {method.minimum} exposures, but the run has "
            f"{len(job.exposures)}: "
            f"{method.fallback!r} is used.",
            warn=SkyWarning,
        )
        name = method.fallback


def _computed(job: Job, masks: Mapping[ChipUnit, Image]) -> dict[ChipUnit, SkyValue]:
    """Measure the sky."""
    method = _method(job)
    function = job.call(method)
    options = SkyOptions(map=job.map, warn=_warner(job), plugin=job.plugin_options(method))
    chips = _sky_chips(job, masks)
    found: dict[ChipUnit, SkyValue] = function(chips, _statistic(job), overlaps=job.overlaps, options=options)
    return found


def _from_file(job: Job, file: SkyFile, method: str, *, subtract: bool) -> dict[ChipUnit, SkyValue]:
    """Take the sky from the user's file; chips that it does not list keep what their headers say."""
    found = {}
    for unit in job.units("chip"):
        exposure, chip = _chip(job, unit)
        value = file.value_of(exposure, chip)
        if value is None:
            kept = header_sky(exposure, chip)
            job.note(
                f"{exposure.name} is not listed in {file.path}: its sky is what MDRIZSKY in its header "
                "says, or 0 "
                f"(chip {chip.extver}: {kept:g}).",
                warn=SkyWarning,
            )
            found[unit] = SkyValue(subtracted=kept if subtract else None, level=kept, method="header")
        else:
            applied = file.applied or not subtract
            found[unit] = SkyValue(subtracted=None if applied else value, level=value, method=method)
    return found


def _recorded(job: Job) -> dict[ChipUnit, SkyValue]:
    """Subtract nothing; headers tell the level for the noise."""
    key = job.parameters.skyuser.strip()
    found = {}
    for unit in job.units("chip"):
        exposure, chip = _chip(job, unit)
        level = keyword_sky(exposure, chip, key) if key else header_sky(exposure, chip)
        if level and not key:
            job.note(
                f"{exposure.name}[sci,{chip.extver}]: no sky is subtracted, but MDRIZSKY = {level:g} of "
                "its header counts as "
                f"its level for the noise models."
            )
        found[unit] = SkyValue(
            subtracted=None, level=level, method="skyuser" if key else "header" if level else "none"
        )
    return found


def _values(job: Job, masks: Mapping[ChipUnit, Image]) -> dict[ChipUnit, SkyValue]:
    """Choose where the sky comes from."""
    p = job.parameters
    skyfile, skyuser = p.skyfile.strip(), p.skyuser.strip()
    if p.skysub:
        if skyuser:
            job.note(f"skyuser {skyuser!r} is ignored because skysub is on.", warn=ParameterWarning)
        if skyfile:
            return _from_file(job, read_sky_file(skyfile, "skyfile"), "skyfile", subtract=True)
        return _computed(job, masks)
    if skyfile:
        job.note(f"skyfile {skyfile!r} is ignored because skysub is off.", warn=ParameterWarning)
    if skyuser.startswith("@"):
        return _from_file(job, read_sky_file(skyuser[1:].strip(), "skyuser"), "skyuser", subtract=False)
    return _recorded(job)


def _warn_of_lost(job: Job, values: Mapping[ChipUnit, SkyValue], masks: Mapping[ChipUnit, Image]) -> None:
    """Name the chips whose sky came out as 0 although their pixels are not."""
    lost = []
    for unit, value in values.items():
        if value.level != 0:
            continue
        good = mask_of(job, unit, masks.get(unit))
        if is_lost(value, job.read("sci", unit), good):
            exposure, chip = _chip(job, unit)
            lost.append(f"{exposure.name}[sci,{chip.extver}]")
    if lost:
        job.note(
            f"The sky of {', '.join(lost)} came out as 0 although the pixels are not: the sky stays in the image. Look at skylower, "
            "skyupper, skyclip, skylsigma, skyusigma, sky_bits and the masks, or give values by skyfile.",
            warn=SkyWarning,
        )


def _warn_of_absurd(job: Job, values: Mapping[ChipUnit, SkyValue]) -> None:
    """Name the chips whose sky was not measured, and is more than their pixels can have."""
    for unit, value in values.items():
        exposure, chip = _chip(job, unit)
        if value.level <= 0 or chip.physical:
            continue
        if is_beyond_noise(value.level, job.read("sci", unit), chip.conversion):
            key = job.parameters.skyuser.strip() or "MDRIZSKY"
            source = {"header": "MDRIZSKY", "skyuser": key}.get(value.method, value.method)
            job.note(
                f"{exposure.path or exposure.name}[SCI,{chip.extver}]: the sky by {source} is {value.level:g} {chip.bunit}, far more "
                "than the noise of the pixels allows. Noise models take it as it is, so cosmic rays may be missed: correct it.",
                warn=SkyWarning,
            )


def _is_measured(parameters: Parameters) -> bool:
    """Whether the sky comes from the pixels."""
    return parameters.skysub and not parameters.skyfile.strip()


def run(job: Job) -> Mapping[Any, Any]:
    """Find the sky of every chip.

    Returns
    -------
    mapping of PlaneKey
        ``sky``: a `SkyValue` for each chip; ``mask.user``: the masks of `skymask_cat`, for the chips that
        have one; ``mask.sky``: the pixels that were used, if anybody wants them.
    """
    measured = _is_measured(job.parameters)
    masks = _user_masks(job) if measured else {}
    values = _values(job, masks)
    for unit, value in values.items():
        exposure, chip = _chip(job, unit)
        taken = (
            "nothing subtracted" if value.subtracted is None else f"{float(value.subtracted):.7g} subtracted"
        )
        job.note(f"Sky of {exposure.name}[sci,{chip.extver}]: {value.level:.7g}, {taken} ({value.method}).")
    if measured:
        _warn_of_lost(job, values, masks)
    else:
        _warn_of_absurd(job, values)
    planes: dict[PlaneKey, Any] = {PlaneKey("sky", unit): value for unit, value in values.items()}
    if measured and job.wanted("mask.sky"):
        used = {unit: mask_of(job, unit, masks.get(unit)) for unit in job.units("chip")}
        planes |= {
            PlaneKey("mask.sky", u): mask.astype(np.uint8) for u, mask in used.items() if mask is not None
        }
    return planes | {PlaneKey("mask.user", unit): mask for unit, mask in masks.items()}


def _has_catalogue(parameters: Parameters) -> bool:
    return bool(parameters.skymask_cat.strip())


def _work(asked: Asked, shape: tuple[int, int]) -> float:
    """Return the bytes of the pixels of a chip and their statistics, and those of the user's masks."""
    pixels = shape[0] * shape[1]
    masks = sum(len(e.chips) for e in asked.exposures) if _has_catalogue(asked.parameters) else 0
    return 6.0 * pixels + 24.0 * min(ROWS, shape[0]) * shape[1] + masks * pixels


SKY = Step(
    name="sky",
    summary="Find the sky of every chip, or take it from the user.",
    parameters=("sky*", "static*", "use_static"),
    needs=(Need("sci"), Need("dq", optional=True), Need("mask.static", optional=True)),
    makes=(
        Plane(
            name="sky", meaning="sky, unit of the chip", on="chip", kind="value", value=SkyValue, stays=True
        ),
        Plane(
            name="mask.user",
            meaning="mask of the user's catalogue, 1 = good",
            on="chip",
            dtype="uint8",
            made=_has_catalogue,
        ),
        Plane(name="mask.sky", meaning="pixels used for the sky, 1 = used", on="chip", dtype="uint8"),
    ),
    over="run",
    run=run,
    rows=ROWS,
    work=_work,
)


@hookimpl
def drizframe_step_sky() -> Step:
    """Return the stock step."""
    return SKY
