"""What a hostile or careless plugin does to a run: it is named, nothing is spoilt in silence, nothing else is touched."""

from __future__ import annotations

import dataclasses
import functools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from astropy.units import Quantity
from pydantic import BaseModel

import drizframe
from drizframe.errors import HookError, PluginError
from drizframe.model import ChipUnit, Plane, PlaneKey


def combiner(name, function):
    return drizframe.Combiner(name=name, summary="Planted.", reference=function)


def first(stack, bad, **more):
    return stack[0]


# -- blame -----------------------------------------------------------------------------------------------------------------


def test_of_two_records_with_one_function_the_right_one_is_blamed(exposures, plugin):
    def broken(power, stack, bad, **more):
        raise ZeroDivisionError(power)

    made = [combiner(f"fac.{n}", functools.partial(broken, n)) for n in "ab"]

    class Factory:
        @drizframe.hookimpl
        def drizframe_combiners(self):
            yield from made

    plugin(Factory())
    for record in made:
        with pytest.raises(PluginError, match=f"Combiner '{record.name}' of .*ZeroDivisionError"):
            drizframe.run(exposures, combine_type=record.name)


@pytest.mark.parametrize("wrap", [functools.lru_cache, np.vectorize])
def test_callables_without_code_of_their_own_are_named(exposures, wrap):
    def profile(dx, dy, *, pixfrac):
        raise ZeroDivisionError

    inner = wrap(profile) if wrap is np.vectorize else wrap(lambda *a: 1 / 0)

    def call(dx, dy, *, pixfrac):
        return inner(dx, dy) if wrap is np.vectorize else inner()

    kernel = drizframe.Kernel(name="mine", summary="M.", profile=call, support=lambda pixfrac: 1.0)
    with pytest.raises(
        PluginError, match="Kernel 'mine' of the parameter final_kernel failed in step 'final'"
    ):
        drizframe.run(exposures, final_kernel=kernel)


@pytest.mark.parametrize("error", [SystemExit(0), GeneratorExit(), KeyError("x")])
def test_a_component_does_not_end_the_program(exposures, error):
    def leaves(stack, bad, **more):
        raise error

    with pytest.raises(PluginError, match=f"Combiner 'mine' of .* failed .*{type(error).__name__}"):
        drizframe.run(exposures, combine_type=combiner("mine", leaves))


def test_an_interruption_is_no_fault_of_the_plugin(exposures):
    def interrupted(stack, bad, **more):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drizframe.run(exposures, combine_type=combiner("mine", interrupted), num_cores=1, executor="serial")


def test_a_profile_may_be_an_object_that_does_not_hash(exposures):
    class Bell(list):
        def __call__(self, dx, dy, *, pixfrac):
            return np.exp(-3 * (dx * dx + dy * dy)) * 3 / np.pi

    kernel = drizframe.Kernel(name="mine", summary="M.", profile=Bell(), support=lambda pixfrac: 1.5)
    assert np.isfinite(drizframe.run(exposures, final_kernel=kernel).sci).any()


# -- executors -------------------------------------------------------------------------------------------------------------


class NoPool:
    def submit(self, function, task):
        return function(task)

    def shutdown(self, wait=True):
        pass


@pytest.mark.parametrize(
    ("open_", "words"),
    [
        (lambda workers: None, r"opened None; open\(workers\) must return a concurrent.futures.Executor"),
        (
            lambda workers: NoPool(),
            r"its pool gave .* for a task; submit\(\) must return a concurrent.futures.Future",
        ),
    ],
)
def test_an_executor_that_opens_no_pool_is_named(exposures, open_, words):
    executor = drizframe.Executor(name="mine", summary="M.", open=open_)
    with pytest.raises(PluginError, match=f"executor 'mine'.? {words}"):
        drizframe.run(exposures, executor=executor)


def test_an_executor_of_contract_1_is_told_what_to_write():
    with pytest.raises(HookError, match=r"no open\(workers\). Give a function .* is of contract 1"):
        drizframe.Executor(name="mine", summary="M.", reference=lambda function, tasks, *, workers: [])


def test_an_executor_is_not_blamed_for_what_a_task_raises(exposures, plugin):
    def inner(job):
        job.map(lambda item: 1 / 0, [1, 2])
        return {"sci": job.read("sci")}

    plugin(step(inner))
    executor = drizframe.Executor(name="mine.map", summary="M.", open=ThreadPoolExecutor)
    with pytest.raises(
        PluginError, match="Step 'mine.step' of .* failed on dither0, chip 1: ZeroDivisionError"
    ):
        drizframe.run(exposures, executor=executor)


