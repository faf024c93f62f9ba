"""Parameter sets, and how a set is run through both programs and compared."""

from __future__ import annotations

import contextlib
import os
import shutil
import tomllib
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import compare
import emulations

from drizframe import astrodrizzle

EXCLUDED = Path(__file__).with_name("excluded.toml")


@dataclass(frozen=True)
class Case:
    """A visit and parameters; `inputs` as both programs get them, `also` further files, `ours` what only we get.

    `emulate` names a defect of the reference in emulations.py under which our run is made.
    """

    name: str
    visit: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    inputs: str | None = None
    also: Sequence[str] = ()
    ours: Mapping[str, Any] = field(default_factory=dict)
    emulate: str = ""

    def __str__(self) -> str:
        return self.name


def case(
    name: str, visit: str, *, inputs: str | None = None, also=(), ours=None, emulate="", **parameters: Any
) -> Case:
    """Make a case from keywords."""
    return Case(name, visit, parameters, inputs, also, ours or {}, emulate)


def files_of(case: Case, folder: Path) -> list[Path]:
    """The exposures, and whatever else the case names."""
    return sorted({*folder.glob("*_flt.fits"), *(p for pattern in case.also for p in folder.glob(pattern))})


def run_ours(folder: Path, inputs: Any, **parameters: Any) -> Any:
    """Run the drop-in in a folder."""
    with contextlib.chdir(folder), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what we warn of is tested elsewhere
        settings = {"output": "ref", "build": False, "clean": False, "num_cores": 1} | parameters
        settings.setdefault("blot_interp", emulations.POLY5)  # but for trap 13-3, all else is compared
        return astrodrizzle.AstroDrizzle(inputs, **settings)


@contextlib.contextmanager
def reference_files(folder: Path):
    """Let the instruments' variables point to a folder, as they do for the reference."""
    names = ("iref", "jref", "nref", "oref", "uref")
    old = {n: os.environ.get(n) for n in names}
    os.environ.update(dict.fromkeys(names, "./"))
    try:
        yield
    finally:
        for name, value in old.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def rows_of(case: Case, folder: Path, work: Path, reference: Callable[..., Path]) -> list[compare.Row]:
    """Run a case through both and compare."""
    files = files_of(case, folder)
    inputs = case.inputs or sorted(p.name for p in files if p.name.endswith("_flt.fits"))
    theirs = reference(files, inputs, **case.parameters)
    for path in files:
        shutil.copyfile(path, work / path.name)
    defect = getattr(emulations, case.emulate)() if case.emulate else contextlib.nullcontext()
    with reference_files(work), defect:
        run_ours(work, inputs, **{**case.parameters, **case.ours})
    output = str(case.parameters.get("output", ""))
    root = output.removesuffix(".fits") if output.endswith(".fits") else ""
    return compare.compare(work, theirs, root=root, final=bool(case.parameters.get("driz_combine", True)))


def exclusions() -> list[dict[str, Any]]:
    """What deliberate differences change: see excluded.toml."""
    return tomllib.loads(EXCLUDED.read_text()).get("excluded", [])


def judge(case: Case, rows: Sequence[compare.Row]) -> str:
    """Say what is wrong: rows that are off and not excluded, exclusions that nothing needs; empty if all is well."""
    wrong = []
    excused: set[str] = set()
    for entry in exclusions():
        if case.name not in entry["cases"]:
            continue
        hit = {r.name for r in rows if not r.ok and any(fnmatch(r.name, p) for p in entry["rows"])}
        if not hit:
            wrong.append(f"excluded.toml: trap {entry['trap']} excuses nothing here; take the case out")
        excused |= hit
    wrong += [str(r) for r in rows if not r.ok and r.name not in excused]
    return "\n".join(wrong)


#: For cases that flag so much that we would leave the inputs alone; the reference edits them whatever came out.
FORCED = {"force_edits": True}

