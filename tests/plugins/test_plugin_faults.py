"""Plugins that are at fault, as distributions with metadata: a message names them, and the rest works."""

from __future__ import annotations

import importlib.metadata
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from textwrap import dedent

import pytest
from typer.testing import CliRunner

import drizframe
from drizframe import api
from drizframe.cli import app, main
from drizframe.data import stis_sample
from drizframe.errors import ConflictError, DrizframeWarning, HookError, PluginError, UnknownComponentError

KERNEL = """
    import drizframe

    def support(pixfrac):
        return 1.0

    def profile(dx, dy, *, pixfrac):
        return (abs(dx) <= 1) * (abs(dy) <= 1) * 0 + (1 - dx**2) ** 2 * (1 - dy**2) ** 2

    @drizframe.hookimpl
    def drizframe_kernels():
        yield drizframe.Kernel(name="{name}", summary="Round.", profile=profile, support=support)
"""


def works(exposures):
    """A run with what drizframe ships goes on, and with a good plugin beside it."""
    drizframe.run(exposures)
    drizframe.run(exposures, final_kernel="good.kernel")


def test_a_good_plugin_is_found_by_its_metadata(installed, exposures):
    installed("drizframe-good", KERNEL.format(name="good.kernel"), point="good")
    works(exposures)
    assert drizframe.registry().entry("kernel", "good.kernel").provider == "drizframe-good 1.2"
    info = next(p for p in api.manager().plugins() if p.name == "good")
    assert (info.distribution, info.version, info.state) == ("drizframe-good", "1.2", "active")


