"""Checks of sky statistics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from drizframe.hooks import SkyStatistic, StatisticOptions
from drizframe.testing.checking import (
    check,
    forall,
    frozen_copy,
    implementations,
    same_from_threads,
    strided,
    untouched,
)
from drizframe.testing.checks.own_options import own_options
from drizframe.testing.failure import compare, require

__all__: list[str] = []

Array = np.ndarray[Any, Any]


#: With fewer values a statistic may say that there is not enough data.
FEW = 30


def values_of(seed: int, n: int, scale: float) -> Array:
    """Return sky pixels: multiples of 1/64, so that constants are added without rounding."""
    rng = np.random.default_rng(seed)
    return (np.round(rng.normal(100, scale, n) * 64) / 64).astype(np.float32)


def statistics(record: SkyStatistic) -> dict[str, Callable[..., Any]]:
    """Return ``f(values)`` for every implementation."""
    plugin = own_options(record)
    return {
        kind: (lambda values, f=function: f(values, StatisticOptions(plugin=plugin)))
        for kind, function in implementations(record).items()
    }


def on_values(body: Callable[..., None], record: SkyStatistic) -> None:
    """Call ``body(kind, function, values)`` for drawn values and every implementation."""

    def one(seed: int, n: int, scale: float) -> None:
        for kind, function in statistics(record).items():
            body(kind, function, values_of(seed, n, scale))

    forall(one, seed=st.integers(0, 999), n=st.integers(30, 400), scale=st.sampled_from([1.0, 5.0]))


def _pair(result: Any, what: str, where: str, inputs: dict[str, Any]) -> tuple[Any, Any]:
    """Return value and number, or refuse what is no pair of a real number and a whole one."""
    good = isinstance(result, tuple | list) and len(result) == 2
    require(good, what, expected="(value, n)", got=result, where=where, inputs=inputs)
    value, n = result
    for name, part, kinds, want in (
        ("value", value, "fiu", "a real number, NaN where there is not enough data"),
        ("n", n, "iu", "a whole number"),
    ):
        number = np.ndim(part) == 0 and np.asarray(part).dtype.kind in kinds
        got = f"{part!r} of type {type(part).__name__}"
        require(number, what, expected=want, got=got, where=f"{name}, {where}", inputs=inputs)
    return value, n


@check("sky statistic", name="check_value_and_count")
def check_statistic_value_and_count(record: SkyStatistic) -> None:
    """A number between the least and the largest value, and how many were used; NaN and 0 for no value."""

    def body(kind: str, function: Callable[..., Any], values: Array) -> None:
        what, inputs = f"{record!r} ({kind}) gives a value and the number of pixels", {"values": values}
        value, n = _pair(function(values), what, "result", inputs)
        low, high = float(values.min()), float(values.max())
        require(
            low <= value <= high, what, expected=f"{low} … {high}", got=value, where="value", inputs=inputs
        )
        require(0 < n <= values.size, what, expected=f"1 … {values.size}", got=n, where="n", inputs=inputs)
        value, n = _pair(function(values[:0]), what, "no values at all", {})
        require(
            bool(np.isnan(value)) and n == 0,
            what,
            expected="(nan, 0)",
            got=(value, n),
            where="no values at all",
        )

    on_values(body, record)


@check("sky statistic")
def check_few_and_negative(record: SkyStatistic) -> None:
    """One value, equal values and negative ones: a value between least and largest, or NaN and 0 for too few."""
    cases = {
        "one value": np.array([7.5]),
        "one negative value": np.array([-7.5]),
        "two values": np.array([3.0, 5.0]),
        "200 equal values": np.full(200, 12.25),
        "200 equal negative values": np.full(200, -12.25),
        "200 negative values": values_of(5, 200, 5.0) - 300.0,
        "5000 values": values_of(7, 5000, 5.0),
    }
    for where, values in cases.items():
        values = values.astype(np.float32)  # noqa: PLW2901
        low, high = float(values.min()), float(values.max())
        what = f"{record!r} gives a value between the least and the largest"
        for kind, function in statistics(record).items():
            inputs = {"values": values}
            value, n = _pair(
                function(values), f"{record!r} ({kind}) gives a value and a number", where, inputs
            )
            few = values.size < FEW and bool(np.isnan(value)) and n == 0
            require(
                few or (low <= value <= high and 0 < n <= values.size),
                what,
                expected=f"{low} … {high}, n = 1 … {values.size}"
                + (", or (nan, 0)" if values.size < FEW else ""),
                got=(value, n),
                where=f"{where} ({kind})",
                inputs=inputs,
            )


@check("sky statistic", name="check_shift")
def check_statistic_shift(record: SkyStatistic) -> None:
    """A constant added to all values is added to the statistic."""

    def body(kind: str, function: Callable[..., Any], values: Array) -> None:
        before, after = function(values)[0], function(values + np.float32(64))[0]
        compare(
            f"{record!r} ({kind}) rises by 64 with its values",
            np.float64(after) - before,
            np.float64(64),
            # bins of a histogram and clips may fall otherwise: a fraction of a sigma
            atol=0.5 * float(values.std()),
            where="value",
            inputs={"values": values},
        )

    on_values(body, record)
    for kind, function in statistics(record).items():
        many = values_of(8, 5000, 5.0)
        body(kind, function, many)


@check("sky statistic", name="check_any_layout")
def check_statistic_any_layout(record: SkyStatistic) -> None:
    """Read-only and strided values give the same, and are not changed."""

    def body(kind: str, function: Callable[..., Any], values: Array) -> None:
        with untouched(f"{record!r} ({kind})", values=values):
            want = function(values)
        for layout, change in (("read-only", frozen_copy), ("strided", strided)):
            compare(
                f"{record!r} ({kind}) takes {layout} values",
                function(change(values)),
                want,
                inputs={"values": values},
            )

    on_values(body, record)


@check("sky statistic", applies=lambda r: r.fast is not None, name="check_reference_equals_fast")
def check_statistic_reference_equals_fast(record: SkyStatistic) -> None:
    """Compiled and NumPy statistics agree to the record's tolerance."""

    def one(seed: int, n: int, scale: float) -> None:
        values, found = values_of(seed, n, scale), statistics(record)
        compare(
            f"{record!r}: fast equals reference",
            found["fast"](values),
            found["reference"](values),
            rtol=record.tolerance,
            where="(value, n)",
            inputs={"values": values},
        )

    forall(one, seed=st.integers(0, 999), n=st.integers(0, 400), scale=st.sampled_from([0.0, 1.0, 5.0]))


@check("sky statistic", traits=["order_free"], name="check_order_free")
def check_statistic_order_free(record: SkyStatistic) -> None:
    """The order of the values does not matter, as promised."""

    def body(kind: str, function: Callable[..., Any], values: Array) -> None:
        compare(
            f"{record!r} ({kind}) does not depend on the order of the values",
            function(values[::-1]),
            function(values),
            rtol=1e-6,
            where="(value, n)",
            inputs={"values": values},
        )

    on_values(body, record)


@check("sky statistic", name="check_threads")
def check_statistic_threads(record: SkyStatistic) -> None:
    """Eight threads at once get what one gets alone."""
    for kind, function in statistics(record).items():
        calls = [lambda k=k, f=function: f(values_of(k, 300, 1.0 + k)) for k in range(8)]
        same_from_threads(f"{record!r} ({kind})", calls)
