"""What may be given to the array interface, and how it says what may not."""

from __future__ import annotations

import copy
import pickle
import threading
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import drizframe
from drizframe import resample
from drizframe.errors import (
    ArrayTypeError,
    DrizframeError,
    DrizframeWarning,
    OutOfMemoryError,
    ParameterError,
    ShapeError,
    UnknownComponentError,
)
from drizframe.resample import Drizzle, blot_image, decode_context

N = 12


def identity(shape=(N, N), dx=0.0, dy=0.0):
    y, x = np.indices(shape, dtype=float)
    return np.dstack([x + dx, y + dy])


def added(data, **more):
    driz = Drizzle(kernel=more.pop("kernel", "square"), out_shape=(N, N), fillval=0)
    driz.add_image(data, **{"exptime": 1.0, "pixmap": identity(), **more})
    return driz


@pytest.fixture
def spoilt():
    """An image of 3 with bad pixels of 10000, and which these are."""
    bad = np.random.default_rng(5).random((N, N)) < 0.1
    return np.where(bad, 1e4, 3.0).astype(np.float32), bad


# -- masks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["f4", "f8", ">f4", "i4", "u2"])
def test_masked_pixels_contribute_nothing(spoilt, dtype):
    image, bad = spoilt
    driz = added(np.ma.array(image.astype(dtype), mask=bad))
    np.testing.assert_array_equal(driz.out_img, np.where(bad, 0, 3))
    np.testing.assert_array_equal(driz.out_wht, ~bad)


def test_a_mask_without_a_masked_pixel_and_fill_values_do_not_matter(spoilt):
    image, bad = spoilt
    np.testing.assert_array_equal(added(np.ma.array(image)).out_img, image)
    masked = np.ma.array(image, mask=bad, fill_value=7.0)
    np.testing.assert_array_equal(added(masked).out_img, np.where(bad, 0, 3))


def test_masked_weights_are_0_and_masked_positions_lie_nowhere(spoilt):
    image, bad = spoilt
    weighted = added(image, weight_map=np.ma.array(np.ones((N, N), "i2"), mask=bad))
    np.testing.assert_array_equal(weighted.out_wht, ~bad)
    mask = np.repeat(bad[..., None], 2, axis=2)
    driz = Drizzle(kernel="point", out_shape=(N, N), fillval=0)
    driz.add_image(image, 1.0, np.ma.array(identity(), mask=mask))
    np.testing.assert_array_equal(driz.out_wht, ~bad)


def test_masked_pixels_are_not_blotted(spoilt):
    image, bad = spoilt
    blot = blot_image(np.ma.array(image, mask=bad), identity(), interp="nearest", fillval=-1)
    np.testing.assert_array_equal(np.isnan(blot), bad)


def test_masks_that_have_no_meaning_are_refused(spoilt):
    image, bad = spoilt
    with pytest.raises(ParameterError, match="'dq' has masked elements"):
        added(image, dq=np.ma.array(np.zeros((N, N), "u1"), mask=bad))
    with pytest.raises(ParameterError, match="'out_img' has masked elements"):
        Drizzle(out_img=np.ma.array(image, mask=bad))


def test_images_that_would_lose_mask_and_unit_are_refused(spoilt):
    from astropy.nddata import CCDData

    image, bad = spoilt
    with pytest.raises(ParameterError, match="CCDData, whose mask, unit and uncertainty would be lost"):
        added(CCDData(image, mask=bad, unit="electron/s"))


# -- units ---------------------------------------------------------------------------------------------------


def test_quantities_are_converted_or_refused(spoilt):
    from astropy import units as u

    image, _ = spoilt
    assert added(image, exptime=2 * u.minute).total_exptime == 120.0
    pixels = identity() * u.pix
    np.testing.assert_array_equal(added(image, pixmap=pixels).out_img, image)
    np.testing.assert_array_equal(added(image * u.dimensionless_unscaled).out_img, image)
    for argument, value in [
        ("data", image * u.electron / u.s), ("pixmap", identity() * u.arcsec), ("exptime", 3 * u.m),
        ("weight_map", np.ones((N, N)) / u.s), ("iscale", 2 * u.s), ("pixfrac", 1 * u.pix),
    ]:  # fmt: skip
        with pytest.raises(ParameterError, match=f"'{argument}' has the unit"):
            added(**{"data": image, argument: value})
    with pytest.raises(ParameterError, match="'data' has the unit"):
        blot_image(image * u.Jy, identity())


# -- names ---------------------------------------------------------------------------------------------------


def spread(x, y, corners, x0, y0, shape, *, pixfrac, scale):
    """Weights of the nearest pixel, halved: neither flux nor weight is kept."""
    columns, rows = x0[:, None] + np.arange(shape[1]), y0[:, None] + np.arange(shape[0])
    near = [np.abs(p - c[:, None]) < 0.5 for p, c in ((rows, y), (columns, x))]
    return 0.5 * (near[0][:, :, None] & near[1][:, None, :])


