"""Files whose pixels are written by threads."""

import threading

import numpy as np
import pytest
from astropy.io import fits

from drizframe.errors import OutputError
from drizframe.model import DerivedImage, Window, lazy
from drizframe.stock.io.background import in_background, soon
from drizframe.stock.io.images import write_image, write_part
from drizframe.system.transaction import together

RNG = np.random.default_rng(3)
IMAGES = [RNG.normal(0.0, 1.0, (70, 50)).astype(np.float32) for _ in range(6)]


def written(folder, workers):
    folder.mkdir()
    with together(), in_background(workers):
        for k, image in enumerate(IMAGES):
            write_image(folder / f"{k}.fits", image, fits.Header({"NUMBER": k}))
            write_part(folder / f"part{k}.fits", image, Window(3, 73, 20, 70), (80, 90))


def test_files_of_threads_are_those_of_one(tmp_path):
    written(tmp_path / "alone", 1)
    written(tmp_path / "several", 3)
    names = sorted(path.name for path in (tmp_path / "alone").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "several").iterdir())
    assert len(names) == 12
    for name in names:
        with fits.open(tmp_path / "alone" / name) as a, fits.open(tmp_path / "several" / name) as b:
            differing = fits.FITSDiff(
                a, b, ignore_keywords=["CHECKSUM"], ignore_comments=["CHECKSUM", "DATASUM"]
            )
            assert differing.identical, differing.report()


@pytest.mark.parametrize("columns", [(20, 70), (0, 50), (60, 90), (0, 90)])
def test_a_part_is_zero_outside_of_its_window(tmp_path, columns):
    x0, x1 = columns
    image = RNG.uniform(1.0, 2.0, (30, x1 - x0)).astype(np.float32)
    path = write_part(tmp_path / "x.fits", image, Window(5, 35, x0, x1), (40, 90))
    expected = np.zeros((40, 90), dtype=np.float32)
    expected[5:35, x0:x1] = image
    with fits.open(path, checksum=True, memmap=False) as hdus:
        assert np.array_equal(hdus[0].data, expected)
        assert hdus[0].verify_datasum() == hdus[0].verify_checksum() == 1


def test_pixels_are_read_by_other_threads(tmp_path):
    seen = set()

    def read(part):
        seen.add(threading.current_thread())
        return part

    with together(), in_background(2):
        write_image(tmp_path / "x.fits", DerivedImage(lazy(IMAGES[0]), read))
    assert seen - {threading.main_thread()}  # which asks for one pixel, to know the type


def test_an_error_of_a_thread_leaves_no_file(tmp_path):
    (tmp_path / "2.fits").mkdir()

    def act():
        with together(), in_background(2):
            for k, image in enumerate(IMAGES):
                write_image(tmp_path / f"{k}.fits", image)

    with pytest.raises(OutputError, match=r"2\.fits.*is a folder"):
        act()
    assert [p.name for p in tmp_path.iterdir()] == ["2.fits"]


def test_an_error_of_the_caller_leaves_no_file(tmp_path):
    def act():
        with together(), in_background(2):
            write_image(tmp_path / "x.fits", IMAGES[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        act()
    assert not list(tmp_path.iterdir())


def test_outside_of_a_transaction_it_is_done_at_once():
    done = []
    with in_background(4):
        soon(lambda: done.append(threading.current_thread()))
        assert done == [threading.current_thread()]
