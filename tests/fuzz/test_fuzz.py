"""Hostile inputs of every subject; see fuzz_driver.py. `tox -e fuzz` runs thousands."""

from __future__ import annotations

import collections

import fuzz_driver
import pytest
from fuzz_faults import KINDS

pytestmark = pytest.mark.slow

#: What is fuzzed; each is a module ``fuzz_<subject>``.
SUBJECTS = ("files", "beside", "calls")


@pytest.mark.parametrize("subject", SUBJECTS)
def test_hostile_inputs_are_refused_by_name_or_give_right_results(subject, tmp_path):
    jobs = fuzz_driver.jobs_of([subject], range(60 if subject == "beside" else 300))
    failed = [str(o) for o in fuzz_driver.run_cases(jobs, tmp_path) if o.failed]
    assert not failed, "\n".join(failed)


def test_the_fuzzer_sees_every_kind_of_fault(tmp_path):
    jobs = fuzz_driver.jobs_of(["faults"], range(len(KINDS)))
    found = {o.case["what"]: o.kind for o in fuzz_driver.run_cases(jobs, tmp_path, seconds=1.0)}
    special = {"plugin": "bare", "wrapped memory": "memory"}
    assert found == {kind: special.get(kind, kind) for kind in KINDS}


def test_a_case_is_made_again_from_its_seed():
    import fuzz_calls
    import fuzz_files

    for module, key in ((fuzz_files, "base"), (fuzz_calls, "function")):
        first, again = ([module.make(s) for s in range(60)] for _ in range(2))
        assert first == again
        assert len({c[key] for c in first}) >= 6


def test_every_base_is_sound(tmp_path):
    import fuzz_corpus
    import fuzz_files

    jobs = [
        ("files", {"base": base, "file": "", "pack": False, "mutations": [], "door": door})
        for base in fuzz_corpus.BASES
        for door in sorted(set(fuzz_files.DOORS))
    ]
    found = collections.Counter(o.kind for o in fuzz_driver.run_cases(jobs, tmp_path))
    assert found == {"ok": len(jobs)}
