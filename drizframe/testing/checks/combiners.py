"""Checks of combiners."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from drizframe.hooks import CombineOptions, Combiner
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
from drizframe.testing.failure import CheckFailure, compare, require
from drizframe.testing.results import describe, origin
from drizframe.testing.strategies import Stack, shapes, stacks

__all__: list[str] = []

Array = np.ndarray[Any, Any]
Function = Callable[..., Array]
#: A few units in the last place of float32.
SINGLE = 4 * float(np.finfo(np.float32).eps)
#: More exposures than is usual.
MANY = (11, 25)


def options_of(record: Combiner, **changes: Any) -> CombineOptions:
    """Return the default options with the defaults of the plugin's own parameters."""
    plugin = own_options(record)
    return CombineOptions(plugin=plugin, **changes)


def functions(record: Combiner) -> dict[str, Function]:
    """Return ``f(stack, options=None)`` for every implementation."""

    def bind(function: Callable[..., Any]) -> Function:
        def call(s: Stack, options: CombineOptions | None = None) -> Array:
            return np.asarray(function(s.stack, s.bad, options=options or options_of(record), **s.facts()))

        return call

    return {kind: bind(f) for kind, f in implementations(record).items()}


def inputs_of(s: Stack) -> dict[str, Any]:
    """Return all arrays, for messages."""
    return {f.name: getattr(s, f.name) for f in dataclasses.fields(s)}


def noise(seed: int, shape: tuple[int, int, int], bad: float = 0.0) -> Stack:
    """Return a stack of noise; a fraction `bad` of the values is bad."""
    rng = np.random.default_rng(seed)
    return Stack(
        stack=rng.normal(5, 4, shape).astype(np.float32),
        bad=rng.random(shape) < bad,
        weight=rng.uniform(50, 100, shape).astype(np.float32),
        exptime=np.full(shape[0], 80.0),
        background=np.full(shape[0], 2.0),
        readnoise=np.full(shape[0], 1.0),
    )


def each(record: Combiner, body: Callable[..., None], *, always_good: bool = True, **more: Any) -> None:
    """Call ``body(kind, function, stack)`` for drawn stacks and every implementation."""
    least = record.minimum(options_of(record))

    def one(stack: Stack, **drawn: Any) -> None:
        for kind, function in functions(record).items():
            body(kind, function, stack, **drawn)

    counts = st.one_of(
        st.integers(max(1, least), max(6, least + 2)), st.sampled_from(MANY).map(lambda n: max(n, least))
    )
    small = shapes(rows=st.integers(1, 5), columns=st.integers(1, 5))
    forall(one, stack=stacks(shapes=small, counts=counts, always_good=st.just(always_good)), **more)


@check("combiner", name="check_shape_and_type")
def check_combiner_shape_and_type(record: Combiner) -> None:
    """One finite float32 image of the shape of the stack's images."""

    def body(kind: str, function: Function, s: Stack) -> None:
        got, what = function(s), f"{record!r} ({kind}) gives one finite float32 image"
        require(
            got.shape == s.stack.shape[1:],
            what,
            expected=s.stack.shape[1:],
            got=got.shape,
            where="shape",
            inputs=inputs_of(s),
        )
        require(
            got.dtype == np.float32,
            what,
            expected="float32",
            got=str(got.dtype),
            where="type",
            inputs=inputs_of(s),
        )
        require(
            bool(np.isfinite(got).all()),
            what,
            expected="finite values",
            got=got,
            where="pixels",
            inputs=inputs_of(s),
        )

    each(record, body, always_good=False)


@check("combiner", name="check_minimum")
def check_combiner_minimum(record: Combiner) -> None:
    """It works with as few exposures as `minimum` says, and `minimum` is a whole number of 1 or more."""
    least = record.minimum(options_of(record))
    what = f"{record!r} says how many exposures it needs"
    good = isinstance(least, int | np.integer) and not isinstance(least, bool) and least >= 1
    require(good, what, expected="a whole number, 1 or more", got=least, where="minimum(options)")
    shape = (int(least), 3, 4)
    s = noise(12, shape)
    for kind, function in functions(record).items():
        what = f"{record!r} ({kind}) works with {least} exposures, as its minimum says"
        try:
            got = function(s)
        except Exception as error:
            where = f"{least} exposures; {origin(error)}"
            raise CheckFailure(
                what, expected="an image", got=describe(error), where=where, inputs=inputs_of(s)
            ) from error
        good = got.shape == shape[1:] and bool(np.isfinite(got).all())
        require(
            good, what, expected="a finite image", got=got, where=f"{least} exposures", inputs=inputs_of(s)
        )


