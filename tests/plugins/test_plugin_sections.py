"""Parameters of plugins: from Python, the command line and TOML, checked while planning; records given directly."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, field_validator, model_validator
from typer.testing import CliRunner

import drizframe
from drizframe.cli.app import app
from drizframe.cli.run import parse_settings
from drizframe.config.toml import merged, read_toml
from drizframe.errors import ConflictError, HookError, MissingInputError, ParameterError, PluginError
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
    monkeypatch.setattr("drizframe._session.load_exposures", lambda *a: (exposures, None))
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


class Inner(BaseModel, extra="forbid"):
    a: int = 1
    b: list[float] = [1.0]


class Rich(BaseModel):
    number: int = 1
    text: str = "x"
    on: bool = False
    maybe: int | None = 2
    free: Any = None
    when: dt.date = dt.date(2020, 1, 1)
    names: list[str] = []
    table: dict[str, int] = {}
    inner: Inner = Inner()
    short: int = Field(default=3, alias="al", description="A short name.")


def rich(model=Rich, name="rich.mean"):
    return drizframe.Combiner(name=name, summary="Mean.", reference=combine, options_model=model)


def given(exposures, section, model=Rich):
    """What a component is given of a section."""
    drizframe.run(exposures[:2], combine_type=rich(model), plugins={"rich": section}, cr_detector="deriv")
    return seen[-1]


def test_a_model_of_the_very_kind_is_used_as_it_is(exposures):
    mine = Rich(al=4, inner=Inner(a=9))
    assert given(exposures, mine) is mine


def test_an_alias_is_the_name(exposures):
    assert given(exposures, {"al": 4}).short == 4
    with pytest.raises(ParameterError, match="has no parameter 'short'. It is called 'al'"):
        given(exposures, {"short": 4})
    with pytest.raises(ParameterError, match="Parameter rich.al = 'much' .*A short name"):
        given(exposures, {"al": "much"})


class ByName(Rich):
    model_config = ConfigDict(populate_by_name=True)


class Choices(BaseModel):
    x: int = Field(default=1, validation_alias=AliasChoices("xx", "yy"))


class Whatever(BaseModel, extra="allow"):
    x: int = 1


@pytest.mark.parametrize(
    ("model", "section", "field", "value"),
    [
        (ByName, {"short": 5}, "short", 5),
        (ByName, {"al": 5}, "short", 5),
        (Choices, {"xx": 2}, "x", 2),
        (Choices, {"yy": 2}, "x", 2),
        (Whatever, {"else": 2}, "else", 2),
        (Choices, Whatever(xx=4), "x", 4),
        (Rich, ByName(short=6, inner=Inner(a=2)), "short", 6),
        (Rich, ByName(short=6, inner=Inner(a=2)), "inner", Inner(a=2)),
    ],
)
def test_a_section_takes_what_its_model_takes(exposures, model, section, field, value):
    assert getattr(given(exposures, section, model), field) == value


class Raising(BaseModel):
    x: int = 1

    @field_validator("x")
    @classmethod
    def raises(cls, x):
        raise RuntimeError("kaboom")


class Together(BaseModel):
    x: int = 1

    @model_validator(mode="after")
    def together(self):
        raise ValueError("x and y do not go together")


def test_a_model_that_raises_is_named(exposures):
    with pytest.raises(PluginError, match="options_model of 'rich.mean' failed: RuntimeError: kaboom"):
        given(exposures, {"x": 2}, Raising)
    with pytest.raises(ParameterError, match="Section 'rich' of 'rich.mean': x and y do not go together"):
        given(exposures, {"x": 2}, Together)


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("number=5", "number", 5),
        ("text=5", "text", "5"),
        ("text=true", "text", "true"),
        ("text=none", "text", "none"),
        ("text=[1,2]", "text", "[1,2]"),
        ("text=a b = c", "text", "a b = c"),
        ("text=", "text", ""),
        ('text="quoted"', "text", "quoted"),
        ("on=true", "on", True),
        ("on=yes", "on", True),
        ("maybe=None", "maybe", None),
        ("maybe=7", "maybe", 7),
        ("free=true", "free", True),
        ("free=[1, 'a']", "free", [1, "a"]),
        ("free=some text", "free", "some text"),
        ("when=2021-02-03", "when", dt.date(2021, 2, 3)),
        ('names=["a", "b"]', "names", ["a", "b"]),
        ("table={a = 3}", "table", {"a": 3}),
        ("table.a=3", "table", {"a": 3}),
        ("inner.a=3", "inner", Inner(a=3)),
        ("inner.b=[2, 3]", "inner", Inner(b=[2, 3])),
        ("al=8", "short", 8),
    ],
)
def test_the_command_line_gives_values_of_every_kind(exposures, text, field, value):
    section = parse_settings([f"rich.{text}"])["plugins"]["rich"]
    found = getattr(given(exposures, section), field)
    assert found == value
    assert type(found) is type(value)


def test_a_value_that_fits_in_no_way_is_shown_as_it_was_read(exposures):
    with pytest.raises(ParameterError, match=r"Parameter rich.number = \[1, 2\]"):
        given(exposures, parse_settings(["rich.number=[1,2]"])["plugins"]["rich"])


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["plugins={}"], "one by one"),
        (["plugins.mine.a=3"], "one by one"),
        (["mine.a=3", "mine.a.b=4"], "has a value already"),
        (["mine.a.b=4", "mine.a=3"], "were given already"),
        (["mine..a=3"], "section.name=value"),
    ],
)
def test_settings_that_contradict_are_refused(texts, message):
    with pytest.raises(ParameterError, match=message):
        parse_settings(texts)


def test_set_wins_over_the_file_within_tables():
    file = {"plugins": {"rich": {"inner": {"a": 4, "b": [1]}}}}
    assert merged(file, parse_settings(["rich.inner.a=5"])) == {
        "plugins": {"rich": {"inner": {"a": "5", "b": [1]}}}
    }


class Otherwise(BaseModel):
    number: int = 2


class Both:
    def __init__(self, model):
        self.model = model

    @hookimpl
    def drizframe_combiners(self):
        yield rich()
        yield rich(self.model, "rich.other")


def test_one_name_with_two_meanings_is_an_error_for_those_who_use_the_section(exposures, plugin):
    plugin(Both(Otherwise), "both")
    message = (
        r"two parameters named 'number': 'rich.mean' of both .this session. wants int, default 1, "
        r"'rich.other' of both .this session. wants int, default 2"
    )
    for chosen in ({"combine_type": "rich.mean"}, {"plugins": {"rich": {"al": 3}}}):
        with pytest.raises(ConflictError, match=message):
            drizframe.run(exposures, **chosen)
    drizframe.run(exposures)


class Same(BaseModel):
    number: int = 1
    more: int = 4


def test_one_name_with_one_meaning_is_shared(exposures, plugin):
    plugin(Both(Same), "both")
    drizframe.run(exposures, combine_type="rich.other", plugins={"rich": {"number": 7, "text": "a"}})
    assert (seen[-1].number, seen[-1].more) == (7, 4)
