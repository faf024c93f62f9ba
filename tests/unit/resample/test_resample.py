"""The array interface: state, borders, what is not finite, errors."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import drizframe
from drizframe import resample
from drizframe.errors import (
    ArrayTypeError,
    DrizframeWarning,
    ParameterError,
    ShapeError,
    UnknownComponentError,
)
from drizframe.resample import Drizzle, blot_image
from drizframe.stock.interpolators.linear import LINEAR


def identity(shape, dx=0.0, dy=0.0):
    y, x = np.indices(shape, dtype=float)
    return np.dstack([x + dx, y + dy])


def ones(*shape):
    return np.ones(shape, dtype=np.float32)


def test_public_names_are_those_of_the_documentation():
    names = {"Drizzle", "blot_image", "calc_pixmap", "decode_context", "estimate_pixel_scale_ratio"}
    names |= {"CTX_PLANE_BITS", "SUPPORTED_DRIZZLE_KERNELS"}
    assert set(resample.__all__) == names
    assert drizframe.resample is resample


def test_a_new_object_has_no_arrays_until_it_knows_the_shape():
    driz = Drizzle()
    assert driz.out_img is driz.out_wht is driz.out_ctx is driz.out_img2 is driz.out_dq is None
    assert (driz.kernel, driz.fillval, driz.fillval2, driz.ctx_id, driz.total_exptime) == (
        "square",
        "NaN",
        "NaN",
        0,
        0.0,
    )
    with pytest.raises(AttributeError):
        driz.kernel = "turbo"


def test_without_a_shape_the_output_has_rows_and_columns_of_the_mapped_image():
    """Trap 10-7: fixed."""
    driz = Drizzle()
    assert driz.add_image(ones(3, 6), 1.0, identity((3, 6))) == (0, 0)
    assert driz.out_img.shape == (3, 6)
    np.testing.assert_array_equal(driz.out_img, 1.0)
    np.testing.assert_array_equal(driz.out_wht, 1.0)


@pytest.mark.parametrize("kernel", ["square", "turbo"])
@pytest.mark.parametrize("shift", [0.7, 0.3, -0.7, 1.4])
def test_every_overlap_at_a_border_counts(kernel, shift):
    """Trap 10-4: fixed."""
    driz = Drizzle(kernel=kernel, out_shape=(8, 8), fillval=0)
    driz.add_image(ones(8, 8), 1.0, identity((8, 8), dx=shift))
    covered = [max(0.0, min(i + 0.5, 7.5 + shift) - max(i - 0.5, shift - 0.5)) for i in range(8)]
    np.testing.assert_allclose(driz.out_wht[3], covered, atol=1e-6)


@pytest.mark.parametrize("kernel", ["square", "turbo", "point"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_one_bad_position_costs_its_neighbours_and_no_more(kernel, bad):
    """Trap 10-5: fixed."""
    pixmap = identity((40, 40))
    pixmap[5, 5, 0] = bad
    driz = Drizzle(kernel=kernel, out_shape=(40, 40), fillval=-1)
    skipped, missed = driz.add_image(ones(40, 40), 1.0, pixmap)
    assert skipped == 0
    assert 1 <= missed <= 9
    assert 1591 <= (driz.out_wht > 1e-6).sum() < 1600
    assert np.isfinite(driz.out_img).all()
    far = np.ones((40, 40), dtype=bool)
    far[3:8, 3:8] = False
    np.testing.assert_allclose(driz.out_wht[far], 1.0)


def test_counters_count_rows_and_pixels_that_give_nothing():
    """Trap 10-6: fixed."""
    driz = Drizzle(out_shape=(8, 8))
    assert driz.add_image(ones(8, 8), 1.0, identity((8, 8))) == (0, 0)
    assert driz.add_image(ones(8, 8), 1.0, identity((8, 8), dy=5.0)) == (5, 40)
    assert driz.add_image(ones(8, 8), 1.0, identity((8, 8), dx=100.0)) == (8, 64)
    assert driz.add_image(ones(8, 8), 1.0, identity((8, 8), dx=6.0), xmin=1, xmax=4, ymin=2, ymax=3) == (0, 6)


def test_data_and_weights_that_are_not_finite_have_no_weight():
    data, weight = ones(4, 4), ones(4, 4)
    data[0, 1], data[0, 2], weight[0, 3] = np.nan, np.inf, np.nan
    driz = Drizzle(out_shape=(4, 4), fillval=-5)
    driz.add_image(data, 1.0, identity((4, 4)), weight_map=weight)
    np.testing.assert_array_equal(driz.out_img[0], [1, -5, -5, -5])
    np.testing.assert_array_equal(driz.out_wht[0], [1, 0, 0, 0])
    np.testing.assert_array_equal(driz.out_ctx[0, 0], [1, 0, 0, 0])


def test_pairs_of_weight_zero_leave_no_trace():
    image = np.full((4, 4), 7, dtype=np.float32)
    weight = ones(4, 4)
    weight[:, :2] = 0
    driz = Drizzle(out_img=image)
    driz.add_image(ones(4, 4), 1.0, identity((4, 4)), weight_map=weight)
    np.testing.assert_array_equal(image, [[7, 7, 1, 1]] * 4)


@pytest.mark.parametrize("fillval", [None, "INDEF", "indef", "", " "])
def test_indef_keeps_given_arrays_and_fills_new_ones_with_nan(fillval):
    given = Drizzle(fillval=fillval, out_img=np.full((3, 3), 4, dtype=np.float32))
    given.add_image(ones(3, 3), 1.0, identity((3, 3), dx=50))
    np.testing.assert_array_equal(given.out_img, 4)
    assert given.fillval == "INDEF"
    new = Drizzle(fillval=fillval, out_shape=(3, 3))
    assert np.isnan(new.out_img).all()


def test_fillval2_works_without_fillval():
    """Trap 10-8: fixed."""
    image, second = np.full((4, 4), 4, dtype=np.float32), np.full((4, 4), 5, dtype=np.float32)
    driz = Drizzle(fillval2=-9, out_img=image, out_img2=second)
    driz.add_image(ones(3, 3), 1.0, identity((3, 3)), data2=ones(3, 3))
    assert image[3, 3] == 4
    assert second[3, 3] == -9


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6))
def test_untouched_pixels_keep_their_bits(seed):
    rng = np.random.default_rng(seed)
    image = rng.normal(scale=10.0 ** rng.integers(-20, 15), size=(9, 9)).astype(np.float32)
    weight = rng.uniform(1e-10, 1e5, (9, 9)).astype(np.float32)
    second = rng.uniform(0, 1e5, (9, 9)).astype(np.float32)
    before = image.copy(), weight.copy(), second.copy()
    driz = Drizzle(out_img=image, out_wht=weight, out_img2=second, exptime=1.0, disable_ctx=True)
    driz.add_image(ones(4, 4), 1.0, identity((4, 4), dx=-2, dy=-2), data2=ones(4, 4))
    for now, then in zip((image, weight, second), before, strict=True):
        np.testing.assert_array_equal(now[3:, 3:], then[3:, 3:])
        assert (now[:2, :2] != then[:2, :2]).any()


def test_continuing_given_arrays_is_the_same_as_going_on():
    rng = np.random.default_rng(3)
    images, weights = rng.normal(size=(3, 10, 10)).astype("f4"), rng.uniform(size=(3, 10, 10)).astype("f4")
    whole = Drizzle(out_shape=(12, 12))
    for k in range(3):
        whole.add_image(
            images[k], 2.0, identity((10, 10), 0.3 * k, 0.2), weight_map=weights[k], data2=images[k] ** 2
        )
    arrays: dict[str, Any] = {}
    exptime = 0.0
    for k in range(3):
        part = Drizzle(begin_ctx_id=k, exptime=exptime, **(arrays or {"out_shape": (12, 12)}))
        part.add_image(
            images[k], 2.0, identity((10, 10), 0.3 * k, 0.2), weight_map=weights[k], data2=images[k] ** 2
        )
        arrays = {n: getattr(part, n) for n in ("out_img", "out_wht", "out_ctx", "out_img2")}
        exptime = part.total_exptime
    for name in ("out_img", "out_wht", "out_ctx"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name))
    np.testing.assert_array_equal(part.out_img2[0], whole.out_img2[0])


def test_arrays_of_the_right_type_are_changed_in_place_whatever_their_strides():
    image, weight = np.zeros((5, 10), np.float32)[:, ::2], np.zeros((5, 5), np.float32, order="F")
    context, flags = np.zeros((5, 5), np.int32), np.zeros((5, 5), np.uint32)
    driz = Drizzle(out_img=image, out_wht=weight, out_ctx=context, out_dq=flags)
    driz.add_image(ones(5, 5), 1.0, identity((5, 5)), dq=np.full((5, 5), 6, np.int16))
    assert (image == 1).all()
    assert (weight == 1).all()
    assert (context == 1).all()
    assert (flags == 6).all()
    assert driz.out_ctx.shape == (1, 5, 5)
    frozen = np.zeros((5, 5), np.float32)
    frozen.flags.writeable = False
    with pytest.raises(ParameterError, match="read-only"):
        Drizzle(out_img=frozen)


def test_context_planes_grow_and_the_last_bit_is_the_sign():
    driz = Drizzle(out_shape=(3, 3), begin_ctx_id=31)
    for _ in range(3):
        driz.add_image(ones(3, 3), 1.0, identity((3, 3)))
    np.testing.assert_array_equal(driz.out_ctx[:, 1, 1], [-(2**31), 3])
    assert driz.ctx_id == 34
    assert resample.decode_context(driz.out_ctx, 1, 1)[0].tolist() == [31, 32, 33]
    assert Drizzle(out_shape=(3, 3), max_ctx_id=64).out_ctx.shape == (3, 3, 3)
    off = Drizzle(out_shape=(3, 3), disable_ctx=True)
    off.add_image(ones(3, 3), 1.0, identity((3, 3)))
    assert off.out_ctx is off.ctx_id is None


def test_inputs_are_not_changed():
    data, weight, pixmap = ones(5, 5), ones(5, 5), identity((5, 5))
    flags = np.ones((5, 5), np.uint8)
    for a in (data, weight, pixmap, flags):
        a.flags.writeable = False
    driz = Drizzle()
    driz.add_image(data, 2.0, pixmap, weight_map=weight, data2=data, dq=flags, in_units="counts")
    np.testing.assert_allclose(driz.out_img, 0.5)
    np.testing.assert_allclose(driz.out_img2[0], 0.25)
    blot_image(data, pixmap)


def test_a_failed_call_changes_nothing():
    driz = Drizzle(out_shape=(4, 4))
    for wrong in (
        {"in_units": "dn"},
        {"pixfrac": np.nan},
        {"iscale": 0},
        {"wht_scale": -1},
        {"pixel_scale_ratio": 0},
    ):
        with pytest.raises(ParameterError):
            driz.add_image(ones(4, 4), 1.0, identity((4, 4)), **wrong)
    assert (driz.ctx_id, driz.total_exptime) == (0, 0.0)
    assert not driz.out_wht.any()


def test_variances_need_as_many_images_every_time():
    driz = Drizzle()
    driz.add_image(ones(4, 4), 1.0, identity((4, 4)), data2=[ones(4, 4), None])
    for wrong in (None, ones(4, 4), [None]):
        with pytest.raises(ShapeError, match="Mismatch between the number of 'out_img2' images"):
            driz.add_image(ones(4, 4), 1.0, identity((4, 4)), data2=wrong)


@pytest.mark.parametrize(
    ("error", "match", "start"),
    [
        (ParameterError, "Kernel 'magic' is not supported.", {"kernel": "magic"}),
        (ParameterError, "non-negative", {"exptime": -1.0}),
        (ParameterError, "must be 0.0 for the first", {"exptime": 1.0}),
        (ParameterError, "Invalid context image ID -1; 'begin_ctx_id' must be 0 or more", {"begin_ctx_id": -1}),
        (ParameterError, "max_ctx_id", {"begin_ctx_id": 2, "max_ctx_id": 1}),
        (ShapeError, "Inconsistent data shapes", {"out_shape": (2, 3), "out_img": ones(3, 3)}),
        (ShapeError, "two numbers", {"out_shape": (0, 3)}),
        (ShapeError, "2D or 3D", {"out_ctx": [0, 0]}),
        (ShapeError, "2D array", {"out_img": ones(3)}),
        (ArrayTypeError, "4 bytes or less", {"out_dq": np.zeros((3, 3), np.uint64)}),
        (ParameterError, "Exposure time cannot be 0", {"out_wht": ones(3, 3)}),
        (
            ParameterError, "vice-versa",
            {"out_wht": ones(3, 3), "out_ctx": np.zeros((3, 3), np.int32), "exptime": 1.0},
        ),
    ],
)  # fmt: skip
def test_wrong_starts_are_refused(error, match, start):
    with pytest.raises(error, match=match):
        Drizzle(**start)


@pytest.mark.parametrize(
    ("error", "match", "arguments"),
    [
        (ParameterError, "strictly positive", {"exptime": 0}),
        (ParameterError, "strictly positive", {"exptime": np.nan}),
        (ShapeError, "'pixmap' shape is not consistent", {"pixmap": identity((4, 5))}),
        (ShapeError, "ny, nx, 2", {"pixmap": np.zeros((4, 4))}),
        (ShapeError, "'weight_map' shape", {"weight_map": ones(3, 3)}),
        (ShapeError, "'dq' shape", {"dq": np.zeros((3, 3), np.uint8)}),
        (ArrayTypeError, "'dq' must be", {"dq": np.zeros((4, 4))}),
        (ShapeError, "'data2' shape is", {"data2": ones(3, 3)}),
        (ShapeError, "'data' must be", {"data": ones(4)}),
        (ParameterError, "No valid pixels", {"pixmap": np.full((4, 4, 2), np.nan)}),
        (ParameterError, "No pixel lies between", {"xmin": 3, "xmax": 2}),
        (ArrayTypeError, "integers or None", {"ymin": 1.5}),
        (ParameterError, "pixel_scale_ratio", {"pixmap": np.ones((4, 4, 2)), "pixel_scale_ratio": None}),
    ],
)
def test_wrong_images_are_refused(error, match, arguments):
    call = {"data": ones(4, 4), "exptime": 1.0, "pixmap": identity((4, 4)), **arguments}
    with pytest.raises(error, match=match):
        Drizzle(out_shape=(4, 4)).add_image(**call)


def test_warnings_tell_what_a_kernel_does():
    with pytest.warns(DrizframeWarning, match="Kernel 'gaussian' is not a flux-conserving kernel"):
        Drizzle(kernel="gaussian").add_image(ones(4, 4), 1.0, identity((4, 4)))
    with pytest.warns(DrizframeWarning, match="Kernel reset to 'point'"):
        Drizzle().add_image(ones(4, 4), 1.0, identity((4, 4)), pixfrac=0.0)
    with (
        pytest.warns(DrizframeWarning, match="ignores 'pixfrac'"),
        pytest.warns(DrizframeWarning, match="'lanczos2' is not a flux"),
    ):
        Drizzle(kernel="lanczos2").add_image(ones(4, 4), 1.0, identity((4, 4)), pixfrac=0.5)
    driz = Drizzle()
    with pytest.warns(DeprecationWarning, match="'scale' has been deprecated"):
        driz.add_image(ones(4, 4), 1.0, identity((4, 4)), scale=2.0)
    np.testing.assert_allclose(driz.out_img, 4.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Drizzle().add_image(ones(4, 4), 1.0, identity((4, 4)))


def test_blot_scales_inside_and_fills_outside():
    image = np.arange(12.0).reshape(3, 4)
    blot = blot_image(image, identity((3, 5), dx=0.5), interp="linear", iscale=2.0, fillval=-1.0)
    assert blot.dtype == np.float32
    np.testing.assert_allclose(blot[0], [1, 3, 5, 6, -1])
    np.testing.assert_array_equal(
        blot_image(image, identity((3, 5), dx=0.5), interp=LINEAR)[0], [0.5, 1.5, 2.5, 3, 0]
    )


def test_blot_positions_that_are_not_finite_get_the_fill():
    pixmap = identity((4, 4))
    pixmap[1, 1], pixmap[2, 2, 1] = np.nan, np.inf
    blot = blot_image(ones(4, 4), pixmap, fillval=-3)
    assert (blot == -3).sum() == 2


def test_blot_writes_into_the_array_that_was_given():
    out = np.zeros((4, 8), np.float32)[:, ::2]
    assert blot_image(ones(4, 4), identity((4, 4)), out_img=out) is out
    assert (out == 1).all()
    for wrong in (ones(3, 4), ones(4)):
        with pytest.raises(ShapeError, match="out_img"):
            blot_image(ones(4, 4), identity((4, 4)), out_img=wrong)


def test_blot_deprecated_arguments_multiply():
    with pytest.warns(DeprecationWarning, match="pix_ratio"):
        blot = blot_image(ones(4, 4), identity((4, 4)), 2.0)
    np.testing.assert_allclose(blot, 0.25)
    with pytest.warns(DeprecationWarning, match="exptime"):
        np.testing.assert_allclose(blot_image(ones(4, 4), identity((4, 4)), exptime=3.0), 3.0)
    with (
        pytest.warns(DeprecationWarning, match="output_pixel_shape"),
        pytest.raises(ShapeError, match="dimensions"),
    ):
        blot_image(ones(4, 4), identity((4, 4)), output_pixel_shape=(3, 3))


def test_blot_wrong_input_is_refused():
    with pytest.raises(UnknownComponentError, match="poly5"):
        blot_image(ones(4, 4), identity((4, 4)), interp="magic")
    with pytest.raises(ParameterError, match="iscale"):
        blot_image(ones(4, 4), identity((4, 4)), iscale=0)
    text: Any = "3"
    with pytest.raises(ParameterError, match="fillval"):
        blot_image(ones(4, 4), identity((4, 4)), fillval=text)
    with pytest.raises(ShapeError, match="2D array"):
        blot_image(ones(4), identity((4, 4)))
    with pytest.raises(ShapeError, match="ny, nx, 2"):
        blot_image(ones(4, 4), ones(4, 4))


def test_nearest_takes_a_large_turned_map_with_a_third_outside():
    """Trap 13-2: the index never leaves the image."""
    n = 2048
    rng = np.random.default_rng(1)
    image = rng.normal(size=(n, n)).astype(np.float32)
    y, x = np.indices((n, n), dtype=float)
    c, s = np.cos(0.6), np.sin(0.6)
    pixmap = np.dstack([c * x - s * y + 500.0, s * x + c * y + 150.0])
    blot = blot_image(image, pixmap, interp="nearest", fillval=-99.0)
    px, py = pixmap[..., 0], pixmap[..., 1]
    outside = ~((px >= 0) & (px < n) & (py >= 0) & (py < n))
    assert 0.25 < outside.mean() < 0.4
    assert (blot[outside] == -99.0).all()
    i, j = (np.minimum(np.floor(p[~outside] + 0.5).astype(int), n - 1) for p in (px, py))
    np.testing.assert_array_equal(blot[~outside], image[j, i])
