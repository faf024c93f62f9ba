"""Records of every family: functions that fit are taken in any form, others are refused with what to do."""

from __future__ import annotations

import functools
import operator
import re

import numpy as np
import pytest
from pydantic import BaseModel

from drizframe.errors import HookError
from drizframe.hooks import (
    Combiner,
    Command,
    CosmicRayDetector,
    Executor,
    Instrument,
    Interpolator,
    Kernel,
    Need,
    PluginManager,
    Reader,
    Registry,
    SkyMethod,
    SkyStatistic,
    Step,
    Weighting,
    Writer,
)
from drizframe.hooks.records.signatures import fitting


def function_of(arguments, answer=1):
    """Return a function with these arguments."""
    made = {}
    exec(f"def function({arguments}): return {answer}", made)  # noqa: S102  (arguments of this file)
    return made["function"]


def anything(*args, **kwargs):
    return 1


def maker(cls, **given):
    """Return what makes a record of a class, with `given` where nothing else is said."""

    def make(**changes):
        named = {} if cls is Need else {"name": "mine.one", "summary": "For tests."}
        return cls(**{**named, **given, **changes})

    make.family = cls.__name__ if cls in (Need, Step) else cls.family
    return make


kernel = maker(Kernel, footprint=anything, support=anything, fast=anything)
profile_kernel = maker(Kernel, profile=anything, support=anything)
interpolator = maker(Interpolator, reference=anything)
profile_interpolator = maker(Interpolator, profile=anything, support=1.0)
combiner = maker(Combiner, reference=anything)
sky_method = maker(SkyMethod, reference=anything)
sky_statistic = maker(SkyStatistic, reference=anything)
weighting = maker(Weighting, reference=anything)
detector = maker(CosmicRayDetector, reference=anything)
instrument = maker(Instrument, reference=anything, matches=anything)
reader = maker(Reader, reference=anything, matches=anything)
writer = maker(Writer, open=anything, endings=(".mine",))
executor = maker(Executor, open=anything)
step = maker(Step, needs=("sci",), makes=("sci",), over="chip", run=anything)
need = maker(Need, plane="sci")

FOOTPRINT = "x, y, corners, x0, y0, shape, *, pixfrac, scale"
COMBINE = "stack, bad, *, weight, exptime, background, readnoise, n_total, options"
DETECT = "sci, blot, deriv, noise, depth, dq, options"
INSTRUMENT = "primary, science, *, name, path, source, options, wcs"

