"""No path from a file leaves its folder, whatever a header, a table, a link or a journal says."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import security_files as files

from drizframe.system.owners import Mark

KINDS = ("keywords", "links", "journals", "products")
HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(
    os.name == "nt", reason="links and paths of this kind are not those of Windows"
)


def contents(folder):
    return {
        str(p.relative_to(folder)): (
            hashlib.sha256(p.read_bytes()).hexdigest(),
            p.stat().st_mode,
            p.stat().st_mtime_ns,
        )
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def watched(tmp_path, *kinds):
    """Run the cases of some kinds; return what came of each, after a look at the files outside."""
    work, outside = tmp_path / "work", tmp_path / "outside"
    for folder in (work, outside, work / "tmp", work / "home", work / "jref"):
        folder.mkdir()
    for name in (
        "victim",
        "victim.fits",
        "victim_flt.fits",
        "victim_pfl.fits",
        "victim_spt.fits",
        "victim.rules",
    ):
        files.exposure(outside / name)
    (outside / "other").write_text("precious")
    mark = Mark(Mark.own().machine, 2**22 - 1, "0123456789", "1" * 16)
    record = {"target": "other", "backup": f".other.{mark}.old", "part": None, "size": 8, "changed": 0}
    os.utime(outside / "other", ns=(0, 0))
    journal = {"state": "commit", "with": [], "moves": [record]}
    (outside / f".products.{mark}.journal").write_text(json.dumps(journal))
    before = contents(outside)
    environment = {
        **os.environ, "TMPDIR": str(work / "tmp"), "HOME": str(outside), "BAIT": str(outside), "jref": str(work / "jref"),
        "PYTHONDONTWRITEBYTECODE": "1", "XDG_CACHE_HOME": str(work / "home"), "XDG_CONFIG_HOME": str(work / "home"),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, str(HERE / "security_watch.py"), str(work), str(outside), *kinds],
        env=environment, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert contents(outside) == before
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return {k: watched(tmp_path_factory.mktemp(k), k) for k in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_outside_of_the_folder_is_opened_written_or_removed(results, kind):
    assert len(results[kind]) >= 8
    assert {r["case"]: r["seen"] for r in results[kind] if r["seen"]} == {}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_refused_is_an_error_of_ours_that_names_it(results, kind):
    crashes = {r["case"]: r["outcome"] for r in results[kind] if r["outcome"].startswith("crash")}
    assert crashes == {}
    assert all(r["outcome"].isprintable() for r in results[kind])


def test_names_of_keywords_and_tables_are_refused_with_the_keyword(results):
    refused = {
        "stis": "EXPNAME",
        "member": "MEMNAME of a member",
        "product": "MEMNAME of the product",
        "support": "ROOTNAME",
    }
    for result in results["keywords"]:
        kind = result["case"].partition(" ")[0]
        if kind in refused:
            assert result["outcome"].startswith("InputError: "), result
            assert refused[kind] in result["outcome"]
            assert "not taken as the name of a file" in result["outcome"]
        else:
            assert result["outcome"] == "ok", result


def test_links_are_replaced_or_refused(results):
    outcomes = {r["case"]: r["outcome"] for r in results["links"]}
    assert {k for k, v in outcomes.items() if v == "ok"} == {"archive_overwritten", "split_file", "products"}
    assert "OrIg_files" in outcomes["archive_folder"]
    assert "is not taken for a copy" in outcomes["archive_copy"]
    assert "jb_flt.fits is a link to" in outcomes["member_link"]
    assert "it is a link" in outcomes["journal_link"]
    assert "delete it and run again" in outcomes["lock_link"]


def test_planted_journals_are_not_believed_and_the_error_says_what_to_do(results):
    for result in results["journals"]:
        harmless = (
            result["case"] == "journal link prepare"
        )  # its temporary file is a link, which is left alone
        if not harmless:
            assert result["outcome"].startswith("OutputError: "), result
            assert "then delete it" in result["outcome"], result
