"""Compiled kernels, maps and sums against their references."""

import dataclasses
import inspect
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shipped import shipped

from drizframe.model import Accumulator, ChipInput, PixelMap, PixelScale, Window
from drizframe.pixels import scatter as scattering
from drizframe.pixels import selection
from drizframe.pixels.drizzle import drizzle_chip
from drizframe.stock.kernels.gaussian import GAUSSIAN
from drizframe.stock.kernels.square import SQUARE

KERNELS: list[Any] = shipped("kernel", twins=True)
pytestmark = pytest.mark.skipif(not KERNELS, reason="compiled modules are not there, or switched off")
FAST_SQUARE: Any = SQUARE.fast
every_kernel = pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
QUIET = np.array([(-0.5, 0.5), (0.5, 0.5), (0.5, -0.5), (-0.5, -0.5)])

numbers = st.floats(-4.0, 4.0)


@st.composite
def transforms(draw):
    """Affine maps of any orientation and handedness, bent a little or much."""
    angle, stretch = draw(st.floats(0.0, 6.3)), draw(st.sampled_from([0.3, 1.0, 1.7]))
    flip, bend = draw(st.sampled_from([-1.0, 1.0])), draw(st.sampled_from([0.0, 1e-3, 0.05]))
    tx, ty = draw(numbers) + 12.0, draw(numbers) + 12.0
    c, s = stretch * np.cos(angle), stretch * np.sin(angle)

    def transform(x, y):
        u, v = flip * (x - 5.0), y - 4.0
        return c * u - s * v + bend * u * v + tx, s * u + c * v - bend * u * u + ty

    return transform


@st.composite
def scenes(draw):
    """A map of one of three kinds, a chip on it, and a window."""
    shape = draw(st.tuples(st.integers(2, 12), st.integers(2, 12)))
    transform, kind = draw(transforms()), draw(st.sampled_from(["table", "function", "pixmap"]))
    pixmap = (
        PixelMap.from_table(transform, shape, 3.0)
        if kind == "table"
        else PixelMap.from_function(transform, shape)
    )
    rng = np.random.default_rng(draw(st.integers(0, 1 << 16)))
    if kind == "pixmap":
        full = np.stack(pixmap.grid(*(np.arange(n, dtype=float) for n in shape[::-1])), axis=-1)
        full[rng.random(full.shape) < 0.03] = draw(st.sampled_from([np.nan, np.inf, 1e30]))
        pixmap = PixelMap.from_pixmap(full)
    dtype = draw(st.sampled_from([">f4", "f4", "f8", "i4", ">i2", "u1"]))
    data = (rng.random(shape) * 200).astype(dtype)
    if data.dtype.kind == "f":
        data[rng.random(shape) < 0.1] = draw(st.sampled_from([np.nan, -np.inf, 0.0]))
    weight = draw(st.sampled_from([None, rng.random(shape) * (rng.random(shape) < 0.7)]))
    chip = ChipInput(
        data=[data, rng.random(shape)], weight=weight, number=draw(st.integers(1, 40)), pixmap=pixmap,
        scale=draw(st.sampled_from([0.5, 1.0, 1.3, PixelScale(0.8, 0.5, 1.4)])), offset=2.0, factor=0.5, variances=[rng.random(shape)],
        dq=rng.integers(0, 1 << 15, shape).astype(draw(st.sampled_from(["i2", ">i2", "u4", "i8"]))),
    )  # fmt: skip
    y0, x0 = draw(st.integers(-3, 8)), draw(st.integers(-3, 8))
    return chip, Window(y0, y0 + draw(st.integers(0, 25)), x0, x0 + draw(st.integers(0, 25)))


