"""Every product, and the result, say what made them; a plugin that is missing is told, or is an error if it gives steps."""

from __future__ import annotations

import dataclasses
import json
import logging

import numpy as np
import pytest
from astropy.io import fits
from typer.testing import CliRunner

import drizframe
from drizframe.cli.app import app
from drizframe.data import stis_sample
from drizframe.errors import DrizframeWarning, PluginError
from drizframe.hooks import hookimpl

PLUGIN = """
    import dataclasses

    import drizframe
    from pydantic import BaseModel, Field

    class Options(BaseModel):
        strength: float = 1.0
        size: int = Field(default=3, alias="side")

    def first(stack, bad, **more):
        return stack[0]

    def run(job):
        return {"sci": job.read("sci")}

    @drizframe.hookimpl
    def drizframe_combiners():
        yield drizframe.Combiner(
            name="hat.first", summary="First.", reference=first, options_model=Options, cite="Hat 1999, AJ 1, 2"
        )

    @drizframe.hookimpl
    def drizframe_extra_steps():
        yield drizframe.Step(
            name="hat.filter", summary="F.", needs=("sci",), makes=("sci",), over="chip", run=run, options_model=Options
        )
"""
IDLE = """
    import drizframe

    @drizframe.hookimpl
    def drizframe_after_step(event):
        pass
"""
AROUND = """
    import dataclasses

    import drizframe

    @drizframe.hookimpl(wrapper=True)
    def drizframe_step_sky():
        step = yield
        return dataclasses.replace(step, summary="Other.")
"""


@pytest.fixture
def three(installed, monkeypatch):
    """A plugin that is used, one that is not, one that is disabled."""
    installed("drizframe-hat", PLUGIN, point="hat")
    installed("drizframe-idle", IDLE, version="0.3", point="idle")
    installed("drizframe-off", IDLE, point="off")
    monkeypatch.setenv("DRIZFRAME_DISABLED_PLUGINS", "off")


def used(**more):
    return {"combine_type": "hat.first", "plugins": {"hat": {"strength": 2.5}}, **more}


def history(path):
    """The lines of HISTORY as one text, for long ones are cut."""
    return "".join(str(line) for line in fits.getheader(path)["HISTORY"])


def test_a_run_of_drizframe_alone_says_so(exposures, fresh):
    made = drizframe.run(exposures).provenance
    assert made.plugins == ()
    assert made.foreign_steps == ()
    assert {c.provider for c in made.components} == {"drizframe"}
    kernel = next(c for c in made.components if (c.family, c.name) == ("kernel", "square"))
    assert kernel.backend in ("cython", "reference")
    assert "Fruchter & Hook" in kernel.cite
    assert [s.name for s in made.steps][-1] == "final"


def test_the_result_names_plugins_components_options_and_steps(exposures, three):
    result = drizframe.run(exposures, **used())
    made = result.provenance
    states = {p.name: (p.distribution, p.version, p.state) for p in made.plugins}
    assert states == {
        "hat": ("drizframe-hat", "1.2", "used"),
        "idle": ("drizframe-idle", "0.3", "unused"),
        "off": ("drizframe-off", "1.2", "disabled"),
    }
    combiner = next(c for c in made.components if c.family == "combiner")
    assert (combiner.name, combiner.provider, combiner.cite) == (
        "hat.first",
        "drizframe-hat 1.2",
        "Hat 1999, AJ 1, 2",
    )
    assert combiner.options == {"hat.strength": 2.5, "hat.side": 3}
    (step,) = made.foreign_steps
    assert (step.name, step.provider, step.options["hat.strength"]) == (
        "hat.filter",
        "drizframe-hat 1.2",
        2.5,
    )
    assert json.loads(json.dumps(made.as_dict()))["components"]
    assert result.mosaic.provenance is made


def test_a_plugin_whose_component_was_not_chosen_counts_by_its_step_alone(exposures, three):
    made = drizframe.run(exposures).provenance
    assert "hat.first" not in {c.name for c in made.components}
    assert [p.name for p in made.used] == ["hat"]


def test_a_wrapper_of_a_stage_is_used(installed, exposures):
    installed("drizframe-around", AROUND, point="around")
    made = drizframe.run(exposures).provenance
    assert [p.state for p in made.plugins] == ["used"]
    assert [(s.name, s.provider) for s in made.foreign_steps] == [
        ("sky", "drizframe-around 1.2 around drizframe")
    ]


