"""A kill or an I/O error at every file event of the commit of edits: every input is as it was or complete.

The commit runs in a child process, which ends, or fails, at its n-th event.  What it leaves is then put in order by
the functions that every run calls first, and by a second commit.
"""

from __future__ import annotations

import errno
import importlib
import itertools
import os
import shutil
import sys
import warnings

import numpy as np
import pytest
import security_files as files

from drizframe.errors import OutputError
from drizframe.hooks import InstrumentOptions
from drizframe.model import Unit
from drizframe.stock.io.edits import ARCHIVE, commit_edits, plan_edits
from drizframe.stock.io.fits_reader import read_fits
from drizframe.stock.io.journal import recover_folders, tidy_folders

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="needs child processes that begin where this one is"
)

EVENTS = frozenset({
    "open", "os.rename", "os.remove", "os.link", "os.chmod", "os.chown", "os.utime", "os.mkdir", "os.truncate", "os.setxattr",
})  # fmt: skip
KILLED, REFUSED, DONE = 77, 78, 0


def stis(primary):
    del primary
    return next(importlib.import_module("drizframe.stock.instruments.stis").drizframe_instruments())


def acs(primary):
    del primary
    return next(importlib.import_module("drizframe.stock.instruments.acs").drizframe_instruments())


def plan_of(folder):
    """Read the inputs anew, and return what a run in `folder` asks for."""
    exposures = []
    for path in sorted(folder.rglob("*_flt.fits")):
        if ARCHIVE not in path.parts and path.parent != folder:
            find = stis if path.name.startswith("o") else acs
            exposures += read_fits(path, instruments=find, options=InstrumentOptions(extra={}))
    units = [Unit(i, j) for i, e in enumerate(exposures) for j in range(len(e.chips))]
    mask = np.ones(files.SHAPE, np.uint8)
    mask[5:8, 8] = 0
    plan, _ = plan_edits(
        exposures,
        folder=folder,
        sky=dict.fromkeys(units, 12.5),
        masks=dict.fromkeys(units, mask),
        resetbits=4096,
        crbit=4096,
    )
    return plan


def make(folder, kind):
    if kind == "two folders":
        files.exposure(folder / "a" / "ja_flt.fits")
        files.exposure(folder / "b" / "jb_flt.fits", seed=2)
    else:
        files.exposure(folder / "a" / "o1_flt.fits", base=files.STIS, sets=2, science={"BUNIT": "COUNTS"})


def contents(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def folders(folder):
    return [p for p in (folder, *folder.iterdir()) if p.is_dir()]


def child(folder, plan, when, fault):
    """Commit in a child; at the event that `when` chooses it is killed, or gets an I/O error.  Return how it ended."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # threads of other tests are not of this one
        pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    try:

        def event(name, args):
            if when(name, args):
                if fault == "kill":
                    os._exit(KILLED)
                raise OSError(errno.EIO, f"no luck at {name}")  # noqa: TRY301  (of the event)

        def hook(name, args):
            inside = name in EVENTS and str(folder) in " ".join(map(str, args))
            if inside or (name in ("os.chmod", "os.utime") and args and isinstance(args[0], int)):
                event(name, args)

        os.fsync = lambda handle: event(
            "fsync", (handle,)
        )  # what a process wrote outlives it; a disk has its own tests
        sys.addaudithook(hook)
        commit_edits(plan)
        os._exit(DONE)
    except OutputError:
        os._exit(REFUSED)
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(1)


@pytest.mark.parametrize("fault", ["kill", "error"])
@pytest.mark.parametrize("kind", ["two folders", "image sets"])
def test_a_fault_at_any_event_leaves_all_edits_or_none_and_nothing_after_the_next_run(
    tmp_path, monkeypatch, kind, fault
):
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # of time, not of order
    make(tmp_path / "fresh", kind)
    shutil.copytree(tmp_path / "fresh", tmp_path / "whole")
    before = contents(tmp_path / "whole")
    commit_edits(plan_of(tmp_path / "whole"))
    after = contents(tmp_path / "whole")
    edited = {n for n in after if not n.startswith(ARCHIVE) and after[n] != before.get(n)}
    assert len(edited) == 2
    endings = []
    for number in itertools.count(1):
        work = tmp_path / f"n{number}"
        shutil.copytree(tmp_path / "fresh", work)
        count = itertools.count(1)
        endings.append(child(work, plan_of(work), lambda *_: next(count) == number, fault))  # noqa: B023  (called at once)
        assert endings[-1] in (KILLED, REFUSED, DONE), number
        if endings[-1] == DONE and number > 20 and endings[-3:] == [DONE] * 3:
            break
        recover_folders(folders(work))
        tidy_folders(folders(work))
        now = contents(work)
        state = {n: now.get(n) == after[n] for n in edited}
        assert set(state.values()) in ({True}, {False}), (number, state)
        assert all(now.get(n) == before.get(n) for n in edited if not state[n]), number
        copies = {n: c for n, c in now.items() if n.startswith(ARCHIVE)}
        assert all(c == after[n] for n, c in copies.items()), number
        if any(state.values()):
            assert set(copies) == {n for n in after if n.startswith(ARCHIVE)}, number
        assert {n for n in now if n not in copies} == set(after if any(state.values()) else before) - set(
            copies
        ), number
        if number % 4 == 0:
            commit_edits(plan_of(work))
            assert contents(work) == after, number
    assert endings.count(DONE) < len(endings) / 2
