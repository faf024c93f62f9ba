"""Steps of plugins: replacing a stage, wrapping it, adding one, turning one off; the bits stay the same."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from least import least_memory
from pydantic import BaseModel, Field

import drizframe
from drizframe.errors import ConflictError, DrizframeWarning, HookError, ParameterError, PluginError
from drizframe.hooks import hookimpl


def assert_same_bits(exposures, **more):
    """Run with tiles of 64 pixels and whole, one and four threads, much and no memory; return the last."""
    first = None
    for settings in (
        {"tile_size": 64, "num_cores": 1},
        {"tile_size": 64, "num_cores": 4},
        {"tile_size": 4096, "num_cores": 4},
        {"tile_size": 37, "num_cores": 4, "max_memory": least_memory(exposures, tile_size=37, **more)},
    ):
        result = drizframe.run(exposures, **more, **settings)
        planes = [result.sci, result.wht, result.ctx, *(m for ms in result.cosmic_rays.values() for m in ms)]
        if first is None:
            first = planes
        for a, b in zip(first, planes, strict=True):
            assert a.tobytes() == b.tobytes()
    return result


class FlatSky:
    """Replaces the sky stage: every chip has 2."""

    @hookimpl
    def drizframe_step_sky(self):
        def run(job):
            value = drizframe.SkyValue(subtracted=2.0, level=2.0, method="flat")
            return {drizframe.PlaneKey("sky", u): value for u in job.units("chip")}

        return drizframe.Step(name="sky", summary="Two.", needs=(), makes=("sky",), over="run", run=run)


def test_a_plugin_replaces_a_stage(large_exposures, plugin):
    plugin(FlatSky())
    result = assert_same_bits(large_exposures)
    assert [v[0].subtracted for v in result.sky.values()] == [2.0, 2.0, 2.0]
    assert [v[0].method for v in result.sky.values()] == ["flat"] * 3


class DoubleMedian:
    """Wraps the median stage: its tiles are doubled."""

    @hookimpl(wrapper=True)
    def drizframe_step_median(self):
        step = yield

        def run(job):
            return {name: 2 * plane for name, plane in step.run(job).items()}

        return dataclasses.replace(step, run=run)


def test_a_plugin_wraps_a_stage(large_exposures, plugin):
    plain = drizframe.run(large_exposures)
    plugin(DoubleMedian())
    wrapped = assert_same_bits(large_exposures)
    np.testing.assert_array_equal(wrapped.median, 2 * plain.median)


def test_wrappers_lie_around_each_other(exposures, plugin):
    plain = drizframe.run(exposures)
    plugin(DoubleMedian(), "one")
    plugin(DoubleMedian(), "two")
    np.testing.assert_array_equal(drizframe.run(exposures).median, 4 * plain.median)
    step = drizframe.registry().manager.stage("drizframe_step_median")
    assert step.provider == "two (this session) around one (this session) around drizframe"


class Gradient:
    """Adds a step between sky and separate: a ramp is taken out of each chip, its size a parameter."""

    class Options(BaseModel, extra="forbid"):
        slope: float = Field(default=0.0, description="Units a column.")

    @hookimpl
    def drizframe_extra_steps(self):
        def run(job):
            image = job.read("sci")
            ramp = job.plugin_options().slope * np.arange(image.shape[1], dtype=np.float32)
            return {"sci": image - ramp}

        yield drizframe.Step(
            name="gradient", summary="Subtract a ramp.", needs=("sci", "sky"), makes=("sci",), over="chip",
            run=run, options_model=self.Options,
        )  # fmt: skip


def test_a_plugin_adds_a_step_between_two_others(large_exposures, plugin):
    slope = 0.01
    ramp = slope * np.arange(130, dtype=np.float32)
    tilted = [
        dataclasses.replace(
            e, chips=tuple(dataclasses.replace(c, load=_Tilted(c.load, ramp)) for c in e.chips)
        )
        for e in large_exposures
    ]
    plain = drizframe.run(large_exposures, skysub=False)
    plugin(Gradient())
    seconds = list(drizframe.run(tilted, plugins={"gradient": {"slope": slope}}).seconds)
    assert seconds.index("sky") < seconds.index("gradient") < seconds.index("separate")
    flattened = assert_same_bits(tilted, skysub=False, plugins={"gradient": {"slope": slope}})
    np.testing.assert_allclose(flattened.sci, plain.sci, rtol=1e-4)


@dataclasses.dataclass
class _Tilted:
    load: object
    ramp: np.ndarray

    def __call__(self, kind):
        image = self.load(kind)
        return image + self.ramp if kind == "sci" else image


class Blur:
    """A filter on tiles: each singly drizzled image becomes the mean of three columns, read with a border."""

    @hookimpl
    def drizframe_extra_steps(self):
        def run(job):
            w = job.window
            wide = job.read("single.sci", job.unit, drizframe.Window(w.y0, w.y1, w.x0 - 1, w.x1 + 1))
            return {"single.sci": (wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]) / np.float32(3)}

        yield drizframe.Step(
            name="blur", summary="Blur.", needs=(drizframe.Need("single.sci", border=1),), makes=("single.sci",),
            over="tile", grid="exposure", run=run,
        )  # fmt: skip


def test_a_filter_on_tiles_reads_what_was_there_before_whatever_the_order_of_tiles(large_exposures, plugin):
    plain = drizframe.run(large_exposures)
    plugin(Blur())
    assert (assert_same_bits(large_exposures).median != plain.median).any()


class NeighbourFilter:
    """A filter on chips that reads the chip of another exposure, which is filtered too."""

    @hookimpl
    def drizframe_extra_steps(self):
        def run(job):
            other = drizframe.ChipUnit((job.unit.exposure + 1) % len(job.exposures), 0)
            return {"sci": job.read("sci") + job.read("sci", other)}

        yield drizframe.Step(
            name="neighbour",
            summary="Add another chip.",
            needs=(drizframe.Need("sci", of="all"),),
            makes=("sci",),
            over="chip",
            run=run,
        )


def test_a_filter_reads_other_chips_as_they_were(exposures, plugin):
    plain = drizframe.run(exposures[:1], skysub=False)
    plugin(NeighbourFilter())
    np.testing.assert_array_equal(drizframe.run(exposures[:1], skysub=False).sci, 2 * plain.sci)
    assert_same_bits(exposures)


def test_two_filters_follow_each_other(exposures, plugin):
    plain = drizframe.run(exposures, skysub=False, static=False, combine_type="median")

    class Twice:
        @hookimpl
        def drizframe_extra_steps(self):
            for name in ("a", "b"):
                yield drizframe.Step(
                    name=name, summary="Double.", needs=("sci",), makes=("sci",), over="chip",
                    run=lambda job: {"sci": 2 * job.read("sci")},
                )  # fmt: skip

    plugin(Twice())
    result = drizframe.run(
        exposures, skysub=False, static=False, combine_type="median", max_memory=least_memory(exposures)
    )
    np.testing.assert_array_equal(result.median, 4 * plain.median)


class Off:
    @hookimpl(wrapper=True)
    def drizframe_step_sky(self):
        yield


def test_a_plugin_turns_a_stage_off(exposures, plugin):
    plain = drizframe.run(exposures, skysub=False)
    plugin(Off())
    result = drizframe.run(exposures)
    assert result.sky == {}
    assert "sky" not in result.seconds
    np.testing.assert_array_equal(result.sci, plain.sci)


def test_a_step_may_ask_parameters_and_registry_whether_it_runs(exposures, plugin):
    asked = []

    class Choosy:
        @hookimpl
        def drizframe_extra_steps(self):
            def enabled(parameters, exposures, registry):
                asked.append((parameters.final_kernel, len(exposures), registry.get("kernel", "square").name))
                return False

            yield drizframe.Step(
                name="choosy",
                summary="Never.",
                needs=(),
                makes=(),
                over="run",
                run=dict,
                enabled=enabled,
            )

    plugin(Choosy())
    assert "choosy" not in drizframe.run(exposures).seconds
    assert asked == [("square", 3, "square")]


def _extra(**fields):
    class Plugin:
        @hookimpl
        def drizframe_extra_steps(self):
            given = {
                "name": "odd",
                "summary": "Odd.",
                "needs": ("sci",),
                "makes": ("sci",),
                "over": "chip",
            }
            yield drizframe.Step(**given | fields)

    return Plugin()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"run": lambda job: 1 / 0},
            r"Step 'odd' of mine \(this session\) failed on dither0, chip 1: ZeroDivisionError",
        ),
        ({"run": lambda job: None}, r"Step 'odd' of mine \(this session\) returned NoneType"),
        ({"run": lambda job: {"dq": 1}}, "returned plane 'dq', which it does not declare"),
        (
            {"run": lambda job: {"sci": job.read("sci")[:3]}},
            r"'sci' with shape \(3, 40\); it must have \(32, 40\)",
        ),
        ({"run": lambda job: {"sci": job.read("err")}}, "reads plane 'err' but does not declare it"),
        ({"run": dict, "check": lambda *a: 1 / 0}, "'odd' of mine .this session. failed in its 'check'"),
    ],
)
def test_a_step_that_goes_wrong_is_named_with_its_provider(exposures, plugin, fields, message):
    plugin(_extra(**fields), "mine")
    with pytest.raises((PluginError, HookError), match=message):
        drizframe.run(exposures)


@pytest.mark.parametrize(
    ("name", "plane", "message"),
    [
        ("sky", "mine", "Two steps are named 'sky', of drizframe and mine"),
        (
            "odd",
            "median",
            r"made twice, by step 'median' \(drizframe\) and step 'odd' \(mine \(this session\)\)",
        ),
    ],
)
def test_steps_that_clash_are_named_with_their_providers(exposures, plugin, name, plane, message):
    made = drizframe.Plane(name=plane, meaning="mine", on="chip") if plane == "mine" else plane
    plugin(_extra(name=name, needs=(), makes=(made,), run=dict), "mine")
    with pytest.raises(ConflictError, match=message):
        drizframe.run(exposures)


def test_a_stage_that_a_plugin_answers_wrongly_is_an_error_that_names_it(exposures, plugin):
    class Wrong:
        @hookimpl
        def drizframe_step_sky(self):
            return "sky"

    class Raises:
        @hookimpl(wrapper=True)
        def drizframe_step_blot(self):
            yield
            raise RuntimeError("out of order")

    name = plugin(Wrong(), "wrong")
    with pytest.raises(
        HookError, match="Plugin 'wrong' of wrong .this session.: drizframe_step_sky returned 'sky'"
    ):
        drizframe.run(exposures)
    drizframe.register(FlatSky(), "right")  # the last one answers first
    with pytest.warns(DrizframeWarning, match="right .this session. is used, not wrong"):
        drizframe.run(exposures)
    drizframe.unregister("right")
    plugin(Raises(), "raises")
    with pytest.raises(
        PluginError, match="'raises' of raises .this session. failed in drizframe_step_blot: RuntimeError"
    ):
        drizframe.registry().manager.stage("drizframe_step_blot")
    assert name == "wrong"


def test_a_step_checks_its_parameters(exposures, plugin):
    plugin(Gradient())
    with pytest.raises(ParameterError, match="gradient.slope = 'steep' of 'gradient'"):
        drizframe.run(exposures, plugins={"gradient": {"slope": "steep"}})
