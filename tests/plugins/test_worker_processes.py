"""Tasks in processes of their own: the same bits, installed plugins, and clear words where something cannot go there."""

from __future__ import annotations

import gc
import multiprocessing
import os
import subprocess
import sys
import time
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from typer.testing import CliRunner

import drizframe
from drizframe.cli import app
from drizframe.data import stis_sample
from drizframe.errors import ParameterError, PluginError, RunError
from drizframe.grids.mapping import WCSMap

ALL = {"keep": "all", "tile_size": 48, "num_cores": 2}

PLUGIN = """
    import os
    import numpy as np
    import drizframe
    from drizframe import Plane, Step

    def support(pixfrac):
        return 1.0

    def profile(dx, dy, *, pixfrac):
        return (1 - dx**2) ** 2 * (1 - dy**2) ** 2 * (abs(dx) <= 1) * (abs(dy) <= 1)

    @drizframe.hookimpl
    def drizframe_kernels():
        yield drizframe.Kernel(name="far.kernel", summary="Round.", profile=profile, support=support)

    def darkest(stack, bad, *, weight, exptime, background, readnoise, n_total, options):
        lowest = np.where(bad | ~np.isfinite(stack), np.inf, stack).min(axis=0)
        return np.where(np.isfinite(lowest), lowest, 0).astype(np.float32)

    @drizframe.hookimpl
    def drizframe_combiners():
        yield drizframe.Combiner(name="far.darkest", summary="Lowest good value.", reference=darkest)

    def weigh(chip, good, sky, ratio, options):
        return good * np.float32(chip.exptime), 1.0

    @drizframe.hookimpl
    def drizframe_weightings():
        yield drizframe.Weighting(name="far.weights", summary="Exposure time.", reference=weigh)

    class Sink:
        def __init__(self, product):
            self.product, self.folder, self.arrays = product, product.stage(product.targets[0]), {{}}
            for name, layer in product.layers.items():
                self.arrays[name] = np.full(layer.shape, layer.fill, dtype=layer.dtype)

        def write(self, plane, window, array):
            self.arrays[plane][(..., *window.slices)] = array

        def close(self):
            for name, array in self.arrays.items():
                np.save(self.folder / f"{{name}}.npy", array)
            return self.product.targets

        def abort(self):
            self.arrays.clear()

    @drizframe.hookimpl
    def drizframe_writers():
        yield drizframe.Writer(name="far.raw", summary="Arrays in a folder.", open=Sink, endings=(".raw/",))

    def bright(sci, blot, derivative, noise, depth, dq, options):
        drizframe_note.append(os.getpid())
        return (np.abs(sci - blot) > 6 * noise).astype(np.uint8)

    drizframe_note = []

    @drizframe.hookimpl
    def drizframe_cosmic_ray_detectors():
        yield drizframe.CosmicRayDetector(name="far.detector", summary="Bright.", reference=bright, traits=frozenset({{"needs_blot"}}))

    def run(job):
        {body}

    @drizframe.hookimpl
    def drizframe_extra_steps():
        yield Step(
            name="far.step", summary="Looks.", run=run, over="{over}", needs=("sci",),
            makes=(Plane(name="far.value", meaning="what it found", on="{on}", kind="value", stays=True),),
        )
"""
NOTE = """
        import warnings
        job.note(f"pid {os.getpid()} of {os.getppid()} with {os.environ.get('OMP_NUM_THREADS')} threads")
        warnings.warn(f"chip {job.unit.exposure} was seen")
        return {"far.value": float(job.read("sci").mean())}
"""


def plugin(body=NOTE, over="chip", on="chip"):
    return PLUGIN.format(body=body.strip(), over=over, on=on)


def images(result):
    return {n: np.asarray(getattr(result, n)) for n in ("sci", "wht", "ctx", "median")}


def require_equal(one, two):
    for name, image in images(one).items():
        np.testing.assert_array_equal(image, images(two)[name], err_msg=name)
    for name, masks in one.cosmic_rays.items():
        for mask, other in zip(masks, two.cosmic_rays[name], strict=True):
            np.testing.assert_array_equal(mask, other)
    assert one.sky == two.sky
    assert one.warnings == two.warnings
    assert one.backends == two.backends


