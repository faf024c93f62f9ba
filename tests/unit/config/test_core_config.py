"""Parameters and bits: what is accepted, what a step sees, and what an error says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drizframe.astrodrizzle import AstroDrizzle
from drizframe.config import Parameters, good_mask, make_parameters, parse_bits
from drizframe.errors import ParameterError, UnknownParameterError, UnsupportedError


@pytest.mark.parametrize(
    ("text", "value"),
    [(524, 524), ("4,8,512", 524), ("4+8+512", 524), ("~4+8", -13), ("~(4,8)", -13), ([4, 8], 12), (None, None),
     ("", None), ("INDEF", None), ("none", None), ("~0", -1), (-13, -13), ("100", 100)],
)  # fmt: skip
def test_bits_are_read_in_every_documented_form(text, value):
    assert parse_bits(text) == value


@pytest.mark.parametrize("text", ["4,8+16", "abc", "3,8", 1.5, True, [], [1.5]])
def test_wrong_bits_are_refused_with_advice(text):
    with pytest.raises(ParameterError, match="Give an integer"):
        parse_bits(text)


@given(st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=20), st.integers(-0x8000, 0x7FFF))
def test_mask_is_good_where_only_acceptable_bits_are_set(flags, bits):
    dq = np.array(flags, dtype=np.uint16)
    expected = [(f & ~bits & 0xFFFF) == 0 for f in flags]
    assert good_mask(dq, bits).tolist() == [int(e) for e in expected]
    assert good_mask(dq.view(np.int16), bits).tolist() == [int(e) for e in expected]


def test_no_bits_means_everything_is_good():
    assert good_mask(np.array([0, 1, 4096], dtype=np.int16), None).tolist() == [1, 1, 1]


def test_every_documented_default():
    p = make_parameters()
    assert (p.static_sig, p.skymethod, p.skystat, p.skywidth) == (4.0, "localmin", "median", 0.3)
    assert (p.driz_sep_kernel, p.final_kernel, p.combine_type, p.blot_interp) == (
        "turbo",
        "square",
        "minmed",
        "poly5",
    )
    assert (p.driz_cr_snr, p.driz_cr_scale, p.combine_nsigma) == ((3.5, 3.0), (1.2, 0.7), (4.0, 3.0))
    assert (p.resetbits, p.crbit, p.final_bits, p.stepsize) == (4096, 4096, 0, 10)


def test_every_parameter_has_help_and_a_step():
    for name, field in Parameters.model_fields.items():
        assert field.description, name
        assert field.json_schema_extra["step"], name


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(UnknownParameterError, match="Did you mean 'final_kernel'") as caught:
        make_parameters(final_kernal="square")
    assert caught.value.suggestion == "final_kernel"


@pytest.mark.parametrize(
    ("name", "value"),
    [("final_pixfrac", "much"), ("final_pixfrac", -0.1), ("final_units", "mag"), ("skyclip", 1.5), ("static", "perhaps"),
     ("stepsize", -1), ("final_wt_scl", "expcube"), ("driz_cr_snr", "1 2 3"), ("final_kernel", 3), ("crbit", 0),
     ("final_dec", 95), ("layers", "noise"), ("backend", "cuda"), ("group", "flat,1"), ("final_maskval", "high"),
     ("final_fillval", 1e300), ("driz_sep_fillval", "-1e39")],
)  # fmt: skip
def test_wrong_value_names_parameter_and_value(name, value):
    with pytest.raises(ParameterError, match=name):
        make_parameters({name: value})


def test_words_for_switches_and_aliases():
    p = make_parameters(skysub="no", build="Yes", gnkeyword="CCDGAIN", combine_type="average")
    assert (p.skysub, p.build, p.gainkeyword, p.combine_type) == (False, True, "CCDGAIN", "mean")


@pytest.mark.parametrize(
    ("given", "mebibytes"),
    [(400, 400.0), (0.5, 0.5), ("400", 400.0), ("400MiB", 400.0), ("2 GiB", 2048.0), ("400MB", 4e8 / 2**20), ("1.5gb", 1.5e9 / 2**20),
     ("512KiB", 0.5), ("1048576B", 1.0), ("1TB", 1e12 / 2**20)],
)  # fmt: skip
def test_a_size_is_a_number_of_mebibytes_or_has_its_unit(given, mebibytes):
    assert make_parameters({"max_memory": given}).max_memory == mebibytes


@pytest.mark.parametrize(
    "given", ["400M", "400iB", "MB", "-1MB", "0MB", "nanMB", "infGB", "4e400MB", True, None, "400 MB free"]
)
def test_what_is_no_size_is_refused_with_how_to_write_one(given):
    with pytest.raises(ParameterError, match=r"^Parameter max_memory = .*MiB"):
        make_parameters({"max_memory": given})


def test_one_number_of_a_pair_counts_twice():
    assert make_parameters(combine_nsigma="4").combine_nsigma == (4.0, 4.0)
    assert make_parameters(driz_cr_snr=(4, 3)).driz_cr_snr == (4.0, 3.0)


def test_frame_parameters_switch_the_custom_frame_on():
    assert make_parameters(final_scale=0.04).final_wcs
    assert not make_parameters(final_scale=0.04, final_wcs=False).final_wcs
    assert make_parameters(driz_sep_rot=0).driz_sep_wcs


@pytest.mark.parametrize("pair", [("final_outnx", "final_outny"), ("driz_sep_ra", "driz_sep_dec")])
def test_half_a_pair_is_refused(pair):
    with pytest.raises(ParameterError, match="both or none"):
        make_parameters({pair[0]: 10})


def test_what_cannot_be_honoured_raises():
    with pytest.raises(UnsupportedError, match="updatewcs"):
        make_parameters(updatewcs=True)


def test_the_drop_in_says_which_of_its_switches_cannot_be_honoured():
    with pytest.raises(UnsupportedError, match="mdriztab=True"):
        AstroDrizzle("*_flt.fits", mdriztab=True)
    with pytest.raises(UnsupportedError, match="updatewcs"):
        AstroDrizzle("*_flt.fits", updatewcs=True)


def test_value_and_keyword_together_are_refused():
    with pytest.raises(ParameterError, match="Give one of them"):
        make_parameters(gain=1.5, gainkeyword="CCDGAIN")


def test_parameters_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        make_parameters().static = False


@pytest.mark.parametrize("value", ["a,b", "3,4", [1.5]])
def test_a_message_about_bits_ends_once(value):
    with pytest.raises(ParameterError, match=r"or None\. Default: 0\.") as caught:
        make_parameters({"final_bits": value})
    assert ".." not in str(caught.value)
