"""What the author of a plugin is told: whose fault it is, what is switched off, what was not tried."""

from __future__ import annotations

import copy
import importlib
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import drizframe
from drizframe.cli.app import app
from drizframe.cli.new_plugin import write_plugin
from drizframe.data import stis_sample
from drizframe.errors import HookError, ParameterError, PluginError, RecordError, UnknownComponentError
from drizframe.headers import Detector
from drizframe.hooks.plugins import tracing

READER = """
import drizframe
READER = drizframe.Reader(
    name="mine.reader", summary="None.", matches=lambda path: path.suffix == ".mine",
    reference=lambda path, *, instruments, options: None,
)
@drizframe.hookimpl
def drizframe_readers():
    yield READER
"""
INSTRUMENT = """
import drizframe
EYE = drizframe.Instrument(
    name="mine.eye", summary="An eye.", matches=lambda primary: primary.get("INSTRUME") == "EYE",
    reference=lambda primary, science, **where: None,
)
@drizframe.hookimpl
def drizframe_instruments():
    yield EYE
"""
WRITER = """
import drizframe
class Sink:
    def __init__(self, product): self.product = product
    def write(self, plane, window, array): pass
    def close(self): self.product.stage(self.product.targets[0]).write_text("x")
    def abort(self): pass
WRITER = drizframe.Writer(name="mine.writer", summary="W.", open=Sink, endings=(".mine",))
@drizframe.hookimpl
def drizframe_writers():
    yield WRITER
"""
STEP = """
import drizframe
STEP = drizframe.Step(
    name="mine.step", summary="S.", needs=("sci",), makes=("sci",), over="chip",
    run=lambda job: {"sci": job.read("err")},
)
@drizframe.hookimpl
def drizframe_extra_steps():
    yield STEP
"""
COMBINER = """
import drizframe
from pydantic import BaseModel
class Options(BaseModel):
    size: int = 3
HIGH = drizframe.Combiner(
    name="mine.high", summary="H.", reference=lambda stack, bad, *, options, **rest: stack.max(0), options_model=Options
)
@drizframe.hookimpl
def drizframe_combiners():
    yield HIGH
"""


def validate(*arguments):
    return CliRunner().invoke(app, ["validate", *map(str, arguments)])


def test_a_record_of_which_nothing_could_be_checked_is_not_valid(installed):
    installed("mine", READER)
    done = validate("mine:READER")
    assert done.exit_code == 1
    words = " ".join(done.output.split())
    assert "No check ran: reader 'mine.reader' is not validated." in words
    assert "--sample module:NAME" in words
    assert "docs/how-to/test.md" in words


@pytest.mark.parametrize("kind", ["reader", "writer", "instrument"])
def test_the_readme_of_a_new_plugin_gives_the_sample_that_works(kind, tmp_path, monkeypatch):
    name = f"drizframe-words-{kind}"
    write_plugin(name, kind, tmp_path)
    monkeypatch.chdir(tmp_path / name)
    monkeypatch.syspath_prepend(tmp_path / name / "src")
    (line,) = (t for t in Path("README.md").read_text().splitlines() if "drizframe validate" in t)
    done = validate(*line.split()[2:])
    assert done.exit_code == 0, done.output
    assert "no sample" not in done.output


@pytest.mark.parametrize("sample", ["tests/absent.py:SAMPLE", "tests/test_it.py:ABSENT"])
def test_a_sample_that_is_not_in_its_file_is_refused(sample, installed, tmp_path, monkeypatch):
    installed("mine", READER)
    monkeypatch.chdir(tmp_path)
    Path("tests").mkdir()
    Path("tests/test_it.py").write_text("SAMPLE = 1\n")
    done = validate("mine:READER", "--sample", sample)
    assert isinstance(done.exception, ParameterError)
    assert sample in str(done.exception)


@pytest.mark.parametrize("value", [{"subtracted": "x", "level": 1.0}, {"subtracted": None, "level": "a"}])
def test_a_sky_that_is_no_number_is_the_fault_of_its_method(exposures, value):
    def sky(chips, statistic, *, overlaps, options):
        return {c.key: drizframe.SkyValue(**value) for c in chips}

    mine = drizframe.SkyMethod(name="mine.sky", summary="S.", reference=sky)
    with pytest.raises(PluginError, match="Sky method 'mine.sky' gave SkyValue.*finite numbers is wanted"):
        drizframe.run(exposures, skymethod=mine)


def test_a_detector_of_no_unit_is_refused():
    with pytest.raises(RecordError, match="native_unit = 'bananas'. Give one of: 'electrons'"):
        Detector(native_unit="bananas")
    for unit in ("electrons", "electrons/s", "counts", "counts/s", "flux", "brightness"):
        assert Detector(native_unit=unit).native_unit == unit


@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [
        ("DRIZFRAME_DISABLED_PLUGINS", "mine", "DRIZFRAME_DISABLED_PLUGINS names it"),
        ("DRIZFRAME_PLUGINS", "", "DRIZFRAME_PLUGINS leaves it out"),
    ],
)
def test_what_a_plugin_that_is_switched_off_gives_is_told(
    installed, monkeypatch, exposures, variable, value, why
):
    installed("mine", COMBINER)
    monkeypatch.setenv(variable, value)
    told = rf"The plugin 'mine' of mine 1.2 \({why}\) is installed but switched off"
    with pytest.raises(ParameterError, match=told):
        drizframe.run(exposures, plugins={"mine": {"size": 4}})
    with pytest.raises(UnknownComponentError, match=told):
        drizframe.registry().get("combiner", "mine.high")
    done = validate("mine.high")
    assert isinstance(done.exception, UnknownComponentError)
    assert why in str(done.exception)


