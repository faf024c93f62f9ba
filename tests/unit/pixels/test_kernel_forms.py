"""Kernels written as a profile or as a point function."""

import ctypes

import numpy as np
import pytest
from scipy import LowLevelCallable
from shipped import COMPILED

from drizframe.errors import HookError, PluginError
from drizframe.hooks import Kernel, PointFunction
from drizframe.model import Accumulator, ChipInput, PixelMap, Window
from drizframe.pixels import blocks, profiles
from drizframe.pixels.drizzle import drizzle_chip
from drizframe.stock.kernels.gaussian import GAUSSIAN

SHAPE = (30, 34)


def bell(dx, dy, *, pixfrac):
    e = 2.3548**2 / (2.0 * pixfrac**2)
    return e / np.pi * np.exp(-e * (dx * dx + dy * dy))


def round_tail(dx, dy, *, pixfrac):
    return (1.0 + (dx * dx + dy * dy) / pixfrac**2) ** -2.5


def skew(dx, dy, *, pixfrac):
    return np.exp(-2.0 * (dx * dx + dy * dy + 0.5 * dx * dy) / pixfrac**2)


def hat(dx, dy, *, pixfrac):
    return np.maximum(0.0, 1 - np.abs(dx) / pixfrac) * np.maximum(0.0, 1 - np.abs(dy) / pixfrac) / pixfrac**2


def disc(dx, dy, *, pixfrac):
    return (np.hypot(dx, dy) < 0.5 * pixfrac).astype(float)


def wide(pixfrac):
    return 1.2 * pixfrac


def transform(x, y):
    return 0.8 * x - 0.6 * y + 25.0, 0.6 * x + 0.8 * y + 4.0


def drizzled(kernel, *, backend="auto", pixfrac=0.9, scale=1.0, window=None):
    acc = Accumulator(window=window or Window(0, 60, 0, 60))
    data = np.random.default_rng(3).normal(size=SHAPE)
    chip = ChipInput(
        data=[data], weight=None, number=1, pixmap=PixelMap.from_function(transform, SHAPE), scale=scale
    )
    drizzle_chip(acc, chip, kernel, pixfrac=pixfrac, backend=backend)
    return acc


@pytest.mark.parametrize(
    ("profile", "form"), [(bell, "product"), (hat, "product"), (round_tail, "rounded"), (skew, "surface")]
)
@pytest.mark.parametrize(("pixfrac", "scale"), [(1.0, 1.0), (0.7, 0.5)])
@COMPILED
def test_tables_are_good_to_a_millionth_of_the_peak(profile, form, pixfrac, scale):
    kernel = Kernel(name="mine", summary="Mine.", profile=profile, support=wide)
    table = profiles.tabulate(kernel, wide(pixfrac), "Advice.", pixfrac=pixfrac)
    assert table.form == form
    assert table.error <= profiles.TOLERANCE
    rng = np.random.default_rng(0)
    x, y = rng.uniform(3, 5, (2, 400))
    zero = np.zeros(400, dtype=np.intp)
    want = profiles.exact(profile, wide(pixfrac), x, y, zero, zero, (9, 9), pixfrac=pixfrac, scale=scale)
    peak = float(np.max(profile(np.linspace(-1, 1, 999), np.zeros(999), pixfrac=pixfrac))) * scale**2
    assert np.abs(table.weigh(x, y, zero, zero, (9, 9), scale) - want).max() <= 1.01e-6 * peak
    plain = getattr(profiles, form)(x, y, zero, zero, (9, 9), *table.parts, table.support, scale)
    fast = getattr(profiles.compiled, form)(x, y, zero, zero, (9, 9), *table.parts, table.support, scale)
    np.testing.assert_allclose(fast, plain, rtol=1e-12, atol=1e-14)


def test_a_gaussian_profile_is_the_gaussian_kernel():
    kernel = Kernel(
        name="bell",
        summary="A Gaussian.",
        profile=bell,
        support=lambda pixfrac: max(2.5 * pixfrac / 2.3548, 1.2) + 1.0,
    )
    window = Window(20, 40, 15, 35)
    a, b = drizzled(kernel, pixfrac=1.0, window=window), drizzled(GAUSSIAN, pixfrac=1.0, window=window)
    np.testing.assert_allclose(a.weight, b.weight, rtol=0.0, atol=2e-4)  # the stock kernel is cut at 1.2