@pytest.mark.parametrize("limit", ["2MB", "1GiB"])
def test_images_in_memory_give_the_same_bits_in_processes(large_exposures, limit):
    here = drizframe.run(large_exposures, executor="serial", **ALL)
    require_equal(here, drizframe.run(large_exposures, executor="processes", max_memory=limit, **ALL))


def test_files_give_the_same_bits_in_processes_and_products_too(tmp_path):
    files, results = stis_sample(), {}
    for executor in ("threads", "processes"):
        folder = tmp_path / executor
        folder.mkdir()
        results[executor] = drizframe.run(
            files,
            folder / "out",
            executor=executor,
            driz_cr_corr=True,
            layers="variance",
            final_wht_type="ERR",
            **ALL,
        )
    require_equal(results["threads"], results["processes"])
    made = {p.name for p in (tmp_path / "threads").iterdir() if p.suffix == ".fits"}
    assert made == {p.name for p in (tmp_path / "processes").iterdir() if p.suffix == ".fits"}
    for name in made:
        one, two = (drizframe_data(tmp_path / e / name) for e in ("threads", "processes"))
        assert one.keys() == two.keys()
        for key, image in one.items():
            np.testing.assert_array_equal(image, two[key], err_msg=f"{name} {key}")


def test_large_images_in_memory_go_through_scratch_files(large_exposures, monkeypatch):
    from drizframe.engine import sending

    rng = np.random.default_rng(4)
    full = [
        drizframe.Exposure.from_arrays(
            e.chips[0].data(), e.chips[0].wcs, name=e.name, exptime=100.0, err=rng.uniform(0.1, 0.2, (150, 130)),
            dq=rng.integers(0, 2, (150, 130)) * rng.integers(0, 2, (150, 130)) * 4,
        )
        for e in large_exposures
    ]  # fmt: skip
    options = {**ALL, "final_wht_type": "ERR", "layers": "variance", "resetbits": 0}
    here = drizframe.run(full, executor="serial", **options)
    monkeypatch.setattr(sending, "SMALL", 0)
    require_equal(here, drizframe.run(full, executor="processes", max_memory="2MB", **options))


FILTER = """
    import numpy as np
    import drizframe
    from drizframe import Need, Step

    def run(job):
        return {"sci": job.read("sci") - np.float32(job.unit.exposure) / 8}

    @drizframe.hookimpl
    def drizframe_extra_steps():
        yield Step(name="far.filter", summary="Changes.", run=run, over="chip", needs=("sci",), makes=("sci",))
"""


def test_a_filter_changes_what_the_others_read_in_processes(installed, large_exposures):
    installed("drizframe-far", FILTER)
    here = drizframe.run(large_exposures, executor="serial", **ALL)
    require_equal(here, drizframe.run(large_exposures, executor="processes", **ALL))