def test_an_answer_of_a_reader_names_distribution_and_file(installed, tmp_path):
    installed("mine", READER)
    (tmp_path / "a.mine").touch()
    with pytest.raises(
        PluginError, match=r"must return a list.*a\.mine.*'mine.reader' is provided by mine 1.2"
    ):
        drizframe.run(tmp_path / "a.mine")


def test_an_answer_of_an_instrument_names_distribution_and_file(installed, exposures, tmp_path):
    from astropy.io import fits

    installed("mine", INSTRUMENT)
    primary = fits.PrimaryHDU()
    primary.header["INSTRUME"] = "EYE"
    image = fits.ImageHDU(np.ones((32, 40), np.float32), exposures[0].chips[0].wcs.to_header(), name="SCI")
    fits.HDUList([primary, image]).writeto(tmp_path / "one_flt.fits")
    with pytest.raises(
        PluginError, match=r"one_flt\.fits.*returned NoneType.*'mine.eye' is provided by mine 1.2"
    ):
        drizframe.run(tmp_path / "one_flt.fits")


def test_an_answer_of_a_writer_names_the_distribution(installed, exposures, tmp_path):
    installed("mine", WRITER)
    with pytest.raises(PluginError, match=r"close\(\) of its sink returned None.*is provided by mine 1.2"):
        drizframe.run(exposures, tmp_path / "new.mine")


def test_a_step_that_reads_what_it_does_not_declare_names_the_distribution(installed, exposures):
    installed("mine", STEP)
    with pytest.raises(
        HookError, match="Step 'mine.step' of mine 1.2 reads plane 'err' but does not declare"
    ):
        drizframe.run(exposures)


def test_results_are_printed_in_a_few_lines(exposures):
    result = drizframe.run(exposures)
    ny, nx = result.sci.shape
    text = repr(result)
    assert text.startswith("<Result of 3 exposures, 3 chips\n  mosaic: ")
    assert f"{nx} columns x {ny} rows" in text
    assert "sky" in text
    assert len(text.splitlines()) <= 6
    assert f"sci ({ny}, {nx}) float32" in repr(result.mosaic)
    assert len(repr(result.mosaic).splitlines()) == 2
    assert "driz_combine is off" in repr(drizframe.run(exposures, driz_combine=False))


application = importlib.import_module("drizframe.cli.app")
FAILING = """
import drizframe
def fail(job):
    raise ZeroDivisionError("of mine")
STEP = drizframe.Step(name="mine.step", summary="S.", needs=("sci",), makes=("sci",), over="chip", run=fail)
def complain(word: str = "x"):
    raise KeyError(word)
def stop():
    raise typer.Exit(3)
import typer
@drizframe.hookimpl
def drizframe_extra_steps():
    yield STEP
@drizframe.hookimpl
def drizframe_commands():
    yield drizframe.Command(name="complain", summary="C.", function=complain)
    yield drizframe.Command(name="stop", summary="C.", function=stop)
"""


def on_the_command_line(monkeypatch, capsys, *arguments):
    """Run the program; return its exit code and what it says."""
    monkeypatch.setattr(sys, "argv", ["drizframe", *map(str, arguments)])
    monkeypatch.setattr(application, "app", copied(app))
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    with pytest.raises(SystemExit) as end:
        application.main()
    return end.value.code, capsys.readouterr().err


def copied(whole):
    """Return the application as it is without plugins: their commands would stay for other tests."""
    again = copy.copy(whole)
    again.registered_commands = list(whole.registered_commands)
    return again


def test_a_traceback_of_a_plugin_is_offered_and_given(installed, tmp_path, monkeypatch, capsys):
    installed("mine", FAILING)
    monkeypatch.chdir(tmp_path)
    run = ("run", stis_sample(), "-q")
    code, text = on_the_command_line(monkeypatch, capsys, *run)
    assert code == 2
    assert "ZeroDivisionError: of mine. The option --traceback shows where it arose." in text
    assert "Traceback" not in text
    code, text = on_the_command_line(monkeypatch, capsys, *run, "--traceback")
    assert code == 2
    assert "mine.py" in text
    assert 'raise ZeroDivisionError("of mine")' in text


def test_a_command_that_raises_names_its_plugin(installed, monkeypatch, capsys):
    installed("mine", FAILING)
    code, text = on_the_command_line(monkeypatch, capsys, "complain", "--word", "oh")
    assert code == 2
    assert "Command 'complain' of plugin 'mine' of mine 1.2 failed: KeyError: 'oh'" in text
    assert "mine.py" in text
    assert on_the_command_line(monkeypatch, capsys, "stop") == (3, "")


def test_the_trace_names_plugins_and_modules(installed, monkeypatch, capsys):
    installed("mine", COMBINER)
    monkeypatch.setenv("DRIZFRAME_TRACE_HOOKS", "1")
    monkeypatch.setattr(tracing, "_has_handlers", lambda: False)
    drizframe.registry()
    lines = [line.strip() for line in capsys.readouterr().err.splitlines()]
    assert any(re.fullmatch(r"hook: +asks mine of mine 1.2|hook: +asks mine 1.2", line) for line in lines)
    assert any(re.fullmatch(r"hook: +asks drizframe.stock.combine.*", line) for line in lines)
    assert not any("[hook]" in line for line in lines)


def test_help_says_where_products_go():
    words = " ".join(CliRunner().invoke(app, ["run", "--help"], env={"COLUMNS": "200"}).output.split())
    assert "final if it is not given" in words
