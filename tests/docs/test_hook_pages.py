"""The page of every hook equals its specification, and its example is a plugin that works."""

from __future__ import annotations

import importlib.util
import types
from pathlib import Path

import numpy as np
import pytest
from astropy.wcs import WCS

import drizframe
from drizframe.engine.bound import declared_planes
from drizframe.engine.plan import COMPONENT_PARAMETERS
from drizframe.hooks import COMPONENT_HOOKS, STAGES, PluginManager, Registry, specs
from drizframe.testing import examples, run_checks

ROOT = Path(__file__).parents[2]


def load_tool():
    spec = importlib.util.spec_from_file_location("make_hook_pages", ROOT / "tools" / "make_hook_pages.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


TOOL = load_tool()
HOOKS = TOOL.hooks()
PARAMETERS = {family: name for name, family in COMPONENT_PARAMETERS.items()}


def example(hook):
    """The plugin of a docstring, as a module."""
    module = types.ModuleType(f"example_of_{hook}")
    exec(compile(TOOL.parts(hook)[2], hook, "exec"), vars(module))  # noqa: S102  (our own documentation)
    return module


def records(hook):
    return list(vars(example(hook))[hook]())


def exposure(k):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [150.0, 2.0]
    wcs.wcs.crpix, wcs.wcs.cdelt = [16.0 + 0.4 * k, 12.0 - 0.3 * k], [-1e-5, 1e-5]
    image = np.random.default_rng(k).normal(2.0, 0.1, (24, 32)).astype(np.float32)
    return drizframe.Exposure.from_arrays(image, wcs, name=f"dither{k}", exptime=100.0, readnoise=3.0)


def test_every_hook_has_a_page_equal_to_its_specification():
    folder = ROOT / "docs" / "reference" / "hooks"
    pages = TOOL.pages()
    assert sorted(p.name for p in folder.glob("*.md")) == sorted(pages)
    for name, text in pages.items():
        assert (folder / name).read_text(encoding="utf-8") == text, "run python tools/make_hook_pages.py"


@pytest.mark.parametrize("name", ["planes.md", "traits.md"])
def test_the_lists_of_names_are_those_of_the_program(name):
    text = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert text == TOOL.lists()[name], "run python tools/make_hook_pages.py"
    steps = PluginManager(installed=False).steps()
    names = {"planes.md": declared_planes(steps), "traits.md": drizframe.hooks.TRAITS}[name]
    assert all(f"\n| `{n}` | " in text for n in names)


def test_all_hooks_are_looked_at():
    assert set(HOOKS) >= {*COMPONENT_HOOKS, *STAGES, "drizframe_extra_steps", "drizframe_commands"}
    assert set(HOOKS) == {n for n in dir(specs) if n.startswith("drizframe_")}


@pytest.mark.parametrize("hook", HOOKS)
def test_an_example_registers_and_gives_what_it_should(hook):
    manager = PluginManager(installed=False)
    name = manager.register(example(hook))
    assert hook in next(p for p in manager.plugins() if p.name == name).hooks
    registry = Registry(manager, strict=name)
    mine = [e for e in registry if e.plugin == name]
    assert [e.record.family for e in mine] == ([COMPONENT_HOOKS[hook]] if hook in COMPONENT_HOOKS else [])


@pytest.mark.parametrize("hook", [h for h, f in COMPONENT_HOOKS.items() if f in PARAMETERS])
def test_the_component_of_an_example_does_its_part_in_a_run(hook, tmp_path):
    (record,) = records(hook)
    output = tmp_path / "out" if record.family == "writer" else None
    result = drizframe.run([exposure(k) for k in range(3)], output, **{PARAMETERS[record.family]: record})
    assert np.isfinite(result.sci[result.wht > 0]).all()


@pytest.mark.parametrize("hook", COMPONENT_HOOKS)
def test_the_component_of_an_example_keeps_its_promises(hook):
    (record,) = records(hook)
    with examples(8):
        outcomes = list(run_checks(record))
    assert [f"{o.check}: {o.text}" for o in outcomes if not o.ok] == []


@pytest.mark.parametrize("hook", [*STAGES, "drizframe_extra_steps"])
def test_the_step_of_an_example_does_its_part_in_a_run(hook):
    name = drizframe.register(example(hook))
    try:
        result = drizframe.run([exposure(k) for k in range(3)])
    finally:
        drizframe.unregister(name)
    expected = {**STAGES, "drizframe_extra_steps": "mine.rows"}[hook]
    assert (expected in result.seconds) == (hook != "drizframe_step_final")


def test_the_listeners_of_the_examples_are_told(capsys):
    modules = [example(h) for h in ("drizframe_before_step", "drizframe_after_step", "drizframe_progress")]
    drizframe.run([exposure(0)], listeners=modules)
    said = capsys.readouterr().out
    assert "starting final" in said
    assert "final took" in said
    assert "final 1 of 1" in said


def test_the_command_of_the_example_runs(capsys):
    (command,) = records("drizframe_commands")
    command.function("you")
    assert capsys.readouterr().out == "hello you\n"


def test_the_reader_and_writer_of_the_examples_work_on_files(tmp_path):
    (reader,), (writer,) = records("drizframe_readers"), records("drizframe_writers")
    result = drizframe.run([exposure(0)], str(tmp_path / "mosaic.npz"), writer=writer)
    (path,) = result.products
    with np.load(path) as back:
        np.testing.assert_array_equal(back["sci"], result.sci)
        assert writer.run_of(path) == back["run"]
    given = {"crval": [150.0, 2.0], "crpix": [5.0, 5.0], "cdelt": [-1e-5, 1e-5]}
    image = np.ones((9, 9), np.float32)
    np.savez(tmp_path / "one.npz", sci=image, exptime=10.0, **given)
    (made,) = reader.reference(tmp_path / "one.npz", instruments=None, options=None)
    np.testing.assert_array_equal(made.chips[0].data(), image)
    assert made.exptime == 10.0