#: Which record, which field, how it is called, and arguments that do not fit with what the message says of them.
CALLS = [
    (kernel, "footprint", FOOTPRINT, "x, y, corners, x0, y0, shape, pixfrac", "does not take scale by name"),
    (kernel, "fast", FOOTPRINT, "x, y, *, pixfrac, scale", "takes 2 arguments by position, not 6"),
    (kernel, "reference", FOOTPRINT, "x", "takes 1 argument by position, not 6 and does not take pixfrac, scale"),
    (kernel, "supports", FOOTPRINT, "", "takes 0 arguments by position"),
    (kernel, "support", "pixfrac, scale", "pixfrac", "takes 1 argument by position, not 2"),
    (kernel, "block", "pixfrac, scale", "", "takes 0 arguments by position, not 2"),
    (profile_kernel, "profile", "dx, dy, *, pixfrac", "dx, dy", "does not take pixfrac by name"),
    (profile_kernel, "profile", "dx, dy, *, pixfrac", "r, *, pixfrac", "takes 1 argument by position, not 2"),
    (profile_kernel, "profile", "dx, dy, *, pixfrac", "dx, dy, p", "does not take pixfrac by name and needs p"),
    (profile_kernel, "profile", "dx, dy, *, pixfrac", "dx, pixfrac", "pixfrac at a place that is filled already"),
    (profile_kernel, "support", "pixfrac", "pixfrac, scale", "needs scale, which is not given"),
    (interpolator, "reference", "image, x, y, *, fill", "image, x, y", "does not take fill by name"),
    (interpolator, "fast", "image, x, y, *, fill", "image, x, y, *, fill, order", "needs order, which is not given"),
    (interpolator, "supports", "image, x, y, *, fill", "image", "takes 1 argument by position"),
    (profile_interpolator, "profile", "dx, dy", "dx, dy, *, pixfrac", "needs pixfrac, which is not given"),
    (combiner, "reference", COMBINE, "stack, bad", "weight, exptime, background, readnoise, n_total, options by name"),
    (combiner, "fast", COMBINE, "stack, bad, *, weight, options", "exptime, background, readnoise, n_total by name"),
    (combiner, "halo", "options", "", "takes 0 arguments by position, not 1"),
    (combiner, "minimum", "options", "options, n", "needs n, which is not given"),
    (sky_method, "reference", "chips, statistic, *, overlaps, options", "chips, statistic, overlaps", "options by name"),
    (sky_method, "fast", "chips, statistic, *, overlaps, options", "chips, **rest", "takes 1 argument by position"),
    (sky_statistic, "reference", "values, options", "values", "takes 1 argument by position, not 2"),
    (sky_statistic, "fast", "values, options", "values, *, options", "needs options"),
    (weighting, "reference", "chip, mask, sky, ratio, options", "chip, mask, options", "takes 3 arguments by position"),
    (detector, "reference", DETECT, "sci, blot, *, options", "takes 2 arguments by position, not 7 and needs options"),
    (detector, "halo", "options", "options, dq", "needs dq, which is not given"),
    (instrument, "reference", INSTRUMENT, "primary, science", "does not take name, path, source, options, wcs by name"),
    (instrument, "matches", "primary_header", "primary, science", "needs science, which is not given"),
    (reader, "reference", "path, *, instruments, options", "path", "does not take instruments, options by name"),
    (reader, "matches", "path", "", "takes 0 arguments by position, not 1"),
    (writer, "open", "product", "mosaic, path", "needs path, which is not given"),
    (writer, "headers", "product", "", "takes 0 arguments by position, not 1"),
    (writer, "check", "parameters", "parameters, path", "needs path, which is not given"),
    (writer, "run_of", "path", "", "takes 0 arguments by position, not 1"),
    (executor, "open", "workers", "", "takes 0 arguments by position, not 1"),
    (step, "run", "job", "", "takes 0 arguments by position, not 1"),
    (step, "run", "job", "job, parameters", "needs parameters, which is not given"),
    (need, "border", "asked", "parameters, registry", "needs registry, which is not given"),
    (step, "enabled", "parameters, exposures, registry, options", "a, b, c, d, e", "needs e, which is not given"),
    (step, "check", "parameters, exposures, registry, options", "", "takes 0 arguments by position, not 4"),
]  # fmt: skip
NAMES = [f"{make.family}-{field}-{wrong}".replace(" ", "") for make, field, _, wrong, _ in CALLS]


@pytest.mark.parametrize(("make", "field", "call", "wrong", "fault"), CALLS, ids=NAMES)
def test_a_function_that_does_not_fit_is_refused_with_the_call(make, field, call, wrong, fault):
    with pytest.raises(HookError) as caught:
        make(**{field: function_of(wrong)})
    message = str(caught.value)
    label = "Need('sci')" if make is need else f"{make.family} 'mine.one'"
    article = "an" if field[0] in "aeio" else "a"
    assert message.startswith(f"{label} has {article} {field} that does not fit")
    assert f"drizframe calls {field}({call})" in message
    assert f"function({wrong})" in message
    assert fault in message


def without_keyword_only(call):
    """Return a call whose keywords could be given by position too."""
    return call.replace("*, ", "")


class Method:
    def __init__(self, function):
        self._function = function

    def __call__(self, *args, **kwargs):
        return self._function(*args, **kwargs)


