"""What tasks hold in memory, as they declare it and as it is; and what that leaves for planes."""

from __future__ import annotations

import collections
import tracemalloc
import weakref

import numpy as np
import pytest
from least import least_memory

import drizframe
from drizframe.config import make_parameters
from drizframe.engine import schedule
from drizframe.engine.budget import Budget, Share, chain_load_of, load_of
from drizframe.engine.plan import make_plan
from drizframe.engine.store import Store
from drizframe.engine.switches import resolve_switches
from drizframe.engine.uses import Uses
from drizframe.errors import ParameterError, PluginError, RecordError
from drizframe.hooks import PluginManager, Registry, Step, hookimpl
from drizframe.model import ChipUnit, ExposureUnit, Plane, PlaneKey, Window
from drizframe.simulate import acs_wfc, dither, random_scene, simulate
from drizframe.stock.io import source
from drizframe.testing import sample_exposures

#: Bytes that have nothing to do with the number of pixels: pieces that are read, and what the store has of the chip before.
SMALL = 1_700_000


def planned(exposures, **parameters):
    registry = Registry(PluginManager(installed=False))
    settings, _ = resolve_switches(make_parameters(parameters), exposures, registry)
    return make_plan(exposures, settings, registry)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    scene = random_scene(4, stars=30)
    simulate(
        acs_wfc(), scene, dither(2, exptime=300, seed=4), seed=4, cosmic_rays=30, shape=(1040, 512)
    ).write(folder)
    return folder


