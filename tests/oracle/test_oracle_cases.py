"""Parameter sets over small simulated visits and the bundled real exposures, against the reference program."""

import tempfile
from pathlib import Path

import cases
import clients
import pytest
import visits


@pytest.fixture(scope="session")
def visit(tmp_path_factory):
    into = tmp_path_factory.mktemp("visits")
    return lambda name: visits.make(name, into)


@pytest.fixture
def work():
    """Scratch that goes away at once: the products of all cases are many."""
    with tempfile.TemporaryDirectory(prefix="drizframe-oracle-") as folder:
        yield Path(folder)


@pytest.mark.parametrize("case", cases.MAPPING, ids=str)
def test_kernels_frames_and_blot(case, visit, work, reference):
    wrong = cases.judge(case, cases.rows_of(case, visit(case.visit), work, reference))
    assert not wrong, wrong


@pytest.mark.parametrize("case", cases.STEPS, ids=str)
def test_masks_sky_median_weights_rays_and_units(case, visit, work, reference):
    wrong = cases.judge(case, cases.rows_of(case, visit(case.visit), work, reference))
    assert not wrong, wrong


@pytest.mark.parametrize("case", clients.CLIENTS, ids=str)
def test_calls_of_public_programs(case, visit, work, reference):
    wrong = cases.judge(case, cases.rows_of(case, visit(case.visit), work, reference))
    assert not wrong, wrong


def test_every_exclusion_names_cases_that_exist():
    names = {c.name for c in cases.MAPPING + cases.STEPS + clients.CLIENTS}
    for entry in cases.exclusions():
        assert set(entry["cases"]) <= names
        assert entry["reason"]
