"""Errors within errors read as one sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import drizframe
from drizframe.errors import InputError, ParameterError, told
from drizframe.grids.custom_frames import check_size

WCSLIB = "ERROR 6 in wcs_units() at line 3322 of file cextern/wcslib/C/wcs.c:\nIn CUNIT1 : Invalid symbol in 'furlong'."


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError(WCSLIB), "In CUNIT1 : Invalid symbol in 'furlong'"),
        (InputError("x_flt.fits is damaged. Get it again."), "x_flt.fits is damaged. Get it again"),
        (OSError(2, "No such file or directory", "../x"), "[Errno 2] No such file or directory: '../x'"),
        (ValueError("two  lines\n  of words"), "two lines of words"),
        (AssertionError(), "AssertionError"),
        (ValueError("..."), "ValueError"),
    ],
)
def test_an_exception_is_told_as_a_part_of_a_sentence(error, text):
    assert told(error) == text


def test_no_message_puts_an_exception_into_a_sentence_as_it_is():
    folder = Path(drizframe.__file__).parent
    bare = re.compile(r"\{(error|exc|second)\}(\. |\.\"|\))")
    found = [f"{p.name}: {m[0]}" for p in folder.rglob("*.py") for m in bare.finditer(p.read_text())]
    assert not found


@pytest.mark.parametrize("reason", ["", "One exposure lies far off."])
def test_a_frame_that_is_too_large_is_told_without_doubled_blanks(reason):
    with pytest.raises(ParameterError) as caught:
        check_size((10, 10), reason, 50)
    assert reason in str(caught.value)
    assert "  " not in str(caught.value)
