"""How often the inputs are read: counted through the source of their pixels."""

from __future__ import annotations

import collections

import numpy as np
import pytest

import drizframe
from drizframe.simulate import acs_wfc, dither, random_scene, simulate
from drizframe.stock.io.source import FitsSource
from drizframe.testing import sample_exposures

#: Bytes for each pixel: the default limit for four full ACS/WFC frames is 16, but the rows that tasks work on are a larger part here.
BYTES = 20
SHAPE = (1024, 256)
COUNT = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    scene = random_scene(4, stars=30)
    simulate(acs_wfc(), scene, dither(COUNT, exptime=300, seed=4), seed=4, cosmic_rays=30, shape=SHAPE).write(
        folder
    )
    return folder


@pytest.fixture
def reads(monkeypatch):
    """Pixels that were read, by kind, file and extension."""
    count = collections.Counter()
    whole, rows = FitsSource.__call__, FitsSource.rows

    def note(self, kind, image):
        if image is not None:
            count[(kind, *self.places[kind][:2])] += image.size
        return image

    monkeypatch.setattr(FitsSource, "__call__", lambda self, kind: note(self, kind, whole(self, kind)))
    monkeypatch.setattr(FitsSource, "rows", lambda self, kind, a, b: note(self, kind, rows(self, kind, a, b)))
    return count


def times(reads, kind):
    """How often each image was read."""
    return [size / (SHAPE[0] * SHAPE[1]) for (k, *_), size in reads.items() if k == kind]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("workers", [1, 2])
def test_science_images_are_read_twice_at_most_at_the_default_limit(folder, reads, monkeypatch, workers):
    monkeypatch.chdir(folder)
    pixels = COUNT * 2 * SHAPE[0] * SHAPE[1]
    limited = drizframe.run(
        "*_flt.fits", num_cores=workers, max_memory=f"{int(BYTES * pixels)}B", tile_size=256
    )
    seen = times(reads, "sci")
    assert len(seen) == 2 * COUNT
    assert 1.9 < max(seen) <= 2.01  # a row tells whether rows can be had
    assert max(times(reads, "dq")) <= 2.01
    free = drizframe.run("*_flt.fits", num_cores=workers)
    for name in ("sci", "wht", "ctx", "median"):
        np.testing.assert_array_equal(getattr(limited, name), getattr(free, name))


@pytest.mark.filterwarnings("ignore")
def test_images_are_read_once_where_there_is_memory_for_all(folder, reads, monkeypatch):
    monkeypatch.chdir(folder)
    drizframe.run("*_flt.fits", num_cores=2)
    assert times(reads, "sci") == [1.0] * (2 * COUNT)
    assert times(reads, "dq") == [1.0] * (2 * COUNT)


@pytest.mark.filterwarnings("ignore")
def test_what_was_looked_at_before_is_as_it_would_be_read(folder, monkeypatch):
    monkeypatch.chdir(folder)
    from drizframe.engine.seen import Seen

    parameters = {"resetbits": 4096, "num_cores": 1}
    known = drizframe.run("*_flt.fits", **parameters)
    monkeypatch.setattr(Seen, "remember", lambda *args: None)
    again = drizframe.run("*_flt.fits", **parameters)
    for name in ("sci", "wht", "ctx", "median"):
        np.testing.assert_array_equal(getattr(known, name), getattr(again, name))
    assert known.sky == again.sky


def test_what_was_looked_at_is_changed_as_the_exposure_says():
    from drizframe.engine.seen import Seen
    from drizframe.model.sources import HiddenSource, ScaledSource, over

    image = np.arange(6, dtype=np.float32).reshape(2, 3)
    hidden = HiddenSource.hiding(ScaledSource(lambda kind: image, 2.0), image == 0)
    np.testing.assert_array_equal(over(hidden, lambda kind: image + 1)("sci"), [[np.nan, 4, 6], [8, 10, 12]])
    seen = Seen(1 << 20)
    chip = sample_exposures(1)[0].chips[0]
    assert seen.chip(chip) is chip  # given as arrays, which are there anyway