@pytest.fixture
def plugin():
    def kernel(name, *traits):
        return drizframe.Kernel(
            name=name, summary="Test.", footprint=spread, support=lambda pixfrac, scale: 1.0,
            traits=frozenset(traits),
        )  # fmt: skip

    class Mine:
        @drizframe.hookimpl
        def drizframe_kernels(self):
            yield kernel("mine.half")
            yield kernel("mine.keeps", "conserves_flux")

    module = Mine()
    drizframe.register(module)
    yield module
    drizframe.unregister(module)


def test_kernels_that_are_registered_are_taken_by_name(plugin):
    driz = Drizzle(kernel="mine.half", out_shape=(N, N))
    assert driz.kernel == "mine.half"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrizframeWarning)
        driz.add_image(np.full((N, N), 3.0), 1.0, identity(dx=0.2))
    np.testing.assert_array_equal(driz.out_img, 3.0)
    np.testing.assert_array_equal(driz.out_wht, 0.5)


def test_who_conserves_flux_is_what_the_record_says(plugin):
    image = np.ones((N, N))
    with pytest.warns(DrizframeWarning, match="'mine.half' is not a flux-conserving kernel"):
        Drizzle(kernel="mine.half", out_shape=(N, N)).add_image(image, 1.0, identity())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("mine.keeps", "square", "turbo", "point"):
            Drizzle(kernel=name, out_shape=(N, N)).add_image(image, 1.0, identity())
    for name in ("gaussian", "lanczos2", "lanczos3"):
        with pytest.warns(DrizframeWarning, match="not a flux-conserving"):
            Drizzle(kernel=name, out_shape=(N, N)).add_image(image, 1.0, identity())


def test_unknown_kernels_are_refused_with_the_names_that_there_are():
    with pytest.raises(UnknownComponentError, match="Did you mean 'square'"):
        Drizzle(kernel="squares")
    with pytest.raises(ValueError, match="Kernel 'tophat' is not supported"):
        Drizzle(kernel="tophat")


def test_names_that_drizzle_has():
    assert resample.CTX_PLANE_BITS == 32
    assert resample.SUPPORTED_DRIZZLE_KERNELS == [
        "square",
        "gaussian",
        "point",
        "turbo",
        "lanczos2",
        "lanczos3",
    ]


@pytest.mark.parametrize(("old", "new"), [("lan3", "lanczos3"), ("lan5", "lanczos5")])
def test_old_names_of_interpolators_warn(old, new):
    image = np.random.default_rng(0).random((N, N))
    with pytest.warns(DeprecationWarning, match=f"Use '{new}'"):
        blot = blot_image(image, identity(dx=0.3), interp=old)
    np.testing.assert_array_equal(blot, blot_image(image, identity(dx=0.3), interp=new))


def test_sinscl_reaches_the_interpolator_that_takes_it_and_warns():
    image = np.random.default_rng(0).random((N, N))
    grid = identity(dx=0.3)
    with pytest.warns(DeprecationWarning, match="sinscl"):
        scaled = blot_image(image, grid, interp="sinc", sinscl=0.7)
    assert np.abs(scaled - blot_image(image, grid, interp="sinc")).max() > 1e-3
    with pytest.warns(DeprecationWarning, match="sinscl"):
        other = blot_image(image, grid, interp="poly3", sinscl=0.7)
    np.testing.assert_array_equal(other, blot_image(image, grid, interp="poly3"))
    with (
        pytest.warns(DeprecationWarning, match="sinscl"),
        pytest.raises(ParameterError, match="'sinscl' must be"),
    ):
        blot_image(image, grid, interp="sinc", sinscl=-1)


# -- wrong values --------------------------------------------------------------------------------------------

NUMBERS: list[Any] = [
    None,
    "text",
    1j,
    [1.0, 2.0],
    {},
    object(),
    np.nan,
    np.inf,
    -1.0,
    10**400,
    np.datetime64(3, "s"),
]


@pytest.mark.parametrize("value", NUMBERS, ids=lambda v: type(v).__name__)
@pytest.mark.parametrize("name", ["exptime", "iscale", "wht_scale", "scale"])
def test_wrong_numbers_are_refused_by_name(name, value):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with pytest.raises(ParameterError, match=f"'{name}' must be a strictly positive number"):
            added(np.ones((N, N)), **{name: value})


@pytest.mark.parametrize("value", [*NUMBERS[:-3], 11.0, 1e300], ids=lambda v: type(v).__name__)
def test_a_wrong_pixfrac_is_refused_by_name(value):
    with pytest.raises(ParameterError, match="'pixfrac'"):
        added(np.ones((N, N)), pixfrac=value)