def test_what_workers_cannot_import_is_told(exposures, tmp_path, monkeypatch):
    (tmp_path / "only_here.py").write_text(
        "from drizframe.grids.mapping import WCSMap\n\nclass Mine(WCSMap):\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import only_here

    sys.path.remove(str(tmp_path))
    with pytest.raises(
        RunError,
        match="A worker could not take over the run: ModuleNotFoundError: No module named 'only_here'",
    ):
        drizframe.run(exposures, executor="processes", num_cores=2, wcsmap=only_here.Mine)
    monkeypatch.syspath_prepend(tmp_path)
    there = drizframe.run(exposures, executor="processes", num_cores=2, wcsmap=only_here.Mine)
    np.testing.assert_array_equal(drizframe.run(exposures, wcsmap=only_here.Mine).sci, there.sci)


def drizframe_data(path):
    from astropy.io import fits

    with fits.open(path) as hdus:
        return {i: np.array(h.data) for i, h in enumerate(hdus) if h.is_image and h.data is not None}


def test_a_run_in_processes_is_resumed_with_the_same_bits(tmp_path, large_exposures):
    whole = drizframe.run(large_exposures, executor="serial", **ALL)

    class Stops:
        def drizframe_before_step(self, event):
            if event.step == "final":
                raise KeyboardInterrupt

    options = {"executor": "processes", "resume": True, "workdir": str(tmp_path), **ALL}
    with pytest.raises(KeyboardInterrupt):
        drizframe.run(large_exposures, listeners=[Stops()], **options)
    again = drizframe.run(large_exposures, **options)
    assert again.reused > 0
    for name, image in images(whole).items():
        np.testing.assert_array_equal(image, images(again)[name])
    del again  # it reads images of scratch files
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_components_and_steps_of_packages_work_in_processes(
    installed, large_exposures, monkeypatch, tmp_path
):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    installed("drizframe-far", plugin())
    options = {
        "final_kernel": "far.kernel", "cr_detector": "far.detector", "combine_type": "far.darkest",
        "final_wht_type": "far.weights", **ALL,
    }  # fmt: skip
    told = []

    class Hears:
        def drizframe_progress(self, event):
            told.append(event.text)

    with pytest.warns(drizframe.errors.DrizframeWarning, match="chip . was seen"):
        here = drizframe.run(
            large_exposures, tmp_path / "here.raw", executor="threads", writer="far.raw", **options
        )
    with pytest.warns(drizframe.errors.DrizframeWarning, match="chip . was seen"):
        there = drizframe.run(
            large_exposures,
            tmp_path / "there.raw",
            executor="processes",
            writer="far.raw",
            listeners=[Hears()],
            **options,
        )
    require_equal(here, there)
    np.testing.assert_array_equal(*(np.load(f / "sci.npy") for f in sorted(tmp_path.glob("*.raw"))))
    assert {
        "kernel far.kernel",
        "cosmic-ray detector far.detector",
        "combiner far.darkest",
        "weighting far.weights",
    } <= set(there.backends)
    pids = {t.split()[1] for t in told if t.startswith("pid ")}
    assert pids
    assert str(os.getpid()) not in pids
    threads = max(1, os.cpu_count() // 2)
    assert all(t.endswith(f" of {os.getpid()} with {threads} threads") for t in told if t.startswith("pid "))
    assert {f"chip {k} was seen" for k in range(3)} <= set(there.warnings)


def test_what_a_user_set_for_threads_of_compiled_code_stays(installed, exposures, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    installed(
        "drizframe-far", plugin('job.note(os.environ["OMP_NUM_THREADS"], warn=True)\n        return {}')
    )
    with pytest.warns(drizframe.errors.DrizframeWarning, match="^7$"):
        drizframe.run(exposures, executor="processes", num_cores=2)


def test_one_pool_serves_a_run(exposures):
    opened = []

    def pool(workers):
        opened.append(workers)
        return ThreadPoolExecutor(workers)

    mine = drizframe.Executor(name="mine", summary="M.", open=pool, shares_memory=False)
    there = drizframe.run(exposures, executor=mine, **ALL)
    require_equal(drizframe.run(exposures, executor="serial", **ALL), there)
    assert opened == [2]


def test_processes_of_others_can_be_used(exposures):
    mine = drizframe.Executor(name="mine", summary="M.", open=ProcessPoolExecutor, shares_memory=False)
    require_equal(
        drizframe.run(exposures, executor="serial", **ALL), drizframe.run(exposures, executor=mine, **ALL)
    )


def bell(dx, dy, *, pixfrac):
    return (1 - dx**2) ** 2 * (1 - dy**2) ** 2


KERNEL = drizframe.Kernel(name="mine.kernel", summary="M.", profile=bell, support=lambda pixfrac: 1.0)


class Session:
    @drizframe.hookimpl
    def drizframe_kernels(self):
        yield KERNEL

    @drizframe.hookimpl
    def drizframe_extra_steps(self):
        yield drizframe.Step(
            name="mine.step", summary="M.", run=lambda job: {}, over="chip", needs=("sci",), makes=()
        )


@pytest.mark.parametrize("given", [KERNEL, "mine.kernel"])
def test_components_of_the_session_are_refused_while_planning(plugin, exposures, given):
    if given == "mine.kernel":
        kernels = type("Kernels", (), {"drizframe_kernels": Session.drizframe_kernels})
        plugin(kernels())
    with pytest.raises(
        ParameterError, match="kernel.*cannot go to worker processes.*entry point.*'threads'"
    ) as caught:
        drizframe.run(exposures, executor="processes", final_kernel=given)
    assert "session" in str(caught.value)
    assert "'mine.kernel'" in str(caught.value)


def test_steps_of_the_session_are_refused_while_planning(plugin, exposures):
    steps = type("Steps", (), {"drizframe_extra_steps": Session.drizframe_extra_steps})
    plugin(steps())
    with pytest.raises(ParameterError, match="step 'mine.step' cannot go to worker processes.*entry point"):
        drizframe.run(exposures, executor="processes")


def test_a_step_over_the_run_may_be_of_the_session(plugin, exposures):
    seen = []

    class Steps:
        @drizframe.hookimpl
        def drizframe_extra_steps(self):
            yield drizframe.Step(
                name="mine.step", summary="M.", over="run", needs=("median",), makes=(),
                run=lambda job: seen.append(job.map(lambda k: k + 1, [1, 2, 3])) or {},
            )  # fmt: skip

    plugin(Steps())
    drizframe.run(exposures, executor="processes", num_cores=2)
    assert seen == [[2, 3, 4]]


def test_a_map_that_cannot_be_imported_is_refused_while_planning(exposures):
    class Mine(WCSMap):
        pass

    with pytest.raises(ParameterError, match=r"wcsmap cannot go to worker processes: .*Mine.*entry point"):
        drizframe.run(exposures, executor="processes", wcsmap=Mine)


def test_an_error_in_a_worker_names_who_is_to_blame(installed, exposures):
    installed("drizframe-far", plugin("raise ArithmeticError('no number')"))
    with pytest.raises(
        PluginError,
        match=r"Step 'far.step' of drizframe-far 1.2 failed on dither0, chip 1: ArithmeticError: no number",
    ):
        drizframe.run(exposures, executor="processes", num_cores=2)


def test_a_value_that_cannot_come_back_is_told(installed, exposures):
    installed("drizframe-far", plugin('return {"far.value": lambda: 1}'))
    with pytest.raises(
        PluginError,
        match=r"drizframe-far 1.2 returned 'far.value' as function, which cannot go from a worker",
    ):
        drizframe.run(exposures, executor="processes", num_cores=2)


def test_a_worker_that_dies_ends_the_run_with_advice(installed, exposures, tmp_path):
    installed("drizframe-far", plugin("os._exit(3)"))
    work = tmp_path / "work"
    work.mkdir()
    with pytest.raises(
        RunError,
        match=r"A worker process of executor 'processes' ended while it worked on step 'far.step'.*num_cores",
    ):
        drizframe.run(exposures, executor="processes", num_cores=2, workdir=str(work))
    assert list(work.iterdir()) == []


def test_a_worker_with_another_version_is_refused(installed, exposures, monkeypatch, tmp_path):
    installed("drizframe-far", plugin(), version="1.2")
    drizframe.registry()
    site = next(Path(p) for p in sys.path if (Path(p) / "drizframe_far.py").exists())
    info = site / "drizframe_far-1.2.dist-info"
    (info / "METADATA").write_text((info / "METADATA").read_text().replace("1.2", "1.3"))
    with pytest.raises(
        RunError,
        match=r"far.* of drizframe-far 1.2, and a worker that of drizframe-far 1.3.*same environment",
    ):
        drizframe.run(exposures, executor="processes", num_cores=2)


SCRIPT = """
import drizframe
from drizframe.testing import sample_exposures
{guard}drizframe.run(sample_exposures(), executor="processes", num_cores=2)
{guard}print("done")
"""


@pytest.mark.parametrize("guard", ["", "if __name__ == '__main__': "])
def test_a_program_without_a_guard_is_told_so(tmp_path, guard):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(guard=guard))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120, check=False)
    if guard:
        assert done.stdout == "done\n"
    else:
        assert done.returncode == 1
        assert "if __name__ == '__main__'" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("combiner/far.darkest", "Works with executor='processes'."),
        ("step/far.filter", "Works with executor='processes'."),
        (
            "mine_here:KERNEL",
            "Does not work with executor='processes' as it is. Worker processes have what installed packages provide",
        ),
    ],
)
def test_validate_says_what_works_with_processes(installed, tmp_path, monkeypatch, name, says):
    installed("drizframe-far", plugin(NOTE) if "darkest" in name else FILTER)
    (tmp_path / "mine_here.py").write_text(
        "import drizframe\n\ndef bell(dx, dy, *, pixfrac):\n    return (1 - dx**2) ** 2 * (1 - dy**2) ** 2\n\n"
        "KERNEL = drizframe.Kernel(name='k', summary='K.', profile=bell, support=lambda pixfrac: 1.0)\n"
    )
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, ["validate", name, "-n", "1"])
    assert says in shown.output


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_warnings_come_in_the_order_of_the_chips_whoever_was_first(installed, exposures, executor):
    body = """
        import time
        time.sleep(0.02 * (4 - job.unit.exposure))
        job.note(f"looked at {job.unit.exposure}", warn=True)
        return {}
    """
    installed("drizframe-far", plugin(body))
    with pytest.warns(drizframe.errors.DrizframeWarning, match="looked at"):
        result = drizframe.run(exposures, executor=executor, num_cores=3)
    assert [w for w in result.warnings if w.startswith("looked")] == [f"looked at {k}" for k in range(3)]


