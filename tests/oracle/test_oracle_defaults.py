"""Default parameters on real exposures (and the simulated ACS visit that comes with them), and that the check has teeth."""

import hashlib
import lzma
import os
import shutil
import warnings
from pathlib import Path

import cases
import compare
import emulations
import pytest
import visits

import drizframe
from drizframe.grids.mapping import WCSMap

SINGLE = {"median": False, "blot": False, "driz_cr": False}


@pytest.fixture(scope="session")
def exposures(tmp_path_factory):
    """``exposures("stis" | "acs" | "hrc")``: files; real ones where they are, else their stand-ins."""
    into = tmp_path_factory.mktemp("exposures")
    wanted = {
        "stis": ["o4k19a010_flt.fits"],
        "hrc": ["j8bt06nyq_flt.fits"],
        "acs": [f"sim_acs/jsim0{k}aaq_flt.fits" for k in (1, 2, 3)],
    }

    def real(name: str) -> list[Path] | None:
        """Unpacked copies of the files in DRIZFRAME_REAL_DATA; None if any is not there."""
        root = os.environ.get("DRIZFRAME_REAL_DATA")
        if not root:
            return None
        found = []
        for file in wanted[name]:
            target = into / Path(file).name
            packed = Path(root) / f"{file}.xz"
            if (Path(root) / file).is_file():
                shutil.copyfile(Path(root) / file, target)
            elif packed.is_file():
                with lzma.open(packed) as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy)
            else:
                return None
            found.append(target)
        return found

    def get(name: str) -> list[Path]:
        stand_in = {"stis": "stis", "hrc": "hrc", "acs": "acs"}[name]
        files = real(name) or sorted(visits.make(stand_in, into).glob("*_flt.fits"))
        return files[:1] if name == "hrc" else files

    return get


def copies(files, folder):
    return [Path(shutil.copyfile(f, folder / f.name)) for f in files]


def unexplained(name, rows):
    """What is off, but for units of STIS (trap 02-5)."""
    return [r for r in rows if not r.ok and not (name == "stis" and r.name.endswith(" unit"))]


@pytest.mark.parametrize(("name", "parameters"), [("stis", {}), ("acs", {}), ("hrc", SINGLE)])
def test_drop_in_with_defaults(name, parameters, exposures, tmp_path, reference):
    files = exposures(name)
    theirs = reference(files, **parameters)
    copies(files, tmp_path)
    with emulations.column_scales():  # those of STIS and of this HRC frame have no polynomial
        cases.run_ours(tmp_path, sorted(f.name for f in files), **parameters)
    off = unexplained(name, compare.compare(tmp_path, theirs))
    assert not off, "\n".join(map(str, off))


@pytest.mark.parametrize("name", ["stis", "acs"])
def test_python_interface_makes_the_same_and_leaves_the_inputs_alone(name, exposures, tmp_path, reference):
    files = exposures(name)
    theirs = reference(files)
    inputs = copies(files, tmp_path)
    before = [hashlib.sha256(f.read_bytes()).digest() for f in inputs]
    with warnings.catch_warnings(), emulations.column_scales():
        warnings.simplefilter("ignore")
        result = drizframe.run(
            [str(f) for f in inputs], tmp_path / "ref", keep="all", blot_interp=emulations.POLY5
        )
    assert [hashlib.sha256(f.read_bytes()).digest() for f in inputs] == before
    assert all(path.is_file() for path in result.products)
    off = unexplained(name, compare.compare(tmp_path, theirs, inputs=False))
    assert not off, "\n".join(map(str, off))


class WithoutSip(WCSMap):
    """The shipped map, but for the polynomial."""

    def __init__(self, source, target):
        plain = source.deepcopy()
        plain.sip = None
        super().__init__(plain, target)


@pytest.mark.parametrize(("mapping", "agrees"), [(WCSMap, True), (WithoutSip, False)])
def test_leaving_out_the_polynomial_is_noticed(mapping, agrees, exposures, tmp_path, reference):
    files = exposures("acs")
    theirs = reference(files, stepsize=0)
    copies(files, tmp_path)
    cases.run_ours(tmp_path, sorted(f.name for f in files), wcsmap=mapping)
    rows = {r.name: r.ok for r in compare.compare(tmp_path, theirs)}
    assert rows["ref_drz_sci.fits"] is agrees
    assert rows["ref_drz_wht.fits"] is agrees
    assert rows["ref_med.fits"] is agrees
