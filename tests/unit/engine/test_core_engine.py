"""Store, order of steps, switches, events."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st
from least import least_memory

import drizframe
from drizframe.config import make_parameters
from drizframe.engine.bus import Bus
from drizframe.engine.order import ordered
from drizframe.engine.plan import Plan
from drizframe.engine.store import Store
from drizframe.errors import ConflictError, HookError, ParameterError
from drizframe.hooks import Event, PluginManager, Step
from drizframe.model import RUN, ChipUnit, Exposure, ExposureUnit, PlaneKey, Window
from drizframe.testing.samples import sample_exposures


def step(name, needs=(), makes=(), **more):
    return Step(name=name, summary="s", needs=needs, makes=makes, over="run", run=lambda job: {}, **more)


def names(*steps):
    return [s.name for s in ordered(steps)]


def test_planes_give_the_order():
    late, early = step("late", ("a",), ("b",)), step("early", (), ("a",))
    assert names(late, early) == ["early", "late"]


def test_a_filter_comes_before_other_consumers_but_after_what_it_needs():
    sky = step("sky", ("sci",), ("sky",))
    background = step("background", ("sci", "sky"), ("sci",))
    separate = step("separate", ("sci", "sky"), ("single.sci",))
    assert names(separate, background, sky) == ["sky", "background", "separate"]


def test_after_orders_steps_without_common_planes():
    assert names(step("b", after=("a",)), step("a")) == ["a", "b"]


def test_two_makers_of_a_plane_are_a_conflict():
    with pytest.raises(ConflictError, match="made twice, by step 'a' and step 'b'"):
        ordered([step("a", (), ("x",)), step("b", (), ("x",))])


def test_a_circle_is_refused():
    with pytest.raises(HookError, match="wait for each other"):
        ordered([step("a", ("y",), ("x",)), step("b", ("x",), ("y",))])


def test_two_steps_of_one_name_are_refused():
    with pytest.raises(ConflictError, match="Two steps are named"):
        ordered([step("a"), step("a")])


@given(limit=st.sampled_from([0, 100, 10_000]), seed=st.integers(0, 99))
def test_what_goes_in_comes_out_whatever_the_limit(limit, seed):
    rng = np.random.default_rng(seed)
    images = [rng.normal(size=(7, 5)).astype(np.float32) for _ in range(4)]
    with Store(limit) as store:
        for k, image in enumerate(images):
            store.put(PlaneKey("sci", ChipUnit(k, 0)), image)
        for k, image in enumerate(images):
            np.testing.assert_array_equal(store.get(PlaneKey("sci", ChipUnit(k, 0))), image)
            window = Window(1, 4, 2, 5)
            np.testing.assert_array_equal(
                store.get(PlaneKey("sci", ChipUnit(k, 0)), window), image[window.slices]
            )


@pytest.mark.parametrize("limit", [0, 10**6])
def test_tiles_fill_a_plane(limit):
    with Store(limit) as store:
        key = PlaneKey("mosaic.ctx")
        store.make(key, (2, 6, 4), np.int32)
        expected = np.zeros((2, 6, 4), np.int32)
        for k, window in enumerate([Window(0, 3, 0, 4), Window(3, 6, 0, 2), Window(3, 6, 2, 4)]):
            tile = np.full((2, *window.shape), k + 1, np.int32)
            store.write(key, window, tile)
            expected[(slice(None), *window.slices)] = tile
        np.testing.assert_array_equal(store.get(key), expected)
        np.testing.assert_array_equal(store.get(key, Window(2, 5, 1, 3)), expected[:, 2:5, 1:3])


def test_stored_planes_are_read_only():
    with Store(1000) as store:
        store.put(PlaneKey("a"), np.zeros((2, 2)))
        with pytest.raises(ValueError, match="read-only"):
            store.get(PlaneKey("a"))[0, 0] = 1


def test_scratch_files_go_when_the_store_closes(tmp_path):
    store = Store(0, str(tmp_path))
    store.put(PlaneKey("a"), np.zeros((2, 2)))
    store.put(PlaneKey("b"), np.zeros((2, 2)))
    assert list(tmp_path.rglob("*.raw"))
    store.close()
    assert not list(tmp_path.iterdir())


def test_a_failing_listener_is_dropped_and_the_others_go_on(caplog):
    heard = []

    class Bad:
        def drizframe_progress(self, event):
            raise RuntimeError("listener broke")

    class Good:
        def drizframe_progress(self, event):
            heard.append(event.text)

    bus = Bus(PluginManager(stock=False, installed=False), [Bad(), Good()])
    bus.emit(Event(kind="message", text="one"))
    bus.emit(Event(kind="message", text="two"))
    assert heard == ["one", "two"]
    assert sum("is dropped" in r.message for r in caplog.records) == 1


def test_keeping_many_planes_takes_time_in_proportion():
    def effort(number):
        """Lines of Python of the store that run."""
        count = 0

        def trace(frame, event, _):
            nonlocal count
            count += event == "line"
            return trace if frame.f_code.co_filename.endswith("store.py") else None

        with Store(3000) as store:
            sys.settrace(trace)
            try:
                for k in range(number):
                    store.put(PlaneKey("sci", ChipUnit(k, 0)), np.zeros((5, 10)))
                    store.get(PlaneKey("sci", ChipUnit(k // 2, 0)))
            finally:
                sys.settrace(None)
            assert store.spilled == 400 * (number - 7)
        return count

    assert effort(160) < 2.2 * effort(80)


def test_the_least_recently_used_plane_goes_to_disk_also_after_a_rename():
    with Store(1000) as store:
        for k in range(2):
            store.put(PlaneKey("sci", ChipUnit(k, 0)), np.full((5, 10), k, dtype=float))
        store.rename(PlaneKey("sci", ChipUnit(0, 0)), PlaneKey("err", ChipUnit(0, 0)))
        store.put(PlaneKey("sci", ChipUnit(2, 0)), np.full((5, 10), 2.0))
        assert store._planes[PlaneKey("sci", ChipUnit(1, 0))].file is not None
        assert store.get(PlaneKey("err", ChipUnit(0, 0)))[0, 0] == 0
        store.drop(PlaneKey("err", ChipUnit(0, 0)))
        store.put(PlaneKey("sci", ChipUnit(3, 0)), np.full((5, 10), 3.0))
        assert store.spilled == 400  # what was dropped made room


def test_over_the_limit_what_can_be_brought_again_is_forgotten_and_no_scratch_is_written(tmp_path):
    with Store(1000, str(tmp_path)) as store:
        for k in range(4):
            store.put(PlaneKey("sci", ChipUnit(k, 0)), np.full((5, 10), k, dtype=float), again=k != 1)
        there = [PlaneKey("sci", ChipUnit(k, 0)) in store for k in range(4)]
        assert there == [False, True, True, True]
        assert store.spilled == 400  # the one that cannot be brought again
        assert store.room_for(200)
        assert not store.room_for(201)
        store.expect(
            1000, lambda key: -key.unit.exposure
        )  # two are there, the first is needed later than the last
        assert store.room_for(300, PlaneKey("sci", ChipUnit(3, 0)))
        assert not store.room_for(201, PlaneKey("sci", ChipUnit(0, 0)))


@pytest.mark.parametrize("packed", [False, True])
def test_inputs_are_read_again_instead_of_being_copied_to_scratch(packed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for k, exposure in enumerate(sample_exposures(3)):
        chip = exposure.chips[0]
        hdus = [fits.PrimaryHDU(), fits.ImageHDU(chip.data(), chip.wcs.to_header(relax=True), name="SCI")]
        hdus[0].header.update(EXPTIME=100.0, BUNIT="ELECTRONS")
        hdus[1].header["BUNIT"] = "ELECTRONS"
        fits.HDUList(hdus).writeto(f"e{k}.fits" + (".gz" if packed else ""))
    spilled = []

    class Listener:
        def drizframe_after_step(self, event):
            spilled.extend(p.name for p in Path("scratch").rglob("sci_*.raw"))

    Path("scratch").mkdir()
    options = {"tile_size": 16, "num_cores": 2}
    free = drizframe.run("e*.fits*", **options)
    options |= {"num_cores": 1, "max_memory": least_memory("e*.fits*", **options)}
    tight = drizframe.run("e*.fits*", **options, workdir="scratch", listeners=[Listener()])
    np.testing.assert_array_equal(tight.sci, free.sci)
    np.testing.assert_array_equal(tight.wht, free.wht)
    assert bool(spilled) == packed


def test_values_are_kept_as_they_are_though_they_are_arrays():
    values = [np.ma.masked_less(np.arange(6.0).reshape(2, 3), 3), np.array([[{}, None]], dtype=object)]
    with Store(0) as store:
        for k, value in enumerate(values):
            store.put(PlaneKey("mine.table", ChipUnit(k, 0)), value, as_value=True)
        store.put(PlaneKey("sci", ChipUnit(5, 0)), np.zeros((4, 4)))
        assert all(store.get(PlaneKey("mine.table", ChipUnit(k, 0))) is v for k, v in enumerate(values))


@pytest.mark.parametrize("least", [False, True])
def test_images_of_the_inputs_that_one_keeps_are_there_whatever_the_limit(least, recwarn):
    exposures = sample_exposures(2)
    limit = least_memory(exposures) if least else 1024.0
    result = drizframe.run(exposures, keep=("sci", "err"), max_memory=limit, num_cores=1)
    for exposure in exposures:
        np.testing.assert_array_equal(result.planes["sci"][exposure.name][0], exposure.chips[0].data())
        np.testing.assert_array_equal(result.planes["err"][exposure.name][0], exposure.chips[0].plane("err"))
    assert not [t for t in result.warnings if "did not make" in t]


def test_chips_are_numbered_over_the_run_without_counting_them_again():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.cdelt = ["RA---TAN", "DEC--TAN"], (-1e-5, 1e-5)
    exposures = [
        Exposure.from_arrays([np.ones((4, 4))] * n, [wcs] * n, name=f"e{n}", exptime=1.0) for n in (2, 1, 3)
    ]
    plan = Plan(exposures=tuple(exposures), parameters=make_parameters({}), frames={}, steps=(), workers=1)
    assert [plan.chip_number(u) for u in plan.chips] == [1, 2, 3, 4, 5, 6]
    assert plan.chips == plan.unit_list("chip")
    assert all(plan.has(u) for u in (*plan.chips, *plan.unit_list("exposure"), RUN))
    assert not any(plan.has(u) for u in (ExposureUnit(3), ChipUnit(1, 1), ChipUnit(0, 2), ChipUnit(-1, 0)))


@pytest.mark.parametrize("size", [1, 15, 0, -3])
def test_tiles_of_a_few_pixels_are_refused(size):
    with pytest.raises(ParameterError, match=r"tile_size.*16"):
        make_parameters({"tile_size": size})
