"""Hooks are called as pluggy calls them: order, marks, wrappers of both styles; errors have an owner, and it can be traced."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

import drizframe
from drizframe.errors import DrizframeWarning, HookError, PluginError
from drizframe.hooks import PluginManager, Registry, hookimpl


def plug(**functions):
    """An object with functions, each marked as a hook."""
    return types.SimpleNamespace(**functions)


def sky(level, **fields):
    def run(job):
        value = drizframe.SkyValue(subtracted=level, level=level, method=str(level))
        return {drizframe.PlaneKey("sky", u): value for u in job.units("chip")}

    return drizframe.Step(
        name="sky", summary="A number.", needs=(), makes=("sky",), over="run", run=run, **fields
    )


def replaced(level, **marks):
    """A plugin that replaces the sky."""

    @hookimpl(**marks)
    def drizframe_step_sky():
        return sky(level)

    return plug(drizframe_step_sky=drizframe_step_sky)


def level_of(exposures):
    return next(iter(drizframe.run(exposures).sky.values()))[0].level


def hearing(said, name, **marks):
    """A plugin that notes the ends of steps."""

    @hookimpl(**marks)
    def drizframe_after_step(event):
        if event.step == "final":
            said.append(name)

    return plug(drizframe_after_step=drizframe_after_step)


# -- order


@pytest.mark.parametrize(
    ("marks", "wins"), [(({}, {}), 2.0), (({"tryfirst": True}, {}), 1.0), (({}, {"trylast": True}), 1.0)]
)
def test_of_two_replacements_the_last_or_tryfirst_wins_and_both_are_told(exposures, plugin, marks, wins):
    plugin(replaced(1.0, **marks[0]), "one")
    plugin(replaced(2.0, **marks[1]), "two")
    used, unused = ("two", "one") if wins == 2.0 else ("one", "two")
    said = rf"replaces the stage 'sky': {used} .this session. is used, not {unused} .this session."
    with pytest.warns(DrizframeWarning, match=said):
        result = drizframe.run(exposures)
    assert next(iter(result.sky.values()))[0].level == wins
    assert any("replaces the stage 'sky'" in w for w in result.warnings)


def test_a_replacement_that_comes_last_leaves_the_stage_to_drizframe(exposures, plugin):
    plugin(replaced(7.0, trylast=True), "late")
    assert level_of(exposures) != 7.0


def test_a_replacement_that_gives_none_passes_the_stage_on(exposures, plugin):
    plugin(replaced(1.0), "one")
    plugin(plug(drizframe_step_sky=hookimpl(lambda: None)), "none")
    assert level_of(exposures) == 1.0


def test_two_replacements_of_a_stage_that_is_off_are_not_told(exposures, plugin):
    plugin(replaced(1.0), "one")
    plugin(replaced(2.0), "two")
    plugin(plug(drizframe_step_sky=hookimpl(wrapper=True)(_nothing)), "off")
    assert drizframe.run(exposures).sky == {}


def _nothing():
    yield


@pytest.mark.parametrize(
    ("marks", "order"),
    [
        (({}, {}, {}), "cba"),
        (({"tryfirst": True}, {}, {}), "acb"),
        (({}, {}, {"trylast": True}), "bac"),
        (({"tryfirst": True}, {}, {"trylast": True}), "abc"),
    ],
)
def test_listeners_are_called_in_the_order_of_pluggy(exposures, plugin, marks, order):
    said = []
    for name, mark in zip("abc", marks, strict=True):
        plugin(hearing(said, name, **mark), name)
    drizframe.run(exposures)
    assert "".join(said) == order


def test_listeners_of_a_run_come_before_plugins_and_honour_the_marks_too(exposures, plugin):
    said = []
    plugin(hearing(said, "plugin"), "plugin")
    given = [hearing(said, "one"), hearing(said, "two"), hearing(said, "late", trylast=True)]
    drizframe.run(exposures, listeners=given)
    assert said == ["one", "two", "plugin", "late"]


# -- arguments and names


class Bare:
    """Its functions name no argument, or are found by their mark alone."""

    def __init__(self):
        self.said = []

    @hookimpl
    def drizframe_before_step(self):
        self.said.append("before")

    @hookimpl(specname="drizframe_after_step")
    def wrote(self):
        self.said.append("after")

    @hookimpl(specname="drizframe_progress")
    def heard(self, event):
        self.said.append(event.kind)


@pytest.mark.parametrize("way", ["plugin", "listener"])
def test_a_listener_without_arguments_and_one_with_specname_are_called(exposures, plugin, way):
    bare = Bare()
    if way == "plugin":
        plugin(bare)
    drizframe.run(exposures, listeners=[bare] if way == "listener" else [])
    assert {"before", "after", "progress", "begin_run"} <= set(bare.said)


def test_a_listener_of_a_run_needs_no_mark(exposures):
    said = []

    class Plain:
        def drizframe_after_step(self):
            said.append("none")

        def drizframe_before_step(self, *args):
            said.append(args[0].kind)

        def drizframe_progress(self, **rest):
            said.append(rest["event"].kind)

    drizframe.run(exposures, listeners=[Plain()])
    assert {"none", "start", "progress"} <= set(said)


def test_specname_serves_components_and_stages(exposures, plugin):
    class Named:
        @hookimpl(specname="drizframe_step_sky")
        def my_sky(self):
            return sky(5.0)

        @hookimpl(specname="drizframe_combiners")
        def my_combiners(self):
            def first(stack, bad, **more):
                return stack[0]

            yield drizframe.Combiner(name="named.first", summary="First.", reference=first)

    plugin(Named(), "named")
    assert level_of(exposures) == 5.0
    assert drizframe.registry().entry("combiner", "named.first").plugin == "named"


@pytest.mark.parametrize(
    ("listener", "words"),
    [
        (plug(drizframe_after_step=lambda happening: None), "wants the argument happening.* It has: event"),
        (plug(other=print), "hears nothing. Give it a method with one of these names: drizframe_before_step"),
        (plug(drizframe_after_steps=lambda event: None), "Did you mean 'drizframe_after_step'"),
        (Bare, "is a class, so drizframe_\\w+ lacks its object"),
    ],
)
def test_a_listener_that_could_hear_nothing_is_refused(exposures, listener, words):
    with pytest.raises(HookError, match=words):
        drizframe.run(exposures, listeners=[listener])


# -- wrappers


def test_a_wrapper_of_the_old_style_changes_the_step(exposures, plugin):
    @hookimpl(hookwrapper=True)
    def drizframe_step_sky():
        outcome = yield
        outcome.force_result(dataclasses.replace(outcome.get_result(), run=sky(3.0).run))

    plugin(plug(drizframe_step_sky=drizframe_step_sky), "old")
    assert level_of(exposures) == 3.0
    step = drizframe.registry().manager.stage("drizframe_step_sky")
    assert step.provider == "old (this session) around drizframe"


def test_a_wrapper_of_the_old_style_that_changes_nothing_leaves_the_provider(plugin):
    @hookimpl(hookwrapper=True)
    def drizframe_step_sky():
        yield

    plugin(plug(drizframe_step_sky=drizframe_step_sky), "old")
    assert drizframe.registry().manager.stage("drizframe_step_sky").provider == "drizframe"


@pytest.mark.parametrize("old", [True, False])
def test_a_wrapper_sees_what_another_plugin_raises_and_may_mend_it(exposures, plugin, old):
    def broken():
        raise ValueError("no sky")

    @hookimpl(hookwrapper=True)
    def mending_old():
        outcome = yield
        if isinstance(outcome.exception, ValueError):
            outcome.force_result(sky(4.0))

    @hookimpl(wrapper=True)
    def mending():
        try:
            return (yield)
        except ValueError:
            return sky(4.0)

    plugin(plug(drizframe_step_sky=hookimpl(broken)), "broken")
    plugin(plug(drizframe_step_sky=mending_old if old else mending), "mending")
    assert level_of(exposures) == 4.0


@pytest.mark.parametrize(
    "error", [ValueError("no"), SystemExit(2), StopIteration("no")], ids=lambda e: type(e).__name__
)
def test_an_error_that_passes_a_wrapper_is_its_own_not_the_wrappers(exposures, plugin, error):
    def broken():
        raise error

    @hookimpl(wrapper=True)
    def around():
        return (yield)

    plugin(plug(drizframe_step_sky=hookimpl(broken)), "broken")
    plugin(plug(drizframe_step_sky=around), "around")
    with pytest.raises(PluginError, match="'broken' of broken .this session. failed in drizframe_step_sky"):
        drizframe.run(exposures)


def test_what_a_wrapper_raises_in_place_of_an_error_is_the_wrappers(exposures, plugin):
    def broken():
        raise ValueError("no")

    @hookimpl(wrapper=True)
    def around():
        try:
            return (yield)
        except ValueError as error:
            raise OSError("worse") from error

    plugin(plug(drizframe_step_sky=hookimpl(broken)), "broken")
    plugin(plug(drizframe_step_sky=around), "around")
    with pytest.raises(PluginError, match="'around' of around .this session. failed in .*: OSError: worse"):
        drizframe.run(exposures)


def _twice():
    yield
    yield


def _never():
    if False:
        yield


def test_a_wrapper_that_yields_not_once_is_named(exposures, plugin):
    for function, words in ((_twice, "yields more than once"), (_never, "does not yield")):
        name = drizframe.register(plug(drizframe_step_sky=hookimpl(wrapper=True)(function)), "odd")
        with pytest.raises(HookError, match=f"'odd' of odd .this session.*{words}"):
            drizframe.run(exposures)
        drizframe.unregister(name)


def test_a_wrapper_with_both_marks_is_refused():
    with pytest.raises(HookError, match="mutually exclusive"):
        drizframe.register(plug(drizframe_step_sky=hookimpl(wrapper=True, hookwrapper=True)(_twice)), "both")


def first(stack, bad, **more):
    return stack[0]


def combiner(name):
    return drizframe.Combiner(name=name, summary="First.", reference=first)


def test_a_wrapper_of_components_adds_leaves_out_and_owns_what_it_adds(fresh):
    @hookimpl(wrapper=True)
    def drizframe_combiners():
        answers = yield
        kept = [[r for r in answer if r.name != "two"] for answer in answers]
        return [*kept, [combiner("three")]]

    manager = PluginManager(installed=False)
    manager.register(plug(drizframe_combiners=hookimpl(lambda: [combiner("one"), combiner("two")])), "some")
    manager.register(plug(drizframe_combiners=drizframe_combiners), "around")
    registry = Registry(manager)
    assert "two" not in registry.names("combiner")
    assert registry.entry("combiner", "one").plugin == "some"
    assert registry.entry("combiner", "three").plugin == "around"
    assert registry.entry("combiner", "minmed").provider == "drizframe"


@pytest.mark.parametrize("when", ["before", "after", "none"])
def test_a_wrapper_of_components_that_fails_is_named_and_the_rest_is_there(fresh, when):
    @hookimpl(wrapper=True)
    def drizframe_combiners():
        if when == "before":
            raise ValueError("broken")
        yield
        if when == "after":
            raise ValueError("broken")

    manager = PluginManager(installed=False)
    manager.register(plug(drizframe_combiners=hookimpl(lambda: [combiner("one")])), "some")
    manager.register(plug(drizframe_combiners=drizframe_combiners), "around")
    words = "returned None. Write `answers = yield`" if when == "none" else "ValueError: broken"
    with pytest.warns(DrizframeWarning, match=f"drizframe_combiners of plugin 'around'.*{words}"):
        registry = Registry(manager)
    assert {"one", "minmed"} <= set(registry.names("combiner"))


def test_a_wrapper_of_extra_steps_is_named_in_what_it_changes(plugin):
    @hookimpl
    def drizframe_extra_steps():
        yield drizframe.Step(
            name="more", summary="M.", needs=("sci",), makes=("sci",), over="chip", run=lambda job: {}
        )

    @hookimpl(wrapper=True)
    def around():
        answers = yield
        return [[dataclasses.replace(s, summary="Other.") for s in answer] for answer in answers]

    plugin(plug(drizframe_extra_steps=drizframe_extra_steps), "inner")
    plugin(plug(drizframe_extra_steps=around), "outer")
    step = next(s for s in drizframe.registry().manager.extra_steps() if s.name == "more")
    assert (step.summary, step.provider) == ("Other.", "outer (this session) around inner (this session)")


@pytest.mark.parametrize("way", ["plugin", "listener"])
def test_listeners_can_be_wrapped(exposures, plugin, way):
    said = []

    @hookimpl(wrapper=True)
    def drizframe_after_step(event):
        said.append(f"before {event.step}")
        result = yield
        said.append(f"after {event.step}")
        return result

    around = plug(drizframe_after_step=drizframe_after_step)
    plugin(hearing(said, "inside final"), "inside")
    if way == "plugin":
        plugin(around, "around")
    drizframe.run(exposures, listeners=[around] if way == "listener" else [])
    assert said[-3:] == ["before final", "inside final", "after final"]


# -- attribution of listeners


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_wrapper_of_a_listener_that_fails_is_dropped_and_the_others_hear_all_once(
    exposures, plugin, caplog, when
):
    said = []

    @hookimpl(wrapper=True)
    def drizframe_after_step(event):
        if when == "before":
            raise OSError("broken")
        yield
        raise OSError("broken")

    plugin(hearing(said, "inside"), "inside")
    plugin(plug(drizframe_after_step=drizframe_after_step), "around")
    result = drizframe.run(exposures)
    assert said == ["inside"]
    assert caplog.text.count("is dropped") == 1
    told = "Plugin 'around' of around (this session) failed in drizframe_after_step and is not called any more: OSError: broken."
    assert result.warnings == (told,)


def test_a_listener_that_fails_stands_in_the_warnings_with_its_distribution(installed, exposures):
    source = """
        import drizframe

        @drizframe.hookimpl(specname="drizframe_before_step")
        def watch():
            raise RuntimeError("no screen")
    """
    installed("drizframe-bad", source, point="bad")
    (told,) = drizframe.run(exposures).warnings
    assert told.startswith("Plugin 'bad' of drizframe-bad 1.2 failed in drizframe_before_step")
    assert told.endswith("RuntimeError: no screen.")


def test_a_listener_that_failed_is_called_again_in_the_next_run(exposures, plugin):
    said = []

    @hookimpl
    def drizframe_after_step(event):
        said.append(event.step)
        raise OSError("broken")

    plugin(plug(drizframe_after_step=drizframe_after_step), "bad")
    for _ in range(2):
        drizframe.run(exposures)
    assert len(said) == 2


def test_an_interruption_in_a_listener_stops_the_run(exposures):
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drizframe.run(exposures, listeners=[plug(drizframe_after_step=stop)])


# -- two readers, two filters


def npz(name, image):
    def read(path, *, instruments, options):
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [150.0, 2.0]
        wcs.wcs.crpix, wcs.wcs.cdelt = [5.0, 5.0], [-1e-5, 1e-5]
        return [drizframe.Exposure.from_arrays(image, wcs, name=path.stem, exptime=10.0)]

    return drizframe.Reader(
        name=name, summary="R.", matches=lambda path: path.suffix in (".npz", ".fits"), reference=read
    )


def reading(name, level, **marks):
    image = np.full((9, 9), level, np.float32)
    return plug(drizframe_readers=hookimpl(**marks)(lambda: [npz(name, image)]))


@pytest.mark.parametrize(("marks", "wins"), [({}, "z.second"), ({"trylast": True}, "a.first")])
def test_of_two_readers_the_one_that_is_asked_first_reads_and_both_are_told_once(
    tmp_path, plugin, marks, wins
):
    plugin(reading("a.first", 1.0), "one")
    plugin(reading("z.second", 2.0, **marks), "two")
    for name in ("x.npz", "y.npz"):
        (tmp_path / name).write_bytes(b"")
    other = {"a.first": "z.second", "z.second": "a.first"}[wins]
    said = rf"files such as \*.npz: reader '{wins}' of \w+ .this session. reads them, not reader '{other}' of \w+"
    with pytest.warns(DrizframeWarning, match=said):
        result = drizframe.run(sorted(tmp_path.glob("*.npz")), skysub=False, static=False)
    assert np.nanmax(result.sci) == {"a.first": 1.0, "z.second": 2.0}[wins]
    assert sum("More than one reader" in w for w in result.warnings) == 1


def test_a_reader_of_a_plugin_comes_before_that_of_drizframe_and_says_so(tmp_path, exposures, plugin):
    path, *_ = drizframe.run(exposures, tmp_path / "made").products
    plugin(reading("z.mine", 3.0), "mine")
    with pytest.warns(
        DrizframeWarning, match="'z.mine' of mine .this session. reads them, not reader 'fits' of drizframe"
    ):
        result = drizframe.run(path, skysub=False, static=False)
    assert result.exposures[0].chips[0].data()[0, 0] == 3.0


def filtering(name, **fields):
    def run(job):
        return {"sci": job.read("sci")}

    def drizframe_extra_steps():
        yield drizframe.Step(
            name=name, summary="F.", needs=("sci",), makes=("sci",), over="chip", run=run, **fields
        )

    return drizframe_extra_steps


def test_of_two_filters_of_a_plane_the_one_asked_first_comes_first_and_both_are_told(exposures, plugin):
    plugin(plug(drizframe_extra_steps=hookimpl(filtering("a"))), "one")
    plugin(plug(drizframe_extra_steps=hookimpl(filtering("b"))), "two")
    said = (
        r"Steps 'b' .two .this session.. and 'a' .one .this session.. both filter the plane 'sci'.* 'b' does"
    )
    with pytest.warns(DrizframeWarning, match=said):
        seconds = list(drizframe.run(exposures).seconds)
    assert seconds.index("b") < seconds.index("a")


def test_two_filters_whose_order_is_given_are_not_told(exposures, plugin):
    plugin(plug(drizframe_extra_steps=hookimpl(filtering("a"))), "one")
    plugin(plug(drizframe_extra_steps=hookimpl(filtering("b", after=("a",)))), "two")
    seconds = list(drizframe.run(exposures).seconds)
    assert seconds.index("a") < seconds.index("b")


# -- tracing

RUN = f"""
import sys

