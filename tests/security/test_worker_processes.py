"""Worker processes end with the run, however that ends, and leave nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from drizframe.system.temporary import sweep_scratch

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")

PROGRAM = """
import signal, sys, time
import drizframe
from drizframe.testing import sample_exposures

class Tells:
    def drizframe_progress(self, event):
        if event.step == "blot":
            print("working", flush=True)
            time.sleep(60)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background may ignore it
    drizframe.run(sample_exposures(), executor="processes", num_cores=2, workdir=sys.argv[1], listeners=[Tells()])
"""


def children(pid):
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(p) for p in found]


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_workers_end_with_their_run(tmp_path, by):
    script, work = tmp_path / "program.py", tmp_path / "work"
    script.write_text(PROGRAM)
    work.mkdir()
    run = subprocess.Popen([sys.executable, script, work], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert run.stdout.readline() == b"working\n"
        workers = children(run.pid)
        assert len(workers) >= 2
        run.send_signal(by)
        assert run.wait(timeout=20) != 0
    finally:
        run.kill()
        run.wait()
        run.stdout.close()
    deadline = time.monotonic() + 20
    while any(map(alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, workers))
    if by == signal.SIGKILL:
        sweep_scratch(work)
    assert list(work.iterdir()) == []