@every_kernel
@settings(max_examples=40)
@given(scene=scenes(), pixfrac=st.sampled_from([0.0, 0.4, 1.0, 1.5]), skip_zero=st.booleans())
def test_sums_agree(kernel, scene, pixfrac, skip_zero):
    chip, window = scene
    backends: tuple[Literal["cython", "reference"], ...] = ("cython", "reference")
    fast, slow = (Accumulator(window=window, layers=2, variances=1, planes=2, dq=True) for _ in range(2))
    found = [
        drizzle_chip(acc, chip, kernel, pixfrac=pixfrac, backend=backend, skip_zero=skip_zero)
        for acc, backend in zip((fast, slow), backends, strict=True)
    ]
    # exp() of NumPy may differ by one bit; the compiled square sums in another order
    other_order = kernel.tolerance > 0.0 and pixfrac > 0.001
    for name in ("weight", "total", "squared"):
        peak = np.abs(getattr(slow, name)).max(initial=0.0)
        rtol, atol = (kernel.tolerance, 0.1 * kernel.tolerance * peak) if other_order else (0.0, 0.0)
        np.testing.assert_allclose(
            getattr(fast, name), getattr(slow, name), rtol=rtol, atol=atol, err_msg=name
        )
    if kernel is SQUARE or not other_order:
        assert found[0] == found[1]
        for name in ("last", "context", "flags"):
            np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name), err_msg=name)


@every_kernel
@settings(max_examples=40)
@given(
    seed=st.integers(0, 1 << 16), n=st.integers(0, 20), shape=st.tuples(st.integers(0, 7), st.integers(0, 7)),
    spread=st.sampled_from([0.1, 1.0, 30.0, 1e20]), pixfrac=st.floats(0.01, 2.0),
    scale=st.floats(0.2, 3.0) | st.builds(PixelScale, st.floats(0.2, 3.0), st.floats(0.2, 3.0), st.floats(0.2, 3.0)),
)  # fmt: skip
def test_weights_agree_on_any_window(kernel, seed, n, shape, spread, pixfrac, scale):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(0, 5, n) + 1000, rng.normal(0, 5, n)
    corners = (
        np.stack([x, y], -1)[:, None]
        + QUIET * rng.choice([-1, 1], n)[:, None, None]
        + rng.normal(0, spread, (n, 4, 2))
    )
    corners[rng.random(n) < 0.1, 0] = rng.choice([np.nan, np.inf, 1e300])
    x0, y0 = np.floor(x).astype(int) - rng.integers(0, 4, n), np.floor(y).astype(int) - rng.integers(0, 4, n)
    with np.errstate(all="ignore"):
        fast, slow = (
            f(x, y, corners, x0, y0, shape, pixfrac=pixfrac, scale=scale)
            for f in (kernel.fast, kernel.reference)
        )
    assert fast.shape == slow.shape == (n, *shape)
    assert np.isfinite(fast).all()
    atol = np.full((n, 1, 1), 1e-300 if kernel is GAUSSIAN else 0.0)
    if kernel is SQUARE:  # the area that rounding can move, over that of the quadrilateral
        atol[:, 0, 0] = 2e-14 / np.maximum(area_of(corners), 1e-300)
    np.testing.assert_array_less(np.abs(fast - slow), atol + kernel.tolerance * np.abs(slow) + 1e-310)


def area_of(corners):
    """Area of quadrilaterals, 0 where it is not finite."""
    u, v = corners[..., 0], corners[..., 1]
    with np.errstate(all="ignore"):
        area = 0.5 * np.abs(
            (u[:, 1] - u[:, 3]) * (v[:, 0] - v[:, 2]) - (u[:, 0] - u[:, 2]) * (v[:, 1] - v[:, 3])
        )
    return np.where(np.isfinite(area), area, 0.0)


@every_kernel
def test_fast_and_reference_have_one_signature(kernel):
    names = [list(inspect.signature(f).parameters) for f in (kernel.fast, kernel.reference)]
    assert names[0] == names[1]


@every_kernel
def test_compiled_kernels_take_read_only_and_strided_input(kernel):
    x, y = np.arange(40.0)[::2], np.arange(40.0)[::-2]
    corners = np.stack([x, y], -1)[:, None] + QUIET
    corners.flags.writeable = False
    x0, y0 = np.arange(40)[::2] - 1, np.arange(40)[::-2].astype(np.int32) - 1
    fast, slow = (
        f(x, y, corners, x0, y0, (3, 3), pixfrac=1.0, scale=1.0) for f in (kernel.fast, kernel.reference)
    )
    np.testing.assert_allclose(fast, slow, rtol=1e-12)