#: Frames and kernels (mapping, drizzle, blot).
MAPPING = [
    case("square-small", "acs", final_pixfrac=0.7, final_scale=0.04),
    case("square-rotated", "acs", final_rot=27.0, final_pixfrac=0.9),
    case("square-coarse", "acs", final_scale=0.09, final_rot=0.0, final_pixfrac=1.0),
    case("point", "acs", final_kernel="point", driz_sep_kernel="point", final_scale=0.07),
    case("turbo", "acs", final_kernel="turbo", final_pixfrac=0.8, final_scale=0.045),
    case("gaussian", "acs", final_kernel="gaussian", final_pixfrac=0.8),
    case("gaussian-separate", "acs", driz_sep_kernel="gaussian", driz_sep_pixfrac=0.7),
    case("lanczos3", "acs", final_kernel="lanczos3", final_scale=0.04),  # trap 10-9
    case(
        "lanczos3-but-for-its-table",
        "acs",
        final_kernel="lanczos3",
        ours={"final_kernel": emulations.LANCZOS3},
    ),
    case(
        "lanczos3-separate-but-for-its-table",
        "acs",
        driz_sep_kernel="lanczos3",
        ours={"driz_sep_kernel": emulations.LANCZOS3},
    ),
    case(
        "lanczos3-shrunken-but-for-its-table",
        "uvis",
        final_kernel="lanczos3",
        final_pixfrac=0.8,
        ours={"final_kernel": emulations.LANCZOS3},
    ),
    case("square-separate", "acs", driz_sep_kernel="square", driz_sep_pixfrac=0.8, blot_interp="poly3"),
    case("pixfrac-tiny", "acs", final_pixfrac=0.0005, driz_sep_pixfrac=0.5),
    case("pixfrac-large", "acs", final_pixfrac=1.5, final_kernel="square"),
    # Inside a frame of our own: at the upper edge the reference reads what lies behind the image (trap 13-2).
    case("blot-nearest", "acs", blot_interp="nearest", driz_sep_outnx=480, driz_sep_outny=480),
    case("blot-linear", "acs", blot_interp="linear"),
    case("blot-poly5", "acs", ours={"blot_interp": "poly5"}),  # trap 13-3
    case("blot-poly3", "acs", blot_interp="poly3"),
    case("exact", "acs", stepsize=0),
    case("step-1", "acs", stepsize=1, final_kernel="square", final_pixfrac=0.8),
    case("step-40", "acs", stepsize=40),
    case(
        "centre-and-size",
        "acs",
        final_outnx=300,
        final_outny=260,
        final_ra=150.101,
        final_dec=2.201,
        final_rot=45.0,
    ),
    case(
        "separate-frame",
        "acs",
        driz_sep_outnx=330,
        driz_sep_outny=410,
        driz_sep_rot=12.0,
        driz_sep_scale=0.06,
    ),
    case(
        "crpix",
        "acs",
        final_crpix1=20.5,
        final_crpix2=300.25,
        final_ra=150.1,
        final_dec=2.2,
        final_scale=0.05,
    ),
    case("size-only", "acs", final_outnx=401, final_outny=222),
    case("uvis", "uvis"),
    case("uvis-fine", "uvis", final_scale=0.03, final_pixfrac=0.6, final_rot=-60.0, stepsize=1),
    case("uvis-turbo-step-40", "uvis", final_kernel="turbo", stepsize=40, blot_interp="linear"),
    case("uvis-separate", "uvis", driz_sep_kernel="square", driz_sep_rot=90.0, driz_sep_scale=0.05),
    case("ir", "ir"),
    case("ir-fine", "ir", final_scale=0.065, final_pixfrac=0.8, final_rot=0.0),
    case("ir-gaussian", "ir", final_kernel="gaussian", final_pixfrac=0.6, stepsize=40, blot_interp="poly3"),
    case(
        "ir-point",
        "ir",
        driz_sep_kernel="point",
        final_kernel="point",
        final_scale=0.2,
        blot_interp="linear",
        ours=FORCED,
    ),
    case("hrc", "hrc"),
    case("hrc-fine", "hrc", final_scale=0.02, final_pixfrac=0.7, final_rot=180.0),
    case(
        "hrc-square", "hrc", driz_sep_kernel="square", final_kernel="turbo", stepsize=1, blot_interp="nearest"
    ),
]

MASK_LISTS = ("skymask.cat", "*_mask?.fits")
IVM_LISTS = ("ivm.lst", "*_ivm.fits")

#: A frame whose first column is empty.
WIDE: dict[str, Any] = {"driz_sep_outnx": 480, "driz_sep_outny": 480}

