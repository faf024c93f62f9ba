"""Every parameter does something or is refused: for each there is a run in which another value of it can be told.

A parameter that is added to the model is tried with another value in a plain run; where that cannot tell, it needs an entry.
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
import sys
import threading
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from astropy.io import fits

import drizframe
from drizframe import Executor, _fast, astrodrizzle, hookimpl
from drizframe.config import Parameters
from drizframe.data import stis_sample
from drizframe.errors import DrizframeError, ParameterError, UnsupportedError
from drizframe.simulate import Sky, dither, random_scene, simulate

SHAPE = (40, 44)


@dataclass(frozen=True)
class Witness:
    """A run in which a parameter can be told: its other value, what else is set, and whose exposures."""

    value: Any
    base: Mapping[str, Any] = field(default_factory=dict)
    inputs: str = "acs"
    files: bool = False


def w(value: Any, inputs: str = "acs", *, files: bool = False, **base: Any) -> Witness:
    return Witness(value, base, inputs, files)


FINAL_ONLY = {"driz_cr": False, "median": False, "blot": False, "driz_separate": False}
MODE = {"skystat": "mode", **FINAL_ONLY}
SEPARATE_FRAME = {"driz_sep_outnx": 60, "driz_sep_outny": 60}
FINAL_FRAME = {"final_outnx": 60, "final_outny": 60, **FINAL_ONLY}
CENTRE = {"final_ra": 150.1, "final_dec": 2.2, **FINAL_FRAME}
SEPARATE_CENTRE = {"driz_sep_ra": 150.1, "driz_sep_dec": 2.2, **SEPARATE_FRAME}
MEDIAN = {"combine_type": "median"}

#: Of `drizframe.run`.
WITNESSES: dict[str, Witness] = {
    # -- the run
    "runfile": w("mine.log", files=True),
    "wcskey": w("A"),
    "proc_unit": w("electrons", "stis"),
    "coeffs": w(False),
    "context": w(False),
    "group": w("1"),
    "build": w(True, files=True),
    "writer": w("fits-mef", files=True),
    "crbit": w(8192, files=True, driz_cr_corr=True),
    "stepsize": w(0),
    "resetbits": w(0),
    "num_cores": w(3, executor="watch.executor"),
    "rules_file": w("mine.rules", files=True),
    "backend": w("reference"),
    "executor": w("serial", num_cores=2, cr_detector="watch.detector"),
    "max_memory": w("0.3MB", workdir="scratch", tile_size=16, num_cores=1),
    "verify_inputs": w("error", "damaged", **FINAL_ONLY),
    "allow_missing": w("dq", "flagless", **FINAL_ONLY),
    "overwrite_products": w(True, "occupied", files=True, **FINAL_ONLY),
    "max_pixels": w(1000, **FINAL_ONLY),
    "allow_sparse": w(True, "apart", final_rot=0.0, **FINAL_ONLY),
    "tile_size": w(16),
    "workdir": w("scratch", max_memory="0.3MB", tile_size=16, num_cores=1),
    "resume": w(True, workdir="scratch", **FINAL_ONLY),
    "keep": w("median", files=True),
    "layers": w("variance"),
    "cr_detector": w("watch.detector"),
    "crmasks": w({"jsim01aaq": [np.eye(*SHAPE, dtype=np.uint8)] * 2}),
    "blot_stepsize": w(0, stepsize=0),
    "plugins": w({"watch": {"factor": 3.0}}, cr_detector="watch.detector"),
    # -- masks and sky
    "static": w(False),
    "static_sig": w(1.0),
    "skysub": w(False),
    "skymethod": w("globalmin"),
    "skywidth": w(0.02, **MODE),
    "skystat": w("mean"),
    "skylower": w(55.0, **FINAL_ONLY),
    "skyupper": w(60.0, **FINAL_ONLY),
    "skyclip": w(0, skystat="mean"),
    "skylsigma": w(1.0, skystat="mean"),
    "skyusigma": w(1.0, skystat="mean"),
    "skymask_cat": w("skymask.cat", skystat="mean", skyclip=0, **FINAL_ONLY),
    "use_static": w(False, static_sig=1.0, skystat="mean", skyclip=0),
    "sky_bits": w(64, skystat="mean", skyclip=0),
    "skyfile": w("sky.txt"),
    "skyuser": w("USERSKY", skysub=False),
    # -- single images
    "driz_separate": w(False, driz_cr=False, driz_combine=False),
    "driz_sep_kernel": w("square"),
    "driz_sep_wt_scl": w(2.0, files=True, keep="single.wht"),
    "driz_sep_pixfrac": w(0.5),
    "driz_sep_fillval": w(-5.0, files=True, keep="single.sci"),
    "driz_sep_bits": w(64),
    "driz_sep_wcs": w(True, driz_sep_rot=20.0),
    "driz_sep_refimage": w("frame.fits"),
    "driz_sep_rot": w(20.0),
    "driz_sep_scale": w(0.07),
    "driz_sep_outnx": w(70, **SEPARATE_FRAME),
    "driz_sep_outny": w(70, **SEPARATE_FRAME),
    "driz_sep_ra": w(150.1001, **SEPARATE_CENTRE),
    "driz_sep_dec": w(2.2001, **SEPARATE_CENTRE),
    "driz_sep_crpix1": w(20.0, driz_sep_crpix1=30.0, driz_sep_crpix2=30.0, **SEPARATE_CENTRE),
    "driz_sep_crpix2": w(20.0, driz_sep_crpix1=30.0, driz_sep_crpix2=30.0, **SEPARATE_CENTRE),
    # -- median, blot, cosmic rays
    "median": w(False, driz_cr=False),
    "median_newmasks": w(False, combine_maskpt=0.95),
    "combine_maskpt": w(0.95),
    "combine_type": w("median"),
    "combine_nsigma": w("1 0.5"),
    "combine_nlow": w(1, **MEDIAN),
    "combine_nhigh": w(1, **MEDIAN),
    "combine_lthresh": w(0.0, **MEDIAN),
    "combine_hthresh": w(0.05, **MEDIAN),
    "combine_grow": w(4, combine_nsigma="1 0.5"),
    "combine_bufsize": w(0.001),
    "blot": w(False, files=True, keep="all", driz_cr=False),
    "blot_interp": w("linear"),
    "blot_sinscl": w(0.8, blot_interp="sinc"),
    "blot_addsky": w(False),
    "blot_skyval": w(40.0, blot_addsky=False),
    "driz_cr": w(False),
    "driz_cr_corr": w(True, files=True),
    "driz_cr_snr": w("30 20"),
    "driz_cr_grow": w(3),
    "driz_cr_ctegrow": w(3),
    "driz_cr_scale": w("0.2 0.1"),
    # -- the mosaic
    "driz_combine": w(False),
    "final_wht_type": w("ERR", **FINAL_ONLY),
    "final_kernel": w("turbo", **FINAL_ONLY),
    "final_wt_scl": w("expsq", **FINAL_ONLY),
    "final_pixfrac": w(0.5, **FINAL_ONLY),
    "final_fillval": w(-5.0, **FINAL_ONLY, final_wht_type="ERR"),
    "final_maskval": w(-5.0, **FINAL_ONLY),
    "final_bits": w(64, **FINAL_ONLY),
    "final_units": w("counts", **FINAL_ONLY),
    "final_wcs": w(True, final_rot=20.0, **FINAL_ONLY),
    "final_refimage": w("frame.fits", **FINAL_ONLY),
    "final_rot": w(20.0, **FINAL_ONLY),
    "final_scale": w(0.07, **FINAL_ONLY),
    "final_outnx": w(70, **FINAL_FRAME),
    "final_outny": w(70, **FINAL_FRAME),
    "final_ra": w(150.1001, **CENTRE),
    "final_dec": w(2.2001, **CENTRE),
    "final_crpix1": w(20.0, final_crpix1=30.0, final_crpix2=30.0, **CENTRE),
    "final_crpix2": w(20.0, final_crpix1=30.0, final_crpix2=30.0, **CENTRE),
    # -- the instrument
    "gain": w(3.0, "stis", proc_unit="electrons", **FINAL_ONLY),
    "gainkeyword": w("MYGAIN", "stis", proc_unit="electrons", **FINAL_ONLY),
    "rdnoise": w(100.0),
    "rnkeyword": w("READNSEB"),
    "exptime": w(123.0, **FINAL_ONLY),
    "expkeyword": w("MYTIME", **FINAL_ONLY),
}  # fmt: skip

#: Those whose witness is that a run is refused without them, or with them.
REFUSED_WITHOUT = {"driz_sep_wcs", "final_wcs", "allow_missing", "allow_sparse", "overwrite_products"}
REFUSED_WITH = {"verify_inputs", "max_pixels"}

#: Refused by `drizframe.run`, with the reason; they act in the drop-in (below).
OF_DROP_IN = {
    "restore": True,
    "preserve": False,
    "overwrite": True,
    "clean": True,
    "in_memory": True,
    "use_crmasks": False,
    "force_edits": True,
}

#: Refused everywhere, with the advice what to do.
UNSUPPORTED = {"updatewcs": True, "driz_sep_compress": True}


#: Those that `drizframe.run` takes.
OF_RUN = [n for n in Parameters.model_fields if n not in {*OF_DROP_IN, *UNSUPPORTED}]


def witness_of(name):
    """Return the witness of a parameter; one that acts in a plain run needs none: any other value will do."""
    if name in WITNESSES:
        return WITNESSES[name]
    field = Parameters.model_fields[name]
    chosen = [v for v in get_args(field.annotation) if isinstance(v, str) and v != field.default]
    if chosen:
        return w(chosen[0])
    if isinstance(field.default, bool):
        return w(not field.default)
    if isinstance(field.default, int | float):
        return w(field.default + 1)
    return pytest.fail(f"{name} has no witness: no other value follows from its type. Add one to WITNESSES.")


def test_every_witness_is_of_a_parameter_of_the_run():
    assert set(WITNESSES) <= set(OF_RUN)


def test_a_parameter_with_a_plain_effect_needs_no_witness(monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "WITNESSES", {})
    found = {
        n: witness_of(n).value for n in ("median", "combine_nlow", "final_pixfrac", "backend", "final_units")
    }
    assert found == {
        "median": False, "combine_nlow": 1, "final_pixfrac": 2.0, "backend": "reference", "final_units": "counts",
    }  # fmt: skip


# -- inputs ------------------------------------------------------------------------------------------------------


def occupied(folder):
    """Those of `acs` beside a file with the name of a product."""
    names = acs(folder)
    fits.PrimaryHDU(np.ones((3, 3), np.float32)).writeto(folder / "out_drz_sci.fits")
    return names


def acs(folder):
    """Three exposures with all that parameters may look at."""
    scene = random_scene(5, size=5.0, stars=12, galaxies=1, bright=300.0, sky=Sky(rate=0.3))
    pointings = dither(3, step=0.3, exptime=(200.0, 400.0, 300.0), sky=(0.3, 0.4, 0.2), seed=2)
    simulate("acs_wfc", scene, pointings, seed=6, shape=SHAPE, cosmic_rays=12.0).write(folder, masks=True)
    rng = np.random.default_rng(1)
    for path in folder.glob("*_flt.fits"):
        with fits.open(path, mode="update") as hdus:
            hdus[0].header["MYTIME"] = 77.0
            for k, amplifier in enumerate("ABCD"):
                hdus[0].header[f"READNSE{amplifier}"] = 5.0 + 20 * k
            for hdu in hdus:
                if hdu.name == "SCI":
                    hdu.header["USERSKY"] = 20.0
                    hdu.data[20, 20:23] = -300  # for the static mask
                    for key in (
                        "WCSAXES",
                        "CTYPE1",
                        "CTYPE2",
                        "CRPIX1",
                        "CRPIX2",
                        "CRVAL1",
                        "CRVAL2",
                        "CD1_1",
                        "CD1_2",
                        "CD2_1",
                        "CD2_2",
                    ):
                        hdu.header[key + "A"] = hdu.header.get(key, 2)
                    hdu.header["CRVAL1A"] += 1e-4
                if hdu.name == "ERR":
                    hdu.data[:] = rng.uniform(1, 9, SHAPE)
                    hdu.data[:3] = 0
                if hdu.name == "DQ":
                    flags = rng.random(SHAPE)
                    hdu.data[flags < 0.05] |= 64
                    hdu.data[(flags > 0.05) & (flags < 0.1)] |= 4096
    names = sorted(p.name for p in folder.glob("*_flt.fits"))
    (folder / "sky.txt").write_text("".join(f"{n} {10 + k} {12 + k}\n" for k, n in enumerate(names)))
    (folder / "mine.rules").write_text("!VERSION = 1.1\n!INSTRUMENT = ACS\nUSERSKY OWNSKY first\n")
    frame = drizframe.run([str(folder / n) for n in names[:1]], final_scale=0.06, **FINAL_ONLY)
    frame.write(folder / "frame.fits")
    (folder / "frame_sci.fits").rename(folder / "frame.fits")
    return names


def stis(folder):
    """Counts, not electrons."""
    (folder / "o4k19a010_flt.fits").write_bytes(gzip.decompress(stis_sample().read_bytes()))
    with fits.open(folder / "o4k19a010_flt.fits", mode="update") as hdus:
        for hdu in hdus:
            hdu.header["MYGAIN"] = 2.5
    return ["o4k19a010_flt.fits"]


def damaged(folder):
    """One file whose checksum does not hold."""
    names = acs(folder)
    with fits.open(folder / names[0], mode="update", checksum=True) as hdus:
        hdus["SCI", 1].data[5, 5] = 77
    data = bytearray((folder / names[0]).read_bytes())
    with fits.open(folder / names[0]) as hdus:
        data[hdus["SCI", 1].fileinfo()["datLoc"] + 2] ^= 1
    (folder / names[0]).write_bytes(data)
    return names


def flagless(folder):
    """One file has lost the flags of a chip."""
    names = acs(folder)
    with fits.open(folder / names[0], mode="update") as hdus:
        del hdus["DQ", 2]
    return names


def apart(folder):
    """One file lies a minute of arc from the others, in both directions."""
    names = acs(folder)
    with fits.open(folder / names[0], mode="update") as hdus:
        for hdu in hdus:
            if hdu.name == "SCI":
                hdu.header["CRVAL1"] += 0.018
                hdu.header["CRVAL2"] += 0.018
    return names


@pytest.fixture(scope="module")
def visits(tmp_path_factory):
    """``visits(name)``: the folder and the names of the exposures."""
    made: dict[str, tuple[Path, list[str]]] = {}

    def get(name):
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                made[name] = folder, globals()[name](folder)
        return made[name]

    return get


# -- what can be told of a run -------------------------------------------------------------------------------------


class Watch:
    """A plugin and listener that sees where and how tasks run; with a detector that has an option."""

    def __init__(self):
        self.seen = set()
        self.scratch = Path("scratch")

    @hookimpl
    def drizframe_executors(self):
        def watched(workers):
            self.seen.add(("workers", workers))
            return ThreadPoolExecutor(1)

        yield Executor(name="watch.executor", summary="Sees the workers.", open=watched)

    @hookimpl
    def drizframe_cosmic_ray_detectors(self):
        from pydantic import BaseModel

        from drizframe import CosmicRayDetector

        class Options(BaseModel):
            factor: float = 1.5

        def detect(sci, blot, deriv, noise, depth, dq, options):
            self.seen.add(("thread", threading.current_thread() is threading.main_thread()))
            return (np.abs(sci - blot) > 100 * options.plugin.factor).astype(np.uint8)

        yield CosmicRayDetector(
            name="watch.detector", summary="By a difference.", reference=detect, traits=frozenset({"needs_blot"}), options_model=Options
        )  # fmt: skip

    @hookimpl
    def drizframe_progress(self, event):
        if event.kind == "progress":
            self.seen.add(("tasks", event.step, event.total))
            self.seen.add(("scratch", any(self.scratch.rglob("*.raw"))))
            self.seen.add(("journal", any(self.scratch.rglob("journal"))))


def digest(value):
    """Something that is equal for equal results."""
    if isinstance(value, np.ndarray):
        return hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest(), value.shape
    if isinstance(value, Mapping):
        return {str(k): digest(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [digest(v) for v in value]
    return repr(value)


def of_file(path):
    """Contents of a product, but for what differs from run to run."""
    if path.suffix != ".fits":
        return path.suffix
    with fits.open(path) as hdus:
        cards = {
            (h.name, k): v
            for h in hdus
            for k, v in h.header.items()
            if k not in ("DATE", "HISTORY", "COMMENT", "")
        }
        return digest([h.data for h in hdus if h.is_image and h.data is not None]), digest(cards)


def told(watch, names, *, files, parameters):
    """All that can be told of a run."""
    before = set(Path().iterdir())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = drizframe.run(
                names, "out" if files else None, listeners=[watch], **({"num_cores": 1} | parameters)
            )
    except DrizframeError as error:
        return {"error": f"{type(error).__name__}: {error}"}
    mosaic = result.mosaic
    found = {
        "mosaic": mosaic and digest([mosaic.sci, mosaic.wht, mosaic.ctx, mosaic.var, mosaic.unit, mosaic.exptime]),
        "frames": digest([(f.shape, f.wcs.to_header_string()) for f in result.frames.values()]),
        "sky": digest(result.sky),
        "rays": digest(result.cosmic_rays),
        "cleaned": digest(result.cleaned),
        "median": digest(result.median),
        "backends": digest(result.backends),
        "seen": sorted(map(repr, watch.seen)),
        "map_error": result.map_error,
    }  # fmt: skip
    new = sorted(set(Path().iterdir()) - before)
    found["files"] = {
        p.name: of_file(p)
        for p in new
        if p.is_file() and p.name.startswith(("out", "jsim", "mine", "astrodrizzle"))
    }
    for path in new:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return found


@pytest.fixture
def watch():
    plugin = Watch()
    name = drizframe.register(plugin, name="watch")
    yield plugin
    drizframe.unregister(name)


_without: dict[Any, Any] = {}


@pytest.mark.parametrize("name", OF_RUN)
def test_another_value_can_be_told_or_is_refused(name, visits, watch, monkeypatch):
    if name == "backend" and _fast.load("square") is None:
        pytest.skip("compiled modules are not there, or switched off")
    witness = witness_of(name)
    folder, names = visits(witness.inputs)
    monkeypatch.chdir(folder)
    Path("scratch").mkdir(exist_ok=True)
    base = dict(witness.base)
    other = base | {name: witness.value}
    if name in ("driz_sep_wcs", "final_wcs"):  # giving any of its parameters switches a frame on
        base |= {name: False}
    key = repr((witness.inputs, witness.files, sorted(base.items(), key=str)))
    if key not in _without:
        _without[key] = told(watch, names, files=witness.files, parameters=base)
        watch.seen.clear()
    without = _without[key]
    with_it = told(watch, names, files=witness.files, parameters=other)
    assert ("error" in without) is (name in REFUSED_WITHOUT), without
    assert ("error" in with_it) is (name in REFUSED_WITH), with_it
    assert with_it != without


@pytest.mark.parametrize("name", OF_DROP_IN)
def test_parameters_of_the_drop_in_are_refused_by_run_with_the_reason(name, visits):
    folder, names = visits("acs")
    with pytest.raises(ParameterError, match=f"{name}={OF_DROP_IN[name]}: drizframe.run .*AstroDrizzle"):
        drizframe.run([str(folder / n) for n in names], **{name: OF_DROP_IN[name]})


@pytest.mark.parametrize("name", UNSUPPORTED)
@pytest.mark.parametrize("program", ["run", "drop-in"])
def test_what_cannot_be_honoured_is_refused_with_advice(name, program, visits, monkeypatch):
    folder, names = visits("acs")
    monkeypatch.chdir(folder)
    call = drizframe.run if program == "run" else astrodrizzle.AstroDrizzle
    with pytest.raises(UnsupportedError, match=f"Parameter {name} = True cannot be honoured"):
        call(names, **{name: True})


# -- the drop-in ---------------------------------------------------------------------------------------------------


def left(here, names, *, output="ref", **parameters):
    """What a run of the drop-in leaves: files, and flags in the inputs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        astrodrizzle.AstroDrizzle(names, output=output, num_cores=1, **parameters)
    return {str(p.relative_to(here)): of_file(p) for p in here.rglob("*") if p.is_file()}


