"""Chains: which steps are done together, unit by unit, and that nobody can tell but by memory and time."""

from __future__ import annotations

import numpy as np
import pytest

import drizframe
from drizframe.config import make_parameters
from drizframe.engine.budget import Budget, chain_load_of, load_of
from drizframe.engine.chains import chains_of
from drizframe.engine.plan import make_plan
from drizframe.engine.store import Store
from drizframe.engine.switches import resolve_switches
from drizframe.errors import HookError, InputError, PluginError
from drizframe.hooks import Need, PluginManager, Registry, Step, hookimpl
from drizframe.model import Plane
from drizframe.testing import sample_exposures

pytestmark = pytest.mark.filterwarnings("ignore")


def image(name, **more):
    return Plane(name=name, meaning="m", on="chip", dtype="float32", **more)


def step(name, needs=(), makes=(), *, over="chip", run=None, **more):
    if run is None:

        def run(job):
            some = [job.read(n if isinstance(n, str) else n.plane) for n in needs if over != "run"]
            made = [m if isinstance(m, str) else m.name for m in makes]
            return {m: np.add(*some[:2] if len(some) > 1 else (some[0], 1)).astype(np.float32) for m in made}

    return Step(name=name, summary="S.", needs=tuple(needs), makes=tuple(makes), over=over, run=run, **more)


class Steps:
    """A plugin with steps."""

    def __init__(self, *steps):
        self.steps = steps

    @hookimpl
    def drizframe_extra_steps(self):
        yield from self.steps


@pytest.fixture
def plugin():
    """Registers a plugin with steps as long as the test runs."""
    given = []

    def register(*steps):
        given.append(Steps(*steps))
        drizframe.register(given[-1])

    yield register
    for one in given:
        drizframe.unregister(one)


def planned(*steps, keep=(), **parameters):
    """Return a plan and its chains, where there is memory for all."""
    manager = PluginManager(installed=False)
    if steps:
        manager.register(Steps(*steps))
    registry, exposures = Registry(manager), sample_exposures(3)
    settings, _ = resolve_switches(make_parameters(parameters), exposures, registry)
    plan = make_plan(exposures, settings, registry)
    return plan, chains_of(plan, keep, lambda chain: True)


def found(*steps, **parameters):
    """Return chains of several steps, by the names of these."""
    plan, chains = planned(*steps, **parameters)
    assert [s for c in chains for s in c.steps] == list(plan.steps)
    assert all(plan.steps[c.first] is c.steps[0] for c in chains)
    return {tuple(s.name for s in c.steps): c for c in chains if len(c.steps) > 1}


def with_both(*names):
    """Whether steps are in one chain of those that were found."""
    return lambda chains: any(set(names) <= set(c) for c in chains)


# -- which


def test_blot_cosmic_rays_the_look_at_them_and_weights_are_a_chain():
    assert ("blot", "cosmic_rays", "cosmic_ray_flags", "final_weights") in found()


def test_a_chip_step_of_a_plugin_between_two_of_a_chain_joins_it():
    mine = step("mine.blot", ("blot", "sci"), (image("mine.blot"),))
    rays = step("mine.after", ("mine.blot",), (image("mine.more"),), after=("cosmic_rays",))
    chains = found(mine, rays)
    assert with_both("blot", "mine.blot", "cosmic_rays")(chains)


@pytest.mark.parametrize(
    ("over", "need"), [("run", "blot"), ("chip", Need("blot", of="all")), ("exposure", "blot")]
)
def test_what_needs_planes_of_other_units_ends_a_chain(over, need):
    number = Plane(name="mine.number", meaning="m", on=over, kind="value")
    mine = step("mine.look", (need,), (number,), over=over, run=lambda job: {"mine.number": 1})
    use = step("mine.use", ("mine.number",), (image("mine.image"),))
    assert not with_both("blot", "mine.look")(found(mine, use))
    if over == "chip":
        assert with_both("mine.look", "mine.use")(found(mine, use))


def test_a_step_that_needs_planes_of_all_from_before_joins():
    mine = step("mine.all", (Need("sci", of="all"), "blot"), (image("mine.image"),))
    assert with_both("blot", "mine.all")(found(mine))


def test_a_filter_of_the_own_unit_joins_and_one_that_others_read_does_not():
    changes = step("mine.filter", ("blot",), ("blot",))
    assert with_both("blot", "mine.filter", "cosmic_rays")(found(changes))
    sees = step("mine.sees", (Need("sci", of="all"), "blot"), (image("mine.image"),), after=("blot",))
    sky = step("mine.sci", ("sci", "mine.image"), ("sci",))
    assert not with_both("mine.sees", "mine.sci")(found(sees, sky))


def test_bands_are_a_chain_by_bands_if_what_they_hand_on_is_the_own_band():
    def chain(border):
        one = step("mine.one", ("sci",), (image("mine.a"),), over="band")
        two = step("mine.two", (Need("mine.a", border=border),), (image("mine.b"),), over="band")
        return next(c for names, c in found(one, two, num_cores=1).items() if "mine.two" in names)

    assert chain(0).over == "band"
    assert chain(1).over == "chip"