@pytest.mark.parametrize("value", [np.float32(2), np.int8(2), np.array(2.0), True, np.float16(2)], ids=repr)
def test_numbers_of_every_type_are_taken(value):
    assert added(np.ones((N, N)), exptime=value).total_exptime == float(value)


ARRAYS: list[Any] = [
    None, "text", object(), np.ones((N, N), complex), np.full((N, N), "a"), np.full((N, N), None), [[1, 2], [3]],
    np.zeros((N, N), "M8[s]"), np.zeros((N, N), [("a", "f4")]), 3.0, np.ones((0, 3)), np.ones((N, N, 1)),
]  # fmt: skip


@pytest.mark.parametrize("value", ARRAYS, ids=lambda v: type(v).__name__)
@pytest.mark.parametrize("name", ["data", "pixmap", "weight_map", "dq", "data2"])
def test_wrong_arrays_are_refused_by_name(name, value):
    if value is None and name in {"weight_map", "dq", "data2"}:
        pytest.skip("None is allowed")
    if name == "data2" and isinstance(value, np.ndarray) and not value.size:
        pytest.skip("an empty one counts as None")
    with pytest.raises((ParameterError, ShapeError), match=f"'{name}'"):
        added(**{"data": np.ones((N, N)), name: value})


@pytest.mark.parametrize("name", ["out_img", "out_wht", "out_ctx", "out_dq", "out_img2"])
def test_outputs_that_cannot_be_written_are_refused_by_name(name):
    dtype = {"out_ctx": np.int32, "out_dq": np.uint32}.get(name, np.float32)
    array = np.zeros((N, N), dtype)
    array.flags.writeable = False
    with pytest.raises(ParameterError, match=f"'{name}' is read-only"):
        Drizzle(**{name: array})
    with pytest.raises(ArrayTypeError, match=f"'{name}'"):
        Drizzle(**{name: np.zeros((N, N), complex)})


def test_one_array_for_two_outputs_is_refused():
    array = np.zeros((N, N), np.float32)
    with pytest.raises(ParameterError, match="given twice"):
        Drizzle(out_img=array, out_wht=array)


def test_strided_outputs_are_filled_in_place():
    kept = np.zeros((2 * N, 3 * N), np.float32)
    driz = Drizzle(out_img=kept[::2, ::-3])
    driz.add_image(np.full((N, N), 3.0), 1.0, identity())
    np.testing.assert_array_equal(kept[::2, ::-3], 3.0)
    assert kept.sum() == 3.0 * N * N


@pytest.mark.parametrize(
    "start",
    [
        {"fillval": []}, {"fillval": "x"}, {"fillval": 1e300}, {"fillval2": 1j}, {"disable_ctx": np.zeros(2)},
        {"begin_ctx_id": 1.5}, {"begin_ctx_id": None}, {"begin_ctx_id": 1 << 40}, {"max_ctx_id": "3"},
        {"exptime": "1"}, {"exptime": np.nan}, {"out_shape": (2, -2)}, {"out_shape": 3}, {"out_shape": (1.0, 2)},
        {"out_shape": (1, 2, 3)}, {"kernel": None}, {"kernel": 3}, {"out_ctx": np.zeros((2, 2))},
        {"out_shape": (2, 2), "max_pixels": 0}, {"out_shape": (2, 2), "max_pixels": "x"},
    ],
    ids=str,
)  # fmt: skip
def test_wrong_starts_are_refused_by_name(start):
    with pytest.raises((ParameterError, ShapeError), match=list(start)[-1].replace("kernel", "[kK]ernel")):
        Drizzle(**start)


def test_weights_that_would_overflow_are_refused():
    weight = np.ones((N, N))
    weight[2, 3], weight[4, 4], weight[5, 5] = 1e31, np.nan, np.inf
    with pytest.raises(ParameterError, match="'weight_map' holds weights of up to 1e.31"):
        added(np.ones((N, N)), weight_map=weight)
    with pytest.raises(ParameterError, match="'weight_map'"):
        added(np.ones((N, N)), weight_map=-np.full((N, N), 1e20), wht_scale=1e20)
    weight[2, 3] = 1.0
    assert added(np.ones((N, N)), weight_map=weight, kernel="point").out_wht.sum() == N * N - 2


# -- sizes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(10**6, 10**6), (1 << 40, 1), (1 << 62, 1 << 62)])
def test_an_output_beyond_8_gib_needs_max_pixels(shape):
    with pytest.raises(ParameterError, match="limit is 8 GiB.*max_pixels="):
        Drizzle(out_shape=shape)
    far = identity((2, 2)) * 1e6
    with pytest.raises(ParameterError, match="limit is 8 GiB.*max_pixels="):
        Drizzle().add_image(np.ones((2, 2)), 1.0, far)


