"""The one model of all parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import ConfigDict, ValidationError, field_validator

from drizframe.config.run import GeneralParameters, OwnParameters
from drizframe.config.steps import (
    BlotParameters,
    CosmicRayParameters,
    FinalFrameParameters,
    FinalParameters,
    FrameParameters,
    InstrumentParameters,
    MedianParameters,
    SeparateFrameParameters,
    SeparateParameters,
    SkyParameters,
    StaticMaskParameters,
)
from drizframe.config.types import _int, is_blank
from drizframe.errors import ParameterError, UnknownParameterError, UnsupportedError

__all__ = ["ALIASES", "Parameters", "make_parameters", "of_steps", "without_effect"]

#: Other spellings that are accepted -> the documented name (trap 03-2).
ALIASES = {"gnkeyword": "gainkeyword"}

#: Switch of a custom frame -> the parameters any of which switches it on, as in the reference.
FRAME_SWITCHES = {
    switch: tuple(prefix + name for name in FrameParameters.model_fields)
    for prefix, switch in (("final_", "final_wcs"), ("driz_sep_", "driz_sep_wcs"))
}

#: Documented parameters that cannot be honoured yet: name -> what to do instead.
_NOT_YET = {
    "updatewcs": "Run stwcs.updatewcs on the files before, or leave it off.",
    "driz_sep_compress": "Leave it off; the files are written uncompressed.",
}


class Parameters(
    InstrumentParameters,
    FinalFrameParameters,  # type: ignore[misc, valid-type]
    FinalParameters,
    CosmicRayParameters,
    BlotParameters,
    MedianParameters,
    SeparateFrameParameters,  # type: ignore[misc, valid-type]
    SeparateParameters,
    SkyParameters,
    StaticMaskParameters,
    GeneralParameters,
    OwnParameters,
):
    """Every documented parameter of the reference, by its documented name, and those that drizframe adds.

    The record is frozen; `Parameters.model_copy(update=…)` makes another.  `make_parameters` gives clear
    errors.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", arbitrary_types_allowed=True, validate_default=True
    )

    @field_validator("stepsize", "blot_stepsize")
    @classmethod
    def _step(cls, value: Any) -> int | str:
        if isinstance(value, str) and value.strip().lower() == "auto":
            return "auto"
        number = _int(value)
        if number < 0:
            msg = "give 'auto' or a whole number of pixels, 0 (exact) or above"
            raise ValueError(msg)
        return number

    @field_validator("keep", "layers")
    @classmethod
    def _names(cls, value: Any) -> tuple[str, ...]:
        if is_blank(value):
            return ()
        items = value.split(",") if isinstance(value, str) else value
        if not isinstance(items, list | tuple | set | frozenset) or not all(
            isinstance(v, str) for v in items
        ):
            msg = "give names"
            raise ValueError(msg)
        return tuple(v.strip() for v in items)

    @field_validator("layers")
    @classmethod
    def _layers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name != "variance":
                msg = f"there is no layer {name!r}; choose 'variance'"
                raise ValueError(msg)
        return value


@cache
def without_effect() -> frozenset[str]:
    """Return the names of the parameters on which no number of a result depends."""
    fields = Parameters.model_fields.items()
    return frozenset(
        name for name, field in fields
        if isinstance(field.json_schema_extra, dict) and not field.json_schema_extra["result"]
    )  # fmt: skip


@cache
def of_steps() -> frozenset[str]:
    """Return the names of the parameters of the documented steps: those whose step code begins with a number."""
    fields = Parameters.model_fields.items()
    return frozenset(
        name for name, field in fields
        if isinstance(field.json_schema_extra, dict) and str(field.json_schema_extra["step"])[:1].isdigit()
    )  # fmt: skip


