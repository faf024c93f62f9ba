"""An input that another program replaces while a run works: whenever, and through whichever door, it is an error by name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import security_files as files
from astropy.io import fits
from security_faults import contents

import drizframe
from drizframe import astrodrizzle
from drizframe.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore::drizframe.errors.DrizframeWarning")
INPUTS = ["j0_flt.fits", "j1_flt.fits"]


def replaced(path):
    """Put another file there, of the same size and time."""
    before, raw = path.stat(), bytearray(path.read_bytes())
    raw[-3000] ^= 1
    other = path.with_name("other")
    other.write_bytes(raw)
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


def cut(path):
    os.truncate(path, path.stat().st_size // 2)


class Meddler:
    """Changes an input when a step begins."""

    def __init__(self, step, change, path):
        self.step, self.change, self.path = step, change, path
        self.after = None

    @drizframe.hookimpl
    def drizframe_before_step(self, event):
        if event.step == self.step and self.after is None:
            self.change(self.path)
            self.after = contents(Path())


def run():
    return drizframe.run(INPUTS, "final", num_cores=1, keep="all", driz_cr_corr=True)


def drop_in():
    return astrodrizzle.AstroDrizzle(INPUTS, output="final", num_cores=1, runfile="", driz_cr_corr=True)


@pytest.mark.parametrize("door", ["run", "drop-in"])
@pytest.mark.parametrize(
    ("step", "change"),
    [
        ("static_mask", replaced),
        ("separate", cut),
        ("blot", replaced),
        ("final_weights", cut),
        ("final", replaced),
    ],
)
def test_an_input_that_changes_at_any_step_is_said_and_nothing_is_written(
    tmp_path, monkeypatch, door, step, change
):
    monkeypatch.chdir(tmp_path)
    for k, name in enumerate(INPUTS):
        files.exposure(Path(name), seed=k)
    meddler = Meddler(step, change, Path(INPUTS[1]))
    work = run if door == "run" else drop_in
    drizframe.register(meddler, "meddler")
    try:
        with pytest.raises(
            InputError, match=r"j1_flt.fits was (replaced|changed).*since its headers were read"
        ):
            work()
    finally:
        drizframe.unregister("meddler")
    assert {n for n in meddler.after if "lock" not in n} == set(INPUTS)
    assert contents(tmp_path) == {n: c for n, c in meddler.after.items() if "lock" not in n}
    assert "MDRIZSKY" not in fits.getheader(INPUTS[0], 1)


def test_an_input_that_is_replaced_after_the_products_are_written_is_not_edited(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for k, name in enumerate(INPUTS):
        files.exposure(Path(name), seed=k)
    commit = astrodrizzle.commit_edits

    def late(plan):
        replaced(Path(INPUTS[1]))
        return commit(plan)

    monkeypatch.setattr(astrodrizzle, "commit_edits", late)
    with pytest.raises(InputError, match="j1_flt.fits was replaced by another file"):
        astrodrizzle.AstroDrizzle(INPUTS, output="final", num_cores=1, runfile="", preserve=False)
    assert all("MDRIZSKY" not in fits.getheader(n, 1) for n in INPUTS)
    assert list(tmp_path.glob(".*")) == []
