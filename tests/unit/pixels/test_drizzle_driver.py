"""What the drizzle driver promises whatever the kernel."""

import dataclasses
import threading

import numpy as np
import pytest

from drizframe.errors import ParameterError, ShapeError
from drizframe.hooks import Kernel
from drizframe.model import Accumulator, ChipInput, PixelMap, Window
from drizframe.pixels import blocks
from drizframe.pixels.bounds import rows_near
from drizframe.pixels.drizzle import drizzle, drizzle_chip, finish
from drizframe.pixels.reach import footprint_of_pixel
from drizframe.stock.kernels.gaussian import GAUSSIAN
from drizframe.stock.kernels.lanczos import LANCZOS2, LANCZOS3
from drizframe.stock.kernels.point import POINT
from drizframe.stock.kernels.square import SQUARE
from drizframe.stock.kernels.turbo import TURBO

KERNELS = [SQUARE, TURBO, POINT, GAUSSIAN, LANCZOS2, LANCZOS3]
every_kernel = pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
SHAPE, FRAME = (70, 83), (120, 130)


def turned(degrees=23.0, scale=1.0, bend=2e-4, flip=1.0):
    c, s = np.cos(np.radians(degrees)) / scale, np.sin(np.radians(degrees)) / scale

    def transform(x, y):
        u, v = flip * (x - 40), y - 33
        return c * u - s * v + bend * u * v + 61.3, s * u + c * v + bend * u * u + 58.8

    return transform


def maps():
    """The three sources of a map; the full map with positions that are missing or far away."""
    table = PixelMap.from_table(turned(), SHAPE, 10.0)
    full = np.stack(
        PixelMap.from_function(turned(-100.0, flip=-1.0), SHAPE).grid(
            *(np.arange(n, dtype=float) for n in SHAPE[::-1])
        ),
        -1,
    )
    full[10, 20] = np.nan
    full[30, 31, 0] = np.inf
    full[50, 51] = 1e30
    full[51, 12] = -1e300
    return {
        "table": table,
        "function": PixelMap.from_function(turned(200.0, 0.7), SHAPE),
        "pixmap": PixelMap.from_pixmap(full),
    }


MAPS = maps()


def images(seed=0, shape=SHAPE):
    rng = np.random.default_rng(seed)
    data, weight = (
        rng.normal(10.0, 3.0, shape).astype(np.float32),
        rng.uniform(0.1, 2.0, shape).astype(np.float32),
    )
    weight[rng.random(shape) < 0.1] = 0.0
    data[rng.random(shape) < 0.02] = np.nan
    return data, weight


def chip_on(pixmap, seed=0, number=1, **more):
    data, weight = images(seed, pixmap.shape)
    return ChipInput(
        data=[data], weight=weight, number=number, pixmap=pixmap, scale=more.pop("scale", 1.0), **more
    )


def whole(chips, kernel, *, pixfrac=0.9, backend="auto", frame=FRAME, **more):
    acc = Accumulator(window=Window(0, frame[0], 0, frame[1]), planes=2, **more)
    for chip in chips:
        drizzle_chip(acc, chip, kernel, pixfrac=pixfrac, backend=backend)
    return acc


SUMS = ("weight", "total", "squared", "last", "context", "flags")


@every_kernel
@pytest.mark.parametrize("source", list(MAPS))
@pytest.mark.parametrize("pixfrac", [1.0, 0.7])
def test_tiles_of_any_size_give_the_same_bits(kernel, source, pixfrac):
    rng = np.random.default_rng(5)
    dq, var = rng.integers(0, 1 << 16, SHAPE), rng.random(SHAPE)
    chips = [chip_on(MAPS[source], k, number=n, variances=[var], dq=dq) for k, n in ((0, 1), (1, 40))]
    once = whole(chips, kernel, pixfrac=pixfrac, variances=1, dq=True)
    assert np.count_nonzero(once.weight) > 1000
    for size in (64, 7) if kernel in (SQUARE, LANCZOS3) else (41,):
        for y in range(0, FRAME[0], size):
            for x in range(0, FRAME[1], size):
                window = Window(y, min(y + size, FRAME[0]), x, min(x + size, FRAME[1]))
                tile = Accumulator(window=window, planes=2, variances=1, dq=True)
                for chip in chips:
                    drizzle_chip(tile, chip, kernel, pixfrac=pixfrac)
                for name in SUMS:
                    part = getattr(once, name)[..., window.slices[0], window.slices[1]]
                    np.testing.assert_array_equal(getattr(tile, name), part, err_msg=f"{name} of {window}")