def _message(error: ValidationError) -> str:
    """Say what is wrong, what came and what is allowed, one line for each parameter."""
    lines = []
    for item in error.errors():
        name = ".".join(str(p) for p in item["loc"][:1])
        field = Parameters.model_fields.get(name)
        text = item["msg"].removeprefix("Value error, ").rstrip(".")
        default = f" Default: {field.default!r}." if field is not None else ""
        about = f" ({field.description})" if field is not None and field.description else ""
        lines.append(f"Parameter {name} = {item['input']!r}: {text}.{default}{about}")
    return "\n".join(lines)


def _renamed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Apply aliases and refuse unknown names."""
    known = {**Parameters.model_fields, **ALIASES}
    renamed: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise UnknownParameterError(name, known)
        target = ALIASES.get(name, name)
        if target in renamed and renamed[target] != value:
            msg = f"Parameter {target} is given twice, as {renamed[target]!r} and (by the name {name}) as {value!r}."
            raise ParameterError(msg)
        renamed[target] = value
    return renamed


def _activate_frames(values: dict[str, Any]) -> None:
    """Switch a custom frame on when one of its parameters is given and the switch is not."""
    for switch, names in FRAME_SWITCHES.items():
        if switch not in values and any(not is_blank(values.get(n)) for n in names):
            values[switch] = True


def make_parameters(values: Mapping[str, Any] | None = None, **more: Any) -> Parameters:
    """Validate parameters.

    Parameters
    ----------
    values : mapping, optional
        Parameters by name.
    **more
        Further ones; they win.

    Returns
    -------
    drizframe.Parameters
        With the documented defaults for all else.

    Raises
    ------
    UnknownParameterError
        For a name that does not exist; the nearest valid one is suggested.
    ParameterError
        For a value of the wrong type or out of range.
    UnsupportedError
        For a documented value that this version cannot honour.
    """
    given = _renamed({**(values or {}), **more})
    _activate_frames(given)
    try:
        parameters = Parameters.model_validate(given)
    except ValidationError as error:
        raise ParameterError(_message(error)) from None
    for name, advice in _NOT_YET.items():
        if getattr(parameters, name):
            msg = f"Parameter {name} = {getattr(parameters, name)!r} cannot be honoured by this version. {advice}"
            raise UnsupportedError(msg)
    _check_pairs(parameters)
    return parameters


def _check_pairs(parameters: Parameters) -> None:
    """Refuse combinations that contradict each other."""
    if parameters.resume and not parameters.workdir.strip():
        msg = (
            f"Parameter resume = True, and workdir = {parameters.workdir!r}: what is done must be found again. Name a folder with "
            "workdir, the same one each time."
        )
        raise ParameterError(msg)
    for given, keyword in (("gain", "gainkeyword"), ("rdnoise", "rnkeyword"), ("exptime", "expkeyword")):
        if getattr(parameters, given) is not None and getattr(parameters, keyword):
            msg = (
                f"Both {given} = {getattr(parameters, given)!r} and {keyword} = {getattr(parameters, keyword)!r} are given. "
                f"Give one of them."
            )
            raise ParameterError(msg)
    for name, unit in (("exptime", "seconds"), ("gain", "electrons per count")):
        value = getattr(parameters, name)
        if value is not None and not 0 < value < math.inf:
            msg = f"Parameter {name} = {value!r}: give {unit} above 0."
            raise ParameterError(msg)
    if parameters.rdnoise is not None and not 0 <= parameters.rdnoise < math.inf:
        msg = f"Parameter rdnoise = {parameters.rdnoise!r}: give electrons, 0 or above."
        raise ParameterError(msg)
    for prefix in ("final_", "driz_sep_"):
        for one, two in (("outnx", "outny"), ("ra", "dec"), ("crpix1", "crpix2")):
            a, b = getattr(parameters, prefix + one), getattr(parameters, prefix + two)
            if (a is None) != (b is None):
                msg = f"{prefix}{one} = {a!r} and {prefix}{two} = {b!r}: give both or none."
                raise ParameterError(msg)
