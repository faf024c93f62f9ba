"""Parameters of plugins: from Python, the command line and TOML, checked while planning; records given directly."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import BaseModel, Field
from typer.testing import CliRunner

import drizframe
from drizframe.cli.app import app
from drizframe.cli.run import parse_settings
from drizframe.config.toml import merged, read_toml
from drizframe.errors import HookError, MissingInputError, ParameterError
from drizframe.hooks import hookimpl

seen = []


class RayOptions(BaseModel, extra="forbid"):
    sigclip: float = Field(default=4.5, gt=0, description="Limit in sigma.")


class CombineOptions(BaseModel, extra="forbid"):
    power: int = 1


def rays(sci, blot, deriv, noise, depth, dq, options):
    seen.append(options.plugin)
    return np.zeros(sci.shape, dtype=np.uint8)


def combine(stack, bad, *, weight, exptime, background, readnoise, n_total, options):
    seen.append(options.plugin)
    return stack.mean(axis=0)


RAYS = drizframe.CosmicRayDetector(name="fake", summary="None.", reference=rays, options_model=RayOptions)
COMBINE = drizframe.Combiner(
    name="fake.mean", summary="Mean.", reference=combine, options_model=CombineOptions
)


class Plugin:
    @hookimpl
    def drizframe_cosmic_ray_detectors(self):
        yield RAYS

    @hookimpl
    def drizframe_combiners(self):
        yield COMBINE


@pytest.fixture(autouse=True)
def _registered(plugin):
    seen.clear()
    plugin(Plugin(), "fake")


def run(exposures, **parameters):
    return drizframe.run(exposures, cr_detector="fake", combine_type="fake.mean", **parameters)


def test_components_get_their_part_of_the_section(exposures):
    run(exposures, plugins={"fake": {"sigclip": 7, "power": "2"}})
    assert {type(s).__name__ for s in seen} == {"RayOptions", "CombineOptions"}
    assert {s.sigclip for s in seen if isinstance(s, RayOptions)} == {7.0}
    assert {s.power for s in seen if isinstance(s, CombineOptions)} == {2}


def test_without_a_section_the_defaults_hold(exposures):
    run(exposures)
    assert {s.sigclip for s in seen if isinstance(s, RayOptions)} == {4.5}


def test_a_model_may_be_given_instead_of_a_mapping(exposures):
    run(exposures, plugins={"fake": RayOptions(sigclip=6)})
    assert {s.sigclip for s in seen if isinstance(s, RayOptions)} == {6.0}


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"fakee": {}}, "There is no plugin section 'fakee'. Did you mean 'fake'"),
        (
            {"fake": {"sigklip": 4}},
            "Plugin section 'fake' has no parameter 'sigklip'. Did you mean 'sigclip'",
        ),
        (
            {"fake": {"sigclip": -1}},
            "Parameter fake.sigclip = -1 of 'fake': .*greater than 0.*Limit in sigma",
        ),
        ({"fake": {"sigclip": "much"}}, "Parameter fake.sigclip = 'much'"),
        ({"fake": 4}, "Plugin section 'fake' is 4; give names with values"),
    ],
)
def test_a_wrong_section_is_an_error_before_any_work(exposures, sections, message):
    with pytest.raises(ParameterError, match=message):
        run(exposures, plugins=sections)
    assert seen == []


def test_a_value_without_default_must_be_given_if_the_component_is_used(exposures):
    class Needy(BaseModel):
        size: int = Field(description="Side of a box.")

    record = drizframe.Combiner(name="needy", summary="Mean.", reference=combine, options_model=Needy)
    with pytest.raises(
        ParameterError, match=r"'needy' needs needy.size \(Side of a box.\), which has no default"
    ):
        drizframe.run(exposures, combine_type=record)
    drizframe.run(exposures, combine_type=record, plugins={"needy": {"size": 3}})
    assert seen[-1].size == 3


def test_a_kernel_is_not_given_options_so_it_cannot_have_any():
    with pytest.raises(HookError, match="not given options"):
        drizframe.Kernel(
            name="k", summary="K.", footprint=combine, support=lambda p, s: 1.0, options_model=RayOptions
        )


def test_a_toml_file_gives_parameters_and_sections(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text('final_scale = 0.04\nskymethod = "match"\n\n[plugins.fake]\nsigclip = 4\n')
    assert read_toml(path) == {"final_scale": 0.04, "skymethod": "match", "plugins": {"fake": {"sigclip": 4}}}


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (None, MissingInputError, "does not exist"),
        ("final_scale 0.04", ParameterError, "is no TOML"),
        ("[fake]\nsigclip = 4\n", ParameterError, r"in \[plugins.fake\]"),
        ("plugins = 3\n", ParameterError, r"\[plugins.NAME\]"),
        ("[plugins]\nsigclip = 4\n", ParameterError, r"\[plugins.NAME\]"),
    ],
)
def test_a_wrong_file_is_a_clear_error(tmp_path, text, error, message):
    path = tmp_path / "run.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(error, match=message):
        read_toml(path)


def test_set_wins_over_the_file_key_by_key():
    file = {"final_scale": 0.04, "plugins": {"fake": {"sigclip": 4, "power": 2}}}
    line = parse_settings(["final_pixfrac=0.8", "fake.sigclip=5"])
    assert merged(file, line) == {
        "final_scale": 0.04, "final_pixfrac": "0.8", "plugins": {"fake": {"sigclip": "5", "power": 2}},
    }  # fmt: skip


def test_the_command_line_takes_both(exposures, tmp_path, monkeypatch):
    monkeypatch.setattr("drizframe.api.load_exposures", lambda *a: (exposures, None))
    path = tmp_path / "run.toml"
    path.write_text(
        'cr_detector = "fake"\ncombine_type = "fake.mean"\n[plugins.fake]\nsigclip = 4\npower = 3\n'
    )
    root = str(tmp_path / "out")
    line = ["run", "x.fits", "-o", root, "-q", "--config", str(path), "--set", "fake.sigclip=5.5"]
    done = CliRunner().invoke(app, line, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert {s.sigclip for s in seen if isinstance(s, RayOptions)} == {5.5}
    assert {s.power for s in seen if isinstance(s, CombineOptions)} == {3}


@pytest.mark.parametrize("text", ["fake.=4", ".sigclip=4", "sigclip"])
def test_a_setting_that_is_none_is_refused(text):
    with pytest.raises(ParameterError):
        parse_settings([text])
