"""Files of one run appear together; what stops them half-way is undone, or finished by the next run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from drizframe.errors import OutputError
from drizframe.stock.io.atomic import staged
from drizframe.system import transaction
from drizframe.system.owners import Mark, start_of
from drizframe.system.temporary import BACKUP, JOURNAL, beside
from drizframe.system.transaction import recover_products, together

NAMES = ("final_drz_sci.fits", "final_drz_wht.fits", "sub/a_single_sci.fits")


@pytest.fixture
def folder(tmp_path):
    """Products of an earlier run: two in a folder, one in another; and one that is stale."""
    (tmp_path / "sub").mkdir()
    for name in (*NAMES[1:], "final_drz_ctx.fits"):
        (tmp_path / name).write_text("old")
    return tmp_path


def write_all(folder, text="new"):
    with together() as act:
        act.remove(folder / "final_drz_ctx.fits")
        for name in NAMES:
            with staged(folder / name) as (part,):
                part.write_text(text)


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


OLD = {"final_drz_ctx.fits": "old", "final_drz_wht.fits": "old", "sub/a_single_sci.fits": "old"}
NEW = dict.fromkeys(sorted(NAMES), "new")


def test_all_appear_and_what_is_stale_goes(folder):
    write_all(folder)
    assert contents(folder) == NEW


def stopped(folder):
    with together():
        with staged(folder / NAMES[0]) as (part,):
            part.write_text("new")
        assert not (folder / NAMES[0]).exists()
        raise RuntimeError


def test_an_error_before_the_end_changes_nothing(folder):
    with pytest.raises(RuntimeError):
        stopped(folder)
    assert contents(folder) == OLD


@pytest.mark.parametrize("number", range(1, 8))
def test_an_error_at_any_renaming_leaves_everything_as_it_was(folder, monkeypatch, number):
    count = 0

    def broken(self, target, replace=Path.replace):
        nonlocal count
        if not str(target).endswith(JOURNAL):
            count += 1
            if count == number:
                raise PermissionError(13, "Permission denied")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", broken)
    if number > 4:  # three files and one that is removed
        write_all(folder)
        assert contents(folder) == NEW
        return
    with pytest.raises(OutputError, match=r"as it was before"):
        write_all(folder)
    assert contents(folder) == OLD


def test_files_are_put_back_where_links_are_not_possible(folder, monkeypatch):
    def no_links(*args, **keys):
        raise OSError(95, "Operation not supported")

    def broken(self, target, replace=Path.replace):
        if Path(target).name == "a_single_sci.fits" and self.suffix == ".part":
            raise PermissionError(13, "Permission denied")
        return replace(self, target)

    monkeypatch.setattr(os, "link", no_links)
    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(OutputError):
        write_all(folder)
    assert contents(folder) == OLD


def test_an_interrupt_of_an_application_does_not_leave_a_mixture(folder, monkeypatch):
    count = 0

    def interrupted(self, target, replace=Path.replace):
        nonlocal count
        replace(self, target)
        if not str(target).endswith(JOURNAL):
            count += 1
            if count == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_all(folder)
    assert contents(folder) == NEW


KILL = """
import os, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_system_transaction import write_all
number, count = int(sys.argv[2]), 0
def killed(name):
    function = getattr(Path, name)
    def wrapped(self, *args, **keys):
        global count
        count += 1
        if count == number:
            os._exit(9)
        return function(self, *args, **keys)
    setattr(Path, name, wrapped)
for name in ("replace", "unlink", "write_text"):
    killed(name)
