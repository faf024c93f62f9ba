"""A run that is stopped leaves inputs as they are, no mixture of products, and nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from drizframe.simulate import dither, random_scene, simulate

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")

#: The program stops itself at a step: signals then come at the same place on every machine.
PROGRAM = """
import os, signal, sys, warnings
warnings.simplefilter("ignore")
import drizframe
from drizframe import astrodrizzle
from drizframe.compat import edits
from drizframe.system import transaction
how, where, number = sys.argv[1], sys.argv[2], getattr(signal, sys.argv[3])
def stop(*args, **keys):
    os.kill(os.getpid(), number)
class Stop:
    @drizframe.hookimpl
    def drizframe_before_step(self, event):
        if event.step == where:
            stop()
drizframe.register(Stop())
def before(module, name):
    function = getattr(module, name)
    def wrapped(*args, **keys):
        stop()
        return function(*args, **keys)
    setattr(module, name, wrapped)
if where == "rename":
    before(transaction, "forward")
elif where == "edit":
    before(edits, "commit")
options = dict(workdir="scratch", max_memory="0.3MB", tile_size=16, num_cores=2)
if how == "run":
    drizframe.run("*_flt.fits", "final", keep="all", **options)
else:
    astrodrizzle.AstroDrizzle("*_flt.fits", output="final", **options)
print("whole")
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    scene = random_scene(5, stars=10, galaxies=1)
    pointings = dither(2, exptime=300, seed=5)
    simulate("acs_wfc", scene, pointings, seed=5, cosmic_rays=20, shape=(40, 44)).write(folder)
    return folder


@pytest.fixture
def folder(made, tmp_path):
    for path in made.glob("*_flt.fits"):
        shutil.copy(path, tmp_path)
    (tmp_path / "scratch").mkdir()
    return tmp_path


def as_a_shell_starts_it():
    """Signals as usual: what starts the tests may ignore some, and programs inherit that."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def start(folder, how, where, name):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, how, where, name],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        preexec_fn=as_a_shell_starts_it,
    )


def left(folder):
    """Hidden files, and scratch."""
    return [p.name for p in (*folder.glob(".*"), *(folder / "scratch").iterdir())]


@pytest.mark.parametrize(
    ("how", "where", "name"),
    [
        ("run", "blot", "SIGTERM"), ("run", "final", "SIGHUP"), ("run", "blot", "SIGINT"), ("run", "rename", "SIGTERM"),
        ("drop-in", "median", "SIGTERM"), ("drop-in", "edit", "SIGINT"),
    ],
)  # fmt: skip
def test_a_stopped_run_ends_by_its_signal_and_leaves_nothing(folder, how, where, name):
    before = {p.name: p.read_bytes() for p in folder.glob("*_flt.fits")}
    done = start(folder, how, where, name)
    assert done.returncode == -getattr(signal, name), done.stderr
    assert "whole" not in done.stdout
    assert left(folder) == []
    if (how, where) != ("drop-in", "edit"):
        assert {p.name: p.read_bytes() for p in folder.glob("*_flt.fits")} == before
    products = len(list(folder.glob("final_drz_*.fits")))
    assert products == (3 if where in ("rename", "edit") else 0)  # files that are being renamed are renamed


@pytest.mark.parametrize("where", ["blot", "rename"])
def test_a_killed_run_is_cleaned_up_by_the_next(folder, where):
    assert start(folder, "run", where, "SIGKILL").returncode == -signal.SIGKILL
    assert left(folder)
    assert not list(folder.glob("final_drz_*.fits"))
    assert start(folder, "run", "nowhere", "SIGTERM").stdout == "whole\n"
    assert left(folder) == []


def test_a_run_removes_nothing_of_one_that_is_at_work(folder):
    text = PROGRAM.replace("os.kill(os.getpid(), number)", "open('here', 'w'); import time; time.sleep(60)")
    working = subprocess.Popen(
        [sys.executable, "-c", text, "run", "blot", "SIGTERM"], cwd=folder,
        preexec_fn=as_a_shell_starts_it,  # noqa: PLW1509  (the tests have no threads here)
    )  # fmt: skip
    try:
        for _ in range(600):
            if (folder / "here").exists():
                break
            time.sleep(0.05)
        kept = left(folder)
        assert kept
        assert start(folder, "run", "nowhere", "SIGTERM").returncode == 0
        assert left(folder) == kept
    finally:
        working.terminate()
        assert working.wait(60) == -signal.SIGTERM
    assert left(folder) == []


def test_the_command_ends_by_the_signal_too(folder):
    program = (
        PROGRAM.split("options =", maxsplit=1)[0]
        + "sys.argv = ['drizframe', 'run', '*_flt.fits', '--quiet', '--set=max_memory=0.3MB', '--set=tile_size=16', "
    )
    program += "'--set=workdir=scratch']\nfrom drizframe.cli.app import main\nmain()\n"
    for name in ("SIGTERM", "SIGINT"):
        done = subprocess.run(
            [sys.executable, "-c", program, "run", "blot", name],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=as_a_shell_starts_it,
        )
        assert done.returncode == -getattr(signal, name), done.stderr
        assert "Traceback" not in done.stderr
        assert left(folder) == []
