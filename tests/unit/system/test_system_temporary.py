"""Temporary files say whose they are; those of dead processes go, and nothing else."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys

import pytest

from drizframe.system import owners
from drizframe.system.owners import Mark, start_of
from drizframe.system.temporary import (
    BACKUP,
    JOURNAL,
    PART,
    beside,
    create,
    make_scratch,
    marked,
    remove_scratch,
    sweep_parts,
    sweep_scratch,
)


@pytest.fixture(scope="module")
def dead():
    """The mark of a process that has ended."""
    text = "from drizframe.system.owners import Mark; print(Mark.own())"
    made = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    mark = Mark.parse(made.stdout.strip())
    assert mark is not None
    return mark


def test_a_mark_survives_its_text():
    mark = Mark.own()
    assert Mark.parse(str(mark)) == mark
    assert Mark.parse("final_drz") is None


def test_marks_of_one_process_differ():
    assert Mark.own() != Mark.own()


def test_only_a_process_that_has_ended_is_gone(dead):
    assert dead.gone
    assert not Mark.own().gone


def test_a_reused_number_does_not_keep_the_dead_alive():
    mark = dataclasses.replace(Mark.own(), start="0123456789")
    assert mark.gone


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="needs waitid")
def test_a_process_that_nobody_has_waited_for_has_ended():
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert start_of(child.pid) is None
    child.wait()


def test_nothing_is_known_of_other_machines(dead):
    assert not dataclasses.replace(dead, machine="elsewhere00000000").gone


def test_an_unknown_start_counts_as_alive(monkeypatch):
    mark = Mark.own()
    monkeypatch.setattr(owners, "start_of", lambda _: "0" * 10)
    assert not mark.gone


def test_names_beside_a_file_are_new_hidden_and_marked(tmp_path):
    target = tmp_path / "final_drz_sci.fits"
    one, two = beside(target), beside(target)
    assert one != two
    assert one.parent == tmp_path
    assert one.name.startswith(".final_drz_sci.fits.")
    mark = marked(one, PART)
    assert mark is not None
    assert mark.pid == os.getpid()
    assert marked(one, JOURNAL) is None
    assert marked(target) is None


def test_names_stay_short_enough_for_the_file_system(tmp_path):
    path = beside(tmp_path / ("ä" * 120 + "_staticMask.fits"))
    create(path)
    assert path.exists()


def test_a_link_in_the_way_is_not_followed(tmp_path):
    victim, link = tmp_path / "victim", tmp_path / "link"
    victim.write_text("mine")
    link.symlink_to(victim)
    with pytest.raises(FileExistsError):
        create(link)
    assert victim.read_text() == "mine"


def scratch_of(mark, parent):
    folder = parent / f"drizframe-{mark}"
    folder.mkdir()
    (folder / "sci_0_1_0.raw").write_bytes(b"x")
    return folder


def test_scratch_of_the_dead_goes_and_of_the_living_stays(tmp_path, dead):
    gone, ours = scratch_of(dead, tmp_path), make_scratch(tmp_path)
    elsewhere = scratch_of(dataclasses.replace(dead, machine="elsewhere00000000"), tmp_path)
    assert sweep_scratch(tmp_path) == [gone]
    assert sorted(tmp_path.iterdir()) == sorted([ours, elsewhere])


def test_scratch_folders_are_private(tmp_path):
    assert make_scratch(tmp_path).stat().st_mode & 0o777 == 0o700


def test_a_folder_with_anything_else_in_it_stays(tmp_path, dead):
    folder = scratch_of(dead, tmp_path)
    (folder / "thesis.tex").write_text("years of work")
    (folder / "linked_0.raw").symlink_to(folder / "thesis.tex")
    assert sweep_scratch(tmp_path) == []
    assert (folder / "thesis.tex").read_text() == "years of work"


def test_folders_with_other_names_and_links_stay(tmp_path, dead):
    other = tmp_path / "drizframe-demo"
    other.mkdir()
    (other / "sci_0_1_0.raw").write_bytes(b"x")
    aim = tmp_path / "aim"
    aim.mkdir()
    (aim / "sci_0_1_0.raw").write_bytes(b"x")
    (tmp_path / f"drizframe-{dead}").symlink_to(aim)
    assert sweep_scratch(tmp_path) == []
    remove_scratch(tmp_path / f"drizframe-{dead}")
    assert (aim / "sci_0_1_0.raw").exists()
    assert (other / "sci_0_1_0.raw").exists()


def test_a_folder_that_cannot_be_listed_is_no_error(tmp_path):
    assert sweep_scratch(tmp_path / "missing") == []
    assert sweep_parts(tmp_path / "missing") == []


@pytest.mark.parametrize("ending", [PART, BACKUP])
def test_half_written_files_of_the_dead_go(tmp_path, dead, ending):
    theirs = tmp_path / f".final_drz_sci.fits.{dead}{ending}"
    ours = beside(tmp_path / "final_drz_sci.fits", ending)
    user = tmp_path / ".final_drz_sci.fits.part"
    for path in (theirs, ours, user):
        path.write_bytes(b"x")
    assert sweep_parts(tmp_path) == [theirs]
    assert sorted(tmp_path.iterdir()) == sorted([ours, user])


def test_nothing_that_a_journal_may_need_goes_before_it(tmp_path, dead):
    part, journal = tmp_path / f".a.fits.{dead}{PART}", tmp_path / f".products.{dead}{JOURNAL}"
    for path in (part, journal):
        path.write_bytes(b"x")
    assert sweep_parts(tmp_path) == []
    journal.unlink()
    assert sweep_parts(tmp_path) == [part]


def test_half_written_files_that_are_links_or_needed_stay(tmp_path, dead):
    link = tmp_path / f".a.{dead}{PART}"
    link.symlink_to(tmp_path / "nowhere")
    needed = tmp_path / f".b.{dead}{PART}"
    needed.write_bytes(b"x")
    assert sweep_parts(tmp_path, keep={needed.name}) == []
