"""Nothing that a file says reaches a terminal or a log as anything but text."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import warnings

import pytest
import security_files as files

import drizframe
from drizframe import astrodrizzle
from drizframe.errors import DrizframeError, DrizframeWarning, MissingInputError, OutputError, printable

ESCAPE = "\x1b]0;owned\x07\x1b[2J"
UNUSUAL = ("\x1b[31m", "\x07", "\x9b31m", "\u202e", "\u200b", "\r", "\x7f", "\ud800")


def shown(text):
    return "".join(c for c in text if not c.isprintable() and c != "\n")


@pytest.mark.parametrize("text", UNUSUAL)
def test_messages_of_errors_and_warnings_are_printable(text):
    for kind in (DrizframeError, MissingInputError, OutputError, DrizframeWarning):
        assert shown(str(kind(f"a{text}b"))) == ""
    assert printable(f"a{text}b").startswith("a\\")
    assert printable("a\nb") == "a\nb"
    assert printable("a\nb", keep="") == "a\\nb"
    assert printable("é ü 星") == "é ü 星"


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """An exposure with a name that takes over a terminal, and bytes in its header that do."""
    if os.name == "nt":
        pytest.skip("no such names there")
    monkeypatch.chdir(tmp_path)
    path = files.exposure(
        tmp_path / f"j{ESCAPE.replace('/', '')}_flt.fits", primary={"TARGNAME": "QQQQQQQQ", "FILTER1": "ZZZZ"}
    )
    files.with_bytes(path, b"QQQQQQQQ", b"\x1b[2J\x07\x1b[m")
    return files.with_bytes(path, b"ZZZZ", b"\x9b2J\x00")


def test_the_command_prints_no_character_that_a_terminal_acts_on(odd, tmp_path):
    broken = tmp_path / f"k{ESCAPE}_flt.fits"
    broken.write_bytes(b"SIMPLE  = " + ESCAPE.encode() * 400)
    environment = {
        **os.environ,
        "COLUMNS": "200",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "PYTHONIOENCODING": "utf-8:surrogateescape",
    }
    for arguments in (
        (str(odd),),
        (str(broken),),
        (f"missing{ESCAPE}_flt.fits",),
        (str(odd), "-o", f"out{ESCAPE}"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "drizframe", "run", "-q", *arguments],
            env=environment, capture_output=True, check=False, timeout=300,
        )  # fmt: skip
        text = (done.stdout + done.stderr).decode("utf-8", "surrogateescape")
        assert text
        assert shown(text) == "", (arguments, text)
        assert "owned" in text


def test_logs_results_and_log_files_hold_no_such_character(odd, caplog):
    caplog.set_level(logging.DEBUG, logger="drizframe")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = astrodrizzle.AstroDrizzle(str(odd), output="final", num_cores=1, runfile="run.log")
    assert shown(caplog.text) == ""
    assert shown("".join(result.warnings)) == ""
    assert all(shown(str(w.message)) == "" for w in caught if issubclass(w.category, DrizframeWarning))
    log = (odd.parent / "run.log").read_text(encoding="utf-8")
    assert "owned" in log
    assert shown(log) == ""


def test_a_name_with_the_end_of_a_line_makes_no_line_of_a_log(tmp_path, monkeypatch):
    if os.name == "nt":
        pytest.skip("no such names there")
    monkeypatch.chdir(tmp_path)
    path = files.exposure(tmp_path / "j\n[ERROR   ] forged_flt.fits")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrizframeWarning)
        result = astrodrizzle.AstroDrizzle(str(path), output="final", num_cores=1, runfile="run.log")
    assert not any(line.startswith("[ERROR") for line in (tmp_path / "run.log").read_text().splitlines())
    assert all("\n" not in w for w in result.warnings)


def test_warnings_above_a_progress_bar_are_no_markup():
    import io

    from rich.console import Console

    from drizframe.hooks import Event
    from drizframe.report.progress import ProgressBar

    stream = io.StringIO()
    bar = ProgressBar(Console(file=stream))
    bar.drizframe_progress(Event(kind="warning", text="a[link=file:///etc]b[/link][/] [red]c"))
    assert "a[link=file:///etc]b[/link][/] [red]c" in stream.getvalue()


def test_tables_with_such_characters_are_refused(tmp_path):
    files.exposure(tmp_path / "ja_flt.fits")
    for name in ("j\x1b[2J", "j\nb", "j\x00b\x07c", "j\x9b"):
        table = files.association(tmp_path / "j_asn.fits", [("JA", "EXP-DTH"), ("QQQQQQQQQ", "EXP-DTH")])
        files.with_bytes(table, b"QQQQQQQQQ", name.encode("latin-1").ljust(9))
        with pytest.raises(DrizframeError) as caught:
            drizframe.run(table)
        assert shown(str(caught.value)) == ""
