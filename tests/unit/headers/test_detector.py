"""Which detector a header names."""

from __future__ import annotations

import pytest
from astropy.io.fits import Header

from drizframe.errors import InputError
from drizframe.headers import detector_name

KNOWN = {"WIDE": 1, "DEEP": 2}


@pytest.mark.parametrize(
    ("primary", "science"),
    [({"DETECTOR": " deep "}, {}), ({}, {"DETECTOR": "Deep"}), ({"DETECTOR": "DEEP"}, {"DETECTOR": "WIDE"})],
)
def test_the_primary_header_names_the_detector_and_else_the_first_image(primary, science):
    headers = {1: Header(science), 2: Header({"DETECTOR": "WIDE"})}
    assert detector_name(Header(primary), headers, KNOWN, "a.fits") == "DEEP"


@pytest.mark.parametrize("value", ["TALL", "", 3])
def test_an_unknown_detector_is_refused_with_the_file_and_those_that_there_are(value):
    primary = Header({"INSTRUME": "EYE", "DETECTOR": value})
    with pytest.raises(InputError, match=rf"a.fits\[0\]: DETECTOR is '{value}'; EYE has WIDE, DEEP"):
        detector_name(primary, {1: Header()}, KNOWN, "a.fits")