@pytest.fixture
def two(visits, tmp_path, monkeypatch):
    """Two folders with fresh exposures; the names."""
    folder, names = visits("acs")
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        for name in names:
            shutil.copyfile(folder / name, tmp_path / place / name)

    def run(place, **parameters):
        monkeypatch.chdir(tmp_path / place)
        return left(tmp_path / place, names, **parameters)

    return run


TWICE: dict[str, tuple[Any, dict[str, Any]]] = {
    "runfile": ("mine", {}),
    "preserve": (False, {}),
    "clean": (True, {}),
    "in_memory": (True, {}),
    "resetbits": (0, FINAL_ONLY),
    "crbit": (8192, {}),
    "force_edits": (True, {"blot_addsky": False}),
}


@pytest.mark.parametrize("name", TWICE)
def test_parameters_act_on_what_the_drop_in_leaves(name, two):
    value, base = TWICE[name]
    assert two("one", **base) != two("two", **base, **{name: value})


@pytest.mark.parametrize("name", ["overwrite", "restore", "use_crmasks"])
def test_parameters_act_on_what_an_earlier_run_of_the_drop_in_left(name, two):
    first = {"use_crmasks": {"driz_combine": False}}.get(name, FINAL_ONLY)
    later = {"overwrite": {}, "restore": {"resetbits": 0}, "use_crmasks": {}}[name] | FINAL_ONLY
    for place in ("one", "two"):
        two(place, **first)
    assert two("one", **later) != two("two", **later, **{name: OF_DROP_IN[name]})


def test_every_parameter_of_the_drop_in_has_a_witness_there():
    assert {*TWICE, "overwrite", "restore", "use_crmasks"} >= set(OF_DROP_IN)