def rows_of(chip, first, stop):
    """The same chip with images of some of its rows."""
    cut = lambda image: None if image is None else image[first:stop]  # noqa: E731
    return dataclasses.replace(
        chip, data=[cut(d) for d in chip.data], weight=cut(chip.weight), dq=cut(chip.dq),
        variances=[cut(v) for v in chip.variances], rows=(first, stop),
    )  # fmt: skip


@every_kernel
@pytest.mark.parametrize("source", list(MAPS))
@pytest.mark.parametrize("backend", ["auto", "reference"])
def test_rows_that_touch_a_tile_give_the_same_bits_as_the_whole_chip(kernel, source, backend):
    rng = np.random.default_rng(6)
    chip = chip_on(MAPS[source], variances=[rng.random(SHAPE)], dq=rng.integers(0, 1 << 16, SHAPE))
    half, margin = footprint_of_pixel(kernel, 0.8, chip.scale)
    fewer = 0
    for y in range(0, FRAME[0], 30):
        window = Window(y, y + 30, 40, 75)
        rows = rows_near(chip.pixmap, window, half, margin)
        if rows is None:
            continue
        fewer += rows != (0, SHAPE[0])
        one, two = (Accumulator(window=window, planes=1, variances=1, dq=True) for _ in range(2))
        drizzle_chip(one, chip, kernel, pixfrac=0.8, backend=backend)
        drizzle_chip(two, rows_of(chip, *rows), kernel, pixfrac=0.8, backend=backend)
        for name in SUMS:
            np.testing.assert_array_equal(getattr(two, name), getattr(one, name), err_msg=name)
    assert fewer


def test_rows_that_are_left_out_though_they_touch_are_told():
    chip = chip_on(MAPS["table"])
    with pytest.raises(ShapeError, match="rows 32 to 63, but rows 0 to 69 can touch the window"):
        whole([rows_of(chip, 32, 64)], SQUARE)


@pytest.mark.parametrize("rows", [(-1, 5), (5, 5), (60, 71)])
def test_rows_are_of_the_chip(rows):
    data = np.ones((max(rows[1] - rows[0], 1), SHAPE[1]))
    with pytest.raises(ShapeError, match="within its 70 rows"):
        ChipInput(data=[data], weight=None, number=1, pixmap=MAPS["table"], scale=1.0, rows=rows)


def test_images_of_other_rows_than_they_say_are_refused():
    with pytest.raises(ShapeError, match=r"shape \(11, 83\).*\(10, 83\) in rows 20 to 29"):
        ChipInput(
            data=[np.ones((11, 83))], weight=None, number=1, pixmap=MAPS["table"], scale=1.0, rows=(20, 30)
        )


@every_kernel
def test_blocks_of_any_size_give_the_same_bits(kernel, monkeypatch):
    chips = [chip_on(MAPS["table"])]
    once = whole(chips, kernel)
    for chunk, cells in ((64, 300), (7, 5), (100000, 1 << 22)):
        monkeypatch.setattr(blocks, "CHUNK", chunk)
        monkeypatch.setattr(blocks, "CELLS", cells)
        again = whole(chips, kernel)
        for name in SUMS:
            np.testing.assert_array_equal(getattr(again, name), getattr(once, name))


