"""Planes in scratch files: what is one number takes no room, windows are read alone, and what is left of a run goes with its result."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from drizframe.engine import stored_plane
from drizframe.engine.flat_parts import FlatParts
from drizframe.engine.store import Store
from drizframe.engine.stored import stored
from drizframe.errors import RunError
from drizframe.model import FrameUnit, PlaneKey, Window

KEY = PlaneKey("mosaic.sci", FrameUnit("final"))


def size(folder):
    return sum(f.stat().st_blocks * 512 for f in folder.rglob("*.raw"))


def tiles(shape, side):
    for y in range(0, shape[0], side):
        for x in range(0, shape[1], side):
            yield Window(y, min(y + side, shape[0]), x, min(x + side, shape[1]))


@pytest.mark.parametrize("axes", [(), (3,)])
def test_tiles_of_one_number_take_no_room_in_a_scratch_file(tmp_path, axes):
    shape = (*axes, 1000, 900)
    want = np.full(shape, np.nan, np.float32)
    want[..., 300:350, 420:450] = np.random.default_rng(1).normal(size=(*axes, 50, 30))
    want[..., 600:700, :] = 0
    with Store(1000, str(tmp_path)) as store:
        store.make(KEY, shape, np.float32)
        for window in tiles(shape[-2:], 100):
            store.write(KEY, window, want[(..., *window.slices)])
        assert size(tmp_path) < want.nbytes / 5
        np.testing.assert_array_equal(store.get(KEY), want)
        for window in (Window(290, 360, 0, 900), Window(333, 777, 111, 555), Window(0, 1, 0, 1)):
            np.testing.assert_array_equal(store.get(KEY, window), want[(..., *window.slices)])


def test_what_is_remembered_is_not_read_from_the_file(tmp_path, monkeypatch):
    with Store(100, str(tmp_path)) as store:
        store.make(KEY, (40, 50), np.float32)
        store.write(KEY, Window(0, 20, 0, 30), np.full((20, 30), np.nan, np.float32))
        store.write(KEY, Window(0, 20, 30, 50), np.zeros((20, 20), np.float32))
        store.write(KEY, Window(20, 40, 0, 50), np.arange(1000, dtype=np.float32).reshape(20, 50))
        read, calls = stored_plane._read, []
        monkeypatch.setattr(stored_plane, "_read", lambda *given: (calls.append(given[-1]), read(*given)))
        band = store.get(KEY, Window(3, 9, 0, 50))
        assert np.isnan(band[:, :30]).all()
        assert not band[:, 30:].any()
        assert not calls
        assert store.get(KEY, Window(19, 21, 0, 50))[1, 7] == 7
        assert len(calls) == 1


def test_pixels_over_a_remembered_part_count(tmp_path):
    want = np.zeros((40, 50), np.float32)
    parts = [
        (Window(0, 20, 0, 20), 3.0), (Window(20, 40, 0, 50), np.nan), (Window(10, 30, 10, 30), None),
        (Window(0, 40, 5, 6), 0.0), (Window(25, 35, 40, 50), -0.0),
    ]  # fmt: skip
    rng = np.random.default_rng(2)
    with Store(100, str(tmp_path)) as store:
        store.make(KEY, want.shape, want.dtype)
        for window, value in parts:
            data = np.full(window.shape, value, np.float32) if value is not None else None
            data = rng.normal(size=window.shape).astype(np.float32) if data is None else data
            want[window.slices] = data
            store.write(KEY, window, data)
            np.testing.assert_array_equal(store.get(KEY).view(np.int32), want.view(np.int32))


@pytest.mark.parametrize("dtype", [">f4", "bool", "f2", "c8", "u2", ">i2", "f8"])
@pytest.mark.parametrize("window", [Window(3, 9, 2, 7), Window(3, 9, 0, 11), Window(0, 12, 0, 11)])
def test_pixels_of_any_type_come_back(tmp_path, dtype, window):
    want = np.zeros((2, 12, 11), dtype)
    want[(..., *window.slices)] = (
        np.arange(2 * window.shape[0] * window.shape[1]).reshape(2, *window.shape) % 90
    )
    with Store(1, str(tmp_path)) as store:
        store.make(KEY, want.shape, dtype)
        store.write(KEY, window, want[(..., *window.slices)])
        np.testing.assert_array_equal(store.get(KEY), want)
        np.testing.assert_array_equal(store.get(KEY, window), want[(..., *window.slices)])


def test_many_tiles_are_found_again():
    known, side = FlatParts(), 10
    windows = list(tiles((400, 400), side))
    for k, window in enumerate(windows):
        assert known.take(window, np.full((side, side), k, np.int32))
    out = np.zeros((400, 400), np.int32)
    known.put_into(out, Window(0, 400, 0, 400))
    assert [out[w.y0, w.x1 - 1] for w in windows] == list(range(1600))


def test_an_image_of_a_store_is_read_in_windows(tmp_path):
    image = np.arange(30.0).reshape(5, 6)
    with Store(0, str(tmp_path)) as store:
        store.make(KEY, image.shape, image.dtype)
        store.write(KEY, Window(0, 5, 0, 6), image)
        found = stored(store, KEY)
        assert (found.shape, found.dtype) == ((5, 6), np.float64)
        np.testing.assert_array_equal(found.read(Window(1, 3, 2, 5)), image[1:3, 2:5])
        assert stored(store, PlaneKey("other", FrameUnit("final"))) is None
    with pytest.raises(RunError, match=r"This image is gone"):
        found.read()


def test_what_a_run_leaves_goes_when_nobody_holds_it(tmp_path):
    store, kept = Store(0, str(tmp_path)), PlaneKey("kept", FrameUnit("final"))
    for key in (kept, PlaneKey("gone", FrameUnit("final"))):
        store.make(key, (9, 9), np.float32)
        store.write(key, Window(0, 1, 0, 9), np.arange(9.0)[None])
    image = stored(store, kept)
    store.leave({"kept"})
    assert not store.images()
    assert len(list(tmp_path.rglob("*.raw"))) == 1
    assert image.read()[0, 3] == 3
    del image
    gc.collect()
    assert not list(tmp_path.iterdir())


def test_nothing_is_left_in_files_if_all_that_is_held_is_in_memory(tmp_path):
    store = Store(400, str(tmp_path))
    store.put(PlaneKey("gone", FrameUnit("final")), np.ones((9, 9)))
    store.put(KEY, np.ones((5, 5)))
    assert size(tmp_path) > 0
    image = stored(store, KEY)
    store.leave({KEY.name})
    assert not list(tmp_path.iterdir())
    assert image.read().sum() == 25


def test_a_held_image_does_not_keep_the_others_in_memory():
    store, other = Store(10**6), np.ones((5, 5))
    store.put(PlaneKey("median", FrameUnit("separate")), other)
    store.put(KEY, np.ones((5, 5)))
    image, weak = stored(store, KEY), weakref.ref(other)
    store.leave({KEY.name, "median"})
    del other
    gc.collect()
    assert weak() is None
    assert image.read().sum() == 25
