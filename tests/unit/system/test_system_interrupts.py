"""Signals end a program after it has cleaned up; handlers of an application are left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from drizframe.system.interrupts import Stopped, orderly, shielded

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


def as_a_shell_starts_it():
    """Signals as usual: what starts the tests may ignore some, and programs inherit that."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def program(body, **options):
    """Run a program; its status and what it printed."""
    text = "import os, signal, sys\nfrom drizframe.system.interrupts import *\n" + body
    done = subprocess.run(
        [sys.executable, "-c", text],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=as_a_shell_starts_it,
        **options,
    )
    return done.returncode, done.stdout.split()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_cleans_up_and_then_ends_the_program_by_itself(name):
    body = f"""
def last(): print("last")
try:
    with orderly(last):
        try:
            os.kill(os.getpid(), signal.{name})
            print("not here")
        finally:
            print("clean")
finally:
    print("not here either", flush=True)
"""
    assert program(body) == (-getattr(signal, name), ["clean", "last"])


def test_ctrl_c_stays_an_exception_or_ends_a_command():
    body = """
try:
    with orderly({}):
        os.kill(os.getpid(), signal.SIGINT)
except KeyboardInterrupt:
    print("caught")
"""
    assert program(body.format("")) == (0, ["caught"])
    assert program(body.format("by_interrupt=True")) == (-signal.SIGINT, [])


def test_an_inner_block_leaves_the_ending_to_the_outer_one():
    body = """
with orderly():
    try:
        with orderly():
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        print("outer")
"""
    assert program(body) == (-signal.SIGTERM, ["outer"])


def test_a_handler_of_the_application_is_used_and_kept():
    seen = []
    before = signal.signal(signal.SIGTERM, lambda *_: seen.append(1))
    try:
        with orderly():
            os.kill(os.getpid(), signal.SIGTERM)
        assert seen == [1]
        assert signal.getsignal(signal.SIGTERM).__name__ == "<lambda>"
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_signal_that_is_ignored_stays_ignored():
    body = """
signal.signal(signal.SIGHUP, signal.SIG_IGN)
with orderly():
    os.kill(os.getpid(), signal.SIGHUP)
print("goes", "on")
"""
    assert program(body) == (0, ["goes", "on"])


def test_handlers_are_put_back():
    numbers = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    before = [signal.getsignal(n) for n in numbers]
    with orderly():
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
    assert [signal.getsignal(n) for n in numbers] == before


def test_another_thread_changes_no_handler():
    found = []

    def work():
        with orderly(), shielded():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGTERM)]


def test_a_signal_waits_until_the_end_of_a_shield():
    body = """
with orderly():
    with shielded():
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        print("whole")
    print("not here")
"""
    assert program(body) == (-signal.SIGTERM, ["whole"])


def test_a_stop_is_taken_for_an_interrupt():
    assert issubclass(Stopped, KeyboardInterrupt)
    assert Stopped(signal.SIGTERM).number == signal.SIGTERM