WAYS = [
    {}, {"final_wht_type": "ERR", "layers": "variance"}, {"final_wht_type": "ERR"},
    {"combine_type": "median", "tile_size": 200, "final_kernel": "lanczos3"},
    {"skymethod": "match", "driz_cr_corr": True, "final_kernel": "turbo", "driz_sep_kernel": "gaussian"},
    {"blot_interp": "sinc", "combine_type": "iminmed", "final_wht_type": "IVM", "tile_size": 100},
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("together", [False, True], ids=["steps", "chains"])
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_no_task_of_a_stock_step_or_chain_holds_more_than_it_declares(files, way, together, monkeypatch):
    monkeypatch.chdir(files)
    held = collections.Counter()
    loads = {}
    execute = schedule.execute

    def measured(task):
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        answer = execute(task)
        chain, plan = task.chain, task.context.plan
        name = task.step.name if chain is None else " ".join(s.name for s in chain.steps)
        held[name] = max(held[name], tracemalloc.get_traced_memory()[1] - before)
        loads[name] = (load_of(plan, task.step) if chain is None else chain_load_of(plan, chain)).total
        return answer

    monkeypatch.setattr(schedule, "execute", measured)
    monkeypatch.setattr(Budget, "of", lambda budget, index: Share(1, 1, 0))  # nothing is kept, all is read
    monkeypatch.setattr(source, "LARGE", 0)  # as images of usual sizes
    options = {"executor": "serial", "num_cores": 1, "tile_size": 256, **way}
    limit = "1GiB" if together else least_memory("*_flt.fits", **options)
    if not together:
        monkeypatch.setattr(Budget, "takes", lambda budget, chain: False)
    tracemalloc.start()
    try:
        drizframe.run("*_flt.fits", **options, max_memory=limit)
    finally:
        tracemalloc.stop()
    over = {name: (held[name], loads[name]) for name in held if held[name] > loads[name] + SMALL}
    assert not over, f"bytes held, and declared: {over}"
    assert any(" " in name for name in held) == together
    assert sum(name.count(" ") + 1 for name in held) >= 12


def test_a_limit_that_is_too_small_is_told_while_planning_with_the_least_that_does(recwarn):
    exposures = sample_exposures(3)
    with pytest.raises(
        ParameterError,
        match=r"max_memory is 0\.01 MB, but step '\w+' holds .*Give at least max_memory='.*MB'",
    ):
        drizframe.run(exposures, max_memory="10kB")
    tight = drizframe.run(exposures, max_memory=least_memory(exposures), num_cores=4)
    free = drizframe.run(exposures)
    for name in ("sci", "wht", "ctx", "median"):
        np.testing.assert_array_equal(getattr(tight, name), getattr(free, name))


def test_fewer_tasks_run_at_a_time_where_all_would_not_fit():
    plan = planned(sample_exposures(3), num_cores=8)
    roomy, tight = Budget(plan, 1 << 30), Budget(plan, Budget(plan, 0).least)
    shares = [(roomy.of(k), tight.of(k)) for k in range(len(plan.steps))]
    assert all(a.workers == 8 for a, _ in shares)
    assert min(b.workers for _, b in shares) == 1
    for k, (_, share) in enumerate(shares):
        load = load_of(plan, plan.steps[k])
        assert share.workers * load.total + share.kept <= tight.least or share.workers == 1


def test_a_step_of_a_plugin_declares_its_work_as_a_number_or_a_function():
    exposures = sample_exposures(2)

    def step(work):
        return Step(
            name="mine.step", summary="S.", needs=("sci",), makes=(), over="chip", run=lambda job: {}, work=work
        )  # fmt: skip

    class Mine:
        def __init__(self, work):
            self.work = work

        @hookimpl
        def drizframe_extra_steps(self):
            yield step(self.work)

    for work in (1e9, lambda asked, shape: 1e9 * len(asked.exposures)):
        with pytest.raises(ParameterError, match="step 'mine.step' holds"):
            _run_with(exposures, Mine(work))
    with pytest.raises(PluginError, match=r"mine.step.* gives 'much' as its work"):
        _run_with(exposures, Mine(lambda asked, shape: "much"))
    with pytest.raises(RecordError, match="work = -1"):
        step(-1)
    with pytest.raises(RecordError, match="work"):
        step(lambda asked: 0)


def _run_with(exposures, plugin):
    drizframe.register(plugin)
    try:
        return drizframe.run(exposures)
    finally:
        drizframe.unregister(plugin)


# -- when planes are needed


def test_what_is_needed_latest_leaves_memory_first():
    plan = planned(sample_exposures(3))
    names = [s.name for s in plan.steps]
    uses = Uses(plan, frozenset({"median"}))
    uses.begin(names.index("separate"), [ExposureUnit(i) for i in range(3)])
    sci = [PlaneKey("sci", ChipUnit(i, 0)) for i in range(3)]
    dq, single = PlaneKey("dq", ChipUnit(0, 0)), PlaneKey("single.sci", ExposureUnit(0))
    assert sorted([dq, sci[2], sci[0], sci[1], single], key=uses.when) == [sci[0], sci[1], sci[2], single, dq]
    assert uses.done(ExposureUnit(0))
    assert uses.when(sci[0]) > uses.when(sci[1])  # the first exposure is drizzled; cosmic rays come later
    assert PlaneKey("single.mask", ChipUnit(0, 0)) in uses.over(ExposureUnit(0))
    assert sci[0] not in uses.over(ExposureUnit(0))
    assert uses.left(
        [single, PlaneKey("single.mask", ChipUnit(1, 0)), PlaneKey("median", ExposureUnit(0))]
    ) == [PlaneKey("single.mask", ChipUnit(1, 0))]


def test_planes_of_a_unit_go_when_its_last_task_is_done_not_before():
    plan = planned(sample_exposures(2))
    names = [s.name for s in plan.steps]
    uses = Uses(plan, frozenset())
    uses.begin(names.index("separate"), [ExposureUnit(0), ExposureUnit(0), ExposureUnit(1)])
    assert not uses.done(ExposureUnit(0))
    assert not uses.over(ExposureUnit(0))
    assert uses.done(ExposureUnit(0))
    assert uses.over(ExposureUnit(0))


def test_the_store_moves_out_what_comes_latest_and_counts_a_shared_array_once(tmp_path):
    keys = [PlaneKey("p", ChipUnit(i, 0)) for i in range(4)]
    with Store(1 << 20, str(tmp_path)) as store:
        shared = np.arange(64.0).reshape(8, 8)
        for key in keys[:3]:
            store.put(key, shared)
        assert store.used == shared.nbytes
        store.put(keys[3], np.ones((8, 8)))
        store.expect(shared.nbytes, lambda key: key.unit.exposure)
        assert store.used <= shared.nbytes
        assert store.used == 0
        assert store.spilled == 4 * shared.nbytes  # each has a file of its own
        for key in keys[:3]:
            np.testing.assert_array_equal(store.get(key, Window(2, 5, 1, 7)), shared[2:5, 1:7])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("halo", "rows"), [(None, [600]), (lambda options: 3, [259, 262, 91])])
