"""Checks that stock components are known to fail, and why: the numbers of the reference program rest on it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from drizframe.testing.checking import family_of

__all__ = ["known_failures"]

_UNNORMALISED = (
    "the factors of the drizzle library are not normalised, so a constant comes out a little wrong"
)

_TAKES_ALL = "where every value is masked, the documented i… combiners take them all"

_KNOWN: Mapping[tuple[str, str], Mapping[str, str]] = MappingProxyType(
    {
        ("interpolator", "lanczos3"): {"check_constant": _UNNORMALISED},
        ("interpolator", "lanczos5"): {"check_constant": _UNNORMALISED},
        ("combiner", "sum"): {
            "check_constant": "a sum of n images is n times the constant",
            "check_ignores_masked": "the documented sum adds all values, masked or not",
            "check_all_bad": "the documented sum adds all values, masked or not",
        },
        ("combiner", "imean"): {"check_all_bad": _TAKES_ALL},
        ("combiner", "imedian"): {"check_all_bad": _TAKES_ALL},
        ("combiner", "iminmed"): {"check_all_bad": _TAKES_ALL},
    }
)


def known_failures(record: Any) -> Mapping[str, str]:
    """Return the expected failures of a stock component; nothing for others, even of the same name.

    Parameters
    ----------
    record : Component or Step
        What is checked.
    """
    function = getattr(record, "reference", None)
    if not str(getattr(function, "__module__", "")).startswith("drizframe.stock."):
        return {}
    return _KNOWN.get((family_of(record), record.name), {})