def forms(call):
    """Yield functions in all forms that fit."""
    plain = function_of(call)
    yield "as documented", plain
    yield "keywords by position too", function_of(without_keyword_only(call))
    yield "anything", anything
    yield "more with defaults", function_of(call + (", extra=2" if "*" in call else ", extra=2, *, more=3"))
    yield "rest of keywords", function_of((call.partition("*")[0] if "*" in call else call + ", ") + "**rest")
    yield "partial", functools.partial(function_of("first, " + call), 0)
    yield (
        "partial of keyword",
        functools.partial(function_of(call + (", own" if "*" in call else ", *, own")), own=1),
    )
    yield "callable object", Method(plain)
    yield "bound method", Method(plain).__call__
    yield "cached", functools.lru_cache(plain)
    annotated = function_of(call)
    annotated.__annotations__ = {"return": "unknown.Name"}
    yield "annotations that are not there", annotated


EVERY = sorted({(make.family, field, call): make for make, field, call, _, _ in CALLS}.items())
ALWAYS = [pair for pair in EVERY if pair[0][:2] != ("Need", "border")]  # that may be a number


@pytest.mark.parametrize(("key", "make"), EVERY, ids=["-".join(k[:2]).replace(" ", "") for k, _ in EVERY])
def test_a_function_that_fits_is_taken_in_any_form(key, make):
    _, field, call = key
    for form, function in forms(call):
        assert getattr(make(**{field: function}), field) is function, form


@pytest.mark.parametrize(("key", "make"), ALWAYS, ids=["-".join(k[:2]).replace(" ", "") for k, _ in ALWAYS])
def test_what_is_no_function_is_refused_with_an_example(key, make):
    _, field, call = key
    wanted = rf"{make.family} 'mine.one' has {field} = 'mean', which is no function. Give a function {field}({call})"
    with pytest.raises(HookError, match=re.escape(wanted)):
        make(**{field: "mean"})


@pytest.mark.parametrize(("make", "field"), [(combiner, "halo"), (combiner, "minimum"), (detector, "halo")])
def test_a_number_where_a_function_is_wanted_shows_the_function(make, field):
    with pytest.raises(HookError, match=rf"{field} = 3, .*such as: def {field}\(options\): return 3"):
        make(**{field: 3})
    with pytest.raises(HookError, match=f"{field} = None, which is no function"):
        make(**{field: None})


def test_the_support_of_a_profile_may_be_a_number_no_more_than_others():
    with pytest.raises(HookError, match=r"support = 1.5, .*def support\(pixfrac\): return 1.5"):
        profile_kernel(support=1.5)


def test_names_of_what_comes_by_position_are_free():
    assert profile_kernel(profile=lambda a, b, *, pixfrac: a).profile is not None
    assert sky_statistic(reference=lambda a, b, /: (a, 1)).reference is not None


def test_an_interpolator_takes_the_keywords_that_it_asks_for():
    class Options(BaseModel):
        order: int = 1

    plain = function_of("image, x, y, *, fill")
    with pytest.raises(HookError, match=r"reference\(image, x, y, \*, fill, sinscl\).*take sinscl by name"):
        interpolator(reference=plain, accepts={"sinscl"})
    with pytest.raises(HookError, match=r"reference\(image, x, y, \*, fill, plugin\).*take plugin by name"):
        interpolator(reference=plain, options_model=Options)
    both = function_of("image, x, y, *, fill, sinscl, plugin")
    assert interpolator(reference=both, accepts=["sinscl"], options_model=Options).accepts == {"sinscl"}


def test_an_interpolator_that_asks_for_an_option_that_is_not_there_is_refused():
    with pytest.raises(HookError, match="'mine.one' accepts .'sinscale'.*The only one is 'sinscl'"):
        interpolator(accepts={"sinscale"})