@pytest.mark.parametrize("profile", [bell, skew])
def test_tiles_and_backends_agree(profile):
    kernel = Kernel(name="mine", summary="Mine.", profile=profile, support=wide)
    once, exact = drizzled(kernel), drizzled(kernel, backend="reference")
    np.testing.assert_allclose(once.weight, exact.weight, atol=1e-5)
    tile = drizzled(kernel, window=Window(11, 29, 7, 30))
    np.testing.assert_array_equal(tile.weight, once.weight[11:29, 7:30])


def test_a_jump_is_refused_with_advice():
    kernel = Kernel(name="disc", summary="A disc.", profile=disc, support=wide)
    with pytest.raises(PluginError, match=r"'disc'.*footprint"):
        drizzled(kernel)


def broken(profile):
    return Kernel(name="broken", summary="Broken.", profile=profile, support=wide)


def test_profiles_that_misbehave_are_named():
    with pytest.raises(PluginError, match=r"broken.*returned nan at .*finite"):
        profiles.tabulate(broken(lambda dx, dy, *, pixfrac: dx * np.nan), 1.0, "", pixfrac=1.0)
    with pytest.raises(PluginError, match="shape"):
        profiles.tabulate(broken(lambda dx, dy, *, pixfrac: np.zeros(3)), 1.0, "", pixfrac=1.0)
    with pytest.raises(PluginError, match="support"):
        profiles.tabulate(broken(bell), 0.0, "", pixfrac=1.0)
    with pytest.raises(PluginError, match="0 everywhere"):
        profiles.tabulate(broken(lambda dx, dy, *, pixfrac: np.zeros(dx.shape)), 1.0, "", pixfrac=1.0)


def point_kernel(function, radius=1.0, **more):
    code = PointFunction(function)
    kernel = Kernel(
        name="mine",
        summary="Mine.",
        point=LowLevelCallable(code),
        support=lambda pixfrac, scale: radius,
        **more,
    )
    return kernel, code


def bilinear(x, y, jac, pixfrac, scale, x0, y0, nx, ny, w, capacity, user):
    """The four nearest pixels, linearly."""
    i, j = int(np.floor(x)), int(np.floor(y))
    x0[0], y0[0], nx[0], ny[0] = i, j, 2, 2
    for k, v in enumerate(
        ((1 - x + i) * (1 - y + j), (x - i) * (1 - y + j), (1 - x + i) * (y - j), (x - i) * (y - j))
    ):
        w[k] = v
    return 0


@pytest.mark.parametrize("backend", ["auto", "reference"])
def test_point_functions_give_weights(backend):
    kernel, code = point_kernel(bilinear)
    acc = drizzled(kernel, backend=backend)
    assert code is not None
    assert acc.weight.sum() == pytest.approx(SHAPE[0] * SHAPE[1], rel=1e-12)
    profile = Kernel(name="hat", summary="The same.", profile=hat, support=wide)
    np.testing.assert_allclose(acc.weight, drizzled(profile, pixfrac=1.0).weight, atol=1e-5)
    tile = drizzled(kernel, backend=backend, window=Window(11, 29, 7, 30))
    np.testing.assert_array_equal(tile.weight, acc.weight[11:29, 7:30])


@pytest.mark.parametrize("backend", ["auto", "reference"])
def test_point_functions_get_the_derivatives_and_enough_room(backend):
    seen, asked = [], []

    def greedy(x, y, jac, pixfrac, scale, x0, y0, nx, ny, w, capacity, user):
        seen.append(tuple(jac[k] for k in range(4)))
        if capacity < 21 * 21:
            asked.append(capacity)
            return 21 * 21
        x0[0], y0[0], nx[0], ny[0] = round(x) - 10, round(y) - 10, 21, 21
        for k in range(21 * 21):
            w[k] = 1.0 / 441
        return 0

    kernel, _code = point_kernel(greedy, radius=12.0)
    acc = drizzled(kernel, backend=backend, window=Window(-40, 120, -40, 120))
    assert asked == [256] * len(asked)
    assert asked
    np.testing.assert_allclose(seen, np.tile([0.8, -0.6, 0.6, 0.8], (len(seen), 1)), atol=1e-12)
    assert acc.weight.sum() == pytest.approx(SHAPE[0] * SHAPE[1], rel=1e-9)