@settings(max_examples=60)
@given(
    transform=transforms(), shape=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    step=st.sampled_from([0.7, 4.0, 10.0, 100.0]),
    full=st.booleans(), seed=st.integers(0, 99),
)  # fmt: skip
def test_maps_agree_to_the_bit(transform, shape, step, full, seed):
    rng = np.random.default_rng(seed)
    pixmap = PixelMap.from_table(transform, shape, step)
    if full:
        positions = np.stack(
            PixelMap.from_function(transform, shape).grid(*(np.arange(n, dtype=float) for n in shape[::-1])),
            -1,
        )
        positions[rng.random(positions.shape) < 0.05] = np.nan
        pixmap = PixelMap.from_pixmap(positions)
    x, y = (
        rng.uniform(-1, shape[1], 9),
        np.append(np.arange(shape[0]) - 0.5, rng.uniform(-3, shape[0] + 3, 3)),
    )
    with np.errstate(invalid="ignore"):
        for fast, slow in zip(pixmap.grid(x, y), pixmap.grid(x, y, fast=False), strict=True):
            np.testing.assert_array_equal(fast, slow)


def test_compiled_modules_are_there():
    assert [k.name for k in KERNELS] == [k.name for k in shipped("kernel")]
    assert scattering.compiled is not None
    assert selection.compiled is not None
    for module, names in ((selection, ["near_centres", "near_quads"]), (scattering, ["scatter"])):
        for name in names:
            twins = [list(inspect.signature(getattr(m, name)).parameters) for m in (module, module.compiled)]
            assert twins[0] == twins[1]


@settings(max_examples=60)
@given(st.integers(0, 1 << 16), st.integers(0, 6), st.integers(0, 6), st.sampled_from([0.0, 1.7, 4.0]))
def test_selections_agree(seed, rows, columns, radius):
    rng = np.random.default_rng(seed)
    window = (-2, 5, 3, 9)
    x, y = rng.normal(3, 6, (2, rows, columns))
    x[rng.random(x.shape) < 0.1] = rng.choice([np.nan, np.inf, 1e200])
    results = [m.near_centres(x, y, radius, window) for m in (selection, selection.compiled)]
    for stride in (1, 2):
        size = (rows + 1, columns + 1) if stride == 1 else (2 * rows, 2 * columns)
        cx, cy = rng.normal(3, 6, (2, *size))
        cx[rng.random(size) < 0.05] = rng.choice([np.nan, -np.inf, -1e200])
        if rows and columns:
            results += [m.near_quads(x, y, cx, cy, stride, window) for m in (selection, selection.compiled)]
    for slow, fast in zip(results[::2], results[1::2], strict=True):
        for a, b in zip(slow, fast, strict=True):
            assert (a is None) == (b is None)
            if a is not None:
                np.testing.assert_array_equal(a, b)


def clipped_area(corners, left, bottom):
    """Area of a convex polygon inside a unit square, by clipping: another way than the kernel's."""
    points = [tuple(p) for p in corners]
    for axis, limit, sign in ((0, left, 1), (0, left + 1, -1), (1, bottom, 1), (1, bottom + 1, -1)):
        kept = []
        for p, q in zip(points, points[1:] + points[:1], strict=True):
            a, b = sign * (p[axis] - limit), sign * (q[axis] - limit)
            if a >= 0:
                kept.append(p)
            if (a >= 0) != (b >= 0):
                t = a / (a - b)
                kept.append(tuple(u + t * (v - u) for u, v in zip(p, q, strict=True)))
        points = kept
    return (
        0.5
        * abs(sum(p[0] * q[1] - p[1] * q[0] for p, q in zip(points, points[1:] + points[:1], strict=True)))
        if points
        else 0.0
    )