@check("combiner", name="check_inputs_untouched")
def check_combiner_inputs_untouched(record: Combiner) -> None:
    """Stack, flags, weights and facts are not changed."""

    def body(kind: str, function: Function, s: Stack) -> None:
        with untouched(f"{record!r} ({kind})", **inputs_of(s)):
            function(s)

    each(record, body, always_good=False)


@check("combiner", name="check_any_layout")
def check_combiner_any_layout(record: Combiner) -> None:
    """Read-only, strided and big-endian arrays give the same image."""

    def swapped(a: Array) -> Array:
        return a.astype(a.dtype.newbyteorder(">"))

    def body(kind: str, function: Function, s: Stack) -> None:
        want = function(s)
        for layout, change in (("read-only", frozen_copy), ("strided", strided), ("big-endian", swapped)):
            other = Stack(**{n: change(a) for n, a in inputs_of(s).items()})
            compare(f"{record!r} ({kind}) takes {layout} arrays", function(other), want, inputs=inputs_of(s))

    each(record, body)


@check("combiner")
def check_ignores_masked(record: Combiner) -> None:
    """Values that are masked, and values that are not finite, do not matter where a good one is left."""

    def body(kind: str, function: Function, s: Stack, junk: float) -> None:
        want = function(s)
        other = dataclasses.replace(s, stack=np.where(s.bad, np.float32(junk), s.stack))
        compare(
            f"{record!r} ({kind}) does not read masked values (set to {junk})",
            function(other),
            want,
            where="pixel",
            inputs=inputs_of(s),
        )
        holes = dataclasses.replace(
            s, stack=np.where(s.bad, np.float32(np.nan), s.stack), bad=np.zeros_like(s.bad)
        )
        compare(
            f"{record!r} ({kind}) takes values that are not finite as masked",
            function(holes),
            want,
            where="pixel",
            inputs=inputs_of(holes),
        )

    each(record, body, junk=st.sampled_from([0.0, 1e15, -1e15, np.nan, np.inf]))


@check("combiner", name="check_constant")
def check_combiner_constant(record: Combiner) -> None:
    """A stack of one constant gives that constant."""

    def body(kind: str, function: Function, s: Stack, value: float) -> None:
        constant = dataclasses.replace(s, stack=np.full_like(s.stack, value))
        got = function(constant)
        compare(
            f"{record!r} ({kind}) gives the constant of a constant stack",
            got,
            np.full_like(got, value),
            rtol=SINGLE,
            where="pixel",
            inputs=inputs_of(constant),
        )

    each(record, body, value=st.floats(0.5, 1024.0, width=32))
    least = record.minimum(options_of(record))
    for n in (least, 1, 2, *MANY):
        for value in (-40.0, 2.5e5):
            for kind, function in functions(record).items():
                body(kind, function, noise(43, (max(n, least), 3, 2)), value)


@check("combiner")
def check_halo(record: Combiner) -> None:
    """Away from the cut by its halo, a tile gives what the whole gives."""
    options = options_of(record)
    halo = int(record.halo(options))
    n, side = max(4, record.minimum(options)), 2 * halo + 9
    s = noise(11, (n, side, side), bad=0.2)
    s.bad[0] = False
    for kind, function in functions(record).items():
        whole = function(s)
        for y, x in np.ndindex(side - 2 * halo, side - 2 * halo):
            cut = (slice(None), slice(y, y + 2 * halo + 1), slice(x, x + 2 * halo + 1))
            tile = dataclasses.replace(s, stack=s.stack[cut], bad=s.bad[cut], weight=s.weight[cut])
            compare(
                f"{record!r} ({kind}) depends on no pixel farther than halo = {halo}",
                function(tile)[halo, halo],
                whole[y + halo, x + halo],
                where=f"pixel [{y + halo}, {x + halo}]",
                inputs=inputs_of(tile),
            )

    _tiles(record, halo, options)


def _tiles(record: Combiner, halo: int, options: CombineOptions) -> None:
    """Compare a wide image with tiles of it, as large as those of a run, of several sizes."""
    rows, columns = 70 + 2 * halo, 131 + 2 * halo
    s = noise(59, (max(4, record.minimum(options)), rows, columns), bad=0.2)
    s.bad[0] = False
    for kind, function in functions(record).items():
        whole = function(s)
        for top, left, h, w in (
            (halo, halo, 33, 64),
            (halo + 33, halo + 64, 37, 67),
            (halo + 5, halo, 64, 40),
        ):
            cut = (slice(None), slice(top - halo, top + h + halo), slice(left - halo, left + w + halo))
            tile = dataclasses.replace(s, stack=s.stack[cut], bad=s.bad[cut], weight=s.weight[cut])
            compare(
                f"{record!r} ({kind}) depends on no pixel farther than halo = {halo}",
                function(tile)[halo : halo + h, halo : halo + w],
                whole[top : top + h, left : left + w],
                where=f"tile of {h} rows, {w} columns of an image of {rows} rows, {columns} columns; pixel",
            )


