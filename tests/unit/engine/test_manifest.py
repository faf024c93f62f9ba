"""What a run records, and what a later one makes of it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import re
import shutil
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

import drizframe
from drizframe.config import Parameters
from drizframe.config.parameters import without_effect
from drizframe.engine import manifest as module
from drizframe.engine import task_keys, worker
from drizframe.engine.bound import BoundStep
from drizframe.engine.encoding import NotPlain, decoded, encoded
from drizframe.engine.fingerprint import Printer, Unknown
from drizframe.engine.job import job_for
from drizframe.engine.manifest import BadBlock, Entry, Manifest, described
from drizframe.engine.task_keys import TaskKeys
from drizframe.errors import OutputError, OutputWarning, ParameterError, RecordError, RunError
from drizframe.hooks import Step, hookimpl
from drizframe.model import Plane, SkyValue
from drizframe.simulate import dither, random_scene, simulate
from drizframe.system import resumable

#: That there is a warning is welcome: it must be said again, too.
pytestmark = pytest.mark.filterwarnings("ignore::drizframe.errors.MaskWarning")

KEYS = [f"{n:040x}" for n in range(9)]


# -- values ----------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Facts:
    times: np.ndarray
    names: tuple[str, ...] = ()
    least: float | None = None


def there_and_back(value, kinds=None):
    arrays: list[np.ndarray] = []
    text = json.loads(json.dumps(encoded(value, kinds, arrays)))
    return decoded(text, kinds, arrays)


@pytest.mark.parametrize(
    "value",
    [
        None, True, -3, 2**70, "näme\n\udc80", 0.1, -0.0, float("inf"), (1, [2.5, (3,)]), {"a": (1.0,), 2: None}, {3, 1},
        frozenset({"x", "y"}),
        SkyValue(1 / 3, 2.0, "localmin"), np.float32(0.1), np.float64(0.1), np.int16(-4), np.bool_(True), [],
    ],
)  # fmt: skip
def test_values_come_back_exactly_and_of_the_same_types(value):
    back = there_and_back(value)
    assert type(back) is type(value)
    assert repr(back) == repr(value) or back == value


def test_a_record_that_the_plane_declares_comes_back_with_its_arrays():
    value = Facts(np.array([1.5, np.nan]), ("a",), 1e-300)
    back = there_and_back(value, Facts)
    assert isinstance(back, Facts)
    assert back.times.tobytes() == value.times.tobytes()
    assert (back.names, back.least) == (("a",), 1e-300)


@pytest.mark.parametrize(
    "value", [Facts(np.zeros(2)), object(), len, np.array([object()]), np.ma.masked_array([1.0], [True]), Path("x"),
        type("Own", (float,), {})(1.0)]
)  # fmt: skip
def test_what_is_not_known_to_be_plain_is_not_written_down(value):
    with pytest.raises(NotPlain):
        there_and_back(value)


@pytest.mark.parametrize(
    "text",
    [[1], {}, {"record": "Path", "fields": {}}, {"array": 7}, {"number": "|O", "bytes": ""}, {"eval": "1"}],
)
def test_a_text_that_nobody_wrote_makes_nothing(text):
    with pytest.raises((ValueError, LookupError, TypeError)):
        decoded(text, Facts, [])


# -- journal and blocks ----------------------------------------------------------------------------------------------


def put(manifest, number, *, slot=None, fill=1.0):
    arrays = [np.full((4, 5), fill, np.float32), np.arange(3)]
    entry = Entry(
        KEYS[number], "step", f"slot {number if slot is None else slot}", described(arrays), ["rest", number]
    )
    manifest.add(entry, arrays)
    return arrays


@pytest.fixture
def folder(tmp_path):
    with contextlib.ExitStack() as stack:
        yield resumable.open_folder(stack, tmp_path, "a" * 24)


def test_what_was_recorded_is_found_again(folder):
    first = Manifest(folder)
    arrays = put(first, 1)
    first.close()
    again = Manifest(folder)
    entry = again.find(KEYS[1])
    assert (len(again), entry.rest) == (1, ["rest", 1])
    for one, other in zip(again.arrays(entry), arrays, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    assert again.find(KEYS[2]) is None


@pytest.mark.parametrize("cut", [2, 30, 200])
def test_a_torn_line_does_not_count_and_the_journal_goes_on_behind_it(folder, cut):
    first = Manifest(folder)
    put(first, 1)
    put(first, 2)
    first.close()
    journal = folder / "journal"
    journal.write_bytes(journal.read_bytes()[:-cut])
    again = Manifest(folder)
    assert len(again) == 1
    assert [p.name for p in folder.glob("*.block")] == [f"{KEYS[1]}.block"]
    put(again, 3)
    again.close()
    assert [Manifest(folder).find(KEYS[n]) is not None for n in (1, 2, 3)] == [True, False, True]


def test_a_line_that_was_changed_does_not_count(folder):
    first = Manifest(folder)
    put(first, 1)
    first.close()
    journal = folder / "journal"
    journal.write_bytes(journal.read_bytes().replace(b'"rest"', b'"risk"'))
    assert len(Manifest(folder)) == 0


def test_a_block_that_was_changed_is_bad_and_one_that_is_cut_is_not_found(folder):
    first = Manifest(folder)
    put(first, 1)
    put(first, 2)
    block = folder / f"{KEYS[1]}.block"
    data = bytearray(block.read_bytes())
    data[10] ^= 1
    block.write_bytes(data)
    with pytest.raises(BadBlock, match="was changed"):
        first.arrays(first.find(KEYS[1]))
    block.write_bytes(data[:-1])
    assert first.find(KEYS[1]) is None
    block.unlink()
    assert first.find(KEYS[1]) is None
    assert first.find(KEYS[2]) is not None


def test_a_link_in_place_of_a_block_is_not_followed(folder, tmp_path):
    first = Manifest(folder)
    put(first, 1)
    block = folder / f"{KEYS[1]}.block"
    (tmp_path / "elsewhere").write_bytes(block.read_bytes())
    entry = first.find(KEYS[1])
    block.unlink()
    block.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadBlock):
        first.arrays(entry)
    first.close()
    (folder / "journal").rename(tmp_path / "journal")
    (folder / "journal").symlink_to(tmp_path / "journal")
    with pytest.raises(OSError, match="journal"):
        Manifest(folder)


def test_a_slot_has_one_block(folder):
    first = Manifest(folder)
    put(first, 1, slot=7)
    put(first, 2, slot=7, fill=2.0)
    assert [p.name for p in folder.glob("*.block")] == [f"{KEYS[2]}.block"]
    put(first, 3)
    first.forget("step", {"slot 3"})
    assert [p.name for p in folder.glob("*.block")] == [f"{KEYS[3]}.block"]
    first.remove()
    assert not folder.exists()


def test_a_second_run_is_refused_and_the_folder_of_another_user_is_not_believed(tmp_path):
    with contextlib.ExitStack() as stack:
        folder = resumable.open_folder(stack, tmp_path, "b" * 24)
        with pytest.raises(RunError, match=r"Another run of the same inputs and output .*workdir"):
            resumable.open_folder(stack, tmp_path, "b" * 24)
    folder.chmod(0o777)
    with contextlib.ExitStack() as stack, pytest.raises(OutputError, match="other users"):
        resumable.open_folder(stack, tmp_path, "b" * 24)
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with contextlib.ExitStack() as stack, pytest.raises(OutputError, match="is a link"):
        resumable.open_folder(stack, tmp_path, "b" * 24)


def test_folders_that_nobody_resumed_for_long_are_removed_but_not_those_at_work(tmp_path):
    with contextlib.ExitStack() as stack:
        own, busy = (resumable.open_folder(stack, tmp_path, c * 24) for c in "cd")
        with contextlib.ExitStack() as past:
            old, young = (resumable.open_folder(past, tmp_path, c * 24) for c in "ef")
        for folder in (own, busy, old, young):
            (folder / "journal").write_bytes(b"")
            days = 1 if folder is young else 30
            for path in (folder / "journal", folder):
                os.utime(path, (time.time() - days * 86400,) * 2)
        assert resumable.remove_old(tmp_path, own) == [old]
        assert all(f.exists() for f in (own, busy, young))


# -- digests ---------------------------------------------------------------------------------------------------------


def test_digests_differ_where_values_do():
    printer = Printer({"drizframe"}, lambda component: "drizframe")
    values = [
        None, 0, 0.0, -0.0, False, "0", b"0", (), {}, ((),), ("a", "b"), ("ab",), {"a": 1}, {"a": 2}, np.zeros(2), np.zeros(2, np.float32),
        np.zeros((2, 1)), np.float64(0), {1}, SkyValue(1.0, 1.0), SkyValue(1.0, 2.0), np.ma.masked_array(np.zeros(2), [0, 1]), math.sin,
        math.cos,
    ]  # fmt: skip
    assert len({printer(v) for v in values}) == len(values)
    assert printer({"a": 1, "b": 2}) == printer({"b": 2, "a": 1})


@pytest.mark.parametrize("value", [lambda: 1, object(), np.array([None]), pytest.fixture])
def test_what_cannot_be_told_has_no_digest(value):
    with pytest.raises(Unknown):
        Printer({"drizframe"}, lambda component: "")(value)


# -- runs ------------------------------------------------------------------------------------------------------------


class Stop:
    """Stops a run before a step."""

    def __init__(self, step):
        self.step = step

    @hookimpl
    def drizframe_before_step(self, event):
        if event.step == self.step:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def exposures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exposures")
    scene = random_scene(5, stars=8, galaxies=1)
    simulate("wfc3_ir", scene, dither(3, exptime=300, seed=5), seed=5, cosmic_rays=20, shape=(48, 48)).write(
        folder
    )
    return folder


@pytest.fixture
def here(exposures, tmp_path, monkeypatch):
    for path in exposures.glob("*_flt.fits"):
        shutil.copy(path, tmp_path)
    (tmp_path / "scratch").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(**parameters):
    options = {"num_cores": 1, "resume": True, "workdir": "scratch"} | parameters
    if not options["resume"]:
        options |= {"workdir": ""}
    return drizframe.run("*_flt.fits", **options)


def stopped(step="final", **parameters):
    with pytest.raises(KeyboardInterrupt):
        run(listeners=[Stop(step)], **parameters)
    return next(Path("scratch").glob("drizframe-resume-*"))


def tasks(folder):
    found = Manifest(folder)
    try:
        return len(found)
    finally:
        found.close()


def bits(result):
    return result.sci.tobytes() + result.wht.tobytes() + result.ctx.tobytes() + result.median.tobytes()


def test_a_run_goes_on_where_it_was_and_leaves_nothing(here):
    plain = run(resume=False)
    listed = tasks(stopped())
    result = run()
    assert result.reused == listed > 20
    assert bits(result) == bits(plain)
    assert (result.warnings, result.backends, result.sky) == (plain.warnings, plain.backends, plain.sky)
    assert result.provenance == plain.provenance
    assert f"resumed: {listed} tasks had been done by an earlier run" in result.describe()
    assert list(Path("scratch").iterdir()) == []
    assert run().reused == 0


def test_messages_of_tasks_that_are_not_done_again_are_said_again(here):
    def said(**parameters):
        found = []

        class Listener:
            def drizframe_progress(self, event):
                if event.kind in ("message", "warning") and "tasks were done" not in event.text:
                    found.append(event.text)

        run(listeners=[Listener()], **parameters)
        return found

    plain = said(resume=False)
    stopped()
    assert said() == plain
    assert any("flagged" in text for text in plain)


def test_the_drop_in_goes_on_until_its_edits_are_made(here, monkeypatch):
    from astropy.io import fits

    from drizframe import astrodrizzle
    from drizframe.compat import astrodrizzle as module

    def drop_in():
        return astrodrizzle.AstroDrizzle(
            "*_flt.fits", output="out", num_cores=1, resume=True, workdir="scratch", force_edits=True
        )

    def stop(plan):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "commit_edits", stop)
        with pytest.raises(KeyboardInterrupt):
            drop_in()
    listed = tasks(next(Path("scratch").glob("drizframe-resume-*")))
    with fits.open(min(here.glob("*_flt.fits"))) as hdus:
        before = hdus["DQ"].data.copy()
    assert drop_in().reused == listed > 20
    with fits.open(min(here.glob("*_flt.fits"))) as hdus:
        assert (hdus["DQ"].data != before).any()
    assert not list(Path("scratch").glob("drizframe-resume-*"))


def test_only_the_steps_that_use_a_component_of_the_session_are_done_again(here):
    def detect(sci, blot, deriv, noise, depth, dq, options):
        return np.zeros(sci.shape, np.uint8)

    detector = drizframe.CosmicRayDetector(
        name="mine.detector", summary="None.", reference=detect, traits=frozenset({"needs_blot"})
    )
    with pytest.warns(OutputWarning, match=r"Step 'cosmic_rays' is done again .*'mine.detector'.*session"):
        listed = tasks(stopped("final_weights", cr_detector=detector))
    with pytest.warns(OutputWarning, match="cosmic_rays"):
        result = run(cr_detector=detector)
    assert result.reused == listed > 15
    assert bits(result) == bits(run(resume=False, cr_detector=detector))


def test_a_second_run_of_the_same_inputs_at_the_same_time_is_refused_and_does_no_harm(here):
    said = []

    class Second:
        def drizframe_before_step(self, event):
            if event.step == "median":
                for folder in ("scratch", "other"):
                    Path(folder).mkdir(exist_ok=True)
                    try:
                        said.append(run(workdir=folder).reused)
                    except RunError as error:
                        said.append(str(error))

    result = run(listeners=[Second()])
    assert "Another run of the same inputs and output is at work" in said[0]
    assert said[1:] == [0]
    assert bits(result) == bits(run(resume=False))
    assert list(Path("scratch").iterdir()) == []


def test_resume_without_a_workdir_is_refused():
    with pytest.raises(ParameterError, match="resume = True.*workdir = ''.*Name a folder"):
        run(workdir="")


def test_a_changed_block_is_made_again(here):
    plain = run(resume=False)
    folder = stopped()
    listed = tasks(folder)
    block = max(folder.glob("*.block"), key=lambda p: p.stat().st_size)
    data = bytearray(block.read_bytes())
    data[100] ^= 4
    block.write_bytes(data)
    result = run()
    assert result.reused == listed - 1
    assert bits(result) == bits(plain)


def test_a_changed_input_is_never_taken_for_the_old_one(here):
    from astropy.io import fits

    stopped()
    path = min(here.glob("*_flt.fits"))
    before = path.stat()
    with fits.open(path, mode="update") as hdus:
        hdus["SCI"].data[20:30, 20:30] += 5
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    result = run()
    assert result.reused == 0
    assert bits(result) == bits(run(resume=False))


@pytest.mark.parametrize("what", ["sky file", "masks", "inverse variance"])
def test_other_contents_of_what_a_parameter_names_are_never_taken_for_the_old_ones(here, what):
    names = sorted(p.name for p in here.glob("*_flt.fits"))

    def options(value):
        if what == "sky file":
            Path("sky.txt").write_text("".join(f"{n} {value}\n" for n in names))
            return {"skyfile": "sky.txt"}
        if what == "masks":
            mask = np.ones((48, 48), np.uint8)
            mask[10, 10 + round(10 * value)] = 0
            return {"crmasks": {names[0].partition("_")[0]: [mask]}}
        from astropy.io import fits

        rng = np.random.default_rng(round(10 * value))
        for name in names:
            fits.PrimaryHDU(rng.uniform(1, 2, (48, 48)).astype(np.float32)).writeto(
                name.replace("_flt", "_ivm"), overwrite=True
            )
        Path("list.txt").write_text("".join(f"{n} {n.replace('_flt', '_ivm')}\n" for n in names))
        return {"final_wht_type": "IVM"}

    def go(value, **more):
        inputs = "@list.txt" if what == "inverse variance" else "*_flt.fits"
        given = options(value)
        return drizframe.run(inputs, num_cores=1, **given, **more)

    recording = {"resume": True, "workdir": "scratch"}
    with pytest.raises(KeyboardInterrupt):
        go(0.1, listeners=[Stop("final")], **recording)
    listed = tasks(next(Path("scratch").glob("drizframe-resume-*")))
    result = go(0.3, **recording)
    assert result.reused < listed
    assert bits(result) == bits(go(0.3))


def test_a_changed_parameter_and_another_number_of_workers(here):
    listed = tasks(stopped("median"))
    assert tasks(stopped("blot", num_cores=2, executor="serial")) > listed
    result = run(combine_nhigh=1, num_cores=2)
    assert bits(result) == bits(run(resume=False, combine_nhigh=1))


def test_another_tile_size_does_tiles_again_and_leaves_none_of_the_old(here):
    stopped("blot")
    folder = stopped("blot", tile_size=16)
    blocks = {p.stem for p in folder.glob("*.block")}
    found = Manifest(folder)
    assert blocks <= {e.key for e in found._entries.values()}
    found.close()
    assert bits(run()) == bits(run(resume=False))


def test_arrays_in_memory_are_known_by_their_bytes(here):
    from astropy.wcs import WCS

    def inputs(value=0.0):
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [10.0, 20.0], [16.0, 16.0]
        wcs.wcs.cdelt = [-1e-5, 1e-5]
        rng = np.random.default_rng(3)
        images = [rng.normal(5, 1, (32, 32)) for _ in range(3)]
        images[1][4, 4] += value
        return [
            drizframe.Exposure.from_arrays(image, wcs, name=f"e{k}", unit="electrons")
            for k, image in enumerate(images)
        ]

    options = {"resume": True, "workdir": "scratch", "num_cores": 1}

    def stop():
        with pytest.raises(KeyboardInterrupt):
            drizframe.run(inputs(), listeners=[Stop("final")], **options)

    stop()
    assert drizframe.run(inputs(), **options).reused > 10
    stop()
    assert drizframe.run(inputs(1.0), **options).reused == 0


def test_a_full_disk_ends_the_recording_and_not_the_run(here, monkeypatch):
    add, done = Manifest.add, []

    def full(self, *args):
        done.append(1)
        if len(done) > 5:
            raise OSError(28, "No space left on device")
        add(self, *args)

    monkeypatch.setattr(module.Manifest, "add", full)
    with pytest.warns(OutputWarning, match=r"not recorded any more.*The run goes on"):
        result = run()
    assert len(done) == 6
    assert bits(result) == bits(run(resume=False))


def test_a_component_of_the_session_is_not_recorded(here):
    class Plugin:
        def __init__(self, value):
            self.value = value

        @hookimpl
        def drizframe_extra_steps(self):
            plane = Plane(
                name="mine.number", meaning="a number", on="chip", kind="value", value=float, stays=True
            )
            yield Step(
                name="mine",
                summary="A number.",
                needs=("sci",),
                makes=(plane,),
                over="chip",
                run=lambda job: {"mine.number": self.value},
            )

    for value in (1.0, 2.0):
        name = drizframe.register(Plugin(value), name="mine")
        try:
            if value == 1.0:
                with pytest.warns(OutputWarning, match=r"Step 'mine' is done again .*entry point"):
                    folder = stopped()
                assert tasks(folder) > 20
            else:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    result = run()
                assert result.planes["mine.number"] == dict.fromkeys(result.planes["mine.number"], (2.0,))
        finally:
            drizframe.unregister(name)


def test_another_version_of_a_plugin_does_everything_again(here, monkeypatch):
    from drizframe.hooks.plugins.manager import Distributed, PluginManager

    version = ["1.0"]
    monkeypatch.setattr(
        PluginManager, "distributed", lambda self: [Distributed("other", f"other {version[0]}", "drizframe")]
    )
    listed = tasks(stopped("median"))
    assert tasks(stopped("blot")) > listed
    version[0] = "1.1"
    assert run().reused == 0


FLAVOURS = [
    {},
    {
        "skymethod": "match",
        "combine_type": "median",
        "final_wht_type": "ERR",
        "driz_cr_corr": True,
        "layers": "variance",
    },
    {
        "skysub": False,
        "static": False,
        "median_newmasks": False,
        "final_units": "counts",
        "driz_cr_grow": 3,
        "blot_interp": "sinc",
    },
    {
        "skystat": "mode",
        "sky_bits": 4,
        "proc_unit": "electrons",
        "driz_sep_wcs": True,
        "driz_sep_scale": 0.2,
        "blot_addsky": False,
    },
]


@pytest.mark.parametrize("flavour", range(len(FLAVOURS)))
def test_steps_read_no_parameter_and_no_frame_on_which_they_do_not_say_that_they_depend(
    here, monkeypatch, flavour
):
    seen: dict[str, set[tuple[str, str]]] = {}
    steps = {}

    class Recorder:
        def __init__(self, parameters, found):
            self._parameters, self._found = parameters, found

        def __getattr__(self, name):
            self._found.add(("parameter", name))
            return getattr(self._parameters, name)

    def recorded(ask, place, found):
        def called(*args):
            found.add(("frame", args[place]))
            return ask(*args)

        return called

    def recording(context, step, unit, window):
        job = job_for(context, step, unit, window)
        found = seen.setdefault(step.name, set())
        steps[step.name] = step, context.plan
        job.parameters = Recorder(job.parameters, found)
        for method, place in (("frame", 0), ("pixel_map", 1), ("scale_ratio", 1)):
            setattr(job, method, recorded(getattr(job, method), place, found))
        return job

    monkeypatch.setattr(worker, "job_for", recording)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run(resume=False, **FLAVOURS[flavour])
    assert len(seen) >= 8
    for name, found in seen.items():
        step, plan = steps[name]
        keys = TaskKeys.__new__(TaskKeys)
        keys.plan = plan
        for kind, what in found:
            if kind == "frame":
                assert keys._may_use(step, what), (name, what)
            else:
                assert what in without_effect() or task_keys._declared(step, what), (name, what)


def test_after_a_change_of_the_last_step_all_before_it_is_taken(here):
    listed = tasks(stopped())
    result = run(final_pixfrac=0.7)
    assert result.reused == listed - len(
        result.exposures
    )  # but for the weights of the chips, of the final step
    assert bits(result) == bits(run(resume=False, final_pixfrac=0.7))


def test_a_step_that_depends_on_a_parameter_that_does_not_exist_is_refused():
    options = {"name": "a", "summary": "A.", "needs": (), "makes": (), "over": "run", "run": lambda job: {}}
    for name in ("final_pixfrak", "finl_*"):
        with pytest.raises(RecordError, match=f"parameters = .{re.escape(name)}., which is no parameter"):
            Step(**options, parameters=(name,))
    assert Step(**options, parameters=("final_*", "static")).parameters == ("final_*", "static")


def test_a_step_around_a_stage_may_read_anything(here):
    step, around = (
        Step(
            name="a",
            summary="A.",
            needs=(),
            makes=(),
            over="run",
            run=lambda job: {},
            parameters=("blot*",),
            provider=p,
        )
        for p in ("drizframe", "other 1.0 around drizframe")
    )
    bound = [BoundStep(s, None, {}, {}) for s in (step, around)]
    assert [task_keys._declared(s, "sky_bits") for s in bound] == [False, True]
    assert [task_keys._declared(s, "blot_interp") for s in bound] == [True, True]
    assert [task_keys._declared(s, "cr_detector") for s in bound] == [False, True]
    assert [task_keys._declared(s, "crbit") for s in bound] == [True, True]


# -- parameters ------------------------------------------------------------------------------------------------------

#: Another value of each parameter on which no number of a result depends.
OTHERS = {
    "executor": "serial", "max_memory": "0.5MB", "num_cores": 2, "tile_size": 16, "workdir": "scratch", "keep": "single.sci",
    "runfile": "mine.log", "overwrite_products": True, "build": True, "writer": "fits-mef", "combine_bufsize": 0.001, "resume": True,
}  # fmt: skip
#: Those of the drop-in alone: `drizframe.run` refuses them.
OF_DROP_IN = {"in_memory": True, "clean": True, "preserve": False, "overwrite": True, "restore": True}


def test_the_parameters_without_effect_are_those_that_are_tried():
    assert without_effect() == {*OTHERS, *OF_DROP_IN}
    assert without_effect() < set(Parameters.model_fields)


@pytest.fixture(scope="module")
def numbers(exposures):
    return bits(drizframe.run(str(exposures / "*_flt.fits"), num_cores=1))


@pytest.mark.filterwarnings("ignore:writer='fits-mef' writes nothing")
@pytest.mark.parametrize("name", OTHERS)
def test_a_parameter_without_effect_changes_no_bit(name, here, numbers):
    more = {"workdir": "scratch"} if name == "resume" else {}
    assert bits(drizframe.run("*_flt.fits", **({"num_cores": 1} | more | {name: OTHERS[name]}))) == numbers


@pytest.mark.parametrize("name", OF_DROP_IN)
def test_a_parameter_without_effect_changes_no_bit_of_the_drop_in(name, here, monkeypatch):
    from astropy.io import fits

    from drizframe import astrodrizzle

    found = []
    for k, options in enumerate(({}, {name: OF_DROP_IN[name]})):
        (here / str(k)).mkdir()
        for path in here.glob("*_flt.fits"):
            shutil.copy(path, here / str(k))
        monkeypatch.chdir(here / str(k))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            astrodrizzle.AstroDrizzle("*_flt.fits", output="out", num_cores=1, **options)
        with fits.open(next(Path().glob("out_drz*.fits"))) as hdus:
            found.append(b"".join(h.data.tobytes() for h in hdus if h.is_image and h.data is not None))
    assert found[0] == found[1]


def test_the_page_on_interrupted_runs_lists_the_parameters_without_effect():
    page = (Path(__file__).parents[3] / "docs/how-to/interrupted.md").read_text()
    assert {name for name in without_effect() if f"`{name}`" in page} == without_effect()