@pytest.mark.parametrize("arguments", ["p, e, r", "p, e", "p", "p, e, *rest", "*all"])
def test_a_step_may_leave_out_what_it_does_not_need_to_answer(arguments):
    assert step(enabled=function_of(arguments), check=function_of(arguments)).enabled is not None


def test_a_decorator_that_changes_arguments_counts_not_what_it_wraps():
    @functools.wraps(function_of("r"))
    def radial(dx, dy, *, pixfrac):
        return dx

    assert profile_kernel(profile=radial).profile is radial

    @functools.wraps(function_of("dx, dy, *, pixfrac"))
    def wrong(r):
        return r

    with pytest.raises(HookError, match=r"function\(r\) takes 1 argument by position"):
        profile_kernel(profile=wrong)


def test_a_compiled_wrapper_is_asked_for_what_it_wraps():
    with pytest.raises(HookError, match=r"function\(dx, dy\) does not take pixfrac"):
        profile_kernel(profile=functools.lru_cache(function_of("dx, dy")))


def test_a_function_without_a_signature_is_let_through():
    unreadable = operator.itemgetter(0)
    assert fitting(max, ["a, *, b"]) == "a, *, b"
    for function in (max, np.frompyfunc(max, 2, 1), unreadable):
        assert sky_statistic(reference=function).reference is function


def test_the_message_names_partials_and_objects():
    with pytest.raises(HookError, match=r"partial of function\(b\) takes 1 argument"):
        sky_statistic(reference=functools.partial(function_of("a, b"), 1))

    class Statistic:
        def __call__(self, values):
            return values

    with pytest.raises(HookError, match=r"but Statistic\(values\) takes 1 argument"):
        sky_statistic(reference=Statistic())


def test_everything_that_drizframe_ships_fits():
    manager = PluginManager(installed=False)
    assert len(list(Registry(manager))) > 30


class Model(BaseModel):
    pass


WRONG = [
    (kernel, "name", 5, "has the name 5"),
    (kernel, "summary", None, "summary = None. Give a string"),
    (combiner, "cite", 2002, "cite = 2002. Give a string"),
    (combiner, "traits", "linear", r"traits = 'linear'. Give a set of strings.*for one: {'linear'}"),
    (combiner, "traits", {3}, r"traits = \{3\}. Give a set of strings"),
    (combiner, "traits", 3, "traits = 3. Give a set of strings"),
    (combiner, "tolerance", -1e-9, "tolerance = -1e-09. Give a number of at least 0"),
    (combiner, "tolerance", "1e-9", "tolerance = '1e-9'. Give a number"),
    (combiner, "tolerance", float("nan"), "tolerance = nan. Give a number"),
    (combiner, "tolerance", None, "tolerance = None. Give a number"),
    (combiner, "options_model", Model(), "options_model = .*Give a class that derives from pydantic.BaseModel"),
    (combiner, "options_model", dict, "options_model = .*Give a class that derives from pydantic.BaseModel"),
    (interpolator, "reach", -1, "reach = -1. Give a whole number of at least 0"),
    (interpolator, "reach", 1.5, "reach = 1.5. Give a whole number"),
    (interpolator, "reach", True, "reach = True. Give a whole number"),
    (interpolator, "reach", anything, "reach = <function.*Give a whole number"),
    (interpolator, "accepts", "sinscl", "accepts = 'sinscl'. Give a set of strings"),
    (sky_method, "minimum", "2", "minimum = '2'. Give a whole number"),
    (sky_method, "fallback", None, "fallback = None. Give a string"),
    (instrument, "rules", None, "rules = None. Give a string"),
    (step, "name", None, "name = None. Give a string"),
    (step, "summary", 1, "summary = 1. Give a string"),
    (step, "needs", "sci", "needs = 'sci'; give names of planes or Need records, in a tuple"),
    (step, "needs", (3,), "needs 3; give the name of a plane, or a Need"),
    (step, "needs", ("sky", Need("sky", of="all")), "needs 'sky' twice. Say it once"),
    (step, "needs", (Need("sci", of="touching"),), "works over 'chip' and needs 'sci' of what touches a tile; give of='own'"),
    (step, "needs", (Need("sci", border=2),), "works over 'chip' and needs 'sci' with a border; only tiles and bands"),
    (step, "makes", "sci", "makes = 'sci'; give Plane records, or names of planes, in a tuple"),
    (step, "makes", (3,), "makes 3; give a Plane, or the name of one that is declared elsewhere"),
    (step, "after", "sky", r"after = 'sky'. Give a tuple of strings.*for one: \('sky',\)"),
    (step, "version", 0, "version = 0. Give a whole number of at least 1"),
    (need, "plane", None, "plane = None. Give a string"),
    (need, "of", "mine", "of = 'mine'; choose from own, touching, under, all"),
    (need, "border", -1, "border = -1. Give a whole number of at least 0"),
    (need, "border", "2", r"border = '2'. Give a whole number of at least 0, or a function border\(asked\)"),
    (step, "run", None, "run = None, which is no function"),
    (step, "over", "pixel", "over = 'pixel'; choose one of run"),
    (step, "options_model", Model(), "options_model = .*Give a class"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "field", "value", "message"), WRONG)
