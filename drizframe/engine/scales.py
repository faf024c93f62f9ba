"""One mosaic has one scale: units and gains of all exposures are brought together before the work begins."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from drizframe.config import Parameters
from drizframe.engine.bus import Bus
from drizframe.errors import InputError, InputWarning, ParameterError
from drizframe.model import Chip, Exposure
from drizframe.model.bunit import conversion_factor, parse_unit, rescaled
from drizframe.model.sources import ScaledSource

__all__ = ["bring_together"]

#: Gains that differ by less are one setting: headers have few digits.
_SAME_GAIN = 1e-3

ChipKey = tuple[str, str, int]


def bring_together(
    exposures: Sequence[Exposure], parameters: Parameters, bus: Bus
) -> tuple[list[Exposure], Parameters]:
    """Give all exposures one unit, and those in counts one gain setting.

    Parameters
    ----------
    exposures : sequence of Exposure
        What is combined, in input order.
    parameters : Parameters
        `proc_unit` and `final_units`.
    bus : Bus
        Gets a warning for whatever is converted.

    Returns
    -------
    exposures : list of Exposure
        In the unit of the first; in counts with `Chip.mosaic_gain` where the gain setting is another.
    parameters : Parameters
        With ``proc_unit='electrons'`` where some cameras deliver counts and others electrons.

    Raises
    ------
    InputError
        If units cannot be converted into each other.
    ParameterError
        If `final_units` asks for counts of a flux or a surface brightness.
    """
    found = _one_unit(exposures, bus)
    first = found[0].chips[0]
    if first.physical:
        if parameters.final_units == "counts":
            msg = (
                f"final_units='counts' multiplies by the exposure time, but the images are in {first.bunit!r} "
                f"({found[0].name}), which does not grow with it. Use final_units='cps': the mosaic then has the unit of the "
                "inputs."
            )
            raise ParameterError(msg)
        return found, parameters
    counting = [c.native_unit.startswith("counts") for e in found for c in e.chips]
    if not any(counting):
        return found, parameters
    native = parameters.proc_unit == "native"
    if all(counting) and not _several_cameras(found):
        return _one_gain(found, bus, warn=native), parameters
    if native:
        why = "Counts of several cameras with different gains" if all(counting) else "Counts and electrons"
        bus.note(
            f"{why} have no scale in common: the mosaic is in electrons (proc_unit='electrons'), with the gains of "
            f"{_named_gains(found)} in electrons per count. Give the parameter gain, or GAIN in the header, where one is wrong.",
            warn=InputWarning,
        )
    return [_in_electrons(e) for e in found], parameters.model_copy(update={"proc_unit": "electrons"})


def _named_gains(exposures: Sequence[Exposure]) -> str:
    """Name the exposures in counts with their gains; one that nobody gave is 1."""
    counted = [e for e in exposures if any(c.native_unit.startswith("counts") for c in e.chips)]
    return ", ".join(f"{e.name} ({', '.join(f'{c.gain:g}' for c in e.chips)})" for e in counted)


def _in_electrons(exposure: Exposure) -> Exposure:
    """Return an exposure whose counts are brought to electrons, errors too."""
    if not any(c.native_unit.startswith("counts") for c in exposure.chips):
        return exposure
    return exposure.with_chips([dataclasses.replace(c, mosaic_gain=1.0) for c in exposure.chips])


def _several_cameras(exposures: Sequence[Exposure]) -> bool:
    """Whether counts come from detectors of different kinds that have different gains."""
    gains = [c.gain for e in exposures for c in e.chips]
    cameras = {(e.instrument.upper(), e.detector.upper()) for e in exposures}
    return len(cameras) > 1 and max(gains) / min(gains) - 1.0 > _SAME_GAIN


def _one_unit(exposures: Sequence[Exposure], bus: Bus) -> list[Exposure]:
    """Return all exposures in the unit of the first, if that is no matter of gain and time."""
    first, reference = exposures[0], exposures[0].chips[0]
    made = []
    for exposure in exposures:
        chips = [_in_unit(c, exposure, reference, first) for c in exposure.chips]
        if any(new is not old for new, old in zip(chips, exposure.chips, strict=True)):
            bus.note(
                f"{exposure.name} is in {exposure.chips[0].bunit!r} and converted to {reference.bunit!r}, the unit of "
                f"{first.name}; its sky values count in that unit.",
                warn=InputWarning,
            )
            exposure = exposure.with_chips(chips)  # noqa: PLW2901  (the same exposure)
        made.append(exposure)
    return made


def _in_unit(chip: Chip, exposure: Exposure, wanted: Chip, first: Exposure) -> Chip:
    """Return a chip in the unit of another."""
    if not (chip.physical or wanted.physical) or chip.bunit == wanted.bunit:
        return chip
    factor = None
    if chip.physical and wanted.physical:
        own, other = parse_unit(chip.bunit), parse_unit(wanted.bunit)
        factor = None if own is None or other is None else conversion_factor(own, other)
    if factor is None:
        msg = (
            f"{exposure.name} is in {chip.bunit!r} but {first.name} in {wanted.bunit!r} (BUNIT), and nothing converts one into "
            "the other. Convert the images to one unit, or combine them separately."
        )
        raise InputError(msg)
    if factor == 1.0:
        return chip
    header = rescaled(chip.header, wanted.bunit, factor)
    return dataclasses.replace(chip, load=ScaledSource(chip.load, factor), header=header, bunit=wanted.bunit)


def _key(exposure: Exposure, chip: Chip) -> ChipKey:
    """Return what tells one detector chip from others."""
    return exposure.instrument.upper(), exposure.detector.upper(), chip.detector_chip


def _one_gain(exposures: Sequence[Exposure], bus: Bus, *, warn: bool) -> list[Exposure]:
    """Return exposures in counts with the gains of the first exposure's setting.

    Notes
    -----
    Chips of one exposure keep their own gains: flat fields of cameras that count are normalised in counts.
    """
    scale: dict[ChipKey, float] = {}  # gain of the mosaic by chip
    made = dict.fromkeys(range(len(exposures)), exposures[0])
    waiting = list(made)
    while waiting:
        # next is one that shares a chip with those before it; its setting tells the gains of its other chips
        linked = (i for i in waiting if any(_key(exposures[i], c) in scale for c in exposures[i].chips))
        index = next(linked, waiting[0])
        waiting.remove(index)
        made[index] = _at_scale(exposures[index], scale, exposures[0], bus if warn else None)
    return list(made.values())


def _at_scale(exposure: Exposure, scale: dict[ChipKey, float], first: Exposure, bus: Bus | None) -> Exposure:
    """Return an exposure with the gains of the mosaic, and add chips that were not met before."""
    keys = [_key(exposure, c) for c in exposure.chips]
    ratios = [c.gain / scale[k] for c, k in zip(exposure.chips, keys, strict=True) if k in scale]
    setting = sum(ratios) / len(ratios) if ratios else 1.0
    for chip, key in zip(exposure.chips, keys, strict=True):
        scale.setdefault(key, chip.gain / setting)
    if all(abs(r - 1.0) <= _SAME_GAIN for r in ratios):
        return exposure
    if bus is not None:
        bus.note(
            f"{exposure.name} was taken with another gain than {first.name} ({_gains(exposure, scale, keys)}): its counts are "
            "brought to those of the first. With proc_unit='electrons' the mosaic is in electrons.",
            warn=InputWarning,
        )
    return exposure.with_chips(
        [dataclasses.replace(c, mosaic_gain=scale[k]) for c, k in zip(exposure.chips, keys, strict=True)]
    )


def _gains(exposure: Exposure, scale: Mapping[ChipKey, float], keys: Sequence[ChipKey]) -> str:
    """Say which gains differ."""
    return ", ".join(
        f"chip {c.extver}: {c.gain:g} instead of {scale[k]:g} electrons per count"
        for c, k in zip(exposure.chips, keys, strict=True)
    )