FAULTS = {
    "import": ("import drizframe_is_missing_this", "ModuleNotFoundError: No module named 'drizframe_is_missing_this'"),
    "exit": ("import sys\n\nsys.exit('needs foo')\n", "SystemExit: needs foo"),
    "silent exit": ("raise SystemExit(0)\n", "SystemExit: 0"),
    "generator exit": ("raise GeneratorExit\n", "GeneratorExit"),
    "exits in its hook": (
        KERNEL.format(name="bad.kernel").replace("yield", "raise SystemExit(0)\n        yield"),
        "SystemExit: 0",
    ),
    "syntax": ("def broken(:\n    pass\n", "SyntaxError"),
    "misspelt": (
        KERNEL.format(name="bad.kernel").replace("drizframe_kernels", "drizframe_kernel"),
        "HookError: Plugin 'bad' implements 'drizframe_kernel', which is no hook of drizframe. Did you mean 'drizframe_kernels'",
    ),
    "unmarked": (KERNEL.format(name="bad.kernel").replace("@drizframe.hookimpl", ""), "'drizframe_kernels' lacks the marker"),
    "argument": (
        KERNEL.format(name="bad.kernel").replace("drizframe_kernels()", "drizframe_kernels(parameters)"),
        "drizframe_kernels wants the argument parameters, which the hook does not have. It has none",
    ),
    "contract": (
        KERNEL.format(name="bad.kernel") + "\n    drizframe_contract = 99\n",
        "was built for version 99 of the contract with plugins; this drizframe has version 2",
    ),
    "raises": (
        KERNEL.format(name="bad.kernel").replace("yield", "raise OSError('no disk')\n        yield"),
        "OSError: no disk",
    ),
    "record": (
        KERNEL.format(name="bad.kernel").replace("support=support", "support=None"),
        "RecordError: kernel 'bad.kernel' has no support",
    ),
    "signature": (
        KERNEL.format(name="bad.kernel").replace("dx, dy, *, pixfrac", "dx, dy"),
        "RecordError: kernel 'bad.kernel' has a profile that does not fit: drizframe calls profile.dx, dy, ., pixfrac.",
    ),
    "returned": (
        KERNEL.format(name="bad.kernel").replace("yield", "return"),
        "drizframe_kernels returned Kernel.'bad.kernel'.. Write yield in place of return",
    ),
    "nothing": (
        KERNEL.format(name="bad.kernel").replace("yield drizframe.Kernel", "yield dict"),
        "HookError: Plugin 'bad' .drizframe-bad 1.2. yields .* where a kernel record is wanted",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_plugin_is_named_and_skipped(installed, exposures, fault):
    source, message = FAULTS[fault]
    installed("drizframe-bad", source, point="bad")
    installed("drizframe-good", KERNEL.format(name="good.kernel"), point="good")
    with pytest.warns(DrizframeWarning, match=f"(?s)'bad.* of drizframe-bad 1.2 cannot be used.*{message}"):
        drizframe.registry()
    works(exposures)
    with pytest.raises(
        UnknownComponentError, match="(?s)No kernel named 'bad.kernel'.*drizframe-bad 1.2 failed"
    ):
        drizframe.run(exposures, final_kernel="bad.kernel")
    failed = [p for p in api.manager().plugins() if p.state == "failed"]
    assert [p.distribution for p in failed] == ["drizframe-bad"]


def test_the_command_line_lists_what_failed_and_why(installed):
    installed("drizframe-bad", "import drizframe_is_missing_this", point="bad")
    with pytest.warns(DrizframeWarning):
        drizframe.registry()
    shown = CliRunner().invoke(app, ["plugins", "--no-components"], env={"COLUMNS": "200"}).output
    assert "drizframe-bad" in shown
    assert "failed" in shown


SIGNATURE = """
    import drizframe

    def lowest(stack, bad):
        return stack.min(axis=0)

    LOWEST = drizframe.Combiner(name="lowest", summary="Wrong.", reference=lowest)

    @drizframe.hookimpl
    def drizframe_combiners():
        yield LOWEST
"""


@pytest.mark.parametrize("where", ["while it is imported", "in its hook"])
def test_a_wrong_signature_is_listed_with_its_distribution_and_line(installed, exposures, where):
    source = dedent(SIGNATURE)
    if where == "in its hook":
        source = source.replace("LOWEST = ", "def make(): return ").replace("yield LOWEST", "yield make()")
    installed("drizframe-bad", source, point="bad")
    installed("drizframe-good", KERNEL.format(name="good.kernel"), point="good")
    with pytest.warns(DrizframeWarning, match="plugin 'bad'|Plugin 'bad'"):
        shown = CliRunner().invoke(app, ["plugins"], env={"COLUMNS": "200"}).output
    said = next(line for line in shown.splitlines() if line.startswith("bad of drizframe-bad 1.2 failed: "))
    assert "combiner 'lowest' has a reference that does not fit" in said
    assert (
        "drizframe calls reference(stack, bad, *, weight, exptime, background, readnoise, n_total, options)"
        in said
    )
    assert "lowest(stack, bad) does not take weight, exptime" in said
    assert said.endswith("drizframe_bad.py, line 7)")
    assert "good.kernel" in shown
    works(exposures)


def test_a_step_with_a_wrong_signature_is_named_with_its_distribution(installed, exposures):
    source = """
        import drizframe

        def run():
            return {}

        @drizframe.hookimpl
        def drizframe_extra_steps():
            yield drizframe.Step(name="bad", summary="W.", needs=("sci",), makes=("sci",), over="chip", run=run)
    """
    installed("drizframe-bad", source, point="bad")
    with pytest.raises(
        HookError, match=r"'bad' of drizframe-bad 1.2: Step 'bad' has a run .* drizframe calls run.job."
    ):
        drizframe.run(exposures)
    shown = CliRunner().invoke(app, ["plugins", "--no-components"], env={"COLUMNS": "200"}).output
    assert "bad of drizframe-bad 1.2 failed: RecordError: Step 'bad' has a run that does not fit" in shown
    assert "drizframe_bad.py, line 9)" in shown


@pytest.mark.parametrize("wrapper", [True, False])
def test_a_stage_that_raises_is_listed(installed, wrapper):
    source = """
        import drizframe

        @drizframe.hookimpl(wrapper=WRAPPER)
        def drizframe_step_sky():
            step = "x".missing
            return (yield) if WRAPPER else step
    """
    source = source.replace("(yield) if WRAPPER else step", "(yield)" if wrapper else "step")
    installed("drizframe-bad", source.replace("WRAPPER", str(wrapper)), point="bad")
    shown = CliRunner().invoke(app, ["plugins", "--no-components"], env={"COLUMNS": "200"}).output
    assert "bad of drizframe-bad 1.2 failed: AttributeError: 'str' object has no attribute 'missing'" in shown


def test_the_list_says_which_plugins_failed_in_part_only(installed):
    installed(
        "drizframe-bad",
        SIGNATURE.replace("LOWEST = ", "def make(): return ").replace("yield LOWEST", "yield make()"),
        point="bad",
    )
    with pytest.warns(DrizframeWarning, match="Hook drizframe_combiners of plugin 'bad'"):
        shown = CliRunner().invoke(app, ["plugins", "--no-components"], env={"COLUMNS": "200"}).output
    assert [line for line in shown.splitlines() if "drizframe-bad 1.2" in line and "failed in part" in line]


def test_a_command_that_typer_does_not_understand_leaves_the_others(installed, monkeypatch, capsys):
    source = """
        import drizframe

        def show(what: int | str):
            pass

        @drizframe.hookimpl
        def drizframe_commands():
            yield drizframe.Command(name="show", summary="Show.", function=show)
            yield "list"
    """
    installed("drizframe-bad", source, point="bad")
    monkeypatch.setattr("sys.argv", ["drizframe", "--version"])
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == 0
    told = capsys.readouterr().err
    assert "Command 'show' has a function that typer does not understand" in told
    assert "drizframe_commands yields 'list'; it must yield Command records" in told
    assert "of drizframe-bad 1.2" in told


@pytest.mark.parametrize("known", ['primary["MYCAMERA"] == 1', "True"])
def test_an_instrument_that_raises_is_named_with_its_distribution(installed, known):
    source = """
        import drizframe

        def matches(primary):
            return KNOWN

        def read(primary, science, **where):
            raise ValueError("no MYCAMERA")

        @drizframe.hookimpl
        def drizframe_instruments():
            yield drizframe.Instrument(name="bad", summary="Wrong.", matches=matches, reference=read)
    """
    installed("drizframe-bad", source.replace("KNOWN", known), point="bad")
    with pytest.raises(
        PluginError,
        match="Instrument 'bad' of drizframe-bad 1.2 failed on .*MYCAMERA.*DRIZFRAME_DISABLED_PLUGINS",
    ):
        drizframe.run(stis_sample())


@pytest.mark.parametrize("field", ["halo", "minimum"])
@pytest.mark.parametrize("value", [None, -1, 1.5])
def test_a_combiner_whose_numbers_are_wrong_is_named(exposures, field, value):
    bad = drizframe.Combiner(
        name="bad",
        summary="Wrong.",
        reference=lambda stack, bad, **more: stack[0],
        **{field: lambda options: value},
    )
    wanted = rf"Combiner 'bad' must return a whole number from {field}.options.. It returned {value}"
    with pytest.raises(PluginError, match=wanted):
        drizframe.run(exposures, combine_type=bad)


def test_two_plugins_that_clash_lose_only_the_name(installed, exposures):
    both = KERNEL.format(name="same").replace(
        "yield",
        'yield drizframe.Kernel(name="{0}", summary="S.", profile=profile, support=support)\n        yield',
    )
    installed("drizframe-one", both.format("one"), point="one")
    installed("drizframe-two", both.format("two"), version="2.0", point="two")
    installed("drizframe-good", KERNEL.format(name="good.kernel"), point="good")
    named = "'same' is provided twice, by drizframe-one 1.2 .one. and drizframe-two 2.0 .two."
    with pytest.warns(DrizframeWarning, match=named):
        drizframe.registry()
    works(exposures)
    drizframe.run(exposures, final_kernel="one")
    drizframe.run(exposures, final_kernel="two")
    with pytest.raises(ConflictError, match=named):
        drizframe.run(exposures, final_kernel="same")
    assert "same" not in drizframe.registry().names("kernel")


def test_a_clash_goes_when_one_is_disabled(installed, exposures, monkeypatch):
    installed("drizframe-one", KERNEL.format(name="same"), point="one")
    installed("drizframe-two", KERNEL.format(name="same"), point="two")
    monkeypatch.setenv("DRIZFRAME_DISABLED_PLUGINS", "drizframe-two")
    drizframe.run(exposures, final_kernel="same")


def test_a_stock_name_stays_with_drizframe(installed, exposures):
    installed("drizframe-bad", KERNEL.format(name="square"), point="bad")
    with pytest.warns(DrizframeWarning, match="'square' is provided twice, by drizframe .*drizframe-bad 1.2"):
        drizframe.registry()
    drizframe.run(exposures)
    assert drizframe.registry().entry("kernel", "square").provider == "drizframe"


def test_entry_points_of_one_name_are_told_apart(installed, exposures):
    installed("drizframe-one", KERNEL.format(name="one"), point="same")
    installed("drizframe-two", KERNEL.format(name="two"), point="same")
    with pytest.warns(DrizframeWarning, match="A plugin named 'same' is there already, of drizframe-"):
        drizframe.registry()
    drizframe.run(exposures)


def test_a_plugin_that_raises_in_a_worker_is_named_with_its_distribution(installed, exposures):
    source = """
        import drizframe

        def helper(stack):
            return stack[99]

        def highest(stack, bad, *, weight, exptime, background, readnoise, n_total, options):
            return helper(stack)

        @drizframe.hookimpl
        def drizframe_combiners():
            yield drizframe.Combiner(name="bad", summary="Wrong.", reference=highest)
    """
    installed("drizframe-bad", source, point="bad")
    with pytest.raises(
        PluginError,
        match="(?s)Combiner 'bad' of drizframe-bad 1.2 failed in step 'median' on the separate frame, tile .*IndexError",
    ) as caught:
        drizframe.run(exposures, combine_type="bad", num_cores=2)
    assert isinstance(caught.value.__cause__, IndexError)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drizframe.run(exposures)


def test_a_step_that_raises_in_a_worker_is_named_with_its_distribution(installed, exposures):
    source = """
        import drizframe

        def run(job):
            raise ValueError("too dark")

        @drizframe.hookimpl
        def drizframe_extra_steps():
            yield drizframe.Step(name="bad", summary="W.", needs=("sci",), makes=("sci",), over="chip", run=run)
    """
    installed("drizframe-bad", source, point="bad")
    with pytest.raises(
        PluginError, match="Step 'bad' of drizframe-bad 1.2 failed on dither.*ValueError: too dark"
    ):
        drizframe.run(exposures)


def test_a_listener_that_raises_is_dropped(installed, exposures, caplog):
    source = """
        import drizframe

        @drizframe.hookimpl
        def drizframe_before_step(event):
            raise RuntimeError("no screen")
    """
    installed("drizframe-bad", source, point="bad")
    assert drizframe.run(exposures).mosaic is not None
    assert caplog.text.count("failed in drizframe_before_step and is dropped") == 1


def test_registering_something_wrong_leaves_nothing_behind(fresh, exposures):
    class Bad:
        @drizframe.hookimpl
        def drizframe_kernels(self):
            yield "square"

    before = drizframe.registry().names("kernel")
    with pytest.raises(PluginError, match="'square' where a kernel record is wanted"):
        drizframe.register(Bad(), "bad")
    assert drizframe.registry().names("kernel") == before
    drizframe.run(exposures)


def test_a_malformed_entry_point_is_a_failed_plugin(installed, exposures):
    installed("drizframe-bad", "x = 1", point="bad")
    installed("drizframe-good", KERNEL.format(name="good.kernel"), point="good")
    found = next(iter(importlib.metadata.distribution("drizframe-bad")._path.glob("entry_points.txt")))
    found.write_text("[drizframe]\nbad = d badep!!\n")
    with pytest.warns(
        DrizframeWarning, match="'bad' of drizframe-bad 1.2 .* entry point is 'd badep!!', which is no name"
    ):
        drizframe.registry()
    works(exposures)


@pytest.mark.parametrize("point", ["drizframe.stock.kernels.square", "drizframe.stock.kernels.mine"])
def test_a_plugin_that_calls_itself_stock_is_not(installed, exposures, point):
    installed("drizframe-bad", KERNEL.format(name="square"), point=point)
    with pytest.warns(DrizframeWarning, match="drizframe-bad 1.2"):
        registry = drizframe.registry()
    assert registry.entry("kernel", "square").provider == "drizframe"
    assert registry.entry("kernel", "square").plugin == "drizframe.stock.kernels.square"
    of = {p.distribution for p in api.manager().plugins() if p.name == point and p.state == "failed"}
    assert of == {"drizframe-bad"}
    drizframe.run(exposures)


def test_a_stage_that_exits_is_an_error_that_names_the_plugin(installed, exposures):
    source = """
        import drizframe

        @drizframe.hookimpl
        def drizframe_step_sky():
            raise SystemExit(0)
    """
    installed("drizframe-bad", source, point="bad")
    with pytest.raises(
        PluginError, match="'bad' of drizframe-bad 1.2 failed in drizframe_step_sky: SystemExit: 0"
    ):
        drizframe.run(exposures)
    steps = api.manager().steps()
    assert next(s for s in steps if s.name == "sky").provider == "drizframe"
    assert next(p.error for p in api.manager().failures).startswith("SystemExit: 0")


def test_a_command_that_cannot_be_asked_for_leaves_the_others(installed, monkeypatch, capsys):
    source = """
        import drizframe

        @drizframe.hookimpl
        def drizframe_commands():
            raise SystemExit(0)
    """
    installed("drizframe-bad", source, point="bad")
    monkeypatch.setattr("sys.argv", ["drizframe", "parameters", "final_kernel"])
    monkeypatch.setattr("warnings.filters", [("always", None, Warning, None, 0)])
    with pytest.raises(SystemExit):
        main()
    told = capsys.readouterr()
    assert "final_kernel" in told.out
    assert "Hook drizframe_commands of plugin 'bad' of drizframe-bad 1.2 cannot be used" in told.err


class Ends:
    """Its hook for kernels raises what it is given."""

    def __init__(self, error):
        self.error = error

    @drizframe.hookimpl
    def drizframe_kernels(self):
        raise self.error

    @drizframe.hookimpl
    def drizframe_extra_steps(self):
        yield from ()


def test_an_exit_while_registering_is_a_warning(plugin):
    with pytest.warns(DrizframeWarning, match="Hook drizframe_kernels of plugin 'ends' .*SystemExit: 0"):
        plugin(Ends(SystemExit(0)), "ends")


def test_whatever_ends_registering_leaves_nothing_behind(fresh, exposures):
    before = [p.name for p in api.manager().plugins()]
    with pytest.raises(KeyboardInterrupt):
        drizframe.register(Ends(KeyboardInterrupt()), "ends")
    assert [p.name for p in api.manager().plugins()] == before
    drizframe.run(exposures)


def test_an_object_that_cannot_be_looked_at_is_refused(fresh):
    class Bad(Ends):
        @property
        def drizframe_contract(self):
            raise SystemExit(0)

    before = api.manager().plugins()
    with pytest.raises(PluginError, match="'bad' raises when its attributes are looked at: SystemExit: 0"):
        drizframe.register(Bad(ValueError()), "bad")
    assert api.manager().plugins() == before


def test_an_object_cannot_be_registered_under_two_names(plugin):
    thing = Ends(ValueError())
    with pytest.warns(DrizframeWarning):
        plugin(thing, "ends")
    with pytest.raises(
        PluginError, match="as 'other' is registered already, as 'ends' of ends .this session."
    ):
        drizframe.register(thing, "other")


def test_a_class_in_place_of_its_object_is_refused():
    with pytest.raises(HookError, match=r"is a class, so drizframe_\w+ lacks its object. .* Ends\(\)"):
        drizframe.register(Ends)


def test_threads_that_register_first_meet_one_manager(fresh):
    class One:
        def __init__(self, number):
            self.number = number

        @drizframe.hookimpl
        def drizframe_kernels(self):
            yield drizframe.Kernel(
                name=f"thread.{self.number}",
                summary="K.",
                profile=lambda dx, dy, *, pixfrac: dx,
                support=lambda p: 1.0,
            )

    def names():
        return {n for n in drizframe.registry().names("kernel") if n.startswith("thread.")}

    def churn(number):
        for _ in range(4):
            name = drizframe.register(One(number), f"thread{number}")
            assert f"thread.{number}" in names()
            drizframe.unregister(name)
        return drizframe.register(One(number), f"thread{number}")

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(churn, range(8)))
    finally:
        sys.setswitchinterval(interval)
    assert names() == {f"thread.{k}" for k in range(8)}


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        (
            "DRIZFRAME_DISABLED_PLUGINS",
            "goood",
            r"DRIZFRAME_DISABLED_PLUGINS names 'goood', .*Did you mean 'good'",
        ),
        (
            "DRIZFRAME_PLUGINS",
            "good,drizframe-godo",
            r"DRIZFRAME_PLUGINS names 'drizframe-godo', .*Did you mean 'drizframe-good'",
        ),
        ("DRIZFRAME_DISABLED_PLUGINS", "xyz", r"names 'xyz', .*There are: .*drizframe-good, good"),
    ],
)
def test_a_name_in_the_environment_that_no_plugin_has_is_told_in_every_run(
    installed, exposures, monkeypatch, variable, value, said
):
    monkeypatch.setenv(variable, value)
    installed("drizframe-good", KERNEL.format(name="good.kernel"), point="good")
    with pytest.warns(DrizframeWarning, match=said):
        api.manager()
    for _ in range(2):
        assert [w for w in drizframe.run(exposures).warnings if variable in w]


def test_names_of_plugins_and_distributions_in_the_environment_are_silent(installed, exposures, monkeypatch):
    monkeypatch.setenv("DRIZFRAME_DISABLED_PLUGINS", "good,drizframe-good")
    installed("drizframe-good", KERNEL.format(name="good.kernel"), point="good")
    assert not drizframe.run(exposures).warnings
