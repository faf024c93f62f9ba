"""Memory that is given back to the system."""

from __future__ import annotations

import numpy as np
import pytest

from drizframe.system import memory
from drizframe.system.memory import Watch, give_back, resident


def test_the_memory_of_this_process_is_known_or_none():
    now = resident()
    if now is None:
        pytest.skip("this system does not tell")
    held = np.ones(50_000_000, dtype=np.uint8)
    assert resident() - now > 30e6
    assert held.any()
    give_back()


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


def test_a_system_that_does_not_tell_is_no_error(monkeypatch):
    monkeypatch.setattr(memory.Path, "read_bytes", lambda path: b"")
    assert resident() is None
    Watch(10).look()