def test_steps_over_exposures_are_a_chain():
    plane = Plane(name="mine.value", meaning="m", on="exposure", kind="value")
    one = step("mine.one", ("sci",), (plane,), over="exposure", run=lambda job: {"mine.value": 1})
    two = step("mine.two", ("mine.value",), (), over="exposure", run=lambda job: {})
    assert with_both("mine.one", "mine.two")(found(one, two))


def test_bands_and_chips_are_a_chain_only_where_there_are_chips_for_all_workers():
    one = step("mine.one", ("blot",), (image("mine.a"),), over="band")
    assert with_both("blot", "mine.one")(found(one, num_cores=2))
    assert not with_both("blot", "mine.one")(found(one, num_cores=8))


def test_a_chain_that_does_not_fit_into_memory_is_not_made():
    mine = [step(f"mine.{k}", ("blot",), (image(f"mine.{k}"),), work=2e3) for k in "abc"]
    plan, chains = planned(*mine, num_cores=2, keep=[f"mine.{k}" for k in "abc"])
    chain = next(c for c in chains if "mine.c" in [s.name for s in c.steps])
    heaviest = max(load_of(plan, s).total for s in chain.steps)
    assert chain_load_of(plan, chain).total > heaviest
    assert Budget(plan, 1 << 30).takes(chain)
    assert not Budget(plan, heaviest).takes(chain)


# -- what is kept


@pytest.fixture
def put(monkeypatch):
    """Names of what is put into the store of a run."""
    names, before = [], Store.put

    def note(self, key, *args, **kwargs):
        if self.limit < 1 << 60:  # not what a chain hands on
            names.append(key.name)
        before(self, key, *args, **kwargs)

    monkeypatch.setattr(Store, "put", note)
    return names


def test_the_blotted_median_never_reaches_the_store_unless_it_is_kept(put):
    run()
    assert "mask.cr" in put
    assert "final.mask" in put
    assert "blot" not in put
    assert len(run(keep=("blot",)).planes["blot"]) == 4
    assert "blot" in put


def test_what_only_others_of_a_chain_read_never_reaches_the_store_unless_somebody_wants_it(put, plugin):
    plugin(step("mine.a", ("blot",), (image("mine.a"),)), step("mine.b", ("mine.a",), (image("mine.b"),)))
    run(keep=("mine.b",))
    assert "mine.b" in put
    assert "mine.a" not in put
    put.clear()
    result = run(keep=("mine.a",))
    assert "mine.a" in put
    assert len(result.planes["mine.a"]) == 4


def run(**parameters):
    return drizframe.run(sample_exposures(4), **{"num_cores": 2, **parameters})


def images_of(result):
    found = {n: getattr(result, n) for n in ("sci", "wht", "ctx", "median")}
    for name, masks in result.cosmic_rays.items():
        found |= {f"{name} {k}": mask for k, mask in enumerate(masks)}
    return found


def same(a, b):
    assert images_of(a).keys() == images_of(b).keys()
    for name, one in images_of(a).items():
        np.testing.assert_array_equal(one, images_of(b)[name], err_msg=name)
    assert a.warnings == b.warnings


@pytest.fixture
def apart(monkeypatch):
    """Do steps one by one."""

    def separate():
        monkeypatch.setattr(Budget, "takes", lambda budget, chain: False)

    return separate


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_chains_give_the_same_bits(workers, apart):
    together = run(num_cores=workers)
    apart()
    same(together, run())


@pytest.mark.parametrize("border", [0, 2])
def test_steps_over_bands_give_the_same_bits_in_chains(border, plugin, apart):
    def look(job):
        wide = job.read("mine.a")
        return {
            "mine.b": np.full(job.window.shape, wide.sum(), np.float32) + job.read("sci", window=job.window)
        }

    plugin(
        step("mine.one", ("sci",), (image("mine.a"),), over="band"),
        step("mine.two", (Need("mine.a", border=border), "sci"), (image("mine.b"),), over="band", run=look),
    )  # fmt: skip
    together = run(keep=("mine.b",), num_cores=1)
    apart()
    alone = run(keep=("mine.b",), num_cores=1)
    same(together, alone)
    assert together.planes["mine.b"].keys() == alone.planes["mine.b"].keys()
    for unit, image_ in together.planes["mine.b"].items():
        np.testing.assert_array_equal(image_, alone.planes["mine.b"][unit])
    assert "mine.a" not in together.planes


@pytest.mark.parametrize("name", ["blot", "sci"])
def test_a_filter_in_a_chain_gives_the_same_bits(name, plugin, apart):
    plugin(
        step("mine.filter", (name, "blot") if name == "sci" else (name,), (name,)),
        step("mine.keeps", (name,), (image("mine.kept"),), after=("mine.filter",)),
    )
    together = run(keep=("mine.kept",))
    apart()
    alone = run(keep=("mine.kept",))
    same(together, alone)
    for unit, kept in together.planes["mine.kept"].items():
        np.testing.assert_array_equal(kept, alone.planes["mine.kept"][unit])


# -- what is told