def test_an_error_that_refuses_to_be_changed_still_names_the_component(exposures):
    @dataclasses.dataclass(frozen=True)
    class Stubborn(Exception):  # noqa: N818
        code: int = 3

    def stubborn(stack, bad, **more):
        raise Stubborn

    with pytest.raises(PluginError, match="Combiner 'mine' of the parameter combine_type .*Stubborn"):
        drizframe.run(exposures, combine_type=combiner("mine", stubborn))


def test_a_compiled_body_that_fails_or_spoils_is_named(exposures):
    turbo = drizframe.registry().get("kernel", "turbo")

    def fails(pixfrac, scale):
        raise ZeroDivisionError

    def spoils(pixfrac, scale):
        code, constants = turbo.block(pixfrac, scale)
        return code, constants * np.nan

    for block, words in (
        (fails, "Kernel 'mine' of .*ZeroDivisionError"),
        (spoils, "kernel 'mine' gave weights that are not"),
    ):
        bad = dataclasses.replace(turbo, name="mine", block=block)
        with pytest.raises(PluginError, match=words):
            drizframe.run(exposures, final_kernel=bad)


# -- steps -----------------------------------------------------------------------------------------------------------------


def step(run, **fields):
    fields = {"name": "mine.step", "summary": "Planted.", "needs": ("sci", "sky"), "makes": ("sci",),
              "over": "chip", **fields}  # fmt: skip

    class Plugin:
        @drizframe.hookimpl
        def drizframe_extra_steps(self):
            yield drizframe.Step(run=run, **fields)

    return Plugin()


def mask(name):
    return Plane(name=name, meaning="a mask, 1 = good", on="chip", dtype="uint8")


def same(job):
    return {"sci": job.read("sci")}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"needs": ("sci", "skyy")}, "reads plane 'skyy', which no step makes. Did you mean 'sky'"),
        ({"makes": ("scy",)}, "makes plane 'scy' by name, which nobody declares. Did you mean 's"),
        (
            {"makes": (mask("scy"),)},
            "makes plane 'scy', which no step reads. Did you mean 's.*a dot in front, 'mine.scy'",
        ),
        ({"needs": ("science", "sky")}, "reads plane 'science', which no step makes."),
        ({"after": ("skye",)}, "comes after 'skye', which is no step. Did you mean 'sky'"),
    ],
)
def test_a_plane_or_step_that_nobody_knows_is_refused(exposures, plugin, fields, words):
    plugin(step(same, **fields))
    with pytest.raises(HookError, match=f"Step 'mine.step' .*{words}"):
        drizframe.run(exposures)


def number(name):
    return Plane(name=name, meaning="a level", on="chip", kind="value", value=float)


@pytest.mark.filterwarnings("ignore:More than 5 % of the good pixels")  # the stars are all that is left
def test_a_plane_between_two_steps_of_a_plugin_has_any_name(exposures, plugin):
    plugin(step(lambda job: {"mine.level": float(np.median(job.read("sci")))}, name="mine.a", needs=("sci",),
                makes=(number("mine.level"),)))  # fmt: skip

    def less(job):
        return {"sci": job.read("sci") - np.float32(job.read("mine.level"))}

    plugin(step(less, name="mine.b", needs=("sci", "mine.level")), "second")
    assert abs(np.nanmedian(drizframe.run(exposures, skysub=False).sci)) < 0.05


def test_a_plane_of_a_plugin_may_be_filtered_by_another_of_its_steps(exposures, plugin):
    plugin(step(lambda job: {"q.level": 1.0}, name="q.a", needs=("sci",), makes=(number("q.level"),)))
    more = step(lambda job: {"q.level": job.read("q.level") + 1.0}, name="q.b", needs=("q.level", "sky"),
                makes=("q.level",))  # fmt: skip
    plugin(more, "second")
    result = drizframe.run(exposures)
    assert list(result.seconds).index("q.a") < list(result.seconds).index("q.b")


def test_two_filters_of_a_plane_that_nobody_makes_are_refused(exposures, plugin):
    for name in ("q.a", "q.b"):
        plugin(step(lambda job: {}, name=name, needs=("q.level",), makes=("q.level",)), name)
    with pytest.raises(HookError, match="makes plane 'q.level' by name, which nobody declares"):
        drizframe.run(exposures)


