"""Steps 1 to 6 first and the final image later, against the reference program doing the same."""

import shutil

import cases
import compare
import pytest
from test_oracle_cases import visit, work

__all__ = ["visit", "work"]

FIRST = {"driz_combine": False}
LATER = {"driz_cr": False, "driz_separate": False, "median": False, "blot": False}


def exposures(folder):
    return sorted(folder.glob("*_flt.fits"))


def passed(folder):
    """What a first pass leaves for a second one."""
    return [*exposures(folder), *sorted(folder.glob("*_crmask.fits"))]


@pytest.mark.parametrize("masks", ["own", "of the reference"])
@pytest.mark.parametrize("more", [{}, {"clean": True}], ids=["kept", "clean"])
@pytest.mark.parametrize("name", ["ir", "acs"])
def test_two_passes_agree_with_two_passes_of_the_reference(name, more, masks, visit, work, reference):
    files = exposures(visit(name))
    inputs = [f.name for f in files]
    first = reference(files, inputs, **FIRST)
    theirs = reference(passed(first), inputs, **LATER, **more)
    for path in files if masks == "own" else passed(first):
        shutil.copyfile(path, work / path.name)
    if masks == "own":
        cases.run_ours(work, inputs, **FIRST)
    cases.run_ours(work, inputs, **LATER, **more)
    # copies of the originals are made by the pass that meets them first
    rows = [r for r in compare.compare(work, theirs) if not r.name.startswith("OrIg_files")]
    assert not [str(r) for r in rows if not r.ok]
    left = {p.name for p in theirs.glob("*.fits")}
    assert not more or {p.name for p in work.glob("*.fits")} == left


@pytest.mark.parametrize("name", ["hrc", "acs"])
def test_the_flags_of_a_first_pass_serve_the_second_without_its_masks(name, visit, work, reference):
    files = exposures(visit(name))
    inputs = [f.name for f in files]
    later = LATER | {"resetbits": 0, "final_bits": 64}
    first = reference(files, inputs, **FIRST)
    theirs = reference(exposures(first), inputs, **later)
    for path in exposures(first):
        shutil.copyfile(path, work / path.name)
    cases.run_ours(work, inputs, **later)
    rows = [r for r in compare.compare(work, theirs) if not r.name.startswith("OrIg_files")]
    assert rows
    assert not [str(r) for r in rows if not r.ok]


def test_a_second_pass_may_write_into_another_folder(visit, work, reference):
    files = exposures(visit("ir"))
    inputs = [f.name for f in files]
    theirs = reference(passed(reference(files, inputs, **FIRST)), inputs, **LATER, clean=True)
    for path in files:
        shutil.copyfile(path, work / path.name)
    (work / "products").mkdir()
    cases.run_ours(work, inputs, **FIRST, output="products/ref")
    cases.run_ours(work, inputs, **LATER, clean=True, output="products/ref")
    made = list((work / "products").glob("*.fits"))
    assert {p.name for p in made} == {"ref_drz_sci.fits", "ref_drz_wht.fits", "ref_drz_ctx.fits"}
    for path in made:
        path.rename(work / path.name)
    rows = [r for r in compare.compare(work, theirs) if not r.name.startswith("OrIg_files")]
    assert not [str(r) for r in rows if not r.ok]


@pytest.mark.parametrize("bits", [None, "None"])
def test_a_call_that_gives_no_bits_to_reset_runs_where_the_reference_crashes(bits, visit, work, reference):
    files = exposures(visit("ir"))
    inputs = [f.name for f in files]
    theirs = reference(files, inputs, resetbits=0)
    for path in files:
        shutil.copyfile(path, work / path.name)
    cases.run_ours(work, inputs, resetbits=bits)
    assert not [str(r) for r in compare.compare(work, theirs) if not r.ok]