def test_a_record_that_is_given_directly_and_a_plugin_of_the_session_are_named(exposures, plugin):
    def first(stack, bad, **more):
        return stack[0]

    mine = drizframe.Combiner(name="mine", summary="First.", reference=first)
    holder = type("Holder", (), {"drizframe_combiners": hookimpl(lambda self: [mine])})()
    made = drizframe.run(exposures, combine_type=mine).provenance
    assert next(c.provider for c in made.components if c.name == "mine") == "the parameter combine_type"
    plugin(holder, "holder")
    made = drizframe.run(exposures, combine_type="mine").provenance
    assert next(p.state for p in made.plugins if p.name == "holder") == "used"
    assert next(c.provider for c in made.components if c.name == "mine") == "holder (this session)"


def test_two_records_of_one_name_are_both_named(exposures):
    stock = drizframe.registry().get("kernel", "square")
    mine = dataclasses.replace(stock, cite="Mine 2020")
    made = drizframe.run(
        exposures, final_kernel=mine, driz_sep_kernel="square", driz_separate=True
    ).provenance
    kernels = [(c.name, c.provider, c.cite) for c in made.components if c.family == "kernel"]
    assert kernels == [
        ("square", "drizframe", stock.cite),
        ("square", "the parameter final_kernel", "Mine 2020"),
    ]
    assert all(c.backend for c in made.components if c.family == "kernel")


def test_reader_and_instrument_of_files_are_named(fresh):
    made = drizframe.run(stis_sample()).provenance
    assert {("reader", "fits"), ("instrument", "stis")} <= {(c.family, c.name) for c in made.components}


@pytest.mark.parametrize("build", [True, False])
def test_every_product_says_what_made_it(tmp_path, three, build):
    result = drizframe.run(
        stis_sample(), tmp_path / "x", keep="all", build=build, driz_cr_corr=True, **used()
    )
    assert {p.name.split("_")[-1] for p in result.products} >= {
        "crclean.fits",
        "blt.fits",
        "med.fits",
        "crmask.fits",
    }
    for path in result.products:
        header = fits.getheader(path)
        assert (header["NPLUGINS"], header["PLUG001"]) == (1, "drizframe-hat 1.2"), path
        assert (header["NXSTEPS"], header["XSTP001"]) == (1, "hat.filter: drizframe-hat 1.2"), path
        text = history(path)
        for words in (
            "plugin hat of drizframe-hat 1.2: used",
            "plugin idle of drizframe-idle 0.3: installed, not used",
            "plugin off of drizframe-off 1.2: disabled",
            "combiner hat.first (drizframe-hat 1.2, reference); cite Hat 1999, AJ 1, 2",
            "hat.strength = 2.5",
            "step hat.filter (drizframe-hat 1.2)",
        ):
            assert words in text, path
        with fits.open(path) as hdus:
            hdus.verify("exception")


def test_a_mosaic_that_is_written_later_says_the_same(tmp_path, exposures, three):
    result = drizframe.run(exposures, **used())
    for path in result.write(tmp_path / "later"):
        assert "hat.strength = 2.5" in history(path)


def test_a_product_of_products_counts_its_own_plugins(tmp_path, three, monkeypatch):
    (first,) = drizframe.run(stis_sample(), tmp_path / "a", build=True, **used()).products
    monkeypatch.setenv("DRIZFRAME_PLUGINS", "")
    drizframe.api.manager.cache_clear()
    drizframe.api._registries.clear()
    products = drizframe.run(first, tmp_path / "b", build=True, wcskey="", skysub=False).products
    header = fits.getheader(products[0])
    assert (header["NPLUGINS"], header["NXSTEPS"]) == (0, 0)
    assert not [k for k in header if k.startswith(("PLUG", "XSTP"))]


def test_letters_that_fits_does_not_know_are_written_as_escapes(tmp_path, exposures, plugin):
    @hookimpl
    def drizframe_extra_steps():
        yield drizframe.Step(
            name="étoile", summary="S.", needs=("sci",), makes=("sci",), over="chip",
            run=lambda job: {"sci": job.read("sci")},
        )  # fmt: skip

    plugin(type("P", (), {"drizframe_extra_steps": staticmethod(drizframe_extra_steps)})(), "naïve")
    result = drizframe.run(exposures, tmp_path / "x")
    assert fits.getheader(result.products[0])["XSTP001"] == "\\xe9toile: na\\xefve (this session)"


def test_the_command_line_lists_where_formulas_come_from(three):
    shown = CliRunner().invoke(app, ["plugins"], env={"COLUMNS": "250"}).output
    line = next(line for line in shown.splitlines() if "hat.first" in line)
    assert "Hat 1999, AJ 1, 2" in line
    assert "Fruchter & Hook 2002, PASP 114, 144" in shown