@pytest.mark.parametrize("backend", ["auto", "reference"])
def test_point_functions_that_misbehave_are_named(backend):
    kernel, _code = point_kernel(lambda *a: -7)
    with pytest.raises(PluginError, match="returned -7"):
        drizzled(kernel, backend=backend)
    for value in (np.nan, np.inf):

        def spoilt(x, y, jac, pixfrac, scale, x0, y0, nx, ny, w, capacity, user, value=value):
            x0[0], y0[0], nx[0], ny[0] = round(x), round(y), 1, 1
            w[0] = value
            return 0

        kernel, _code1 = point_kernel(spoilt)
        with pytest.raises(PluginError, match="not finite for the pixel at"):
            drizzled(kernel, backend=backend)

    def far(x, y, jac, pixfrac, scale, x0, y0, nx, ny, w, capacity, user):
        x0[0], y0[0], nx[0], ny[0] = -(1 << 31), round(y), 1, 1
        return 0

    kernel, _code1 = point_kernel(far)
    with pytest.raises(PluginError, match="outside of its support"):
        drizzled(kernel, backend=backend)
    small, _code2 = point_kernel(bilinear, radius=0.1)
    with pytest.raises(PluginError, match="outside of its support"):
        drizzled(small, backend=backend)


def test_other_c_types_are_refused():
    plain = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(lambda v: v)
    for wrong, words in ((LowLevelCallable(plain), "C type"), (print, "LowLevelCallable")):
        with pytest.raises(HookError, match=f"'mine'.*{words}"):
            Kernel(name="mine", summary="Mine.", point=wrong, support=lambda pixfrac, scale: 1.0)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"profile": bell, "fast": bell}, "without fast"),
        ({"profile": bell, "needs_corners": True}, "needs_corners"),
    ],
)
def test_records_that_could_not_work_are_refused(fields, words):
    with pytest.raises(HookError, match=f"kernel 'mine'.*{words}"):
        Kernel(name="mine", summary="Mine.", support=wide, **fields)


@pytest.mark.parametrize("pixfrac", [1.0, 0.3])
@pytest.mark.parametrize("way", ["bell", "round_tail", "skew", "point"])
def test_one_pass_gives_the_bits_of_three_steps(way, pixfrac, monkeypatch):
    profiles_by_name = {"bell": bell, "round_tail": round_tail, "skew": skew}
    if way == "point":
        kernel, _code = point_kernel(bilinear)
    else:
        kernel = Kernel(name="mine", summary="Mine.", profile=profiles_by_name[way], support=wide)
    rng = np.random.default_rng(8)
    weight = rng.uniform(0.0, 2.0, SHAPE) * (rng.random(SHAPE) < 0.8)
    data = rng.normal(size=SHAPE)
    data[3, 5] = np.nan

    def bent(x, y):
        u, v = transform(x, y)
        return np.where(x == 7, np.nan, u + 1e-3 * x * y), v

    def summed(window):
        acc = Accumulator(window=window, planes=1, variances=1, dq=True)
        chip = ChipInput(
            data=[data], variances=[data**2], dq=(data > 1).astype(np.uint32), weight=weight, number=3,
            pixmap=PixelMap.from_function(bent, SHAPE), scale=0.8,
        )  # fmt: skip
        counts = drizzle_chip(acc, chip, kernel, pixfrac=pixfrac)
        return counts, acc

    for window in (Window(-10, 80, -10, 80), Window(11, 29, 7, 30)):
        fused = summed(window)
        with monkeypatch.context() as patch:
            patch.setattr(blocks, "one_pass", None)
            patch.setattr(blocks, "by_points", None)
            steps = summed(window)
        assert fused[0] == steps[0]
        for name in ("weight", "total", "squared", "last", "context", "flags"):
            np.testing.assert_array_equal(getattr(fused[1], name), getattr(steps[1], name), err_msg=name)