def test_a_buffer_that_a_step_fills_again_spoils_nothing(exposures, plugin):
    plain = drizframe.run(exposures, num_cores=1)
    buffer = np.empty((2, 32, 40), dtype=np.float32)

    def reuse(job):
        buffer[0] = job.read("sci")
        return {"sci": buffer[0]}

    plugin(step(reuse))
    np.testing.assert_array_equal(drizframe.run(exposures, num_cores=1).sci, plain.sci)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([1.0, 2.0], "as list"),
        (3, "as int"),
        (np.zeros((2, 32, 40)), r"with shape \(2, 32, 40\); it must have \(32, 40\)\."),
        (np.zeros((32, 40), dtype=complex), "with type complex128; it must hold real numbers"),
        (np.full((32, 40), "x"), "with type .*real numbers"),
        (
            np.ma.masked_less(np.arange(1280.0).reshape(32, 40), 7),
            r"as MaskedArray with 7 masked pixels.*filled\(np.nan\)",
        ),
        (Quantity(np.ones((32, 40)), "electron"), r"as Quantity with the unit 'electron'.*answer.value"),
    ],
)
def test_what_is_no_image_is_refused(exposures, plugin, value, words):
    plugin(step(lambda job: {"sci": value}))
    with pytest.raises(PluginError, match=f"Step 'mine.step' of .* returned 'sci' {words}"):
        drizframe.run(exposures)


@pytest.mark.parametrize(
    "wrap",
    [lambda a: np.ma.MaskedArray(a, mask=False), lambda a: Quantity(a, ""), lambda a: a.view(np.matrix)],
)
def test_an_array_that_has_nothing_to_lose_counts_as_its_numbers(exposures, plugin, wrap):
    plain = drizframe.run(exposures)
    plugin(step(lambda job: {"sci": wrap(np.array(job.read("sci")))}))
    result = drizframe.run(exposures)
    assert type(result.sci) is np.ndarray
    np.testing.assert_array_equal(result.sci, plain.sci)


def test_a_component_that_answers_with_a_mask_is_refused(exposures):
    def masked(stack, bad, **facts):
        return np.ma.MaskedArray(stack, mask=bad | (stack > 4)).mean(axis=0).astype(np.float32)

    combiner = drizframe.Combiner(name="masked", summary="M.", reference=masked)
    with pytest.raises(
        PluginError, match=r"Combiner 'masked' must return an image.*MaskedArray with \d+ masked pixels"
    ):
        drizframe.run(exposures, combine_type=combiner, skysub=False)


def test_an_interpolator_that_answers_with_a_mask_is_refused(exposures):
    def nearest(image, x, y, *, fill):
        values = image[
            np.rint(y).astype(int).clip(0, image.shape[0] - 1),
            np.rint(x).astype(int).clip(0, image.shape[1] - 1),
        ]
        return np.ma.MaskedArray(values, mask=values > np.median(values))

    interpolator = drizframe.Interpolator(name="masked", summary="M.", reference=nearest, reach=1)
    with pytest.raises(
        PluginError, match=r"Interpolator 'masked' must return one value for each position.*masked pixels"
    ):
        drizframe.run(exposures, blot_interp=interpolator, skysub=False)


def test_a_kernel_that_answers_with_a_mask_is_refused(exposures):
    def box(x, y, corners, x0, y0, shape, *, pixfrac, scale):
        weights = np.zeros((len(x), *shape))
        weights[:, 0, 0] = 1.0
        return np.ma.MaskedArray(weights, mask=weights > 0)

    kernel = drizframe.Kernel(name="masked", summary="M.", footprint=box, support=lambda pixfrac, scale: 0.5)
    with pytest.raises(
        PluginError, match=r"Kernel 'masked' must return weights.*MaskedArray with \d+ masked pixels"
    ):
        drizframe.run(exposures, final_kernel=kernel, skysub=False)


def test_a_read_beyond_the_border_is_refused(large_exposures, plugin):
    def smooth(job):
        wide = job.window.grown(2, within=job.frame("separate").shape)
        image = job.read("median", window=wide)
        return {"median": image[job.window.relative_to(wide).slices].copy()}

    def blurring(border):
        needs = (drizframe.Need("median", border=border),)
        return step(smooth, needs=needs, makes=("median",), over="tile", grid="separate")

    narrow = drizframe.register(blurring(1))
    try:
        with pytest.raises(HookError, match="'mine.step' of .* reads .* declares a border of 1 pixels"):
            drizframe.run(large_exposures, tile_size=64)
    finally:
        drizframe.unregister(narrow)
    plugin(blurring(2))
    assert np.isfinite(drizframe.run(large_exposures, tile_size=64).sci).any()


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("sky", np.array(5.0), "returned 'sky' as ndarray .*a SkyValue"),
        (
            "mine.mask",
            np.zeros((3, 40), np.uint8),
            r"returned 'mine.mask' with shape \(3, 40\); it must have \(32, 40\)",
        ),
        ("mine.mask", np.zeros((32, 40)), "returned 'mine.mask' with type float64; it must hold integers"),
        ("mine.mask", np.full((32, 40), 300), "values from 300 to 300; it must fit into uint8"),
        (
            PlaneKey("mine.mask", ChipUnit(1, 0)),
            np.zeros((32, 40), np.uint8),
            "A step makes planes of its own unit",
        ),
        (PlaneKey("mine.mask", ChipUnit(5, 0)), np.zeros((32, 40)), "which is no chip of this run"),
    ],
)
def test_values_and_units_that_cannot_be_are_refused(exposures, plugin, key, value, words):
    plugin(step(lambda job: {key: value}, needs=("sky",), makes=("sky", mask("mine.mask"))))
    with pytest.raises((PluginError, HookError), match=words):
        drizframe.run(exposures)