write_all(Path(sys.argv[1]))
"""


def test_a_kill_anywhere_is_finished_or_undone_by_the_next_run(folder, tmp_path_factory):
    """Every third file event is tried: from writing through journals and renamings to their removal."""
    import shutil

    text = KILL.format(tests=str(Path(__file__).parent))
    outcomes = []
    for number in range(2, 40, 3):
        copy = tmp_path_factory.mktemp("killed") / "run"
        shutil.copytree(folder, copy)
        done = subprocess.run([sys.executable, "-c", text, str(copy), str(number)], check=False)
        for place in (copy, copy / "sub"):
            recover_products(place)
        assert contents(copy) in (OLD, NEW), number
        outcomes.append(contents(copy) == NEW)
        if done.returncode == 0:
            break
    assert outcomes == sorted(outcomes)
    assert set(outcomes) == {True, False}


def test_recovery_from_the_other_folder_finishes_both(folder):
    text = KILL.format(tests=str(Path(__file__).parent)).replace(
        "os._exit(9)",
        "print(*sorted(p.name for p in Path(sys.argv[1]).rglob('.*journal')), flush=True); os._exit(9)",
    )
    for number in range(4, 30):
        done = subprocess.run(
            [sys.executable, "-c", text, str(folder), str(number)],
            check=False,
            capture_output=True,
            text=True,
        )
        if len(done.stdout.split()) == 2:
            break
        recover_products(folder)  # it was killed before the journals were there
        recover_products(folder / "sub")
        assert contents(folder) == OLD
    assert "complete now" in " ".join(recover_products(folder / "sub"))
    recover_products(folder)
    assert contents(folder) == NEW


def journal(folder, moves, others=()):
    """A journal of a process that has ended."""
    text = "from drizframe.system.owners import Mark; print(Mark.own())"
    mark = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=True
    ).stdout.strip()
    path = folder / f".products.{mark}{JOURNAL}"
    path.write_text(json.dumps({"state": "commit", "with": list(others), "moves": moves}))
    return path


@pytest.mark.parametrize("target", ["../victim", "/etc/victim", "sub/../../victim", "..", ""])
def test_a_journal_that_leads_out_of_its_folder_is_refused(folder, target):
    (folder / "evil.part").write_text("evil")
    move = {"target": target, "backup": "b", "part": "evil.part", "size": 4, "changed": 0}
    path = journal(folder, [move])
    with pytest.raises(OutputError, match=r"delete it"):
        recover_products(folder)
    assert path.exists()
    assert not (folder.parent / "victim").exists()


def test_a_damaged_journal_is_not_guessed_at(folder):
    journal(folder, [{"target": 3}])
    with pytest.raises(OutputError, match=r"no list of renamings"):
        recover_products(folder)


def test_a_temporary_file_that_was_cut_is_not_put_in_place(folder):
    part = beside(folder / "final_drz_wht.fits")
    part.write_text("n")
    backup = beside(folder / "final_drz_wht.fits", BACKUP).name
    move = {"target": "final_drz_wht.fits", "backup": backup, "part": part.name, "size": 3, "changed": 1}
    journal(folder, [move])
    assert "none was replaced" in " ".join(recover_products(folder))
    assert (folder / "final_drz_wht.fits").read_text() == "old"
    assert not part.exists()


def test_a_run_that_is_at_work_is_left_alone(folder):
    other = Mark(Mark.own().machine, os.getppid(), start_of(os.getppid()), "0" * 16)
    path = folder / f".products.{other}{JOURNAL}"
    path.write_text("{")
    assert recover_products(folder) == []
    assert path.exists()


def test_one_file_by_itself_needs_no_block(folder):
    with staged(folder / NAMES[1]) as (part,):
        part.write_text("new")
    assert contents(folder) == OLD | {NAMES[1]: "new"}
    assert transaction.current() is None


@pytest.mark.skipif(os.name == "nt", reason="folders are not locked there")
def test_two_runs_of_one_name_do_not_mix(folder):
    """Each run writes its number into all files; many commits at once leave files of one run."""
    text = "import sys; from pathlib import Path; sys.path.insert(0, {!r}); from test_system_transaction import write_all; "
    text += "[write_all(Path(sys.argv[1]), sys.argv[2] + str(k)) for k in range(40)]"
    program = text.format(str(Path(__file__).parent))
    runs = [subprocess.Popen([sys.executable, "-c", program, str(folder), str(n)]) for n in range(3)]
    assert [r.wait(120) for r in runs] == [0, 0, 0]
    seen = {(folder / n).read_text() for n in NAMES}
    assert len(seen) == 1


def test_a_folder_that_another_process_holds_does_not_stop_a_run(folder):
    fcntl = pytest.importorskip("fcntl")
    handle = os.open(folder, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with transaction._alone([folder], seconds=0.1):
        pass
    os.close(handle)