def test_a_detector_that_says_how_far_it_looks_gets_some_rows_at_a_time(halo, rows, recwarn):
    seen = []

    def detector(sci, blot, deriv, noise, depth, dq, options):
        seen.append(sci.shape[0])
        return np.zeros(sci.shape, dtype=np.uint8)

    more = {} if halo is None else {"halo": halo}
    mine = drizframe.CosmicRayDetector(name="mine.rows", summary="S.", reference=detector, **more)
    wcs = sample_exposures(1)[0].chips[0].wcs
    exposures = [
        drizframe.Exposure.from_arrays(
            np.ones((600, 20), np.float32), wcs, name=f"e{k}", exptime=1.0, unit="electrons"
        )
        for k in range(2)
    ]
    drizframe.run(exposures, cr_detector=mine, num_cores=1, skysub=False, static=False, driz_combine=False)
    assert seen == 2 * rows


def test_a_step_can_ask_whether_anybody_uses_what_it_makes():
    asked = {}

    class Mine:
        @hookimpl
        def drizframe_extra_steps(self):
            def run(job):
                asked.update({name: job.wanted(name) for name in ("mine.used", "mine.left", "mine.kept")})
                return {}

            planes = [
                drizframe.Plane(name=n, meaning="m", on="run", kind="value", stays=n == "mine.kept")
                for n in ("mine.used", "mine.left", "mine.kept")
            ]
            yield Step(name="mine.a", summary="S.", needs=(), makes=tuple(planes), over="run", run=run)
            yield Step(
                name="mine.b", summary="S.", needs=("mine.used",), makes=(), over="run", run=lambda job: {}
            )

    _run_with(sample_exposures(2), Mine())
    assert asked == {"mine.used": True, "mine.left": False, "mine.kept": True}


def test_a_plane_without_pixels_can_leave_memory_and_be_read(tmp_path):
    key = PlaneKey("single.sci", ExposureUnit(0))
    with Store(1 << 20, str(tmp_path)) as store:
        store.make(key, (0, 0), np.float32)
        store.put(PlaneKey("median", ExposureUnit(1)), np.ones((8, 8)))
        store.expect(0, lambda key: 0)
        assert store.get(key).shape == (0, 0)
        assert store.get(key, Window(0, 0, 0, 0)).shape == (0, 0)


@pytest.mark.parametrize("executor", ["serial", "threads"])
def test_what_a_task_returned_is_let_go_before_the_next_one_works(executor, monkeypatch, recwarn):
    returned, still = [], []

    def run(job):
        still.append(sum(image() is not None for image in returned))
        made = np.ones(job.window.shape, np.float32)
        returned.append(weakref.ref(made))
        return {"mine.ones": made}

    ones = Plane(name="mine.ones", meaning="ones", on="frame", grid="final", product="ONES")
    step = Step(
        name="mine.tiles", summary="S.", needs=("sci",), makes=(ones,), over="tile", grid="final", run=run
    )

    class Plugin:
        @hookimpl
        def drizframe_extra_steps(self):
            yield step

    monkeypatch.setattr(Budget, "of", lambda budget, index: Share(1, 1, 1 << 30))
    name = drizframe.register(Plugin())
    try:
        result = drizframe.run(sample_exposures(), executor=executor, num_cores=2, tile_size=16)
    finally:
        drizframe.unregister(name)
    assert len(still) > 3
    assert not any(still)
    assert (result.mosaic.layers["ones"].image == 1).all()