class Events:
    """Hears all of a run."""

    def __init__(self):
        self.heard = []

    def take(self, event):
        self.heard.append(
            (event.kind, event.step, event.text, event.done, event.total, event.pixels, event.state)
        )

    @hookimpl
    def drizframe_before_step(self, event):
        self.take(event)

    @hookimpl
    def drizframe_after_step(self, event):
        self.take(event)

    @hookimpl
    def drizframe_progress(self, event):
        self.take(event)


def test_listeners_hear_of_the_steps_of_a_chain_as_of_others(apart, plugin):
    def say(job):
        job.note(f"seen {job.unit.exposure}", warn=job.unit.exposure == 1)
        return {}

    plugin(step("mine.say", ("blot",), (), run=say))
    together, alone = Events(), Events()
    run(listeners=[together], num_cores=1)
    apart()
    run(listeners=[alone], num_cores=1)
    assert together.heard == alone.heard
    assert ("warning", "mine.say", "seen 1", 0, 0, 0, "ok") in alone.heard


def test_the_seconds_of_the_steps_of_a_chain_add_up_to_its_time():
    seconds = []

    class Timer:
        @hookimpl
        def drizframe_after_step(self, event):
            seconds.append((event.step, event.seconds))

        @hookimpl
        def drizframe_progress(self, event):
            if event.kind == "end_run":
                seconds.append(("all", event.seconds))

    run(listeners=[Timer()], num_cores=1)
    took = dict(seconds)
    assert 0 < took["blot"] + took["cosmic_rays"] < took["all"]
    assert took["cosmic_rays"] > 0


@pytest.mark.parametrize("executor", ["serial", "threads"])
@pytest.mark.parametrize(
    ("raised", "kind", "text"),
    [
        (ValueError, PluginError, r"Step 'mine.fails' of .* failed on sample2, chip 1: ValueError: it is bad"),
        (InputError, InputError, r"sample2\[SCI,1\]: it is bad"),
    ],
    ids=["stranger", "ours"],
)  # fmt: skip
def test_an_error_in_a_chain_names_its_step_and_only_that_is_aborted(executor, raised, kind, text, plugin):
    def fail(job):
        if job.unit.exposure == 2:
            raise raised("it is bad")
        job.note(f"seen {job.unit.exposure}")
        return {}

    plugin(step("mine.fails", ("blot",), (), run=fail))
    events = Events()
    with pytest.raises(kind, match=text):
        run(listeners=[events], executor=executor, num_cores=1)
    ended = [(e[1], e[6]) for e in events.heard if e[0] == "finish"]
    assert [name for name, state in ended if state == "aborted"] == ["mine.fails"]
    assert ("blot", "ok") in ended
    assert ended[-1] == ("mine.fails", "aborted")
    started = [e[1] for e in events.heard if e[0] == "start"]
    assert [name for name, _ in ended if name in started] == started
    assert [e[2] for e in events.heard if e[1] == "mine.fails" and e[0] == "message"][:2] == [
        "seen 0",
        "seen 1",
    ]


def test_a_plane_of_a_chain_that_was_not_made_is_told(plugin):
    def some(job):
        return {"mine.a": job.read("blot") * 2} if job.unit.exposure else {}

    plugin(
        step("mine.some", ("blot",), (image("mine.a"),), run=some),
        step("mine.use", (Need("mine.a"),), (image("mine.b"),)),
    )
    with pytest.raises(
        drizframe.errors.RunError, match=r"Step 'mine.use' needs plane 'mine.a'.*was not made"
    ):
        run()


@pytest.mark.parametrize("border", [0, 1])
def test_a_band_that_is_left_out_is_told_in_a_chain(border, plugin):
    def some(job):
        return {} if job.window.y0 else {"mine.a": job.read("sci") * 2}

    exposures = [
        drizframe.Exposure.from_arrays(
            np.ones((600, 30), np.float32), sample_exposures(1)[0].chips[0].wcs, name=f"e{k}", exptime=1.0,
            unit="electrons",
        )
        for k in range(2)
    ]  # fmt: skip
    plugin(
        step("mine.some", ("sci",), (image("mine.a"),), over="band", run=some),
        step(
            "mine.use", (Need("mine.a", optional=True, border=border),), (), over="band", run=lambda job: {}
        ),
    )
    with pytest.raises(PluginError, match=r"'mine.some' .* made plane 'mine.a' .* but not for its band"):
        drizframe.run(exposures, num_cores=1, skysub=False)


def test_a_step_in_a_chain_reads_what_it_declares_only(plugin):
    plugin(step("mine.reads", ("blot",), (), run=lambda job: {"x": job.read("mask.cr")}))
    with pytest.raises(HookError, match="mine.reads.* reads plane 'mask.cr' but does not declare it"):
        run()


def test_planes_of_a_chain_can_be_asked_for_by_unit(plugin):
    got = []

    def look(job):
        got.append(job.read("mine.a", job.unit) is not None)
        assert [unit for unit, _ in job.each("mine.a")] == [job.unit]
        return {}

    plugin(
        step("mine.one", ("blot",), (image("mine.a"),)),
        step("mine.two", ("mine.a",), (), run=look),
    )
    run()
    assert got == [True] * 4
