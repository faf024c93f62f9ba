"""Checks of interpolators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from drizframe.hooks import Interpolator
from drizframe.pixels.interpolator_forms import sums_of, values_of
from drizframe.pixels.profiles import TOLERANCE
from drizframe.testing.checking import (
    check,
    forall,
    frozen_copy,
    same_from_threads,
    strided,
    untouched,
)
from drizframe.testing.checks.own_options import own_options
from drizframe.testing.failure import CheckFailure, compare, require
from drizframe.testing.strategies import images, shapes

__all__: list[str] = []

Array = np.ndarray[Any, Any]
FILL = -77.0
#: Relative rounding of float64 sums over a stencil, as a fraction of the largest pixel.
ROUNDING = 1e-9


def options_of(record: Any) -> dict[str, Any]:
    """Return the keywords that a component with own options is called with: its defaults, or what was given."""
    return {} if record.options_model is None else {"plugin": own_options(record)}


def functions(record: Interpolator) -> dict[str, Callable[..., Array]]:
    """Return ``f(image, x, y, fill=FILL)`` for every implementation."""

    def bind(backend: Any) -> Callable[..., Array]:
        function = values_of(record, backend=backend)

        def call(image: Array, x: Array, y: Array, fill: float = FILL) -> Array:
            return np.asarray(function(image, x, y, fill=fill, **options_of(record)))

        return call

    return {kind: bind(backend) for kind, backend in backends_of(record).items()}


def backends_of(record: Interpolator) -> dict[str, str]:
    """Return how each implementation is asked for; weights of pixels always have both."""
    weights = record.profile is not None or record.point is not None
    return {"reference": "reference"} | ({"fast": "auto"} if weights or record.fast is not None else {})


def positions(
    shape: tuple[int, int], fractions: list[tuple[float, float]], *, beyond: bool = True
) -> tuple[Array, Array]:
    """Turn pairs of fractions (0 … 1) into positions on the image; `beyond` the centres of the last pixels as well."""
    p = np.array(fractions, dtype=np.float64).reshape(-1, 2)
    size = [n - 1 / 1024 if beyond else n - 1 for n in shape]
    # multiples of 1/1024 pixel: whole-pixel shifts of positions are exact
    x, y = (np.floor(p[:, k] * size[1 - k] * 1024) / 1024 for k in (0, 1))
    return x, y


FRACTIONS = st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)), min_size=1, max_size=6)
SMALL = shapes(rows=st.integers(1, 12), columns=st.integers(1, 12))
NATIVE = st.sampled_from(["f4", "f8"])


def each(record: Interpolator, body: Callable[..., None], *, beyond: bool = True, **more: Any) -> None:
    """Call ``body(kind, function, image, x, y)`` for drawn images and positions, and every implementation."""

    def one(image: Array, where: list[tuple[float, float]], **drawn: Any) -> None:
        x, y = positions(image.shape, where, beyond=beyond)
        for kind, function in functions(record).items():
            body(kind, function, image, x, y, **drawn)

    forall(one, image=more.pop("image", images(shapes=SMALL, dtypes=NATIVE)), where=FRACTIONS, **more)


@check("interpolator", name="check_shape_and_type")
def check_interpolator_shape_and_type(record: Interpolator) -> None:
    """One float64 value for each position; finite inside the image; `fill` outside and where a position is not finite."""

    def body(kind: str, function: Callable[..., Array], image: Array, x: Array, y: Array) -> None:
        what = f"{record!r} ({kind}) gives one float64 value for each position"
        inputs = {"image": image, "x": x, "y": y}
        got = function(image, x, y)
        require(got.shape == x.shape, what, expected=x.shape, got=got.shape, where="shape", inputs=inputs)
        require(
            got.dtype == np.float64, what, expected="float64", got=str(got.dtype), where="type", inputs=inputs
        )
        require(
            bool(np.isfinite(got).all()),
            what,
            expected="finite values",
            got=got,
            where="inside",
            inputs=inputs,
        )
        ny, nx = image.shape
        ox = np.array([-0.1, nx, nx + 1e9, np.nan, np.inf, 0.0, 0.0, -np.inf, -1e300])
        oy = np.array([0.0, 0.0, 0.0, 0.0, 0.0, -0.1, ny, np.nan, 0.0])
        for fill in (FILL, 0.0, np.nan):
            compare(
                f"{record!r} ({kind}) gives fill outside of 0 <= x < nx, 0 <= y < ny",
                function(image, ox, oy, fill),
                np.full(ox.shape, fill),
                inputs={"image": image, "x": ox, "y": oy, "fill": fill},
            )

    each(record, body)


@check("interpolator", name="check_inputs_untouched")
def check_interpolator_inputs_untouched(record: Interpolator) -> None:
    """Image and positions are not changed."""

    def body(kind: str, function: Callable[..., Array], image: Array, x: Array, y: Array) -> None:
        with untouched(f"{record!r} ({kind})", image=image, x=x, y=y):
            function(image, x, y)

    each(record, body)


@check("interpolator", name="check_any_layout")
def check_interpolator_any_layout(record: Interpolator) -> None:
    """Read-only and strided arrays give the same; through the engine, big-endian images do."""
    from drizframe.pixels.blot import blot_chip
    from drizframe.testing.strategies import affine_map

    def body(kind: str, function: Callable[..., Array], image: Array, x: Array, y: Array) -> None:
        want, inputs = function(image, x, y), {"image": image, "x": x, "y": y}
        for layout, change in (("read-only", frozen_copy), ("strided", strided)):
            got = function(change(image), change(x), change(y))
            compare(f"{record!r} ({kind}) takes {layout} arrays", got, want, inputs=inputs)
        pixmap = affine_map((3, 3), shift=(0.25, 0.25))
        native, swapped = (
            blot_chip(i, pixmap, record, factor=1.0, options=options_of(record))
            for i in (image, image.astype(image.dtype.newbyteorder(">")))
        )
        compare(f"{record!r} gives the same for big-endian images", swapped, native, inputs={"image": image})

    each(record, body)


@check("interpolator")
def check_axes(record: Interpolator) -> None:
    """Along columns runs x, along rows y: a bright patch is found where it is, not at the mirrored place."""
    r = max(int(record.reach), 1)
    x, y = float(3 * r + 2), float(r)
    size = 5 * r + 5
    image = np.zeros((size, size))
    image[: 2 * r + 1, int(x) - r : int(x) + r + 1] = 1.0
    for kind, function in functions(record).items():
        full = function(np.ones_like(image), np.array([x]), np.array([y]))[0]
        empty = function(np.zeros_like(image), np.array([y]), np.array([x]))[0]
        got = function(image, np.array([x, y]), np.array([y, x]))
        compare(
            f"{record!r} ({kind}) takes (x, y) as (column, row): image[y, x] is 1 around the first position, 0 around the second",
            got,
            np.array([full, empty]),
            atol=ROUNDING,
            where=f"positions (x, y) = ({x:g}, {y:g}) and ({y:g}, {x:g})",
            inputs={
                "bright pixels": f"rows 0 to {2 * r}, columns {int(x) - r} to {int(x) + r} of {image.shape}"
            },
        )


@check("interpolator", name="check_constant")
def check_interpolator_constant(record: Interpolator) -> None:
    """A constant image has that value everywhere."""

    def body(
        kind: str, function: Callable[..., Array], image: Array, x: Array, y: Array, value: float
    ) -> None:
        constant = np.full(image.shape, value)
        compare(
            f"{record!r} ({kind}) reproduces a constant image",
            function(constant, x, y),
            np.full(x.shape, value),
            rtol=ROUNDING,
            where="position",
            inputs={"shape": image.shape, "value": value, "x": x, "y": y},
        )

    each(record, body, value=st.floats(0.5, 1e4))


@check("interpolator", name="check_whole_pixel_shifts")
def check_interpolator_whole_pixel_shifts(record: Interpolator) -> None:
    """A shift of image and positions by whole pixels changes nothing away from edges."""
    r = int(record.reach) + 1

    def body(
        kind: str, function: Callable[..., Array], image: Array, x: Array, y: Array, shift: tuple[int, int]
    ) -> None:
        dx, dy = shift
        first, second = (
            np.zeros((image.shape[0] + 2 * r + 5, image.shape[1] + 2 * r + 5), dtype=image.dtype)
            for _ in (0, 1)
        )
        ny, nx = image.shape
        first[r : r + ny, r : r + nx] = image
        second[r + dy : r + dy + ny, r + dx : r + dx + nx] = image
        compare(
            f"{record!r} ({kind}) commutes with shifts by whole pixels, here {shift}",
            function(second, x + r + dx, y + r + dy),
            function(first, x + r, y + r),
            rtol=ROUNDING,
            atol=ROUNDING * float(np.abs(image).max()),
            where="position",
            inputs={"image": first, "x": x + r, "y": y + r},
        )

    each(record, body, shift=st.tuples(st.integers(0, 4), st.integers(0, 4)))


@check("interpolator")
def check_reach(record: Interpolator) -> None:
    """Pixels farther than `reach` from a position do not matter, because the engine cuts them away."""
    r = int(record.reach)

    def body(kind: str, function: Callable[..., Array], image: Array, x: Array, y: Array) -> None:
        size = 2 * r + 6
        big = np.resize(image, (size, size)).astype(np.float64)
        px, py = (np.floor(v * 1024 % 1024) / 1024 + r + 2 for v in (x, y))
        far = np.full((size, size), True)
        far[2 : 2 * r + 4, 2 : 2 * r + 4] = False  # within reach of floor and ceil of every position
        want = function(big, px, py)
        for far_values, what in ((1e6 - big, "other values"), (np.nan, "no numbers")):
            compare(
                f"{record!r} ({kind}) does not depend on pixels farther than reach = {r}",
                function(np.where(far, far_values, big), px, py),
                want,
                where=f"{what} beyond reach, position",
                inputs={"image": big, "x": px, "y": py},
            )

    each(record, body)


@check("interpolator", traits=["linear"], name="check_linear")
def check_interpolator_linear(record: Interpolator) -> None:
    """Values are linear in the image, as promised."""

    def body(
        kind: str, function: Callable[..., Array], image: Array, x: Array, y: Array, factor: float
    ) -> None:
        a = image.astype(np.float64)
        b = np.roll(a, 1)[::-1]
        got, want = function(a + factor * b, x, y), function(a, x, y) + factor * function(b, x, y)
        peak = float(np.abs(a).max()) * (1 + abs(factor))
        compare(
            f"{record!r} ({kind}) is linear in the image",
            got,
            want,
            rtol=ROUNDING,
            atol=ROUNDING * peak,
            where="position",
            inputs={"a": a, "b": b, "factor": factor, "x": x, "y": y},
        )

    each(record, body, factor=st.sampled_from([1.0, -2.0, 0.5]))


@check("interpolator", traits=["rotation_invariant"], name="check_rotation_invariant")
def check_interpolator_rotation_invariant(record: Interpolator) -> None:
    """Values turn with the image by 90 degrees, as promised."""

    def body(kind: str, function: Callable[..., Array], image: Array, x: Array, y: Array) -> None:
        turned = np.rot90(image)
        got = function(turned, y, image.shape[1] - 1 - x)
        compare(
            f"{record!r} ({kind}) turns with the image by 90 degrees",
            got,
            function(image, x, y),
            rtol=ROUNDING,
            atol=ROUNDING * float(np.abs(image).max()),
            where="position",
            inputs={"image": image, "x": x, "y": y},
        )

    each(record, body, beyond=False)  # turned, what lies beyond the last column is before the first


def _table_error(record: Interpolator) -> float:
    """Return the largest error that tables may cause, as a fraction of the largest pixel."""
    if record.profile is None or record.support is None:
        return 0.0
    sums, peak = sums_of(record.profile, record.support)
    # each weight is wrong by at most TOLERANCE of the peak, in the sum of values and in that of weights
    pixels = (2 * record.reach + 1) ** 2
    return float(2.0 * TOLERANCE * pixels * peak / np.abs(sums).min())


@check("interpolator", applies=lambda r: len(backends_of(r)) > 1, name="check_reference_equals_fast")
def check_interpolator_reference_equals_fast(record: Interpolator) -> None:
    """Compiled and NumPy values agree to the record's tolerance."""

    def one(image: Array, where: list[tuple[float, float]]) -> None:
        x, y = positions(image.shape, where)
        found = functions(record)
        # sums cancel: rounding is a fraction of the largest pixel, not of the value
        peak = float(np.abs(image).max())
        compare(
            f"{record!r}: fast equals reference",
            found["fast"](image, x, y),
            found["reference"](image, x, y),
            rtol=record.tolerance,
            atol=(10 * record.tolerance + _table_error(record)) * peak,
            where="position",
            inputs={"image": image, "x": x, "y": y},
        )

    forall(one, image=images(shapes=SMALL, dtypes=NATIVE), where=FRACTIONS)


@check("interpolator", name="check_threads")
def check_interpolator_threads(record: Interpolator) -> None:
    """Eight threads at once get what one gets alone."""
    rng = np.random.default_rng(3)
    inputs = [(rng.normal(size=(20, 20)), rng.uniform(0, 19, 60), rng.uniform(0, 19, 60)) for _ in range(8)]
    for kind, function in functions(record).items():
        calls = [lambda a=a, f=function: f(*a) for a in inputs]
        try:
            same_from_threads(f"{record!r} ({kind})", calls)
        except CheckFailure as failure:
            failure.inputs.update(images="8 images of normal noise, 20 by 20 pixels", positions="60 each")
            raise
