"""What steps declare, and what the engine makes of it: places, types, borders, bands."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
import pytest
from pydantic import BaseModel

import drizframe
from drizframe.engine.bound import bind, declared_planes
from drizframe.errors import ConflictError, HookError, ParameterError, PluginError, RunError
from drizframe.hooks import Need, PluginManager, Registry, Step, hookimpl
from drizframe.model import ChipUnit, ExposureUnit, PixelMap, Plane, PlaneKey, Window
from drizframe.stock.kernels.square import SQUARE
from drizframe.testing import FakeJob
from drizframe.testing.samples import sample_exposures
from drizframe.testing.strategies import tangent_plane

ON_TILES = {"over": "tile", "grid": "final", "makes": ()}
SETTINGS = {"skysub": False, "static": False, "driz_cr": False, "median": False, "blot": False}


def step(run=lambda job: {}, **fields):
    fields = {"name": "mine.step", "needs": ("sci",), "makes": ("sci",), "over": "chip", **fields}
    return Step(summary="For a test.", run=run, **fields)


def plane(name="mine.plane", **fields):
    return Plane(name=name, meaning="for a test", **{"on": "chip", **fields})


@pytest.fixture
def run_with():
    """Runs three small exposures with steps of a plugin."""
    names = []

    def run(*steps, exposures=None, **parameters):
        class Mine:
            @hookimpl
            def drizframe_extra_steps(self):
                yield from steps

        names.append(drizframe.register(Mine()))
        try:
            return drizframe.run(exposures or sample_exposures(), **{**SETTINGS, **parameters})
        finally:
            drizframe.unregister(names.pop())

    return run


# -- declarations ----------------------------------------------------------------------------------------------------------


def test_one_name_declared_differently_is_a_conflict_that_names_both():
    two = [step(name="a", makes=(plane(dtype="uint8"),)), step(name="b", makes=(plane(dtype="int32"),))]
    with pytest.raises(
        ConflictError, match=r"Step 'b' of .* declares plane 'mine.plane' otherwise than step 'a'"
    ) as caught:
        declared_planes(two)
    assert "int32" in str(caught.value)
    assert "uint8" in str(caught.value)
    with pytest.raises(ConflictError, match="declares plane 'sci' otherwise than the exposures"):
        declared_planes([step(makes=(plane("sci", dtype="float64"),))])


def test_one_name_declared_alike_is_one_plane():
    planes = declared_planes([step(name="a", makes=(plane(),)), step(name="b", makes=(plane(),))])
    assert planes["mine.plane"] == plane()


def test_a_plane_made_by_name_that_nobody_declares_is_refused_with_a_hint():
    with pytest.raises(
        HookError, match="makes plane 'scii' by name, which nobody declares. Did you mean 'sci'"
    ):
        declared_planes([step(makes=("scii",))])
    with pytest.raises(HookError, match="Give a Plane record that says what it holds"):
        declared_planes([step(makes=("mine.unheard",))])


def test_a_step_that_replaces_a_stage_makes_its_planes_by_name(run_with):
    class Replaced:
        @hookimpl
        def drizframe_step_sky(self):
            value = drizframe.SkyValue(subtracted=3.0, level=3.0)
            return Step(
                name="sky", summary="Three.", needs=(), makes=("sky",), over="run",
                run=lambda job: {PlaneKey("sky", u): value for u in job.units("chip")},
            )  # fmt: skip

    name = drizframe.register(Replaced())
    try:
        result = run_with(skysub=True)
    finally:
        drizframe.unregister(name)
    assert [v[0].level for v in result.sky.values()] == [3.0] * 3


def test_a_wrapped_stage_makes_what_it_made_before(run_with):
    class Wrapped:
        @hookimpl(wrapper=True)
        def drizframe_step_sky(self):
            found = yield
            return dataclasses.replace(found, summary="As before.")

    plain = run_with(skysub=True)
    name = drizframe.register(Wrapped())
    try:
        np.testing.assert_array_equal(run_with(skysub=True).sci, plain.sci)
    finally:
        drizframe.unregister(name)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"makes": (plane(on="frame", grid="final"),)},
         "is called for each chip, and makes plane 'mine.plane', image of each frame 'final'. .*over='tile' with grid='final'"),
        ({"makes": (plane(on="exposure"),)}, "called for each chip, and makes .* each exposure. .*over='exposure'"),
        ({"over": "exposure", "makes": (plane(on="run", kind="value"),)}, "called for each exposure, .*over='run'"),
        ({"over": "band", "makes": (plane(kind="value"),)}, "called for each band, and makes plane 'mine.plane', a value of each chip"),
        ({"over": "tile", "grid": "final", "makes": ("median",)}, "called for tiles of grid 'final', and makes plane 'median'"),
        ({"over": "tile", "grid": "separate", "makes": (plane(),)}, "called for tiles of grid 'separate', .*over='chip'"),
        ({"over": "tile", "grid": "exposure", "makes": (plane(on="exposure", kind="value"),)}, "a value of each exposure"),
        ({"over": "tile", "grid": "output", "makes": ()}, "works on tiles of grid 'output'; there are: exposure, final, separate"),
        ({"over": "run", "makes": (plane(on="frame", grid="third"),)}, "on grid 'third'; there are"),
    ],
)  # fmt: skip
def test_a_step_makes_what_no_other_task_makes(run_with, fields, words):
    with pytest.raises(HookError, match=f"Step 'mine.step' of .*{words}"):
        run_with(step(**fields))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"needs": (Need("sci", of="under"),)}, "needs 'sci' under a chip, but that is a plane of each chip"),
        (
            {"over": "tile", "grid": "final", "makes": (), "needs": (Need("sci", of="touching", border=2),)},
            "works over tiles of grid 'final' and needs 'sci' with a border, but that is chip: .* not cut into these",
        ),
        (
            {
                "over": "tile",
                "grid": "final",
                "makes": (),
                "needs": (Need("median", border=lambda asked: 1),),
            },
            "needs 'median' with a border, but that is frame separate",
        ),
        ({"over": "band", "needs": ("sci", Need("sky", border=1))}, "needs 'sky' with a border"),
        *(
            ({**ON_TILES, "needs": (Need(name, of="touching"),)}, f"needs '{name}' of what touches a tile")
            for name in ("median", "cosmic_ray_alarm.texts")
        ),
    ],
)
def test_a_need_that_means_nothing_for_its_plane_is_refused(run_with, fields, words):
    with pytest.raises(HookError, match=f"Step 'mine.step' of .*{words}"):
        run_with(step(**fields))


# -- borders ---------------------------------------------------------------------------------------------------------------


def test_borders_are_asked_once_while_planning(run_with):
    asked = []

    class Options(BaseModel):
        reach: int = 2

    def border(about):
        asked.append((about.options.reach, about.parameters.tile_size, len(about.exposures)))
        assert about.registry.get("kernel", "square").name == "square"
        return about.options.reach

    shapes = []

    def same(job):
        image = job.read("single.sci")
        shapes.append((image.shape, job.window.shape))
        own = job.window.relative_to(job.window.grown(3, within=job.frame("separate").shape))
        return {"single.sci": image[own.slices]}

    filtering = step(
        same, needs=(Need("single.sci", border=border),), makes=("single.sci",), over="tile", grid="exposure",
        options_model=Options,
    )  # fmt: skip
    run_with(filtering, tile_size=16, median=True, num_cores=1, plugins={"mine": {"reach": 3}})
    assert asked == [(3, 16, 3)]
    assert len(shapes) > 9
    assert max(wide[0] - own[0] for wide, own in shapes) == 6


@pytest.mark.parametrize(
    ("border", "words"),
    [
        (lambda asked: -1, "gives -1 as the border of plane 'sci'; give a whole number of pixels, 0 or more"),
        (lambda asked: 1.5, "gives 1.5 as the border"),
        (lambda asked: True, "gives True as the border"),
        (lambda asked: 1 / 0, "failed in the border of plane 'sci': ZeroDivisionError"),
    ],
)
def test_a_border_that_is_none_is_named(border, words):
    record = step(needs=(Need("sci", border=border),), over="band")
    registry = Registry(PluginManager(installed=False))
    with pytest.raises(PluginError, match=f"Step 'mine.step' of .*{words}"):
        bind(record, declared_planes([record]), drizframe.Parameters(), (), registry)


# -- reads -----------------------------------------------------------------------------------------------------------------


def test_a_read_without_a_window_gives_the_own_one_with_its_border():
    window = Window(8, 16, 0, 44)
    job = FakeJob(step(needs=(Need("sci", border=2), "dq"), over="band"), window=window)
    chip = job.chip
    np.testing.assert_array_equal(job.read("sci"), chip.data()[6:18])
    np.testing.assert_array_equal(job.read("dq"), chip.plane("dq")[8:16])
    at_the_edge = FakeJob(step(needs=(Need("sci", border=2),), over="band"), window=Window(0, 8, 0, 44))
    assert at_the_edge.read("sci").shape == (10, 44)


def test_a_read_beyond_the_border_of_a_band_is_refused():
    job = FakeJob(step(needs=(Need("sci", border=1),), over="band"), window=Window(8, 16, 0, 44))
    assert job.read("sci", window=Window(7, 17, 0, 44)).shape == (10, 44)
    with pytest.raises(HookError, match="for its band .* declares a border of 1 pixels"):
        job.read("sci", window=Window(6, 17, 0, 44))


def test_each_on_tiles_gives_the_tile_of_every_exposure():
    needs = (Need("single.sci", of="touching", border=1),)
    record = step(needs=needs, makes=("median",), over="tile", grid="separate")
    images = {("single.sci", ExposureUnit(i)): np.full((50, 60), i, np.float32) for i in (0, 2)}
    job = FakeJob(record, images, frames={"separate": (50, 60)}, window=Window(10, 20, 0, 10))
    with pytest.raises(drizframe.errors.RunError, match="'single.sci' of sample1, which was not made"):
        list(job.each("single.sci"))
    images["single.sci", ExposureUnit(1)] = np.full((50, 60), 1, np.float32)
    job = FakeJob(record, images, frames={"separate": (50, 60)}, window=Window(10, 20, 0, 10))
    assert [(u.exposure, im.shape, im.max()) for u, im in job.each("single.sci")] == [
        (0, (12, 11), 0.0), (1, (12, 11), 1.0), (2, (12, 11), 2.0),
    ]  # fmt: skip


def test_each_of_an_exposure_gives_its_own_chips():
    job = FakeJob(step(needs=("sci",), makes=(), over="exposure"), unit=ExposureUnit(1))
    assert [unit for unit, _ in job.each("sci")] == [ChipUnit(1, 0)]
    everything = FakeJob(
        step(needs=(Need("sci", of="all"),), makes=(), over="exposure"), unit=ExposureUnit(1)
    )
    assert [unit.exposure for unit, _ in everything.each("sci")] == [0, 1, 2]


@pytest.mark.parametrize(("grid", "expected"), [("final", [0, 1]), ("exposure", [1])])
def test_touching_gives_the_chips_that_a_kernel_spreads_onto_the_tile(grid, expected):
    made = {"final": "mosaic.sci", "exposure": "single.sci"}[grid]
    record = step(needs=(Need("sci", of="touching"),), makes=(made,), over="tile", grid=grid)
    unit = ExposureUnit(1) if grid == "exposure" else None

    def side_by_side(of, which):
        return PixelMap.from_function(lambda x, y: (x + 44.0 * of.exposure, y), (40, 44))

    def job(window):
        frames = {"final": (40, 132), "separate": (40, 132)}
        return FakeJob(record, unit=unit, window=window, frames=frames, maps=side_by_side, ratio=1.0)

    near = job(Window(0, 16, 30, 60))
    assert [u.exposure for u in near.touching(SQUARE, 1.0)] == expected
    assert list(job(Window(0, 16, 0, 30)).touching(SQUARE, 1.0)) == (
        [ChipUnit(0, 0)] if grid == "final" else []
    )


# -- bands -----------------------------------------------------------------------------------------------------------------


def test_a_step_over_bands_gives_the_bits_of_one_over_chips(run_with):
    tall = [
        drizframe.Exposure.from_arrays(
            np.random.default_rng(k).normal(5, 1, (530, 20)).astype(np.float32),
            tangent_plane((530, 20), 0.1, (0.3 * k, 0.2 * k)),
            name=f"tall{k}",
            exptime=10.0,
        )
        for k in range(2)
    ]
    seen = []

    def smooth(job):
        image = job.read("sci")
        padded = np.pad(image, ((1, 1), (0, 0)), mode="edge")
        return (padded[:-2] + image + padded[2:]) / np.float32(3)

    def on_chip(job):
        return {"sci": smooth(job)}

    def on_band(job):
        seen.append(job.window)
        wide = job.window.grown(1, within=job.chip.shape)
        return {"sci": smooth(job)[job.window.relative_to(wide).slices]}

    whole = run_with(step(on_chip), exposures=tall)
    cut = run_with(step(on_band, needs=(Need("sci", border=1),), over="band"), exposures=tall)
    assert {w.shape[0] for w in seen} == {256, 18}
    assert cut.sci.tobytes() == whole.sci.tobytes()


# -- what is kept ----------------------------------------------------------------------------------------------------------


def test_planes_of_footprints_have_the_type_that_they_declare(run_with):
    seen = []

    def bright(job):
        return {"mine.bright": (job.read("single.sci") > 1).astype(np.uint8)}

    def look(job):
        seen.append(job.read("mine.bright", job.unit).dtype)
        return {}

    made = plane("mine.bright", on="exposure", dtype="uint8")
    run_with(
        step(bright, name="mine.bright", needs=("single.sci",), makes=(made,), over="tile", grid="exposure"),
        step(look, name="mine.look", needs=("mine.bright",), makes=(), over="exposure"),
        median=True,
    )  # fmt: skip
    assert seen == [np.dtype("uint8")] * 3


def test_a_filter_on_exposures_leaves_images_where_they_are_on_the_frame(run_with):
    plain = run_with(median=True)
    same = step(
        lambda job: {"single.sci": job.read("single.sci").copy()}, needs=("single.sci",), makes=("single.sci",),
        over="exposure",
    )  # fmt: skip
    np.testing.assert_array_equal(run_with(same, median=True).median, plain.median)


def test_tiles_that_do_not_fit_together_are_refused(run_with):
    def odd(job):
        image = job.read("median")
        return {"mine.plane": image.astype(np.float64) if job.window.x0 else image}

    made = plane(on="frame", grid="separate")
    with pytest.raises(
        PluginError, match="'mine.plane' of the separate frame as float64 .* after float32 .* another tile"
    ):
        run_with(
            step(odd, needs=("median",), makes=(made,), over="tile", grid="separate"),
            median=True,
            tile_size=16,
        )


def test_a_chip_makes_no_plane_of_another_chip(run_with):
    def other(job):
        return {PlaneKey("sci", ChipUnit((job.unit.exposure + 1) % 3, 0)): job.read("sci")}

    with pytest.raises(PluginError, match="A step makes planes of its own unit, or over='run'"):
        run_with(step(other))


# -- parts, values, units --------------------------------------------------------------------------------------------------


def test_parts_that_a_filter_leaves_out_stay_what_they_were(run_with):
    """Two of its bands are left alone, as a chip is that a filter gives nothing for."""

    def doubled(job):
        return {} if job.window.y0 == 0 else {"sci": job.read("sci") * 2}

    image = np.full((600, 40), 4.0, np.float32)
    wcs = sample_exposures()[0].chips[0].wcs
    one = drizframe.Exposure.from_arrays(image, wcs, name="tall", exptime=1.0, unit="electrons/s")
    result = run_with(step(doubled, over="band"), exposures=[one])
    assert set(np.unique(np.round(result.sci[result.wht > 0.5], 3))) >= {4.0, 8.0}
    assert not (result.sci[result.wht > 0.5] == 0).any()


def test_a_new_plane_with_gaps_is_refused(run_with):
    def gappy(job):
        return {} if job.window.y0 else {"mine.plane": np.ones(job.window.shape, np.float32)}

    image = np.full((600, 40), 4.0, np.float32)
    wcs = sample_exposures()[0].chips[0].wcs
    one = drizframe.Exposure.from_arrays(image, wcs, name="tall", exptime=1.0, unit="electrons/s")
    makes = (plane(dtype="float32"),)
    with pytest.raises(
        PluginError, match=r"made plane 'mine.plane' of tall, chip 1, but not for its band \[256:512"
    ):
        run_with(step(gappy, over="band", makes=makes), exposures=[one])


@pytest.mark.parametrize("separate", [True, False])
def test_a_value_that_is_filled_again_is_kept_as_it_was(run_with, separate):
    buffer, seen = np.zeros((3, 3)), []

    def make(job):
        buffer[:] = job.unit.exposure
        return {"mine.values": buffer[:]}

    values = plane("mine.values", on="exposure", kind="value", value=np.ndarray)

    def look(job):
        seen.append(job.read("mine.values")[0, 0])
        return {}

    first = step(make, name="mine.make", over="exposure", makes=(values,))
    second = step(look, name="mine.look", over="exposure", needs=("mine.values",), makes=())
    run_with(first, second, driz_separate=separate, num_cores=1)
    assert seen == [0, 1, 2]
    buffer[:] = 7  # is still the author's


@pytest.mark.parametrize(
    ("over", "read", "words"),
    [
        (
            "run",
            lambda job: job.read("sci"),
            "of the run, but that is a plane of each chip. Give the unit, .* or use each",
        ),
        ("exposure", lambda job: job.read("sci"), "but that is a plane of each chip"),
        ("run", lambda job: job.read("sci", ChipUnit(99, 0)), "which is no chip of this run"),
    ],
)
def test_a_plane_is_read_of_units_that_have_it(run_with, over, read, words):
    with pytest.raises(HookError, match=words):
        run_with(step(lambda job: read(job) and {}, over=over, needs=(Need("sci", of="all"),), makes=()))


def test_planes_outside_of_a_footprint_have_the_type_and_axes_of_the_plane(run_with):
    big = 2**24 + 1
    found = set()

    def make(job):
        shape = job.footprint(job.unit).shape
        return {"mine.cube": np.full((2, *shape), big, np.int32)}

    def look(job):
        for _, part in job.each("mine.cube"):
            found.update((part.dtype.name, part.shape[:-2], int(v)) for v in np.unique(part))
        return {}

    cube = plane("mine.cube", on="exposure", kind="cube", dtype="int32")
    reader = step(
        look,
        name="mine.look",
        over="tile",
        grid="separate",
        needs=(Need("mine.cube", of="touching"),),
        makes=(),
    )
    apart = []
    for k, exposure in enumerate(sample_exposures()[:2]):
        wcs = exposure.chips[0].wcs.deepcopy()
        wcs.wcs.crpix += 25.0 * k
        image = np.ones(exposure.chips[0].shape, np.float32)
        apart.append(
            drizframe.Exposure.from_arrays(image, wcs, name=f"e{k}", exptime=1.0, unit="electrons/s")
        )
    run_with(
        step(make, name="mine.make", over="exposure", makes=(cube,)), reader, exposures=apart, tile_size=16
    )
    assert found == {("int32", (2,), 0), ("int32", (2,), big)}


def test_other_chips_come_whole_to_a_band():
    exposures = sample_exposures()
    bands = step(over="band", needs=(Need("sci", of="all"),))
    job = FakeJob(
        bands,
        exposures=exposures,
        unit=ChipUnit(0, 0),
        window=Window(2, 5, 0, exposures[0].chips[0].shape[1]),
    )
    assert job.read("sci").shape[0] == 3
    assert job.read("sci", ChipUnit(1, 0)).shape == exposures[1].chips[0].shape


def test_what_no_step_of_the_run_makes_is_refused_while_planning(run_with):
    wants = step(needs=(Need("median", of="under"),), makes=())
    with pytest.raises(
        RunError, match="needs plane 'median', which no step .* Step 'median' makes it, which is off: switch"
    ):
        run_with(wants)


def test_options_of_components_that_a_step_makes_are_their_own(run_with):
    class One(BaseModel):
        one: int = 1

    class Two(BaseModel):
        two: int = 2

    found = []

    def look(job):
        for k in range(40):
            model = (One, Two)[k % 2]
            made = dataclasses.replace(SPARE, options_model=model)
            found.append(type(job.plugin_options(made)) is model)
        return {}

    run_with(step(look, makes=()), exposures=sample_exposures()[:1])
    assert found
    assert all(found)


SPARE = drizframe.Combiner(name="mine.spare", summary="S.", reference=lambda stack, bad, **more: stack[0])


def test_a_plane_that_many_bands_want_is_loaded_once(run_with):
    loads = []
    image = np.full((1200, 30), 4.0, np.float32)
    wcs = sample_exposures()[0].chips[0].wcs
    one = drizframe.Exposure.from_arrays(image, wcs, name="tall", exptime=1.0, unit="electrons/s")
    source = one.chips[0].load

    def slow(kind):
        loads.append(kind)
        time.sleep(0.02)
        return source(kind)

    chip = dataclasses.replace(one.chips[0], load=slow)
    run_with(
        step(lambda job: {"sci": job.read("sci")}, over="band"),
        exposures=[one.with_chips([chip])],
        num_cores=8,
    )
    assert loads.count("sci") <= 2  # for the check whether any pixel is good, and for the run


def test_a_step_may_come_after_one_of_a_plugin_that_is_not_here(run_with):
    assert "mine.step" in run_with(step(after=("other.gradient",))).seconds
    with pytest.raises(HookError, match=r"after 'separatee', which is no step. Did you mean 'separate'"):
        run_with(step(after=("separatee",)))


def test_a_listener_without_a_list_is_refused():
    with pytest.raises(ParameterError, match=r"in a list: listeners=\[mine\]"):
        drizframe.run(sample_exposures(), listeners=object())


# -- what touches a tile ---------------------------------------------------------------------------------------------------


def beside(of, which):
    """The chips of three exposures side by side."""
    return PixelMap.from_function(lambda x, y: (x + 44.0 * of.exposure, y), (40, 44))


def on_tile(need, window, planes=None, **fields):
    record = step(needs=(need,), **{"makes": ("mosaic.sci",), "over": "tile", "grid": "final", **fields})
    frames = {"final": (40, 132), "separate": (40, 132)}
    return FakeJob(record, planes, window=window, frames=frames, maps=beside, ratio=1.0)


@pytest.mark.parametrize(
    ("columns", "near"),
    [((0, 30), [0]), ((30, 60), [0, 1]), ((50, 60), [1]), ((86, 90), [1, 2]), ((93, 100), [2])],
)
def test_only_chips_that_touch_the_tile_can_be_read(columns, near):
    job = on_tile(Need("sci", of="touching"), Window(0, 16, *columns))
    assert [unit.exposure for unit, _ in job.each("sci")] == near
    for k in range(3):
        if k in near:
            assert job.read("sci", ChipUnit(k, 0)).shape == (40, 44)
        else:
            with pytest.raises(
                HookError, match=rf"of sample{k}, chip 1 for its tile .* this chip does not touch.*of='all'"
            ):
                job.read("sci", ChipUnit(k, 0))


def test_a_chip_that_a_kernel_spreads_onto_the_tile_can_be_read_however_far_it_lies():
    wide = drizframe.Kernel(
        name="wide", summary="W.", footprint=SQUARE.footprint, support=lambda pixfrac, scale: 40.0
    )
    job = on_tile(Need("sci", of="touching"), Window(0, 16, 60, 80))
    with pytest.raises(HookError, match="does not touch"):
        job.read("sci", ChipUnit(0, 0))
    assert ChipUnit(0, 0) in list(job.touching(wide, 1.0))
    assert job.read("sci", ChipUnit(0, 0)).shape == (40, 44)


def test_values_of_exposures_are_those_of_exposures_with_a_chip_on_the_tile():
    values = {("single.threshold", ExposureUnit(k)): float(k) for k in range(3)}
    job = on_tile(Need("single.threshold", of="touching"), Window(0, 16, 30, 60), values)
    assert [value for _, value in job.each("single.threshold")] == [0.0, 1.0]
    with pytest.raises(HookError, match="this exposure does not touch"):
        job.read("single.threshold", ExposureUnit(2))


def test_images_of_exposures_on_the_grid_of_the_tile_are_0_where_they_do_not_touch_it():
    record = step(needs=(Need("single.sci", of="touching"),), makes=("median",), over="tile", grid="separate")
    job = FakeJob(record)
    foot = job.footprint(ExposureUnit(0))
    images = {
        ("single.sci", ExposureUnit(k)): np.ones(job.footprint(ExposureUnit(k)).shape, np.float32)
        for k in range(3)
    }
    corner = Window(0, 3, 0, 3)
    outside = FakeJob(record, images, window=corner)
    inside = [k for k in range(3) if not job.footprint(ExposureUnit(k)).intersection(corner).empty]
    assert [unit.exposure for unit, _ in outside.each("single.sci")] == inside
    assert [outside.read("single.sci", ExposureUnit(k)).max() for k in range(3) if k not in inside] == [
        0.0
    ] * (3 - len(inside))
    assert foot.shape[0] > 0
