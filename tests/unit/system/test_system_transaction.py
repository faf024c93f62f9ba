"""Files of one run appear together; what stops them half-way is undone, or finished by the next run."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from drizframe.errors import OutputError
from drizframe.stock.io.atomic import staged
from drizframe.system import renamings, transaction
from drizframe.system.owners import Mark, start_of
from drizframe.system.recovery import recover_products
from drizframe.system.staging import Staging
from drizframe.system.temporary import BACKUP, JOURNAL, beside
from drizframe.system.transaction import together

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


def losing(folder):
    with together():
        for name in NAMES:
            with staged(folder / name) as (part,):
                part.write_text("new")
        part.unlink()


def test_a_temporary_file_that_is_gone_leaves_everything_as_it_was(folder):
    with pytest.raises(OutputError, match=r"cannot be put in place: .*No such file.*as it was before"):
        losing(folder)
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


def in_child(work, number, fault):
    """Do some work in a child that is killed, or gets an I/O error, at a file event; return how it ended."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    count = 0

    def hook(name, args):
        nonlocal count
        count += name in EVENTS
        if name in EVENTS and count == number:
            if fault == "kill":
                os._exit(9)
            raise OSError(5, "Input/output error")

    try:
        warnings.simplefilter("ignore")  # what cannot be removed is told, and is no error
        sys.addaudithook(hook)
        work()
        os._exit(0 if count < number else 1)
    except OutputError:
        os._exit(2)
    finally:
        os._exit(3)


EVENTS = frozenset({"open", "os.rename", "os.remove", "os.link"})


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs child processes that begin where this one is")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("fault", ["kill", "error"])
@pytest.mark.parametrize("first", ["", "sub"])
def test_a_fault_at_any_event_is_finished_or_undone_by_the_next_run(folder, tmp_path_factory, fault, first):
    """Whichever folder the next run looks at: afterwards the files of both are of one run."""
    import shutil

    place = tmp_path_factory.mktemp("faults")
    endings, outcomes = [], []
    for number in itertools.count(1):
        copy = place / str(number)
        shutil.copytree(folder, copy)
        endings.append(in_child(lambda: write_all(copy), number, fault))  # noqa: B023  (called at once)
        assert endings[-1] != 3, number
        for name in (first, "", "sub"):
            recover_products(copy / name)
        assert contents(copy) in (OLD, NEW), number
        outcomes.append(contents(copy) == NEW)
        if endings[-1] == 0:
            break
    assert len(endings) > 20
    if fault == "kill":
        assert outcomes == sorted(outcomes)
        assert set(endings) == {0, 9}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs child processes that begin where this one is")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("fault", ["kill", "error"])
def test_a_fault_at_any_event_of_the_recovery_is_made_good_by_the_next_one(
    folder, tmp_path_factory, fault, monkeypatch
):
    import shutil

    place = tmp_path_factory.mktemp("faults")
    for middle in (12, 16, 20):  # before, while and after files are renamed
        whole = place / f"{middle}"
        shutil.copytree(folder, whole)
        assert in_child(lambda: write_all(whole), middle, "kill") == 9  # noqa: B023  (called at once)
        for number in itertools.count(1):
            copy = place / f"{middle}-{number}"  # which takes the name, for journals know their folders by it
            subprocess.run(["/bin/cp", "-a", whole, copy], check=True)
            os.rename(whole, place / "aside")  # noqa: PTH104
            os.rename(copy, whole)  # noqa: PTH104
            ended = in_child(lambda: recover_products(whole), number, fault)  # noqa: B023
            assert ended != 3
            for name in ("", "sub"):
                recover_products(whole / name)
            assert contents(whole) in (OLD, NEW), (middle, number)
            shutil.rmtree(whole)
            os.rename(place / "aside", whole)  # noqa: PTH104
            if ended == 0:
                break
        shutil.rmtree(whole)