class Switch(BaseModel, extra="forbid"):
    on: bool = True


@pytest.mark.parametrize("on", [True, False, "no"])
def test_a_step_is_switched_by_its_own_parameter(exposures, plugin, on):
    def enabled(parameters, exposures, registry, options):
        return options.on

    plugin(step(same, name="sw.same", enabled=enabled, options_model=Switch))
    result = drizframe.run(exposures, plugins={"sw": {"on": on}})
    assert ("sw.same" in result.seconds) == (on is True)
    assert "sw.same" in drizframe.run(exposures).seconds


# -- what belongs to others ------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:More than 5 % of the good pixels")  # they hold noise alone
def test_arrays_of_the_caller_stay_writable(plugin):
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [150.0, 2.0]
    wcs.wcs.crpix, wcs.wcs.cdelt = [16.0, 12.0], [-1e-5, 1e-5]
    images = [np.random.default_rng(k).normal(size=(24, 32)).astype(np.float32) for k in range(2)]
    drizframe.run(
        [drizframe.Exposure.from_arrays(i, wcs, name=f"e{k}", exptime=10.0) for k, i in enumerate(images)]
    )
    for image in images:
        image[:] = 0.0  # raises if it was frozen


def test_a_footprint_cannot_change_what_it_is_given(exposures):
    turbo = drizframe.registry().get("kernel", "turbo")
    seen = []

    def nosy(x, y, corners, x0, y0, shape, *, pixfrac, scale):
        seen.append([a.flags.writeable for a in (x, y, x0, y0)])
        return turbo.footprint(x, y, corners, x0, y0, shape, pixfrac=pixfrac, scale=scale)

    kernel = drizframe.Kernel(name="mine", summary="M.", footprint=nosy, support=turbo.support)
    drizframe.run(exposures, final_kernel=kernel)
    assert seen
    assert not any(any(s) for s in seen)


def test_a_detector_and_a_weighting_cannot_either(exposures):
    seen = []

    def detector(sci, blot, deriv, noise, depth, dq, options):
        seen.extend(a.flags.writeable for a in (sci, blot, deriv, noise, dq) if a is not None)
        return np.zeros(sci.shape, dtype=np.uint8)

    def weighting(chip, mask, sky, ratio, options):
        seen.append(mask.flags.writeable)
        return mask.astype(np.float32), 1.0

    drizframe.run(
        exposures,
        cr_detector=drizframe.CosmicRayDetector(name="mine", summary="M.", reference=detector),
        final_wht_type=drizframe.Weighting(name="MINE", summary="M.", reference=weighting),
    )
    assert len(seen) > 6
    assert not any(seen)


@pytest.mark.filterwarnings("ignore:keep=")
@pytest.mark.filterwarnings("ignore:The cores of")  # so wide a kernel blurs the median
def test_wide_profiles_reach_the_border_of_single_images(exposures):
    def bell(dx, dy, *, pixfrac):
        return np.exp(-0.1 * (dx * dx + dy * dy)) * 0.1 / np.pi

    def footprint(x, y, corners, x0, y0, shape, *, pixfrac, scale):
        dx = (x0[:, None] + np.arange(shape[1]) - x[:, None]) * scale
        dy = (y0[:, None] + np.arange(shape[0]) - y[:, None]) * scale
        near = (np.abs(dy) <= 7.3)[:, :, None] & (np.abs(dx) <= 7.3)[:, None, :]
        return np.where(near, bell(dx[:, None, :], dy[:, :, None], pixfrac=pixfrac) * scale**2, 0.0)

    records = [
        drizframe.Kernel(name="a", summary="A.", profile=bell, support=lambda pixfrac: 7.3),
        drizframe.Kernel(
            name="b", summary="B.", footprint=footprint, support=lambda pixfrac, scale: 7.3 / scale
        ),
    ]
    a, b = (drizframe.run(exposures, driz_sep_kernel=r, keep="all").median for r in records)
    np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
