"""Types of parameters: what is accepted, and what a step then sees."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from drizframe.config.bits import BLANK, parse_bits

__all__ = [
    "Bits",
    "Component",
    "ComponentOrBlank",
    "FillValue",
    "Flag",
    "FloatOrNone",
    "Group",
    "IntOrNone",
    "MissingKinds",
    "NumberText",
    "Pair",
    "Size",
    "Text",
    "WeightScale",
    "parameter",
]

_TRUE = frozenset({"yes", "y", "true", "t", "on", "1"})
_FALSE = frozenset({"no", "n", "false", "f", "off", "0"})


def parameter(
    default: Any, text: str, *, step: str, unit: str = "", result: bool = True, **limits: Any
) -> Any:
    """Declare a parameter.

    Parameters
    ----------
    default : object
        Its default.
    text : str
        What it does.
    step : str
        Step code (spec of parameters).
    unit : str
        Of its number.
    result : bool
        Whether the numbers of a result may depend on it, to the last bit; if not, another value of it makes no task of an
        interrupted run be done again.
    **limits
        As pydantic has them.
    """
    extra: dict[str, Any] = {"step": step, "unit": unit, "result": result}
    return Field(default=default, description=text, json_schema_extra=extra, **limits)


def is_blank(value: Any) -> bool:
    """Whether a value stands for "not set": None, '', 'None', 'INDEF'."""
    return value is None or (isinstance(value, str) and value.strip().upper() in BLANK)


def _flag(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.strip().lower() in _TRUE | _FALSE:
        return value.strip().lower() in _TRUE
    msg = "give True or False (or 'yes', 'no')"
    raise ValueError(msg)


def _number(value: Any) -> float:
    if isinstance(value, bool) or (
        not isinstance(value, int | float | str) and not hasattr(value, "__float__")
    ):
        msg = "give a number"
        raise ValueError(msg)
    try:
        number = float(value)
    except (TypeError, ValueError):
        msg = "give a number"
        raise ValueError(msg) from None
    return number


def _finite(value: Any) -> float:
    number = _number(value)
    if not math.isfinite(number):
        msg = "give a finite number"
        raise ValueError(msg)
    return number


def _limit(value: Any) -> float | None:
    """A number that may be infinite, or nothing."""
    number = _fill_value(value)
    if number is not None and math.isnan(number):
        msg = "give a number, or None"
        raise ValueError(msg)
    return number


#: Bytes of the units that a size may have.
_BYTES: dict[str, int] = {"b": 1} | {
    f"{prefix}{end}": base ** (n + 1)
    for n, prefix in enumerate("kmgt")
    for end, base in (("b", 1000), ("ib", 1024))
}


def _size(value: Any) -> float:
    """MiB, from a number of them or a text with a unit."""
    found = (
        re.fullmatch(r"\s*(\S+?)\s*([kmgt]?i?b)\s*", value, re.IGNORECASE) if isinstance(value, str) else None
    )
    try:
        if found is None or found[2].lower() not in _BYTES:
            return _finite(value)
        return _finite(found[1]) * _BYTES[found[2].lower()] / 2**20
    except ValueError:
        msg = "give a number of MiB, or a size with its unit, such as '400MB' or '2GiB'"
        raise ValueError(msg) from None


#: Largest number of an image of 32 bit.
_LARGEST_FLOAT = 3.4e38


def _fill_value(value: Any) -> float | None:
    """Any number that an image of 32 bit can hold, also NaN, or nothing."""
    if is_blank(value):
        return None
    number = _number(value)
    if math.isfinite(number) and abs(number) > _LARGEST_FLOAT:
        msg = f"give a number up to {_LARGEST_FLOAT:g}, as images of 32 bit hold"
        raise ValueError(msg)
    return number


def _int(value: Any) -> int:
    number = _number(value)
    if not math.isfinite(number) or number != int(number):
        msg = "give a whole number"
        raise ValueError(msg)
    return int(number)


def _int_or_none(value: Any) -> int | None:
    return None if is_blank(value) else _int(value)


def _text(value: Any) -> str:
    if is_blank(value):
        return ""
    if isinstance(value, str):
        return value
    if hasattr(value, "__fspath__"):
        return str(value.__fspath__())
    msg = "give a text"
    raise ValueError(msg)


def _pair(value: Any) -> tuple[float, float]:
    """One or two numbers (one is used twice), as text or as a sequence."""
    if isinstance(value, str):
        items: Sequence[Any] = [p for p in re.split(r"[\s,;]+", value.strip()) if p]
    elif isinstance(value, Sequence):
        items = value
    else:
        items = [value]
    numbers = [_number(v) for v in items]
    if len(numbers) not in (1, 2) or not all(math.isfinite(v) and v >= 0 for v in numbers):
        msg = "give one or two numbers not below 0, such as '3.5 3.0'"
        raise ValueError(msg)
    return (numbers[0], numbers[-1])


def _weight_scale(value: Any) -> str | float:
    if is_blank(value):
        return "exptime"
    if isinstance(value, str) and value.strip().lower() in ("exptime", "expsq"):
        return value.strip().lower()
    try:
        number = _number(value)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        msg = "give 'exptime', 'expsq' or a number above 0"
        raise ValueError(msg)
    return number


def _bits(value: Any) -> int | None:
    return parse_bits(value)


def _number_text(value: Any) -> float | None:
    """A number, or comma-separated numbers whose non-zero ones are averaged; blank: None."""
    if is_blank(value):
        return None
    if isinstance(value, str) and "," in value:
        numbers = [_number(v) for v in value.split(",")]
        used = [v for v in numbers if v != 0]
        return sum(used) / len(used) if used else 0.0
    return _number(value)


def _group(value: Any) -> tuple[int | str, ...]:
    """HDU numbers, or ('sci', n); blank: all chips."""
    if is_blank(value):
        return ()
    items = (
        value.split(",")
        if isinstance(value, str)
        else list(value)
        if isinstance(value, Sequence)
        else [value]
    )
    parsed: list[int | str] = []
    for item in items:
        text = str(item).strip()
        parsed.append(int(text) if re.fullmatch(r"\d+", text) else text.lower())
    named = [p for p in parsed if isinstance(p, str)]
    if named and not (len(parsed) == 2 and parsed[0] == "sci" and isinstance(parsed[1], int)):
        msg = "give HDU numbers such as 1 or '1,4', or an extension such as 'sci,1'"
        raise ValueError(msg)
    return tuple(parsed)


def _missing_kinds(value: Any) -> tuple[str, ...]:
    """Kinds of images that may be missing, as a comma list or a sequence; blank: none."""
    if is_blank(value):
        return ()
    items = value.split(",") if isinstance(value, str) else value if isinstance(value, Sequence) else [value]
    kinds = tuple(dict.fromkeys(str(i).strip().lower() for i in items))
    if not set(kinds) <= {"dq", "err"}:
        msg = "give 'dq', 'err', or both as 'dq,err'"
        raise ValueError(msg)
    return kinds


def _component(value: Any) -> Any:
    if isinstance(value, str):
        if value.strip():
            return value.strip()
    elif hasattr(value, "name") and hasattr(value, "family"):
        return value
    msg = "give the name of a component, or a component record"
    raise ValueError(msg)


Flag = Annotated[bool, BeforeValidator(_flag)]
Number = Annotated[float, BeforeValidator(_finite)]
Size = Annotated[float, BeforeValidator(_size)]
Whole = Annotated[int, BeforeValidator(_int)]
FloatOrNone = Annotated[float | None, BeforeValidator(_limit)]
FillValue = Annotated[float | None, BeforeValidator(_fill_value)]
IntOrNone = Annotated[int | None, BeforeValidator(_int_or_none)]
Text = Annotated[str, BeforeValidator(_text)]
Pair = Annotated[tuple[float, float], BeforeValidator(_pair)]
Bits = Annotated[int | None, BeforeValidator(_bits)]
WeightScale = Annotated[str | float, BeforeValidator(_weight_scale)]
NumberText = Annotated[float | None, BeforeValidator(_number_text)]
Group = Annotated[tuple[int | str, ...], BeforeValidator(_group)]
MissingKinds = Annotated[tuple[str, ...], BeforeValidator(_missing_kinds)]
Component = Annotated[Any, BeforeValidator(_component)]
ComponentOrBlank = Annotated[Any, BeforeValidator(lambda v: "" if is_blank(v) else _component(v))]


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


Units = Annotated[Literal["cps", "counts"], BeforeValidator(_lower)]
ProcUnit = Annotated[Literal["native", "electrons"], BeforeValidator(_lower)]
UpperComponent = Annotated[Any, BeforeValidator(lambda v: _component(_upper(v)))]
