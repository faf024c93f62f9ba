"""Half-done commits: who may finish them, what is looked at before, and who has to wait."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import warnings
from functools import partial
from pathlib import Path

import pytest
import security_files as files
from astropy.io import fits
from security_faults import KILLED, child, contents
from test_faults import plan_of

import drizframe
from drizframe import astrodrizzle
from drizframe.compat import commit as commit_module
from drizframe.compat.edits import commit_edits
from drizframe.errors import DrizframeWarning, InputError, OutputError
from drizframe.stock.io import locks
from drizframe.stock.io.journal import JOURNAL
from drizframe.stock.io.locks import Holder, InputLocks
from drizframe.stock.io.recovery import recover, tidy_folders
from drizframe.system import folder_locks
from drizframe.system.owners import Mark

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="needs child processes that begin where this one is"
)
LOCK = ".ja_flt.fits.drizframe-lock"


@pytest.fixture
def stopped(tmp_path):
    """Two inputs in a folder, one of which has its edits: the run was killed between the two renamings."""
    folder = tmp_path / "a"
    files.exposure(folder / "ja_flt.fits")
    files.exposure(folder / "jb_flt.fits", seed=2)

    def second(event, args):
        return event == "os.rename" and str(args[1]) == str(folder / "jb_flt.fits")

    assert child(tmp_path, partial(commit_edits, plan_of(tmp_path)), second, "kill") == KILLED
    return folder


def level(path):
    return fits.getheader(path, 1).get("MDRIZSKY")


def changed_journal(folder, **entries):
    path = folder / JOURNAL
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, **entries}))
    return record


def test_the_native_run_finishes_what_the_drop_in_began(stopped):
    paths = sorted(stopped.glob("*_flt.fits"))
    assert [level(p) for p in paths] == [12.5, None]
    with pytest.warns(
        DrizframeWarning, match=r"stopped while it changed 2 files; the changes are now complete"
    ):
        result = drizframe.run(paths)
    assert any("now complete" in w for w in result.warnings)
    assert [level(p) for p in paths] == [12.5, 12.5]
    assert [p.name for p in stopped.iterdir() if p.name.startswith(".")] == []


def test_the_drop_in_finishes_it_from_whatever_folder(stopped, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.warns(DrizframeWarning, match="now complete"):
        astrodrizzle.AstroDrizzle(
            [str(p) for p in sorted(stopped.glob("*_flt.fits"))], output="final", num_cores=1
        )
    assert [p.name for p in stopped.iterdir() if p.name.startswith(".")] == []


def test_a_file_that_was_replaced_since_is_not_written_over(stopped):
    other = files.exposure(stopped / "jb_flt.fits", seed=9).read_bytes()
    assert "but for jb_flt.fits: there is another file now" in recover(stopped)
    assert (stopped / "jb_flt.fits").read_bytes() == other
    assert recover(stopped) == ""
    assert [p.name for p in stopped.iterdir() if p.name.startswith(".")] == []


def test_a_temporary_file_that_was_changed_is_not_put_in_place(stopped):
    part = next(p for p in stopped.iterdir() if p.name.endswith(".edit"))
    part.write_bytes(b"something else")
    before = contents(stopped)
    with pytest.raises(OutputError, match=r"does not hold what was written.*then delete it"):
        recover(stopped)
    with pytest.raises(OutputError, match="does not hold what was written"):
        drizframe.run(stopped / "ja_flt.fits")
    assert contents(stopped) == before


def test_a_process_number_that_another_process_has_now_blocks_nobody(stopped):
    changed_journal(stopped, pid=os.getppid())
    assert "now complete" in recover(stopped)


def test_a_journal_of_a_living_process_is_left_alone(stopped):
    own = Mark.own()
    changed_journal(stopped, pid=own.pid, start=own.start)
    before = contents(stopped)
    run = "import sys; from pathlib import Path; from drizframe.stock.io.recovery import recover; recover(Path(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", run, str(stopped)], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode != 0
    assert f"Process {own.pid} on {socket.gethostname()} is writing files in" in done.stderr
    assert contents(stopped) == before


def test_of_a_process_of_another_machine_nothing_is_known(stopped):
    changed_journal(stopped, machine="elsewhere0123", host="elsewhere")
    before = contents(stopped)
    for attempt in (lambda: recover(stopped), lambda: drizframe.run(stopped / "jb_flt.fits")):
        with pytest.raises(
            OutputError, match=r"on elsewhere is writing files.*If it has ended on another machine"
        ):
            attempt()
    assert contents(stopped) == before


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        '"x"',
        "[" * 100_000,
        "\x00\xff",
        '{"format": 2}',
        '{"state": "commit", "pid": 1, "moves": []}',
    ],
    ids=lambda text: repr(text[:12]),
)
def test_a_damaged_journal_is_not_guessed_at(tmp_path, text):
    path = files.exposure(tmp_path / "ja_flt.fits")
    (tmp_path / JOURNAL).write_text(text, encoding="latin-1")
    for attempt in (lambda: recover(tmp_path), lambda: drizframe.run(path)):
        with pytest.raises(OutputError, match=r"cannot be read.*Nothing in it is done.*then delete it"):
            attempt()


@pytest.mark.parametrize(
    "field", ["format", "state", "transaction", "pid", "machine", "start", "random", "host", "files"]
)
@pytest.mark.parametrize("value", [None, [], {}, -1, "x", True, 10**400])
def test_a_journal_with_a_field_of_another_kind_is_not_believed(tmp_path, field, value):
    own = Holder.own().record()
    record = {"format": 2, "state": "commit", "transaction": "0" * 16, **own, "files": []}
    (tmp_path / JOURNAL).write_text(json.dumps({**record, field: value}))
    if (field, value) in (("files", []), ("transaction", "x"), ("host", "x")):
        return  # it is one
    with pytest.raises(OutputError, match="cannot be read"):
        recover(tmp_path)


def test_an_input_is_held_by_one_run(tmp_path):
    path = files.exposure(tmp_path / "ja_flt.fits")
    link = tmp_path / "link_flt.fits"
    link.symlink_to(path)
    with InputLocks([path]):
        assert (tmp_path / LOCK).is_file()
        with (
            pytest.raises(
                OutputError, match=rf"Another run works on .*ja_flt.fits: process {os.getpid()} on"
            ),
            InputLocks([link]),
        ):
            pass
        assert (tmp_path / LOCK).is_file()
    assert not (tmp_path / LOCK).exists()


def test_if_one_of_several_inputs_is_held_none_is_taken(tmp_path):
    paths = [files.exposure(tmp_path / f"j{k}_flt.fits", seed=k) for k in b"abc"]
    with InputLocks(paths[1:2]), pytest.raises(OutputError, match="Another run works on"), InputLocks(paths):
        pass
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.parametrize(
    ("who", "taken"),
    [
        ({"pid": 2**22 - 1}, True),
        ({"start": "0123456789"}, True),
        ({"machine": "elsewhere0123"}, False),
        ({}, False),
    ],
)
def test_a_lock_of_a_process_that_has_ended_holds_nothing(tmp_path, who, taken):
    path = files.exposure(tmp_path / "ja_flt.fits")
    record = {**Holder.own().record(), **who}
    (tmp_path / LOCK).write_text(json.dumps(record))
    if taken:
        with InputLocks([path]):
            assert json.loads((tmp_path / LOCK).read_text())["random"] != record["random"]
    else:
        with pytest.raises(OutputError, match=rf"Another run works on .*delete .*{LOCK}"), InputLocks([path]):
            pass
        assert json.loads((tmp_path / LOCK).read_text()) == record


def test_locks_and_temporary_files_of_dead_processes_are_swept_and_others_stay(tmp_path):
    dead = Mark(Mark.own().machine, 2**22 - 1, "0123456789", "0" * 16)
    living = Mark.own()
    for mark in (dead, living):
        record = Holder("here", mark).record()
        (tmp_path / f".j{mark.pid}_flt.fits.drizframe-lock").write_text(json.dumps(record))
        (tmp_path / f".ja_flt.fits.{mark}.edit").write_text("x")
        (tmp_path / f".ja_flt.fits.{mark}.part").write_text("x")
    others = ["ja_flt.fits.edit", ".mine.edit", ".mine.part", ".x.drizframe-lock"]
    for name in others:
        (tmp_path / name).write_text("x")
    tidy_folders([tmp_path])
    left = {p.name for p in tmp_path.iterdir()}
    assert left == {n.name for n in tmp_path.iterdir() if str(dead.pid) not in n.name}
    assert len(left) == len(others) + 3


def test_the_native_run_sweeps_locks_of_the_dead_too_and_leaves_those_of_others(tmp_path):
    path = files.exposure(tmp_path / "ja_flt.fits")
    dead = {**Holder.own().record(), "pid": 2**22 - 1}
    (tmp_path / LOCK).write_text(json.dumps(dead))
    (tmp_path / ".jb_flt.fits.drizframe-lock").write_text(json.dumps(Holder.own().record()))
    drizframe.run(path)
    assert [p.name for p in tmp_path.glob(".*")] == [".jb_flt.fits.drizframe-lock"]


def two_at_once(inputs, folders):
    """Run the drop-in in two processes at once, each in its folder; return how they ended."""
    code = (
        "import sys, os\nfrom drizframe import astrodrizzle\nfrom drizframe.errors import DrizframeError\n"
        "os.chdir(sys.argv[1])\nprint('ready', flush=True)\nsys.stdin.readline()\n"
        "try:\n    astrodrizzle.AstroDrizzle(sys.argv[2:], output='final', num_cores=1)\n"
        "except DrizframeError as error:\n    print(f'{type(error).__name__}: {error}')\nelse:\n    print('done')\n"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", code, str(f), *map(str, inputs)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for f in folders
    ]  # fmt: skip
    for run in runs:
        assert run.stdout.readline() == "ready\n"
    for run in runs:
        run.stdin.write("\n")
        run.stdin.flush()
    return [run.communicate(timeout=600)[0].strip() for run in runs]


def test_two_runs_at_once_from_two_folders_lose_no_edits(tmp_path):
    inputs = [files.exposure(tmp_path / "in" / f"j{k}_flt.fits", seed=k) for k in range(3)]
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    endings = two_at_once(inputs, folders)
    assert all(
        e == "done" or "Another run works on" in e or "since its headers were read" in e for e in endings
    ), endings
    assert "done" in endings
    assert all(level(p) is not None for p in inputs)
    winner = folders[endings.index("done")]
    assert (winner / "final_drz_sci.fits").is_file()
    assert list((tmp_path / "in").glob(".*")) == []


@pytest.mark.filterwarnings("ignore:The cores of")
def test_a_run_that_reads_an_input_while_it_is_edited_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths = [files.exposure(Path(f"j{k}_flt.fits"), seed=k) for k in range(2)]
    plan = None

    class Edit:
        def drizframe_before_step(self, event):
            del event
            nonlocal plan
            if plan is None:
                (tmp_path / "x").mkdir()
                for path in paths:
                    os.link(path, tmp_path / "x" / path.name)
                plan = plan_of(tmp_path)
                commit_edits(plan)
                for path in paths:
                    os.replace(tmp_path / "x" / path.name, path)  # noqa: PTH105  (as another program does)

    with pytest.raises(InputError, match=r"j\d_flt.fits was replaced by another file"):
        drizframe.run(paths, listeners=[Edit()])


def as_nobody(function):
    """Call a function in a child process of a user without rights; return whether it succeeded."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    try:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        function()
        os._exit(0)
    except BaseException:
        os._exit(1)