@settings(max_examples=60)
@given(st.integers(0, 1 << 16), st.sampled_from([1e-9, 1e-4, 0.3]), st.sampled_from([-1.0, 1.0]))
def test_square_is_the_area_that_polygon_clipping_finds(seed, spread, flip):
    rng = np.random.default_rng(seed)
    corners = (
        QUIET * [flip, 1.0] * rng.uniform(0.3, 2.0) + rng.normal(0, spread, (4, 2)) + rng.uniform(3, 5, 2)
    )[None]
    u, v = corners[0, :, 0], corners[0, :, 1]
    turns = [
        (u[k - 2] - u[k - 3]) * (v[k - 1] - v[k - 2]) - (v[k - 2] - v[k - 3]) * (u[k - 1] - u[k - 2])
        for k in range(4)
    ]
    if not (min(turns) > 0 or max(turns) < 0):  # clipping is right for convex quadrilaterals only
        return
    zero = np.zeros(1, dtype=np.intp)
    found = FAST_SQUARE(
        zero.astype(float), zero.astype(float), corners, zero, zero, (9, 9), pixfrac=1.0, scale=1.0
    )[0]
    whole = 0.5 * abs((u[1] - u[3]) * (v[0] - v[2]) - (u[0] - u[2]) * (v[1] - v[3]))
    want = (
        np.array([[clipped_area(corners[0], i - 0.5, j - 0.5) for i in range(9)] for j in range(9)]) / whole
    )
    np.testing.assert_allclose(found, want, atol=3e-14 / whole)
    assert found.sum() == pytest.approx(1.0, rel=1e-12)


def test_concave_and_degenerate_quadrilaterals():
    """A dart has its area; a line, a point and a bow-tie of no net area touch nothing."""
    dart = [(0.0, 0.0), (4.0, 0.0), (1.0, 1.0), (0.0, 4.0)]
    line = [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]
    tie = [(0.0, 0.0), (2.0, 2.0), (2.0, 0.0), (0.0, 2.0)]
    quads = np.array([dart, line, [(1.0, 1.0)] * 4, tie])
    zero = np.zeros(4, dtype=np.intp)
    for function in (FAST_SQUARE, SQUARE.reference):
        weights = function(
            zero.astype(float), zero.astype(float), quads, zero, zero, (6, 6), pixfrac=1.0, scale=1.0
        )
        assert weights[0].sum() == pytest.approx(1.0, rel=1e-12)
        assert not weights[1:].any()


@every_kernel
@pytest.mark.parametrize("scale", [0.8, PixelScale(0.8, 0.5, 1.3)], ids=["square", "oblong"])
def test_one_pass_gives_the_bits_of_three_steps(kernel, scale):
    """Kernels with a compiled body take another way through the driver; a copy without it takes the general one."""
    plain = dataclasses.replace(kernel, block=None)
    rng = np.random.default_rng(2)
    shape = (40, 50)
    pixmap = PixelMap.from_table(lambda x, y: (0.9 * x - 0.4 * y + 20, 0.4 * x + 0.9 * y), shape, 10.0)
    chip = ChipInput(
        data=[rng.random(shape)], weight=rng.random(shape) > 0.2, number=3, pixmap=pixmap, scale=scale
    )
    for window in (Window(0, 60, 0, 60), Window(7, 9, 20, 21)):
        sums = [Accumulator(window=window, planes=1) for _ in range(2)]
        found = [drizzle_chip(a, chip, k, pixfrac=0.9) for a, k in zip(sums, (kernel, plain), strict=True)]
        assert found[0] == found[1]
        for name in ("weight", "total", "last", "context"):
            np.testing.assert_array_equal(getattr(sums[0], name), getattr(sums[1], name))


def test_neighbours_that_merely_touch_get_nothing():
    """Rounding in the overlap of a turned square with pixels beside it does not count as touching."""
    rng = np.random.default_rng(4)
    angle = rng.uniform(0, 6.3, 500)
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], axis=1).reshape(-1, 2, 2)
    quads = np.einsum("nij,kj->nki", turn, QUIET) + 1000.0 + rng.uniform(-0.5, 0.5, (500, 1, 2))
    zero = np.full(500, 997)
    for function in (FAST_SQUARE, SQUARE.reference):
        weights = function(zero * 1.0, zero * 1.0, quads, zero, zero, (7, 7), pixfrac=1.0, scale=1.0)
        assert weights[weights != 0].min() > 1e-14
        np.testing.assert_allclose(weights.sum(axis=(1, 2)), 1.0, rtol=1e-12)
