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
