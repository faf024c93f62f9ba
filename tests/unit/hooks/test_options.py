"""Options of components come from the parameters by the names of their fields."""

from dataclasses import dataclass
from types import SimpleNamespace

from drizframe._fast import load, twin
from drizframe.config import make_parameters
from drizframe.engine.inputs import instrument_options
from drizframe.hooks import CombineOptions, StatisticOptions, WeightOptions, options_from


def test_a_field_is_the_parameter_of_its_name():
    options = options_from(
        CombineOptions, make_parameters({"combine_nlow": 2, "combine_grow": 3}), "combine_"
    )
    assert (options.nlow, options.grow) == (2, 3)


def test_a_field_may_say_that_its_parameter_is_called_otherwise():
    parameters = make_parameters({"skyclip": 7, "skywidth": 0.2, "skylsigma": 2.5})
    options = options_from(StatisticOptions, parameters, "sky")
    assert (options.nclip, options.binwidth, options.lsigma) == (7, 0.2, 2.5)


def test_what_comes_from_elsewhere_is_no_parameter():
    told = []
    options = options_from(
        WeightOptions,
        make_parameters({"final_wt_scl": "expsq"}),
        "final_",
        flat=None,
        ivm=1,
        warn=told.append,
    )
    assert (options.wt_scl, options.ivm) == ("expsq", 1)
    options.warn("heard")
    assert told == ["heard"]


def test_a_new_field_of_a_record_is_its_second_place():
    @dataclass(frozen=True, kw_only=True)
    class Wider(WeightOptions):
        softness: float = 0.0

    parameters = SimpleNamespace(final_wt_scl="exptime", final_softness=0.5)
    more = {"flat": None, "ivm": None, "warn": print}
    assert options_from(Wider, parameters, "final_", **more).softness == 0.5


def test_overrides_of_headers_come_by_name():
    values = instrument_options(make_parameters({"gain": 1.5, "rdnoise": 4.0, "exptime": 9.0}))
    assert (values.gain, values.readnoise, values.exptime) == (1.5, 4.0, 9.0)
    keywords = instrument_options(make_parameters({"gnkeyword": "A", "rnkeyword": "B", "expkeyword": "C"}))
    assert (keywords.gain_keyword, keywords.readnoise_keyword, keywords.exptime_keyword) == ("A", "B", "C")
    assert values.extra["coeffs"] is True


def test_a_twin_is_the_compiled_function_or_none():
    square = load("square")
    assert twin("square.square") is (None if square is None else square.square)
    assert twin("no_such_module.square") is None