@check("combiner", traits=["order_free"], name="check_order_free")
def check_combiner_order_free(record: Combiner) -> None:
    """The order of the exposures does not matter, as promised."""

    def body(kind: str, function: Function, s: Stack, seed: int) -> None:
        order = np.random.default_rng(seed).permutation(len(s.stack))
        compare(
            f"{record!r} ({kind}) does not depend on the order of the exposures, here {order.tolist()}",
            function(s.ordered(order)),
            function(s),
            where="pixel",
            inputs=inputs_of(s),
        )

    each(record, body, seed=st.integers(0, 999))


@check("combiner", traits=["sparse"], name="check_sparse")
def check_combiner_sparse(record: Combiner) -> None:
    """Exposures without a good value can be left out, all but the last, as promised."""

    def body(kind: str, function: Function, s: Stack, absent: list[bool]) -> None:
        n = len(s.stack)
        gone = np.array([absent[k % len(absent)] and k < n - 1 for k in range(n)])
        stack, weight, bad = s.stack.copy(), s.weight.copy(), s.bad.copy()
        stack[gone], weight[gone], bad[gone] = 0.0, 0.0, True
        whole = dataclasses.replace(s, stack=stack, weight=weight, bad=bad)
        compare(
            f"{record!r} ({kind}) gives the same without the exposures that have no good value, here {np.flatnonzero(gone).tolist()}",
            function(_left(whole, ~gone)),
            function(whole),
            where="pixel",
            inputs=inputs_of(whole),
        )

    each(record, body, absent=st.lists(st.booleans(), min_size=1, max_size=6))


def _left(s: Stack, chosen: Array) -> Stack:
    """Return some exposures of a run that has all of them."""
    total = len(s.stack)

    class Left(Stack):
        def facts(self) -> dict[str, Any]:
            return {**Stack.facts(self), "n_total": total}

    return Left(**inputs_of(s.ordered(chosen)))


@check("combiner", traits=["linear"], name="check_linear")
def check_combiner_linear(record: Combiner) -> None:
    """The image is linear in the stack, as promised."""

    def body(kind: str, function: Function, s: Stack, factor: float) -> None:
        other = dataclasses.replace(s, stack=np.roll(s.stack, 1, axis=0))
        both = dataclasses.replace(s, stack=s.stack + np.float32(factor) * other.stack)
        want = function(s) + np.float32(factor) * function(other)
        peak = float(np.abs(s.stack).max()) * (1 + abs(factor)) * len(s.stack)
        compare(
            f"{record!r} ({kind}) is linear in the stack",
            function(both),
            want,
            rtol=SINGLE,
            atol=SINGLE * peak,
            where="pixel",
            inputs=inputs_of(s),
        )

    each(record, body, factor=st.sampled_from([1.0, -2.0, 0.5]))


@check("combiner", applies=lambda r: r.fast is not None, name="check_reference_equals_fast")
def check_combiner_reference_equals_fast(record: Combiner) -> None:
    """Compiled and NumPy images agree to a few units in the last place of float32; the zeros are the same."""
    least = record.minimum(options_of(record, nlow=1))

    def one(s: Stack, nlow: int, lthresh: float | None) -> None:
        options, found = options_of(record, nlow=nlow, lthresh=lthresh), functions(record)
        compare(
            f"{record!r}: fast equals reference",
            found["fast"](s, options),
            found["reference"](s, options),
            rtol=min(SINGLE, max(record.tolerance, 0.0)) if record.tolerance == 0.0 else SINGLE,
            zeros=True,
            where="pixel",
            inputs={**inputs_of(s), "options": options},
        )

    small = shapes(rows=st.integers(1, 5), columns=st.integers(1, 5))
    forall(
        one,
        s=stacks(shapes=small, counts=st.integers(max(1, least), 6)),
        nlow=st.integers(0, 1),
        lthresh=st.sampled_from([None, 0.0]),
    )


@check("combiner", name="check_threads")
def check_combiner_threads(record: Combiner) -> None:
    """Eight threads at once get what one gets alone."""
    rng = np.random.default_rng(5)
    n = max(4, record.minimum(options_of(record)))
    made = [
        Stack(
            stack=rng.normal(5, 4, (n, 24, 24)).astype(np.float32),
            bad=rng.random((n, 24, 24)) < 0.2,
            weight=rng.uniform(50, 100, (n, 24, 24)).astype(np.float32),
            exptime=rng.uniform(50, 80, n),
            background=rng.uniform(0, 9, n),
            readnoise=rng.uniform(1, 4, n),
        )
        for _ in range(8)
    ]
    for kind, function in functions(record).items():
        same_from_threads(f"{record!r} ({kind})", [lambda s=s, f=function: f(s) for s in made])  # type: ignore[misc]