def test_warnings_of_spread_work_come_in_its_order(plugin, exposures):
    def look(k):
        time.sleep(0.02 * (4 - k))
        warnings.warn(f"item {k}", stacklevel=1)

    class Steps:
        @drizframe.hookimpl
        def drizframe_extra_steps(self):
            yield drizframe.Step(
                name="mine.step", summary="M.", over="run", needs=("sky",), makes=(),
                run=lambda job: job.map(look, range(5)) and {},
            )  # fmt: skip

    plugin(Steps())
    with pytest.warns(drizframe.errors.DrizframeWarning, match="item"):
        result = drizframe.run(exposures, num_cores=3)
    assert [w for w in result.warnings if w.startswith("item")] == [f"item {k}" for k in range(5)]


def test_two_runs_at_once_in_one_process_do_not_disturb_each_other(exposures, large_exposures):
    mine = drizframe.Executor(name="mine", summary="M.", open=ThreadPoolExecutor, shares_memory=False)
    options = {"tile_size": 16, "num_cores": 2}
    wanted = [drizframe.run(e, executor="serial", **options).sci for e in (exposures, large_exposures)]
    with ThreadPoolExecutor(2) as pool:
        runs = [
            pool.submit(drizframe.run, e, executor=mine, **options) for e in (exposures, large_exposures) * 3
        ]
        for run, want in zip(runs, wanted * 3, strict=True):
            np.testing.assert_array_equal(run.result().sci, want)