def test_max_pixels_is_a_limit_and_lifts_the_other():
    with pytest.raises(ParameterError, match="more than max_pixels=100"):
        Drizzle(out_shape=(N, N), max_pixels=100)
    assert Drizzle(out_shape=(N, N), max_pixels=N * N).out_img.shape == (N, N)
    with pytest.raises(ParameterError, match="more than max_pixels=100"):
        blot_image(np.ones((3, 3)), identity(), max_pixels=100)
    with pytest.raises(OutOfMemoryError, match="not enough memory for the output"):
        Drizzle(out_shape=(1 << 30, 1 << 30), max_pixels=1 << 60)


def test_positions_without_end_are_no_shape():
    grid = identity((2, 2))
    grid[0, 0] = 1e300
    with pytest.raises(ParameterError, match="'pixmap' lie .* apart"):
        Drizzle().add_image(np.ones((2, 2)), 1.0, grid)


def test_images_that_only_seem_to_be_there_are_not_copied():
    huge = np.broadcast_to(np.float32(1), (200_000, 200_000))
    with pytest.raises(ParameterError, match="A copy of 'pixmap'"):
        Drizzle(out_shape=(3, 3)).add_image(huge, 1.0, np.broadcast_to(1.0, (200_000, 200_000, 2)))


def test_a_failed_call_leaves_the_object_as_it_was():
    driz = added(np.full((N, N), 3.0))
    before = driz.out_img.copy()
    with pytest.raises(DrizframeError):
        driz.add_image(np.ones((N, N)), 1.0, identity(), pixfrac="x")
    np.testing.assert_array_equal(driz.out_img, before)
    assert (driz.ctx_id, driz.total_exptime) == (1, 1.0)


# -- sharing -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", ["square", "turbo"])
def test_threads_that_share_an_object_lose_no_image(kernel):
    """Issue 10: 12 to 17 of 40 were kept."""
    driz = Drizzle(kernel=kernel, out_shape=(60, 60), max_ctx_id=39)
    image, grid = np.ones((60, 60), np.float32), identity((60, 60))
    start = threading.Barrier(8)

    def work():
        start.wait()
        for _ in range(5):
            driz.add_image(image, 1.0, grid)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(driz.out_wht, 40.0)
    assert (driz.ctx_id, driz.total_exptime) == (40, 40.0)
    np.testing.assert_array_equal(decode_context(driz.out_ctx, 30, 30)[0], np.arange(40))


def test_objects_can_be_copied_and_pickled():
    driz = added(np.full((N, N), 3.0))
    for other in (copy.deepcopy(driz), pickle.loads(pickle.dumps(driz))):  # noqa: S301
        other.add_image(np.full((N, N), 5.0), 1.0, identity())
        np.testing.assert_array_equal(other.out_img, 4.0)
    np.testing.assert_array_equal(driz.out_img, 3.0)


def test_objects_whose_conversion_or_text_fails_are_refused():
    class Hostile:
        def __array__(self, *args: Any, **kwargs: Any) -> Any:
            raise ZeroDivisionError("no")

        def __repr__(self) -> str:
            raise KeyError("no")

    with pytest.raises(ArrayTypeError, match="'data' cannot be turned into an array of numbers"):
        added(Hostile())
    with pytest.raises(ParameterError, match="Hostile"):
        added(np.ones((N, N)), exptime=Hostile())
    with pytest.raises(ParameterError, match="'data'"):
        added(SimpleNamespace(mask=1, uncertainty=2))


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        (np.full((5, 6), np.nan), "holds no finite number"),
        (np.full((5, 6), -1.0), r"down to -1"),
        (np.where(np.eye(5, 6) > 0, -0.5, np.nan), r"down to -0.5"),
        (-np.ones((5, 6), int), r"down to -1"),
    ],
)
def test_a_weight_map_without_weights_is_refused(weights, told):
    drizzle = resample.Drizzle(out_shape=(5, 6))
    grid = np.stack(np.meshgrid(np.arange(6.0), np.arange(5.0)), axis=-1)
    with pytest.raises(ParameterError, match=rf"'weight_map' .*{told}"):
        drizzle.add_image(np.ones((5, 6), np.float32), 1.0, grid, weight_map=weights)
    assert drizzle.out_wht is None or not drizzle.out_wht.any()


def test_a_mask_is_no_image_but_may_be_a_weight_map():
    drizzle = resample.Drizzle(out_shape=(5, 6))
    grid = np.stack(np.meshgrid(np.arange(6.0), np.arange(5.0)), axis=-1)
    mask = np.eye(5, 6) > 0
    with pytest.raises(ArrayTypeError, match="'data' must be an array of .* type bool"):
        drizzle.add_image(mask, 1.0, grid)
    drizzle.add_image(np.ones((5, 6), np.float32), 1.0, grid, weight_map=mask)
    np.testing.assert_array_equal(drizzle.out_wht > 0, mask)
