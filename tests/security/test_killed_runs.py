"""A run that is killed at any moment goes on where it was: the same bits, nothing that is listed is done again, nothing is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes that are copies of this one")

#: One process reads the code once; each run is a copy of it, which is killed or goes on where the one before was.
PROGRAM = r"""
import hashlib, json, os, random, signal, sys, threading, time, traceback, warnings
from pathlib import Path
warnings.simplefilter("ignore")
import drizframe
import drizframe._session
from drizframe.engine import manifest, resuming, schedule, scratch_folders
from drizframe.simulate import dither, random_scene, simulate
from drizframe.system import transaction

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def after_tasks(number):
    "Kill after so many tasks are recorded."
    add, done = manifest.Manifest.add, []
    def added(self, *args):
        add(self, *args)
        done.append(1)
        if len(done) == number:
            die()
    manifest.Manifest.add = added

def within(name, number, part):
    "Kill while a block or a line is written: a part of it is there."
    function, done = getattr(manifest.Manifest, name), []
    def half(self, *args):
        done.append(1)
        if len(done) == number:
            part(self, *args)
            die()
        function(self, *args)
    setattr(manifest.Manifest, name, half)

def half_block(self, block, arrays):
    Path(block).write_bytes(arrays[0].tobytes()[:100])

def half_line(self, line):
    os.write(self._journal, line[: len(line) // 2])

def at_time(seconds):
    threading.Timer(seconds, die).start()

def before(module, name):
    setattr(module, name, lambda *args, **keys: die())

def nothing():
    pass

def run(prepare, resume, connection):
    counted, execute = [], schedule.execute
    def counting(task):
        counted.append(1)
        return execute(task)
    schedule.execute = counting
    prepare()
    options = dict(workdir="scratch", resume=True) if resume else {}
    result = drizframe.run("*_flt.fits", "final", num_cores=2, tile_size=48, max_memory="0.6MB", **options)
    said = [w for w in result.warnings if "stopped while it put" not in w]
    numbers = b"".join(a.tobytes() for a in (result.sci, result.wht, result.ctx, result.median))
    numbers += b"".join(m.tobytes() for masks in result.cosmic_rays.values() for m in masks)
    os.write(connection, json.dumps(dict(
        bits=hashlib.sha256(numbers).hexdigest(), reused=result.reused, done=len(counted), said=said,
        backends=dict(result.backends), sky=repr(result.sky),
    )).encode())
    scratch_folders.close_all()  # as at the end of a program

def child(prepare, resume=True):
    "What a copy of this process says of its run; None if it was killed."
    reading, writing = os.pipe()
    number = os.fork()
    if not number:
        try:
            run(prepare, resume, writing)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as file:
        text = file.read()
    code = os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
    assert code in (0, -signal.SIGKILL), code
    return json.loads(text) if code == 0 else None

def listed():
    found = list(Path("scratch").glob("drizframe-resume-*/journal"))
    if not found:
        return 0
    lines = found[0].read_bytes().split(b"\n")
    return sum(manifest._entry(line) is not None for line in lines)

def left():
    return sorted(p.name for p in (*Path("scratch").iterdir(), *Path().glob(".*")))

scene = random_scene(5, stars=10, galaxies=1)
simulate("wfc3_ir", scene, dither(3, exptime=300, seed=5), seed=5, cosmic_rays=20, shape=(64, 64)).write(".")
Path("scratch").mkdir()
started = time.perf_counter()
plain = child(nothing, resume=False)
seconds = time.perf_counter() - started
plain["done"] = total = child(nothing)["done"]  # what is recorded is done step by step, not in chains
for path in Path().glob("final_*"):
    path.unlink()
draw = random.Random(11)
moments = {f"after {n} tasks": (lambda n=n: after_tasks(n)) for n in range(1, total, max(1, total // 11))}
moments |= {f"within block {n}": (lambda n=n: within("_write", n, half_block)) for n in (1, total // 3, total // 2)}
moments |= {f"within line {n}": (lambda n=n: within("_write_line", n, half_line)) for n in (1, total // 2, total)}
moments |= {f"at {t:.3f} s": (lambda t=t: at_time(t)) for t in (seconds * draw.uniform(0.1, 0.9) for _ in range(4))}
moments["before renaming"] = lambda: before(transaction, "forward")
moments["after all"] = lambda: before(resuming.Resumption, "end")
found = []
for name, prepare in moments.items():
    killed = child(prepare)
    known = listed()
    found.append([name, killed is None, known, child(nothing), left()])
    for path in Path().glob("final_*"):
        path.unlink()
print(json.dumps([plain, found]))
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """An uninterrupted run, and for each moment: its name, whether the run was killed, tasks listed, the next run, what is left."""
    folder = tmp_path_factory.mktemp("killed")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=folder, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_twenty_moments_kill(made):
    """Those by the clock, which may come too late, aside."""
    killed = {name: was_killed for name, was_killed, *_ in made[1] if not name.startswith("at ")}
    assert len(killed) >= 20
    assert all(killed.values()), killed


def test_a_resumed_run_has_the_same_bits_and_says_the_same(made):
    plain, found = made
    for name, _, _, resumed, _ in found:
        for what in ("bits", "said", "backends", "sky"):
            assert resumed[what] == plain[what], (name, what)


def test_nothing_that_is_listed_is_done_again(made):
    plain, found = made
    for name, killed, listed, resumed, _ in found:
        assert resumed["reused"] == listed, name
        assert resumed["done"] == plain["done"] - listed, name
        if killed and name.startswith("after "):
            assert listed == (plain["done"] if name == "after all" else int(name.split()[1]))


def test_nothing_is_left_after_the_next_run(made):
    for name, *_, left in made[1]:
        assert left == [], name