BROKEN = """
class Broken:
    def __reduce__(self):
        return int, ("no number",)
"""


def test_a_value_that_cannot_be_read_again_is_told(installed, exposures):
    source = dedent(plugin('return {"far.value": Broken()}')) + BROKEN
    installed("drizframe-far", source)
    with pytest.raises(
        PluginError,
        match=r"'far.step' of drizframe-far 1.2 returned 'far.value' as Broken, which cannot go from a worker",
    ):
        drizframe.run(exposures, executor="processes", num_cores=2)


def test_an_exposure_that_cannot_be_sent_is_named(exposures):
    wcs = exposures[1].chips[0].wcs.deepcopy()
    wcs.wcs.ctype = ["RA---TPV", "DEC--TPV"]
    wcs.wcs.set_pv([(1, 1, 1.0000001), (1, 4, 0.012345678901234567), (2, 1, 1 + 1 / 3e7)])
    odd = drizframe.Exposure.from_arrays(exposures[1].chips[0].data(), wcs, name="odd", exptime=100.0)
    with pytest.raises(ParameterError, match="WCS of exposure 'odd' .* cannot be sent .*'threads'"):
        drizframe.run([exposures[0], odd], executor="processes", num_cores=2, driz_cr=False)


def test_a_process_that_may_start_none_is_told(exposures, monkeypatch):
    monkeypatch.setattr(multiprocessing.current_process(), "_config", {"daemon": True})
    with pytest.raises(RunError, match="cannot start processes. Choose executor='threads'"):
        drizframe.run(exposures, executor="processes", num_cores=2)
