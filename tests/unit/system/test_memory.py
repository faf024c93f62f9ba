"""Memory that is given back to the system."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
import textwrap

import pytest

from drizframe.system import memory
from drizframe.system.memory import Watch, one_heap, resident


def test_the_memory_of_this_process_is_known_or_none():
    now = resident()
    if now is None:
        pytest.skip("this system does not tell")
    with mmap.mmap(-1, 50_000_000) as held:  # an array may lie where the process has free memory already
        held.write(bytes(len(held)))
        assert resident() - now > 30e6


@pytest.mark.parametrize(("held", "times"), [(70, 0), (80, 1)])
def test_a_watch_gives_back_near_its_limit_and_not_at_every_look(monkeypatch, held, times):
    given = []
    monkeypatch.setattr(memory, "give_back", lambda: given.append(1))
    monkeypatch.setattr(memory, "resident", lambda: 1000)
    watch = Watch(100)
    monkeypatch.setattr(memory, "resident", lambda: 1000 + held)
    for _ in range(3):
        watch.look()
    assert len(given) == times


def test_a_watch_counts_from_what_the_process_had_before(monkeypatch):
    given = []
    monkeypatch.setattr(memory, "give_back", lambda: given.append(1))
    monkeypatch.setattr(memory, "resident", lambda: 1080)
    Watch(100, 1000).look()
    assert given == [1]


def test_a_system_that_does_not_tell_is_no_error(monkeypatch):
    monkeypatch.setattr(memory.Path, "read_bytes", lambda path: b"")
    assert resident() is None
    Watch(10).look()


HEAPS = """
    import sys, threading
    import numpy as np
    from drizframe.system.memory import give_back, one_heap, resident

    if sys.argv[1] == "one":
        one_heap()

    def work():  # images that are freed in a thread, smaller ones after a larger one
        for size in (20_000_000, *[3_000_000] * 4):
            held = [np.ones(size, dtype=np.uint8) for _ in range(2)]
            held.append(bytes(100_000))

    before = resident()
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    give_back()
    print(resident() - before)
"""


def test_what_threads_have_freed_goes_back_to_the_system():
    if resident() is None:
        pytest.skip("this system does not tell")
    script = [sys.executable, "-c", textwrap.dedent(HEAPS), "one"]
    own = {k: v for k, v in os.environ.items() if k not in ("MALLOC_ARENA_MAX", "GLIBC_TUNABLES")}
    done = subprocess.run(script, capture_output=True, text=True, check=False, env=own)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 3_000_000


def test_who_has_set_the_number_of_heaps_keeps_it(monkeypatch):
    monkeypatch.setenv("MALLOC_ARENA_MAX", "4")
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: pytest.fail("the library was asked"))
    one_heap.__wrapped__()
