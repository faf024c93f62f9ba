"""`drizframe plugins` and `drizframe parameters`: steps and parameters of plugins stand in the lists."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from drizframe.cli.app import app
from drizframe.cli.parameters import of_plugins
from drizframe.errors import ParameterError

SOURCE = """
    import drizframe
    from pydantic import BaseModel, Field

    class Options(BaseModel):
        clip: float = Field(default=3.0, gt=0, le=9, description="In sigma.")
        names: list[str] = Field(default_factory=list)
        size: int = Field(alias="side")

    def run(job):
        return {"sci": job.read("sci")}

    def combine(stack, bad, *, weight, exptime, background, readnoise, n_total, options):
        return stack[0]

    @drizframe.hookimpl
    def drizframe_combiners():
        yield drizframe.Combiner(name="hat.combiner", summary="[First].", reference=combine, options_model=Options)

    @drizframe.hookimpl
    def drizframe_extra_steps():
        yield drizframe.Step(
            name="hat.filter", summary="F.", needs=("sci", "sky"), makes=("sci",), over="chip", run=run,
            enabled=lambda parameters: False, options_model=Options,
        )
"""


def shown(*line):
    done = CliRunner().invoke(app, line, env={"COLUMNS": "220"}, catch_exceptions=False)
    assert done.exit_code == 0
    return [" ".join(text.replace("│", " ").split()) for text in done.output.splitlines()]


def test_the_parameters_of_plugins_are_listed(installed):
    installed("drizframe-hat", SOURCE, point="hat")
    assert list(of_plugins()) == [
        ("hat.clip", "3.0", "float gt=0, le=9", "drizframe-hat 1.2", "In sigma."),
        ("hat.names", "list()", "list[str]", "drizframe-hat 1.2", ""),
        ("hat.side", "(must be given)", "int", "drizframe-hat 1.2", ""),
    ]
    assert "hat.clip 3.0 float gt=0, le=9 drizframe-hat 1.2 In sigma." in shown("parameters", "hat")
    everything = shown("parameters")
    assert any(line.startswith("final_kernel ") for line in everything)
    assert any(line.startswith("hat.side ") for line in everything)
    assert not any(line.startswith("final_kernel ") for line in shown("parameters", "HAT.S"))


def test_a_text_that_is_nowhere_suggests_parameters_of_plugins_too(installed):
    installed("drizframe-hat", SOURCE, point="hat")
    with pytest.raises(
        ParameterError, match="No parameter has 'hat.klip' in its name. Did you mean 'hat.clip'"
    ):
        CliRunner().invoke(app, ["parameters", "hat.klip"], catch_exceptions=False)


def test_the_steps_are_listed_with_their_section(installed):
    installed("drizframe-hat", SOURCE, point="hat")
    lines = shown("plugins")
    assert "hat.filter chip sci, sky sci hat drizframe-hat 1.2" in lines
    assert "blot chip median, sky blot drizframe" in lines
    assert "combiner hat.combiner hat drizframe-hat 1.2 [First]." in lines
    assert not any(line.startswith("hat.filter") for line in shown("plugins", "--no-components"))


def test_public_modules_are_there_after_a_bare_import():
    code = (
        "import sys, drizframe; assert {m for m in sys.modules if m.startswith('drizframe.')} <= {'drizframe._version'}; "
        "drizframe.hooks.Kernel; drizframe.model.INPUTS; drizframe.config.Parameters; "
        "assert 'drizframe.testing' not in sys.modules; drizframe.testing.conformance"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("command", "words"), [("parameters", "driz_cr_ctegrow"), ("plugins", "stock.interpolators.lanczos")]
)
def test_a_pipe_gets_whole_names_in_one_line_each(command, words):
    text = "from drizframe.cli.app import main; main()"
    made = subprocess.run(
        [sys.executable, "-c", text, command],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "40"},
    )
    assert any(words in line for line in made.stdout.splitlines())


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal of 80 columns")
def test_a_terminal_of_80_columns_cuts_no_word_and_no_line():
    pytest.importorskip("pty")
    code = "import pty, sys; sys.exit(pty.spawn([sys.executable, '-m', 'drizframe', 'plugins']))"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1"}, capture_output=True,
        text=True, check=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in done.stdout.replace("\r", "").splitlines()]
    assert max(map(len, lines)) <= 80
    where = lines.index("kernel gaussian")
    assert "what it is: A circular Gaussian" in " ".join(lines[where + 1 : where + 4])
    assert "steps, in their order" in lines