@pytest.fixture
def open_folder(tmp_path_factory):
    """A folder that another user can reach."""
    import shutil
    import tempfile

    if os.geteuid() != 0:
        pytest.skip("only the superuser can be another user")
    folder = Path(tempfile.mkdtemp(prefix="drizframe-test-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def test_the_owner_of_an_input_stays_the_owner(open_folder):
    path = files.exposure(open_folder / "a" / "ja_flt.fits")
    path.chmod(0o640)
    os.chown(path, 65534, 65534)
    commit_edits(plan_of(open_folder))
    for made in (path, open_folder / "OrIg_files" / path.name):
        assert (made.stat().st_uid, made.stat().st_gid) == (65534, 65534)
    assert level(path) == 12.5


@pytest.mark.parametrize("sticky", [True, False])
def test_an_input_of_another_user_is_refused_before_anything_is_changed(open_folder, sticky):
    for k, name in enumerate(("ja_flt.fits", "jb_flt.fits")):
        path = files.exposure(open_folder / "a" / name, seed=k)
        path.chmod(0o666)
        if k == 0:
            os.chown(path, 65534, 65534)
    (open_folder / "a").chmod(0o1777 if sticky else 0o777)
    before = contents(open_folder)

    def attempt():
        with pytest.raises(OutputError, match=r"jb_flt.fits belongs to another user"):
            commit_edits(plan_of(open_folder))

    assert as_nobody(attempt)
    after = contents(open_folder)
    assert {n: c for n, c in after.items() if "OrIg" not in n} == before


def test_a_journal_of_another_user_is_not_believed(open_folder):
    files.exposure(open_folder / "a" / "ja_flt.fits")
    (open_folder / "a" / JOURNAL).write_text("{}")
    (open_folder / "a").chmod(0o777)

    def attempt():
        with pytest.raises(OutputError, match="belongs to another user"):
            recover(open_folder / "a")

    assert as_nobody(attempt)


def slow_commit(folder, go):
    """Commit edits in a child that stops in the middle, with the journal in place, until there is a file `go`."""
    plan = dataclasses.replace(plan_of(folder), preserve=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pid = os.fork()
    if pid:
        return pid
    put = commit_module._put_in_place

    def waiting(*args):
        for _ in range(3000):
            if go.exists():
                break
            time.sleep(0.01)
        put(*args)

    commit_module._put_in_place = waiting
    try:
        commit_edits(plan)
        os._exit(0)
    except BaseException:
        os._exit(1)


def test_a_run_beside_a_commit_waits_for_it_and_reads_whole_files(tmp_path):
    paths = [files.exposure(tmp_path / "a" / f"j{k}_flt.fits", seed=k) for k in range(2)]
    go = tmp_path / "go"
    pid = slow_commit(tmp_path, go)
    for _ in range(3000):
        if (tmp_path / "a" / JOURNAL).exists():
            break
        time.sleep(0.01)
    timer = threading.Timer(0.5, go.touch)
    timer.start()
    result = drizframe.run(paths, num_cores=1, driz_separate=False, median=False, blot=False, driz_cr=False)
    assert go.exists()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    timer.join()
    assert [level(p) for p in paths] == [12.5, 12.5]
    assert not any("earlier run" in w for w in result.warnings)
    assert list((tmp_path / "a").glob(".*")) == []


def test_a_folder_that_is_held_for_too_long_is_refused_by_name(stopped, monkeypatch):
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(locks, "PATIENCE", 0.05)
    number = os.open(stopped, os.O_RDONLY)
    fcntl.flock(number, fcntl.LOCK_EX)
    try:
        for attempt in (lambda: recover(stopped), lambda: drizframe.run(stopped / "ja_flt.fits")):
            with pytest.raises(OutputError, match=r"has been changing files in .*/a for.*Wait for it to end"):
                attempt()
    finally:
        os.close(number)
    assert "now complete" in recover(stopped)


def test_without_locks_of_the_system_no_journal_of_another_process_is_removed(tmp_path, monkeypatch):
    """Two processes prepare at once on a file system that cannot lock folders: the later one gives way."""
    monkeypatch.setattr(folder_locks, "fcntl", None)
    files.exposure(tmp_path / "a" / "ja_flt.fits")
    plan = plan_of(tmp_path)
    planned = commit_module._planned

    def late(*args):
        (tmp_path / "a" / JOURNAL).write_text("of another")
        return planned(*args)

    monkeypatch.setattr(commit_module, "_planned", late)
    before = (tmp_path / "a" / "ja_flt.fits").read_bytes()
    with pytest.raises(OutputError, match=r"cannot be written.*No file was changed"):
        commit_edits(dataclasses.replace(plan, preserve=False))
    assert (tmp_path / "a" / JOURNAL).read_text() == "of another"
    assert (tmp_path / "a" / "ja_flt.fits").read_bytes() == before
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == [JOURNAL, "ja_flt.fits"]


def test_journals_of_one_act_are_finished_together_from_any_of_their_folders(tmp_path):
    """Killed when one journal says "commit" and the other does not yet."""
    for k, name in enumerate("ab"):
        files.exposure(tmp_path / name / f"j{name}_flt.fits", seed=k)
    for place in "ab":
        work = tmp_path / f"work-{place}"
        for name in "ab":
            shutil.copytree(tmp_path / name, work / name)
        committed = []

        def second(event, args):
            if event == "os.rename" and str(args[1]).endswith(JOURNAL) and "OrIg_files" not in str(args[1]):
                committed.append(args)  # noqa: B023  (called at once)
            return len(committed) == 3  # noqa: B023  (one that prepares in detail, then two that decide)

        plan = dataclasses.replace(plan_of(work), preserve=False)
        assert child(work, partial(commit_edits, plan), second, "kill") == KILLED
        states = [json.loads((work / n / JOURNAL).read_text())["state"] for n in "ab"]
        assert states == ["commit", "prepare"]
        assert recover(work / place).count("now complete") == 2
        assert [level(work / n / f"j{n}_flt.fits") for n in "ab"] == [12.5, 12.5]
        tidy_folders(work / n for n in "ab")
        assert list(work.rglob(".*")) == []


def test_a_journal_that_claims_another_folder_changes_nothing_there(stopped, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(stopped, other)
    before = contents(other)
    changed_journal(stopped, **{"with": [str(other)]})
    assert recover(stopped).count("now complete") == 1
    assert contents(other) == before
