"""A warning of a run is printed once, whatever runs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

RUN = """
import drizframe
from drizframe.testing import sample_exposures
result = drizframe.run(sample_exposures(), writer="fits-mef", skysub=False)
assert len(result.warnings) == 1
"""
#: As a notebook does: the code is a text without a file, and the standard error is not a terminal.
NOTEBOOK = f"exec(compile({RUN!r}, '<ipython-input-1>', 'exec'))"
COMMAND = """
import sys
from drizframe.cli.app import main
sys.argv = ["drizframe", "run", sys.argv[1], "-q", "-o", sys.argv[2], "--set", "keep=single.sci", "--set", "driz_separate=false",
            "--set", "median=false", "--set", "blot=false", "--set", "driz_cr=false"]
main()
"""


def printed(code, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("code", [RUN, NOTEBOOK], ids=["script", "notebook"])
def test_in_python(code):
    assert printed(code).count("writes nothing, for there is no output") == 1


def test_on_the_command_line(tmp_path):
    from drizframe.data import stis_sample

    said = printed(COMMAND, str(stis_sample()), str(tmp_path / "out"))
    lines = [line for line in said.splitlines() if "which this run did not make" in line]
    assert [line.strip().startswith("warning: ") for line in lines] == [True], said
    assert "warnings: 1, see above" in said