# -- plugins that are missing

STEP = """
    import drizframe
    import drizframe_is_missing_this

    @drizframe.hookimpl
    def drizframe_extra_steps():
        yield
"""


@pytest.mark.parametrize(
    "source",
    [
        STEP,
        STEP.replace("drizframe_extra_steps", "drizframe_step_sky"),
        STEP.replace("hookimpl", "hookimpl(specname='drizframe_step_blot')").replace(
            "drizframe_extra_steps", "mine"
        ),
        STEP.replace("yield", "yield ("),
        STEP.replace("import drizframe_is_missing_this", "raise SystemExit(0)"),
        STEP.replace("import drizframe_is_missing_this", "drizframe_contract = 99"),
        STEP.replace("import drizframe_is_missing_this", "").replace("extra_steps", "extra_step"),
    ],
    ids=["extra step", "stage", "specname", "syntax", "exit", "contract", "misspelt"],
)
def test_a_step_plugin_that_cannot_be_used_is_an_error_that_says_how_to_go_on(
    installed, exposures, monkeypatch, source
):
    installed("drizframe-bad", source, point="bad")
    with pytest.warns(DrizframeWarning, match="'bad' of drizframe-bad 1.2 cannot be used"):
        drizframe.registry()
    said = "'bad' of drizframe-bad 1.2 gives steps and cannot be used.*DRIZFRAME_DISABLED_PLUGINS=bad to run without it"
    with pytest.raises(PluginError, match=f"(?s){said}"):
        drizframe.run(exposures)
    monkeypatch.setenv("DRIZFRAME_DISABLED_PLUGINS", "bad")
    drizframe.api.manager.cache_clear()
    drizframe.api._registries.clear()
    assert drizframe.run(exposures).mosaic is not None


def test_a_step_plugin_is_known_by_the_modules_of_its_package(installed, exposures, tmp_path):
    package = tmp_path / "site" / "hatpack"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "plugin.py").write_text("from .inner import steps\nfrom .inner.steps import *\n")
    (package / "inner" / "__init__.py").write_text("")
    (package / "inner" / "steps.py").write_text(
        "import missing_this\ndef drizframe_extra_steps():\n    yield\n"
    )
    installed("drizframe-bad", "x = 1", point="bad")
    (tmp_path / "site" / "drizframe_bad-1.2.dist-info" / "entry_points.txt").write_text(
        "[drizframe]\nbad = hatpack.plugin\n"
    )
    with pytest.warns(DrizframeWarning), pytest.raises(PluginError, match="gives steps and cannot be used"):
        drizframe.run(exposures)


@pytest.mark.parametrize(
    "source",
    [
        "import drizframe_is_missing_this",
        '"""Not a drizframe_extra_steps plugin."""\nimport drizframe_is_missing_this  # nor drizframe_step_sky',
        "import drizframe\nraise OSError('no disk')\n\n@drizframe.hookimpl\ndef drizframe_kernels():\n    yield",
    ],
)
def test_another_plugin_that_fails_is_a_warning_of_every_run(installed, exposures, source, caplog):
    installed("drizframe-bad", source, point="bad")
    with pytest.warns(DrizframeWarning, match="'bad' of drizframe-bad 1.2 cannot be used"):
        drizframe.registry()
    heard = []
    listener = type(
        "L", (), {"drizframe_progress": lambda self, event: heard.append((event.kind, event.text))}
    )()
    with caplog.at_level(logging.WARNING):
        result = drizframe.run(exposures, listeners=[listener])
    (told,) = result.warnings
    assert told.startswith("Plugin 'bad' of drizframe-bad 1.2 cannot be used and is skipped.")
    assert ("warning", told) in heard
    assert result.provenance.plugins[0].state == "failed"
    np.testing.assert_array_equal(drizframe.run(exposures).sci, result.sci)


def test_a_component_hook_that_raises_is_a_warning_of_every_run(installed, exposures):
    source = """
        import drizframe

        @drizframe.hookimpl
        def drizframe_kernels():
            raise OSError("no disk")
    """
    installed("drizframe-bad", source, point="bad")
    with pytest.warns(DrizframeWarning):
        drizframe.registry()
    (told,) = drizframe.run(exposures).warnings
    assert told.startswith("Hook drizframe_kernels of plugin 'bad' of drizframe-bad 1.2 cannot be used")
