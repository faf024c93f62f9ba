"""An image in one compiled pass against the steps it replaces: the same bits, whatever the arrays look like."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shipped import shipped

from drizframe.model import ChipInput, PixelMap
from drizframe.pixels.blocks import spreader_of
from drizframe.pixels.bounds import _measure, block_bounds
from drizframe.pixels.reach import footprint_of_pixel
from drizframe.resample import _adding as adding
from drizframe.resample import _region as region
from drizframe.resample._output import Output
from drizframe.stock.kernels.square import SQUARE

KERNELS = shipped("kernel", twins=True)
pytestmark = pytest.mark.skipif(adding.one_pass is None, reason="compiled modules are not built")


def turned(shape, angle, stretch, shift, bend=1e-4):
    """A full map: turned about the first pixel, stretched, shifted and bent."""
    j, i = np.indices(shape, dtype=float)
    c, s = stretch * math.cos(angle), stretch * math.sin(angle)
    return np.dstack([c * i - s * j + bend * i * j + shift[0], s * i + c * j - bend * i * i + shift[1]])


@st.composite
def maps(draw):
    """A full map of which positions may be missing or far away, and a part of it."""
    shape = draw(st.tuples(st.integers(2, 70), st.integers(2, 70)))
    pixmap = turned(
        shape, draw(st.floats(0.0, 6.3)), draw(st.sampled_from([0.4, 1.0, 3.3])),
        draw(st.tuples(st.floats(-20, 120), st.floats(-20, 120))), draw(st.sampled_from([0.0, 1e-3])),
    )  # fmt: skip
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    pixmap[rng.random(shape) < draw(st.sampled_from([0.0, 0.03]))] = draw(
        st.sampled_from([np.nan, np.inf, -1e30, 1e300])
    )
    y0, x0 = (draw(st.integers(0, n - 1)) for n in shape)
    y1, x1 = (draw(st.integers(a + 1, n)) for a, n in zip((y0, x0), shape, strict=True))
    whole = draw(st.booleans())
    full = PixelMap.from_pixmap(pixmap)
    return full if whole else full.part(slice(y0, y1), slice(x0, x1))


def output(rng, shape, variances, *, flags, strided):
    """Output images that hold something already, some of it without weight."""

    def image(dtype):
        kept = np.zeros((2 * shape[0], 2 * shape[1]), dtype)
        return kept[::2, ::-2] if strided else np.zeros(shape, dtype)

    out = Output(
        fillval=None, fillval2=None, planes=1, img=image("f4"), wht=image("f4"),
        ctx=image("i4"), img2=[image("f4") for _ in range(variances)] or None, dq=image("u4") if flags else None,
        max_pixels=None,
    )  # fmt: skip
    out.img[...] = rng.normal(size=shape)
    out.wht[...] = rng.random(shape) * (rng.random(shape) < 0.5)
    for second in out.img2 or []:
        second[...] = rng.random(shape)
    if flags:
        out.dq[...] = rng.integers(0, 1 << 20, shape)
    return out


def arrays(out):
    return [out.img, out.wht, out.ctx, *(out.img2 or []), *([] if out.dq is None else [out.dq])]


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
@settings(max_examples=25)
@given(
    pixmap=maps(), pixfrac=st.sampled_from([0.0, 0.4, 1.0, 2.6]), seed=st.integers(0, 99),
    dtype=st.sampled_from(["f4", ">f4", "f8", "i2", "u1", "f2"]), variances=st.sampled_from([0, 2]),
    flags=st.booleans(), weighted=st.booleans(), strided=st.booleans(),
)  # fmt: skip
def test_one_pass_gives_the_bits_of_the_steps(
    kernel, pixmap, pixfrac, seed, dtype, variances, flags, weighted, strided
):
    shape = pixmap.shape
    rng = np.random.default_rng(seed)
    data = (rng.random(shape) * 100).astype(dtype)
    if data.dtype.kind == "f":
        data[rng.random(shape) < 0.05] = np.nan
    weight = rng.random(shape).astype(">f8") * (rng.random(shape) < 0.8) if weighted else None
    chip = ChipInput(
        data=[data], weight=weight, weight_scale=1.7, number=31, pixmap=pixmap, scale=0.9, intensity=0.3,
        variances=[rng.random(shape).astype(dtype) for _ in range(variances)],
        dq=rng.integers(0, 1 << 31, shape).astype(np.uint32) if flags else None,
    )  # fmt: skip
    size = (210, 230)  # more than one tile
    fast, slow = (
        output(np.random.default_rng(1), size, variances, flags=flags, strided=strided) for _ in "ab"
    )
    spreader = spreader_of(chip, kernel, pixfrac, "auto", None)
    with np.errstate(all="ignore"):
        counts = (
            adding.in_one_pass(fast, chip, kernel, pixfrac, 0, spreader),
            adding.step_by_step(slow, chip, kernel, pixfrac, 0, spreader),
        )
    assert counts[0] == counts[1]
    for a, b in zip(arrays(fast), arrays(slow), strict=True):
        np.testing.assert_array_equal(a, b)


@settings(max_examples=60)
@given(pixmap=maps(), half=st.sampled_from([0.0, 0.2, 0.5, 1.0, 2.5, 40.0]))
def test_boxes_of_blocks_are_those_of_the_reference(pixmap, half):
    np.testing.assert_array_equal(block_bounds(pixmap, half), _measure(pixmap, half))


@settings(max_examples=60)
@given(
    pixmap=maps(), kernel=st.sampled_from(KERNELS), pixfrac=st.sampled_from([0.4, 1.0, 3.0]),
    shape=st.tuples(st.integers(1, 150), st.integers(1, 150)),
)  # fmt: skip
def test_the_compiled_reach_is_that_of_the_reference(pixmap, kernel, pixfrac, shape):
    limits = footprint_of_pixel(kernel, pixfrac, 0.8)
    found = [region.touched_part(pixmap, *limits, shape, fast=fast) for fast in (True, False)]
    assert found[0] == found[1]


def test_pixels_on_several_tiles_count_once():
    pixmap = PixelMap.from_pixmap(turned((300, 400), 0.1, 1.0, (40.0, 60.0)))
    chip = ChipInput(data=[np.ones(pixmap.shape)], weight=None, number=1, pixmap=pixmap, scale=1.0)
    out = output(np.random.default_rng(0), (600, 700), 0, flags=False, strided=False)
    spreader = spreader_of(chip, SQUARE, 1.0, "auto", None)
    assert adding.in_one_pass(out, chip, SQUARE, 1.0, 0, spreader) == (0, 0)