#: Masks, sky, combination, weights, cosmic rays, units.
STEPS = [
    case("static-sigma", "acs", static_sig=2.0),
    case("no-static", "acs", static=False),
    case("sky-globalmin", "acs", skymethod="globalmin", skystat="mean"),
    case("sky-match", "square", skymethod="match"),
    case("sky-globalmin-match", "square", skymethod="globalmin+match", skystat="mean", skyclip=3),
    case("sky-mode", "acs", skystat="mode", skywidth=0.2, skylsigma=3.0, skyusigma=2.5),
    case("sky-mode-wide", "acs", skystat="mode", skywidth=0.3, skymethod="globalmin"),
    case("sky-mean", "acs", skystat="mean", skyclip=2, skylower=-50.0, skyupper=300.0),
    case("sky-match-mode", "square_uvis", skymethod="match", skystat="mode", skywidth=0.1),
    case("sky-match-oblong", "acs", skymethod="match"),
    case("sky-match-oblong-but-for-footprints", "acs", skymethod="match", emulate="swapped_footprints"),
    case("sky-limits-clip", "ir", skymethod="localmin", skyclip=1, skylower=0.0, skyupper=5.0),
    case("sky-bits", "acs", sky_bits="64,32", use_static=False),
    case("sky-bits-none", "acs", sky_bits=None),
    case("sky-masks", "acs", skymask_cat="skymask.cat", also=MASK_LISTS),
    case(
        "sky-masks-match", "square", skymask_cat="skymask.cat", skymethod="globalmin+match", also=MASK_LISTS
    ),
    case("sky-file", "acs", skyfile="sky.txt", also=("sky.txt",), ours=FORCED),
    case("sky-file-applied", "acs", skyfile="applied.txt", also=("applied.txt",), ours=FORCED),
    case("sky-user", "acs", skysub=False, skyuser="USERSKY", ours=FORCED),
    case("sky-off", "acs", skysub=False, ours=FORCED),
    case("median", "acs", combine_type="median", combine_nlow=1, combine_nhigh=1),
    case("median-newmasks-off", "acs", combine_type="median", median_newmasks=False),
    case("mean", "acs", combine_type="mean", combine_nhigh=1, combine_maskpt=0.7),
    case("sum", "acs", combine_type="sum"),
    case("minmed", "acs", combine_nsigma="6 2", combine_grow=0, combine_maskpt=0.9),
    case("minmed-grow", "acs", combine_grow=3, combine_nsigma="3 1.5", median_newmasks=False),
    case("minmed-pair", "acs_pair", combine_grow=2),
    case("median-pair", "acs_pair", combine_type="median"),
    # Traps 12-1 and 12-2: what differs is the median image alone; all else is as with the plain combiners.
    case("imedian", "acs", combine_type="imedian", blot=False, driz_cr=False),
    case("imean", "acs", combine_type="imean", combine_nlow=1, blot=False, driz_cr=False),
    case("iminmed", "acs", combine_type="iminmed", blot=False, driz_cr=False),
    case(
        "imedian-but-for-its-filling", "acs", combine_type="imedian", **WIDE, ours={"combine_type": "median"}
    ),
    case(
        "imean-but-for-its-filling",
        "acs",
        combine_type="imean",
        combine_nlow=1,
        **WIDE,
        ours={"combine_type": "mean"},
    ),
    case(
        "iminmed-but-for-its-filling", "acs", combine_type="iminmed", **WIDE, ours={"combine_type": "minmed"}
    ),
    case("weights-number", "acs", final_wt_scl=2.5, driz_sep_wt_scl=0.5),
    case("weights-err", "acs", final_wht_type="ERR", final_scale=0.04),
    case("weights-ivm-user", "acs", final_wht_type="IVM", inputs="@ivm.lst", also=IVM_LISTS),
    case("weights-ivm", "acs_flat", final_wht_type="IVM", final_scale=0.06, also=("*_pfl.fits",)),
    case(
        "weights-ivm-uvis", "uvis", final_wht_type="IVM", inputs="@ivm.lst", also=IVM_LISTS, final_pixfrac=0.8
    ),
    case("cr-grow-2", "acs", driz_cr_grow=2, driz_cr_snr="4.0 3.0", driz_cr_scale="1.5 0.7", ours=FORCED),
    case("cr-grow-3", "acs", driz_cr_grow=3, driz_cr_ctegrow=5, ours=FORCED),
    case("cr-cte", "hrc", driz_cr_ctegrow=4, driz_cr_snr="5,4", ours=FORCED),
    case("cr-corrected", "hrc", driz_cr_corr=True),
    case("cr-corrected-chips", "acs", driz_cr_corr=True, driz_cr_grow=2, ours=FORCED),
    case("cr-no-addsky", "acs", blot_addsky=False, blot_skyval=30.0, ours=FORCED),
    case("cr-bit", "acs", crbit=8192, resetbits=8192),
    case("no-reset", "acs", resetbits=0, driz_sep_bits="4096", final_bits="4096+64"),
    case("bits", "acs", driz_sep_bits="~64", final_bits="64,32", sky_bits=96),
    case("bits-none", "acs", final_bits=None, driz_sep_bits=None),
    case("counts", "acs", final_units="counts", proc_unit="electrons"),
    case("overrides", "acs", gain="1.7", rdnoise="9.0", exptime="450"),
    case(
        "override-keywords", "acs", gnkeyword="ATODGNB", rnkeyword="READNSEC,READNSED", expkeyword="EXPTIME"
    ),
    case("fill", "acs", final_fillval=-7.5, driz_sep_fillval=-3.0),
    case("mask-value", "acs", final_maskval=99.0),
    case("no-context", "acs", context=False),
    case("build", "acs", build=True),
    case("build-no-context", "uvis", build=True, context=False, final_units="counts"),
    case("group", "acs", group="1"),
    # Without sky: with it the reference takes the exposure time of the median's noise model from the chip left out.
    case("group-names", "acs", group="sci,2", skysub=False, ours=FORCED),
    case("group-names-but-for-time", "acs", group="sci,2", emulate="time_of_other_chips"),
    case("switches", "acs", driz_cr=False, blot=False, median=False),
    case("separate-only", "acs", driz_combine=True, driz_cr=False, blot=False, combine_type="mean"),
    case("ir-counts", "ir", final_units="counts", combine_type="median", driz_cr_grow=3),
    case(
        "ir-match-oblong-but-for-footprints",
        "ir",
        skymethod="match",
        skystat="mean",
        emulate="swapped_footprints",
    ),
    case("stis", "stis", emulate="column_scales"),
    case("stis-electrons", "stis", emulate="column_scales", proc_unit="electrons", final_units="counts"),
    case(
        "stis-native-counts",
        "stis",
        emulate="column_scales",
        proc_unit="native",
        final_units="counts",
        skystat="mean",
    ),
    case(
        "stis-square",
        "stis",
        emulate="column_scales",
        driz_sep_kernel="square",
        final_scale=0.04,
        driz_cr_grow=3,
        final_bits="16+1024",
    ),
    case(
        "stis-err",
        "stis",
        emulate="column_scales",
        final_wht_type="ERR",
        combine_type="mean",
        driz_cr_snr="6.0 4.5",
    ),
    case(
        "stis-overrides",
        "stis",
        emulate="column_scales",
        gain="2.0",
        rdnoise="5.0",
        driz_cr_scale="2.0 1.0",
        driz_cr_ctegrow=3,
    ),
    case("stis-gains", "stis_gains", emulate="gain_of_the_last_chip"),
    case("stis-gains-electrons", "stis_gains", emulate="column_scales", proc_unit="electrons"),
    case("fk5", "acs_fk5", final_rot=0.0),
    # Without the emulation positions are converted: 20 milliarcsec, and another frame.
    case("two-systems-but-for-their-difference", "acs_two_systems", final_rot=0.0, emulate="one_sky_system"),
    # Pixels of a linear WCS that are not square: the areas themselves, and the reference's column scale.
    case("stis-areas", "stis", driz_sep_kernel="square"),
    case("hrc-linear", "hrc_linear", driz_sep_kernel="square"),
    case("hrc-linear-but-for-areas", "hrc_linear", driz_sep_kernel="square", emulate="column_scales"),
    case("hrc-linear-turbo-but-for-areas", "hrc_linear", final_scale=0.03, emulate="column_scales"),
]