sys.path.insert(0, {str(Path(__file__).parent)!r})
import drizframe
from conftest import exposure

class Plugin:
    @drizframe.hookimpl
    def drizframe_after_step(self):
        pass

drizframe.register(Plugin(), "mine")
drizframe.run([exposure(k) for k in range(2)])
"""


@pytest.mark.parametrize(("value", "traced"), [("1", True), ("0", False), (None, False)])
def test_the_hooks_of_a_run_are_traced_to_the_standard_error(monkeypatch, value, traced):
    if value is None:
        monkeypatch.delenv("DRIZFRAME_TRACE_HOOKS", raising=False)
    else:
        monkeypatch.setenv("DRIZFRAME_TRACE_HOOKS", value)
    done = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, check=True)
    lines = [
        line.removeprefix("hook:").strip() for line in done.stderr.splitlines() if line.startswith("hook:")
    ]
    assert bool(lines) == traced
    assert done.stdout == ""
    if traced:
        assert "drizframe_step_sky" in lines
        assert "finish drizframe_step_sky --> Step('sky')" in lines
        call = max(k for k, line in enumerate(lines) if line == "drizframe_after_step")
        assert lines[call + 1].startswith("event: Event(kind='finish', step='final'")
        assert lines[call + 2] == "asks mine (this session)"


def test_the_trace_goes_to_the_log_where_that_is_heard_and_ends_with_the_switch(
    exposures, monkeypatch, caplog, capsys
):
    monkeypatch.setenv("DRIZFRAME_TRACE_HOOKS", "1")
    with caplog.at_level("INFO", logger="drizframe.hooks"):
        drizframe.run(exposures)
        assert any("drizframe_progress" in r.message for r in caplog.records if r.name == "drizframe.hooks")
        monkeypatch.delenv("DRIZFRAME_TRACE_HOOKS")
        caplog.clear()
        drizframe.run(exposures)
    assert not [r for r in caplog.records if r.name == "drizframe.hooks"]
    assert capsys.readouterr().err == ""


def camera(name, gain, *, instrume="CAM", fallback=False, **marks):
    def read(primary, science, **where):
        return drizframe.generic_exposure(fits.Header({**primary, "GAIN": gain}), science, **where)

    record = drizframe.Instrument(
        name=name,
        summary="C.",
        reference=read,
        fallback=fallback,
        matches=lambda p: p.get("INSTRUME") == instrume,
    )
    return plug(drizframe_instruments=hookimpl(**marks)(lambda: [record]))


@pytest.fixture
def headers(tmp_path):
    """Write two files of one camera; return a function that does."""

    def write(instrume):
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [150.0, 2.0]
        wcs.wcs.crpix, wcs.wcs.cdelt = [5.0, 5.0], [-1e-5, 1e-5]
        paths = []
        for k in (1, 2):
            primary = fits.PrimaryHDU(header=fits.Header({"INSTRUME": instrume, "EXPTIME": 10.0}))
            science = fits.Header({"BUNIT": "COUNTS", **dict(wcs.to_header())})
            image = fits.ImageHDU(np.ones((9, 9), np.float32), science, name="SCI", ver=1)
            paths.append(tmp_path / f"h{k}_flt.fits")
            fits.HDUList([primary, image]).writeto(paths[-1])
        return paths

    return write


@pytest.mark.parametrize(
    ("marks", "wins", "gain"), [({}, "z.second", 2.0), ({"trylast": True}, "a.first", 1.0)]
)
def test_of_two_instruments_the_one_that_is_asked_first_is_used_and_both_are_told_once(
    headers, plugin, marks, wins, gain
):
    plugin(camera("a.first", 1.0), "one")
    plugin(camera("z.second", 2.0, **marks), "two")
    other = {"a.first": "z.second", "z.second": "a.first"}[wins]
    said = (
        f"headers such as INSTRUME = 'CAM': instrument '{wins}' of .* reads them, not instrument '{other}' of"
    )
    with pytest.warns(DrizframeWarning, match=said):
        result = drizframe.run(headers("CAM"), skysub=False, static=False)
    assert {e.chips[0].gain for e in result.exposures} == {gain}
    assert sum("More than one instrument" in w for w in result.warnings) == 1


def test_an_instrument_of_a_plugin_comes_before_that_of_drizframe_and_says_so(headers, plugin):
    plugin(camera("z.wfc3", 2.0, instrume="WFC3"), "mine")
    with pytest.warns(
        DrizframeWarning,
        match="'z.wfc3' of mine .this session. reads them, not instrument 'wfc3' of drizframe",
    ):
        result = drizframe.run(headers("WFC3"), skysub=False, static=False)
    assert result.exposures[0].chips[0].gain == 2.0


def test_an_instrument_for_any_camera_is_no_rival_of_one_for_this(headers, plugin):
    plugin(camera("a.mine", 2.0), "mine")
    plugin(camera("b.any", 3.0, fallback=True), "other")
    result = drizframe.run(headers("CAM"), skysub=False, static=False)
    assert result.exposures[0].chips[0].gain == 2.0
    assert not [w for w in result.warnings if "instrument" in w]
