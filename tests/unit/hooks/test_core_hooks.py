"""Manager and registry.

Plugins are found, conflicts and misspelt hooks are caught, strangers' faults do no harm.
"""

from __future__ import annotations

import importlib.metadata

import pytest
from shipped import COMPILED

from drizframe.errors import ConflictError, DrizframeWarning, HookError, PluginError, UnknownComponentError
from drizframe.hooks import STAGES, Kernel, PluginManager, Registry, Step, choose, hookimpl


def kernel(name="mine"):
    return Kernel(name=name, summary="For tests.", footprint=lambda *a, **k: None, support=lambda p, s: 0.5)


class Mine:
    def __init__(self, *names):
        self.names = names or ("mine",)

    @hookimpl
    def drizframe_kernels(self):
        for name in self.names:
            yield kernel(name)


@pytest.fixture
def bare():
    return PluginManager(stock=False, installed=False)


def test_a_registered_kernel_is_found_and_goes_again(bare):
    name = bare.register(Mine())
    assert Registry(bare).names("kernel") == ("mine",)
    bare.unregister(name)
    assert Registry(bare).names("kernel") == ()


def test_unknown_component_lists_the_choices(bare):
    bare.register(Mine("a", "b"))
    with pytest.raises(UnknownComponentError, match="No kernel named 'c'. Choose one of: a, b."):
        Registry(bare).get("kernel", "c")


def test_one_name_from_two_plugins_is_a_conflict_that_names_both(bare):
    bare.register(Mine(), "first")
    bare.register(Mine(), "second")
    with pytest.raises(ConflictError, match="first.*second"):
        Registry(bare, strict="second")


def test_of_a_conflict_only_the_name_is_lost(bare):
    bare.register(Mine("mine", "one"), "first")
    bare.register(Mine("mine", "two"), "second")
    with pytest.warns(DrizframeWarning, match="first.*second"):
        registry = Registry(bare)
    with pytest.raises(ConflictError, match="first.*second"):
        registry.get("kernel", "mine")
    assert {registry.get("kernel", n).name for n in ("one", "two")} == {"one", "two"}


def test_a_stock_name_stays_with_drizframe():
    manager = PluginManager(installed=False)
    manager.register(Mine("square"), "usurper")
    with pytest.warns(DrizframeWarning, match="drizframe .*usurper"):
        registry = Registry(manager)
    assert registry.entry("kernel", "square").provider == "drizframe"


def test_a_misspelt_hook_is_caught_with_a_suggestion(bare):
    class Wrong:
        @hookimpl
        def drizframe_kernel(self):
            return ()

    with pytest.raises(HookError, match="Did you mean 'drizframe_kernels'"):
        bare.register(Wrong())
    assert bare.plugins() == []


def test_a_hook_without_marker_is_caught(bare):
    class Unmarked:
        def drizframe_kernels(self):
            return ()

    with pytest.raises(HookError, match="lacks the marker"):
        bare.register(Unmarked())


def test_a_hook_with_a_wrong_argument_is_caught(bare):
    class Wrong:
        @hookimpl
        def drizframe_before_step(self, evnt):
            return evnt

    with pytest.raises(HookError, match="evnt"):
        bare.register(Wrong())


def test_a_plugin_without_hooks_is_refused(bare):
    with pytest.raises(PluginError, match="implements no hook"):
        bare.register(object(), "empty")


def test_the_same_name_twice_is_refused(bare):
    bare.register(Mine(), "one")
    with pytest.raises(PluginError, match="registered already"):
        bare.register(Mine("b"), "one")


def test_a_plugin_whose_hook_raises_is_skipped_with_a_warning(bare):
    class Broken:
        @hookimpl
        def drizframe_kernels(self):
            raise RuntimeError("out of order")

    bare.register(Broken(), "broken")
    bare.register(Mine())
    with pytest.warns(DrizframeWarning, match="out of order"):
        registry = Registry(bare)
    assert registry.names("kernel") == ("mine",)
    with pytest.raises(UnknownComponentError, match="out of order"):
        registry.get("kernel", "other")


def test_something_that_is_no_record_is_refused(bare):
    class Wrong:
        @hookimpl
        def drizframe_kernels(self):
            yield "square"

    bare.register(Wrong(), "wrong")
    with pytest.raises(HookError, match="'square' where a kernel record is wanted"):
        Registry(bare, strict="wrong")
    with pytest.warns(DrizframeWarning, match="'square' where a kernel record is wanted"):
        assert Registry(bare).names("kernel") == ()


class _Point:
    """An entry point of a made-up distribution."""

    def __init__(self, name, target):
        self.name, self.module, self._target = name, f"dist_{name}", target
        self.dist = type("D", (), {"name": f"dist-{name}", "version": "1.2"})()

    def load(self):
        if isinstance(self._target, Exception):
            raise self._target
        return self._target


def test_entry_points_load_fail_and_can_be_switched_off(monkeypatch):
    points = [_Point("good", Mine()), _Point("bad", ImportError("no module")), _Point("off", Mine("other"))]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points)
    monkeypatch.setenv("DRIZFRAME_DISABLED_PLUGINS", "dist-off")
    with pytest.warns(DrizframeWarning, match="no module"):
        manager = PluginManager(stock=False)
    states = {p.name: p.state for p in manager.plugins()}
    assert states == {"good": "active", "bad": "failed", "off": "disabled"}
    with pytest.raises(UnknownComponentError, match="no module"):
        Registry(manager).get("kernel", "bad")


def test_an_empty_list_of_plugins_loads_none(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [_Point("good", Mine())])
    monkeypatch.setenv("DRIZFRAME_PLUGINS", "")
    assert [p.state for p in PluginManager(stock=False).plugins()] == ["disabled"]


def test_every_stage_has_a_stock_step():
    manager = PluginManager(installed=False)
    for hook, stage in STAGES.items():
        assert getattr(manager.hook, hook)().name == stage


def test_a_plugin_replaces_a_stage():
    manager = PluginManager(installed=False)
    mine = Step(name="sky", summary="None.", needs=(), makes=("sky",), over="run", run=lambda job: {})

    class Replace:
        @hookimpl
        def drizframe_step_sky(self):
            return mine

    manager.register(Replace())
    assert manager.hook.drizframe_step_sky() is mine


@COMPILED
def test_the_registry_chooses_by_backend():
    def slow(*args, **kwargs):
        return "slow"

    def fast(*args, **kwargs):
        return "fast"

    record = Kernel(name="two", summary="Two halves.", footprint=slow, fast=fast, support=lambda p, s: 1.0)
    assert choose(record, "auto") == (fast, "cython")
    assert choose(record, "cython") == (fast, "cython")
    assert choose(record, "reference") == (slow, "reference")


@pytest.mark.parametrize(
    ("bad", "message"),
    [({"name": "a b", "summary": "s"}, "has the name 'a b'"), ({"name": "a", "summary": ""}, "no summary"),
     ({"name": "a", "summary": "s", "traits": {"brave"}}, "unknown traits"),
     ({"name": "a", "summary": "s", "support": None}, "no support")],
)  # fmt: skip
def test_a_record_that_could_not_work_is_refused(bad, message):
    given = {"footprint": lambda *a, **k: None, "support": lambda p, s: 1.0} | bad
    with pytest.raises(HookError, match=message):
        Kernel(**given)