def test_what_an_error_left_is_put_in_order_by_the_next_run_of_the_same_process(folder, monkeypatch):
    """A disk that fails twice leaves a journal; it must not undo what a later run writes."""
    broken = True

    def replace(self, target, replace=Path.replace):
        if broken and not str(target).endswith(JOURNAL) and "a_single" in str(target):
            raise PermissionError(13, "Permission denied")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    unlink = Path.unlink

    def keep(self, missing_ok=False):
        if broken and self.suffix == BACKUP:
            raise PermissionError(13, "Permission denied")
        return unlink(self, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", keep)
    with pytest.raises(OutputError, match=r"cannot be put back either"):
        write_all(folder)
    assert list(folder.glob(f".*{JOURNAL}"))
    broken = False
    recover_products(folder)
    assert contents(folder) == OLD
    write_all(folder, "newer")
    recover_products(folder / "sub")
    assert set(contents(folder).values()) == {"newer"}


def test_a_file_that_others_put_there_meanwhile_is_not_replaced(folder, tmp_path_factory):
    """Killed before it renames; then another program writes one of the products."""
    in_child(lambda: write_all(folder), 10**6, "kill")
    for name in NAMES[1:]:
        (folder / name).write_text("old")
    (folder / NAMES[0]).unlink()
    (folder / "final_drz_ctx.fits").write_text("old")
    for number in itertools.count(1):
        assert in_child(lambda: write_all(folder), number, "kill") == 9
        if len(list(folder.rglob(f".*{JOURNAL}"))) == 2:
            break
        for name in ("", "sub"):
            recover_products(folder / name)
    other = folder / "another"
    other.write_text("theirs")
    other.replace(folder / NAMES[1])
    assert "none was replaced" in " ".join(recover_products(folder))
    recover_products(folder / "sub")
    assert contents(folder) == OLD | {NAMES[1]: "theirs"}


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
    with renamings.alone([folder], seconds=0.1):
        pass
    os.close(handle)


# -- folders -----------------------------------------------------------------------------------------------------------


def write_folder(target, text, kept=()):
    """Write a product that is a folder, of two files."""
    staging = Staging()
    with together() as act:
        part = staging.named(target, folder=True)
        (part / "deep").mkdir()
        (part / "head").write_text(text)
        (part / "deep" / "chunk").write_text(text)
        for other in kept:
            staging.file(other).write_text(text)
        staging.hand_over(act)


def test_a_file_under_its_own_name_takes_nothing_with_it(tmp_path):
    staging = Staging()
    with together() as act:
        part = staging.named(tmp_path / "a.tar.gz")
        assert (part.name, part.read_bytes()) == ("a.tar.gz", b"")
        assert staging.named(tmp_path / "a.tar.gz") == part
        part.write_text("new")
        part.with_suffix(".lock").write_text("x")
        assert [p.name for p in staging.strange()] == ["a.tar.lock"]
        staging.hand_over(act)
    assert contents(tmp_path) == {"a.tar.gz": "new"}
    assert [p.name for p in tmp_path.iterdir()] == ["a.tar.gz"]


def test_what_a_killed_process_was_writing_under_its_own_name_is_swept(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from drizframe.system.staging import Staging; s = Staging()\n"
        "for n in ('a.npz', 'b.zarr'):\n"
        "    part = s.named(Path(sys.argv[1]) / n, folder=n == 'b.zarr'); part.with_name('left').write_text('x')\n"
        "os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == 9
    assert len(list(tmp_path.iterdir())) == 2
    recover_products(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_appears_as_a_whole_and_replaces_one(tmp_path):
    write_folder(tmp_path / "a.zarr", "old")
    (tmp_path / "a.zarr" / "more").write_text("old")
    write_folder(tmp_path / "a.zarr", "new", kept=[tmp_path / "b.fits"])
    assert contents(tmp_path) == {"a.zarr/deep/chunk": "new", "a.zarr/head": "new", "b.fits": "new"}


@pytest.mark.parametrize("number", range(1, 4))
def test_an_error_at_any_renaming_of_a_folder_leaves_it_as_it_was(tmp_path, monkeypatch, number):
    write_folder(tmp_path / "a.zarr", "old")
    before = contents(tmp_path)
    count = 0

    def broken(self, target, replace=Path.replace):
        nonlocal count
        if not self.name.endswith(JOURNAL) and Path(target).suffix != JOURNAL:
            count += 1
            if count == number:
                raise OSError(13, "Permission denied")
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", broken)
        with pytest.raises(OutputError, match="Everything is as it was"):
            write_folder(tmp_path / "a.zarr", "new", kept=[tmp_path / "b.fits"])
    assert contents(tmp_path) == before


KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from tests.unit.system.test_system_transaction import write_folder
count = 0
def dying(self, target, replace=Path.replace):
    global count
    count += 1
    if count == {number}:
        os._exit(9)
    return replace(self, target)
write_folder(Path({folder!r}) / "a.zarr", "old")
Path.replace = dying
write_folder(Path({folder!r}) / "a.zarr", "new", kept=[Path({folder!r}) / "b.fits"])
"""


@pytest.mark.parametrize("number", range(1, 5))
def test_a_kill_at_any_renaming_of_a_folder_leaves_all_or_nothing(tmp_path, number):
    root = str(Path(__file__).parents[3])
    code = KILLED.format(tests=root, number=number, folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], cwd=root, check=False)
    assert done.returncode == 9
    recover_products(tmp_path)
    texts = set(contents(tmp_path).values())
    assert len(texts) == 1
    assert ("b.fits" in contents(tmp_path)) == (texts == {"new"})
    assert not list(tmp_path.glob(".*"))