@pytest.mark.parametrize("kernel", [SQUARE, TURBO, POINT], ids=lambda k: k.name)
@pytest.mark.parametrize(("pixfrac", "scale"), [(1.0, 1.0), (0.6, 1.0), (1.0, 0.5), (0.8, 1.7)])
def test_flux_is_conserved(kernel, pixfrac, scale):
    frame = (300, 300)
    pixmap = PixelMap.from_function(lambda x, y: tuple(v + 60 for v in turned(23.0, scale)(x, y)), SHAPE)
    chip = chip_on(pixmap, scale=scale)
    data, weight = chip.data[0].astype(float), chip.weight.astype(float)
    good = np.isfinite(data)
    acc = whole([chip], kernel, pixfrac=pixfrac, frame=frame)
    out = finish(acc, dtype=np.float64)
    inside = out.wht > 0
    got = (out.sci[inside] * out.wht[inside]).sum()
    assert got == pytest.approx((data[good] * weight[good]).sum() * scale**2, rel=1e-12)
    assert out.wht.sum() == pytest.approx(weight[good].sum(), rel=1e-12)


@every_kernel
def test_whole_pixel_shifts_commute(kernel):
    def shifted(tx, ty):
        return PixelMap.from_function(
            lambda x, y: (x * 0.75 - y * 0.5 + 60.25 + tx, x * 0.5 + y * 0.75 + 20.5 + ty), SHAPE
        )

    a, b = (
        whole([chip_on(shifted(0, 0))], kernel, pixfrac=1.0),
        whole([chip_on(shifted(7, -5))], kernel, pixfrac=1.0),
    )
    np.testing.assert_allclose(b.weight[:-5, 7:], a.weight[5:, :-7], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(b.total[0, :-5, 7:], a.total[0, 5:, :-7], rtol=1e-12, atol=1e-12)


@every_kernel
def test_result_is_linear_in_the_data(kernel):
    data, weight = images()
    data = np.nan_to_num(data).astype(np.float64)
    other = np.random.default_rng(9).normal(size=SHAPE)

    def sums(image):
        return whole(
            [ChipInput(data=[image], weight=weight, number=1, pixmap=MAPS["table"], scale=1.0)], kernel
        ).total[0]

    np.testing.assert_allclose(
        sums(2.0 * data - 3.0 * other), 2.0 * sums(data) - 3.0 * sums(other), rtol=1e-11, atol=1e-10
    )


@every_kernel
def test_constant_image_stays_constant(kernel):
    chip = ChipInput(
        data=[np.full(SHAPE, 3, dtype=np.int16)], weight=None, number=1, pixmap=MAPS["table"], scale=1.0
    )
    acc = whole([chip], kernel)
    out = finish(acc, dtype=np.float64)
    firm = np.abs(out.wht) > 1e-2
    np.testing.assert_allclose(out.sci[firm], 3.0, rtol=1e-12)


@every_kernel
def test_layers_share_weights_and_units(kernel):
    data, weight = images()
    data = np.nan_to_num(data)
    chip = ChipInput(
        data=[data, data - 4.0], weight=weight, number=1, pixmap=MAPS["table"], scale=0.5, offset=4.0,
        factor=3.0,
        weight_scale=2.0, variances=[data.astype(float) ** 2],
    )  # fmt: skip
    acc = Accumulator(window=Window(0, *FRAME[:1], 0, FRAME[1]), layers=2, variances=1)
    drizzle_chip(acc, chip, kernel, pixfrac=1.0)
    out = finish(acc, dtype=np.float64)
    firm = np.abs(out.wht) > 1e-2
    np.testing.assert_allclose(out.layers[0][firm], out.sci[firm], rtol=1e-6, atol=1e-6)
    plain = ChipInput(data=[data], weight=weight, number=1, pixmap=MAPS["table"], scale=0.5, offset=4.0)
    base = finish(whole([plain], kernel, pixfrac=1.0), dtype=np.float64)
    np.testing.assert_allclose(out.wht, 2.0 * base.wht, rtol=1e-12)
    np.testing.assert_allclose(out.sci[firm], 3.0 * base.sci[firm], rtol=1e-12)


def test_variance_is_that_of_a_weighted_mean():
    """Two images of equal weight on the same pixels: the variance of their mean is a quarter of the sum."""
    identity = PixelMap.from_function(lambda x, y: (x, y), (4, 5))
    one = np.ones((4, 5))
    acc = Accumulator(window=Window(0, 4, 0, 5), variances=1)
    for v in (2.0, 6.0):
        chip = ChipInput(
            data=[one], weight=None, number=1, pixmap=identity, scale=1.0, factor=2.0, variances=[v * one]
        )
        drizzle_chip(acc, chip, SQUARE, pixfrac=1.0)
    np.testing.assert_allclose(finish(acc).variances[0], 4.0 * 8.0 / 4.0)


@every_kernel
@pytest.mark.parametrize("form", ["big-endian", "float64", "int32", "strided", "read-only", "fortran"])
def test_inputs_of_any_form_give_the_same_and_stay_as_they_are(kernel, form):
    data, weight = (np.round(np.nan_to_num(a) * 8) for a in images())

    def formed(a):
        if form == "strided":
            wide = np.zeros((2 * a.shape[0], 3 * a.shape[1]), dtype=np.float32)
            wide[::2, ::-3] = a
            return wide[::2, ::-3]
        kind = {"big-endian": ">f4", "float64": "f8", "int32": "i4"}.get(form, "f4")
        out = np.asarray(a, dtype=kind, order="F" if form == "fortran" else "C").copy(order="K")
        out.flags.writeable = form != "read-only"
        return out

    plain = whole([ChipInput(data=[data], weight=weight, number=1, pixmap=MAPS["table"], scale=1.0)], kernel)
    d, w = formed(data), formed(weight)
    before = d.copy(), w.copy()
    again = whole([ChipInput(data=[d], weight=w, number=1, pixmap=MAPS["table"], scale=1.0)], kernel)
    np.testing.assert_array_equal(again.total, plain.total)
    np.testing.assert_array_equal(d, before[0])
    np.testing.assert_array_equal(w, before[1])


@every_kernel
def test_eight_threads_give_the_same(kernel):
    pixmap = PixelMap.from_table(turned(), SHAPE, 10.0)
    chip = chip_on(pixmap)
    once = whole([chip_on(PixelMap.from_table(turned(), SHAPE, 10.0))], kernel)
    found: dict[int, Accumulator] = {}

    def work(k):
        found[k] = whole([chip], kernel)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(found) == 8
    for acc in found.values():
        np.testing.assert_array_equal(acc.total, once.total)
        np.testing.assert_array_equal(acc.weight, once.weight)


@every_kernel
def test_no_overlap_changes_nothing_and_counts_all_pixels_as_missed(kernel):
    far = PixelMap.from_function(lambda x, y: (x + 1000.0, y - 5000.0), SHAPE)
    acc = Accumulator(window=Window(0, 50, 0, 60), planes=1)
    assert drizzle_chip(acc, chip_on(far), kernel, pixfrac=1.0) == (0, SHAPE[0] * SHAPE[1])
    assert not acc.weight.any()
    assert np.isnan(finish(acc).sci).all()
    empty = Accumulator(window=Window(3, 3, 0, 60))
    assert drizzle_chip(empty, chip_on(far), kernel, pixfrac=1.0).touched == 0


def test_missed_pixels_are_counted_whatever_the_window():
    """A pixel counts once for a window, even if its own window is cut into strips."""
    big = PixelMap.from_function(lambda x, y: (600.0 * x + 299.5, 600.0 * y + 299.5), (2, 2))
    acc = Accumulator(window=Window(0, 1200, 0, 1200))
    chip = ChipInput(data=[np.ones((2, 2))], weight=None, number=1, pixmap=big, scale=1.0)
    assert drizzle_chip(acc, chip, SQUARE, pixfrac=1.0) == (4, 0)
    np.testing.assert_allclose(acc.weight, 1.0 / 600**2, rtol=1e-10)


@every_kernel
def test_positions_that_are_missing_lose_only_their_pixels(kernel):
    """Trap 10-5: one NaN in a map must not empty the image."""
    clean = np.stack(
        PixelMap.from_function(lambda x, y: (x + 3.25, y + 2.5), (40, 40)).grid(
            np.arange(40.0), np.arange(40.0)
        ),
        -1,
    )
    holed = clean.copy()
    holed[5, 5] = np.nan
    data = np.ones((40, 40))
    a, b = (
        whole(
            [ChipInput(data=[data], weight=None, number=1, pixmap=PixelMap.from_pixmap(m), scale=1.0)],
            kernel,
            pixfrac=1.0,
        )
        for m in (clean, holed)
    )
    assert not np.isnan(b.weight).any()
    far = np.ones(FRAME, dtype=bool)
    far[2:14, 3:15] = False
    np.testing.assert_array_equal(a.weight[far], b.weight[far])
    assert (a.weight != b.weight).any()


def test_values_without_weight_show_only_where_nothing_else_does():
    """The documented meaning of fillval=None, and architecture: untouched pixels get the mask value."""
    identity = PixelMap.from_function(lambda x, y: (x, y), (1, 4))
    acc = Accumulator(window=Window(0, 1, 0, 5), planes=1)
    first = ChipInput(
        data=[np.array([[1.0, 2.0, np.nan, 4.0]])],
        weight=np.array([[1.0, 0.0, 0.0, 0.0]]),
        number=1,
        pixmap=identity,
        scale=1.0,
    )
    second = ChipInput(
        data=[np.array([[9.0, 8.0, 7.0, np.inf]])],
        weight=np.array([[0.0, 0.0, np.nan, 1.0]]),
        number=2,
        pixmap=identity,
        scale=1.0,
    )
    for chip in (first, second):
        drizzle_chip(acc, chip, SQUARE, pixfrac=1.0)
    np.testing.assert_array_equal(finish(acc, maskval=-1.0).sci, [[1.0, 8.0, 7.0, 4.0, -1.0]])
    np.testing.assert_array_equal(
        finish(acc, fillval=-5.0, maskval=-1.0).sci, [[1.0, -5.0, -5.0, -5.0, -5.0]]
    )
    np.testing.assert_array_equal(acc.context[0], [[1, 0, 0, 0, 0]])


def test_context_has_one_bit_for_each_chip():
    identity = PixelMap.from_function(lambda x, y: (x, y), (1, 1))
    acc = Accumulator(window=Window(0, 1, 0, 1), planes=2)
    one = Accumulator(window=Window(0, 1, 0, 1), planes=1)
    for number in (1, 32, 33, 64):
        chip = ChipInput(data=[np.ones((1, 1))], weight=None, number=number, pixmap=identity, scale=1.0)
        drizzle_chip(acc, chip, TURBO, pixfrac=1.0)
        drizzle_chip(one, chip, TURBO, pixfrac=1.0)
    np.testing.assert_array_equal(acc.context[:, 0, 0], [-(1 << 31) + 1, -(1 << 31) + 1])
    assert one.context[0, 0, 0] == -(1 << 31) + 1  # one plane: numbers wrap
    with pytest.raises(ParameterError, match="Give 3 planes"):
        drizzle_chip(
            acc,
            ChipInput(data=[np.ones((1, 1))], weight=None, number=65, pixmap=identity, scale=1.0),
            TURBO,
            pixfrac=1.0,
        )


@every_kernel
@pytest.mark.parametrize("pixfrac", [0.0, 0.0005, 0.001])
def test_tiny_drops_are_points(kernel, pixfrac):
    a = whole([chip_on(MAPS["table"])], kernel, pixfrac=pixfrac)
    b = whole([chip_on(MAPS["table"])], POINT, pixfrac=1.0)
    np.testing.assert_array_equal(a.total, b.total)


def test_kernels_wider_than_the_margin_of_the_reference_lose_nothing():
    """File 10, section 8: drizzlepac skips rows more than 5 output pixels outside."""
    pixmap = PixelMap.from_function(lambda x, y: (10.0 * x - 25.0, 10.0 * y - 25.0), (8, 8))
    chip = ChipInput(data=[np.ones((8, 8))], weight=None, number=1, pixmap=pixmap, scale=0.1)
    part = Accumulator(window=Window(0, 10, 0, 10))
    drizzle_chip(part, chip, LANCZOS3, pixfrac=1.0)
    full = Accumulator(window=Window(-80, 90, -80, 90))
    drizzle_chip(full, chip, LANCZOS3, pixfrac=1.0)
    np.testing.assert_array_equal(part.weight, full.weight[80:90, 80:90])


def test_generator_of_chips_is_taken_one_at_a_time():
    seen = []

    def chips():
        for k in range(3):
            seen.append(k)
            yield chip_on(MAPS["table"], k, number=k + 1)

    out = drizzle(Window(0, 60, 0, 60), chips(), SQUARE, pixfrac=1.0, planes=1, maskval=0.0)
    assert seen == [0, 1, 2]
    assert out.sci.dtype == np.float32
    assert out.ctx is not None
    assert out.ctx.shape == (1, 60, 60)
    nothing = drizzle(Window(0, 6, 0, 6), [], SQUARE, pixfrac=1.0, planes=1, variances=1)
    assert np.isnan(nothing.sci).all()
    assert np.isnan(nothing.variances[0]).all()


@pytest.mark.parametrize("pixfrac", [-0.1, np.nan, np.inf])
def test_bad_pixfrac_is_refused(pixfrac):
    with pytest.raises(ParameterError, match="pixfrac"):
        whole([chip_on(MAPS["table"])], SQUARE, pixfrac=pixfrac)


def test_images_that_do_not_fit_are_refused():
    pixmap = MAPS["table"]
    with pytest.raises(ShapeError, match="weight"):
        ChipInput(data=[np.ones(SHAPE)], weight=np.ones((3, 3)), number=1, pixmap=pixmap, scale=1.0)
    with pytest.raises(ShapeError, match="flags are integers"):
        ChipInput(data=[np.ones(SHAPE)], weight=None, number=1, pixmap=pixmap, scale=1.0, dq=np.ones(SHAPE))
    with pytest.raises(ParameterError, match="scale"):
        ChipInput(data=[np.ones(SHAPE)], weight=None, number=1, pixmap=pixmap, scale=0.0)
    with pytest.raises(ShapeError, match="no image"):
        ChipInput(data=[], weight=None, number=1, pixmap=pixmap, scale=1.0)
    with pytest.raises(ParameterError, match="from 1"):
        ChipInput(data=[np.ones(SHAPE)], weight=None, number=0, pixmap=pixmap, scale=1.0)
    with pytest.raises(ShapeError, match="variances"):
        whole([chip_on(pixmap)], SQUARE, variances=1)
    line = PixelMap.from_pixmap(np.zeros((1, 5, 2)))
    with pytest.raises(ShapeError, match="corners"):
        whole([ChipInput(data=[np.ones((1, 5))], weight=None, number=1, pixmap=line, scale=1.0)], SQUARE)
    flags = np.full(SHAPE, 1 << 40)
    chip = ChipInput(data=[np.ones(SHAPE)], weight=None, number=1, pixmap=pixmap, scale=1.0, dq=flags)
    with pytest.raises(ParameterError, match="32 bits"):
        whole([chip], SQUARE, dq=True)


def test_a_kernel_of_a_plugin_runs_with_corners_and_centres():
    """A footprint that spreads a pixel evenly over its whole window sees the right arguments."""
    seen = []

    def even(x, y, corners, x0, y0, shape, *, pixfrac, scale):
        seen.append((x.shape, corners.shape, x0.shape, shape, pixfrac, scale))
        assert (corners.mean(axis=1)[:, 0] - x < 1e-9).all()
        return np.full((len(x), *shape), 1.0 / (shape[0] * shape[1]))

    kernel = Kernel(name="even", summary="Evenly.", footprint=even, needs_corners=True)
    identity = PixelMap.from_function(lambda x, y: (x + 1.25, y + 1.25), (4, 4))
    acc = Accumulator(window=Window(0, 8, 0, 8))
    drizzle_chip(
        acc,
        ChipInput(data=[np.ones((4, 4))], weight=None, number=1, pixmap=identity, scale=0.5),
        kernel,
        pixfrac=0.8,
    )
    assert acc.weight.sum() == pytest.approx(16.0)
    assert seen[0] == ((16,), (16, 4, 2), (16,), (2, 2), 0.8, 0.5)
