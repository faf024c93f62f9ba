"""An input that changes during a run is said by name, never read as if it were the same."""

from __future__ import annotations

import os
import pickle
import shutil

import numpy as np
import pytest
from astropy.io import fits

import drizframe
from drizframe.errors import InputError, MissingInputError
from drizframe.fits.opening import open_fits
from drizframe.fits.stamps import Stamp, stamp_of

pytestmark = pytest.mark.filterwarnings("ignore::drizframe.errors.DrizframeWarning")


def replaced(path):
    """Put another file there, of the same size and time."""
    before = path.stat()
    other = path.with_name("other")
    shutil.copyfile(path, other)
    with fits.open(other, mode="update") as hdus:
        hdus["SCI", 1].data[:] += 1
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


def rewritten(path):
    with path.open("r+b") as stream:
        stream.seek(-2000, 2)
        stream.write(b"\1")


def cut(path):
    os.truncate(path, path.stat().st_size // 2)


def gone(path):
    path.unlink()


CHANGES = {
    replaced: (InputError, "was replaced by another file since its headers were read"),
    rewritten: (InputError, "was changed since its headers were read"),
    cut: (InputError, "was changed since"),
    gone: (MissingInputError, "does not exist"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changed_since_its_headers_were_read_is_not_read(make_file, read, change):
    path = make_file()
    chip = pickle.loads(  # noqa: S301
        pickle.dumps(read(path)[0].chips[0])
    )
    assert chip.load("sci").shape == (12, 10)
    change(path)
    error, text = CHANGES[change]
    with pytest.raises(error, match=rf"jx01_flt.fits.*{text}"):
        chip.load("sci")


@pytest.mark.parametrize("change", [replaced, rewritten, cut])
def test_other_files_of_an_exposure_must_stay_the_same_too(make_file, read, change, tmp_path):
    path = make_file()
    weights = tmp_path / "weights.fits"
    fits.HDUList(
        [
            fits.PrimaryHDU(),
            *[fits.ImageHDU(np.ones((12, 10), np.float32), name="SCI", ver=v) for v in (1, 2)],
        ]
    ).writeto(weights)
    chip = read(path, ivm=weights)[0].chips[0]
    change(weights)
    assert chip.load("sci") is not None
    with pytest.raises(InputError, match=r"weights.fits was"):
        chip.load("ivm")


def test_a_file_that_changes_while_it_is_open_is_said(make_file):

    def read_while(change):
        path = make_file()
        with open_fits(path) as hdus:
            change(path)
            hdus["DQ", 2].data.sum()

    for change in (cut, rewritten):
        with pytest.raises(InputError, match="was changed"):
            read_while(change)


def test_a_bare_error_of_the_block_stays_what_it_is(make_file):
    with pytest.raises(IndexError), open_fits(make_file()) as hdus:
        hdus[99]


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_a_compressed_file_of_the_same_size_and_time_is_not_taken_for_the_old_one(make_file, suffix):
    import gzip
    import lzma

    path = make_file()
    packed = path.with_name(path.name + suffix)
    pack = {".gz": lambda b: gzip.compress(b, 0), ".xz": lzma.compress}[suffix]
    packed.write_bytes(pack(path.read_bytes()))
    with open_fits(packed) as hdus:
        first = hdus["SCI", 1].data.copy()
    stat = packed.stat()
    other = path.with_name("other")
    fresh = pack(path.read_bytes().replace(first.astype(">f4").tobytes(), (-first).astype(">f4").tobytes()))
    other.write_bytes(fresh + b"")
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    other.replace(packed)
    with open_fits(packed) as hdus:
        np.testing.assert_array_equal(hdus["SCI", 1].data, -first)


def test_a_run_over_an_input_that_is_replaced_meanwhile_stops(make_file):
    paths = [make_file(f"j{k}_flt.fits", shape=(40, 40)) for k in range(2)]

    class Swap:
        done = False

        def drizframe_before_step(self, event):
            if not self.done:
                self.done = True
                replaced(paths[1])

    swap = Swap()
    with pytest.raises(InputError, match="j1_flt.fits was replaced"):
        drizframe.run(paths, listeners=[swap])
    assert swap.done


def test_the_stamp_of_an_exposure_is_that_of_its_file(make_file, read):
    path = make_file()
    exposure = read(path)[0]
    assert stamp_of(exposure) == Stamp.of(path.stat())
    assert stamp_of(exposure, path.with_name("other")) is None