def test_a_value_of_a_wrong_type_is_refused(make, field, value, message):
    with pytest.raises(HookError, match=f"(?s){message}") as caught:
        make(**{field: value})
    assert field in ("name", "plane") or ("Need('sci')" if make is need else "'mine.one'") in str(
        caught.value
    )


def test_a_step_of_contract_1_is_told_what_to_write():
    with pytest.raises(HookError, match="Step 'old' was written for an earlier drizframe") as caught:
        Step(name="old", summary="O.", consumes=("sci",), produces=("sci",), scope="tile", grid="final", halo=2,
             run=anything)  # fmt: skip
    text = str(caught.value)
    for old, new in (("consumes=('sci',)", "needs=("), ("produces=('sci',)", "makes=("), ("scope='tile'", "over='run'"),
                     ("halo=2", "Need(plane, border=")):  # fmt: skip
        assert old in text
        assert new in text
    with pytest.raises(HookError, match="halo=1") as caught:
        step(halo=1)
    assert "consumes" not in str(caught.value)


def test_only_steps_over_chips_need_what_lies_under_a_chip():
    assert step(needs=(Need("median", of="under"),), over="band").needs[0].of == "under"
    with pytest.raises(
        HookError, match="'mine.one' works over 'run' and needs 'median' of the frame under a chip"
    ):
        step(needs=(Need("median", of="under"),), over="run")


def test_tiles_have_a_grid_and_nothing_else_has():
    with pytest.raises(HookError, match="grid"):
        step(over="tile")
    with pytest.raises(HookError, match="grid"):
        step(over="chip", grid="final")


def test_what_means_the_same_is_converted():
    record = combiner(traits=["linear", "linear"], tolerance=np.float32(0.5))
    assert (record.traits, record.tolerance) == (frozenset({"linear"}), 0.5)
    assert interpolator(reach=np.int64(2)).reach == 2
    made = step(needs=["sci", "dq"], makes=["sci"], after=["sky"], version=np.int16(3))
    assert (made.consumes, made.produces, made.after, made.version) == (("sci", "dq"), ("sci",), ("sky",), 3)
    assert need(border=np.int64(2)).border == 2


def test_a_command_needs_a_name_and_a_function():
    assert Command(name="show", summary="Show.", function=anything).name == "show"
    with pytest.raises(HookError, match="Command 'show' has function = 'print', which is no function"):
        Command(name="show", summary="Show.", function="print")
    with pytest.raises(HookError, match="Command 'show it' has a name that cannot be typed"):
        Command(name="show it", summary="Show.", function=anything)
    with pytest.raises(HookError, match="Command 'show' has summary = None"):
        Command(name="show", summary=None, function=anything)
