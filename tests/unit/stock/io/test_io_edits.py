"""Changes of input files: all or none."""

from __future__ import annotations

import dataclasses
import json
import os
import stat

import numpy as np
import pytest
from astropy.io import fits

from drizframe.errors import MissingInputError, OutputError
from drizframe.model import Unit
from drizframe.stock.io import journal
from drizframe.stock.io.edits import ARCHIVE, commit_edits, plan_edits, restore_inputs


@pytest.fixture
def exposure(make_file, read):
    path = make_file()
    with fits.open(path, mode="update") as hdus:
        hdus["DQ", 1].data[0, :3] = [0, 4096, 4096 | 16]
    return read(path)[0]


def masks_for(exposure):
    masks = {Unit(0, j): np.ones((12, 10), np.uint8) for j in range(2)}
    masks[Unit(0, 0)][5, 5] = masks[Unit(0, 1)][6, 6] = 0
    return masks


def plan_for(exposure, folder, **options):
    keys = {
        "resetbits": 4096,
        "crbit": 4096,
        "sky": {Unit(0, 0): float(np.float32(36.684402)), Unit(0, 1): 37.0},
        **options,
    }
    plan, notes = plan_edits([exposure], folder=folder, masks=masks_for(exposure), **keys)
    assert notes == ()
    return plan


def leftovers(folder):
    return [p.name for p in folder.rglob(".*")]


def test_flags_and_sky_are_written_and_all_else_stays(exposure, tmp_path):
    path = exposure.path
    path.chmod(0o640)
    with fits.open(path) as hdus:
        before = [(h.header.copy(), None if h.data is None else h.data.copy()) for h in hdus]
    commit_edits(plan_for(exposure, tmp_path))
    with fits.open(path) as hdus:
        assert "MDRIZSKY" not in hdus[0].header
        assert hdus["SCI", 1].header["MDRIZSKY"] == 36.684402
        assert hdus["SCI", 1].header.comments["MDRIZSKY"] == "Sky value computed by AstroDrizzle"
        assert hdus["SCI", 2].header["MDRIZSKY"] == 37.0
        assert list(hdus["DQ", 1].data[0, :3]) == [0, 0, 16]
        for k, hdu in enumerate(hdus):
            if hdu.name == "DQ":
                old = before[k][1]
                assert old is not None
                new = old & ~np.int16(4096)
                new[{1: (5, 5), 2: (6, 6)}[hdu.ver]] |= 4096
                np.testing.assert_array_equal(hdu.data, new)
                assert hdu.data.dtype == old.dtype
            elif k:
                np.testing.assert_array_equal(hdu.data, before[k][1])
            same = {c: v for c, v in hdu.header.items() if c != "MDRIZSKY"}
            assert same == {c: v for c, v in before[k][0].items() if c != "MDRIZSKY"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert leftovers(tmp_path) == []


def test_originals_are_archived_once_and_read_only(exposure, tmp_path):
    original = exposure.path.read_bytes()
    commit_edits(plan_for(exposure, tmp_path))
    copy = tmp_path / ARCHIVE / exposure.path.name
    assert copy.read_bytes() == original
    assert stat.S_IMODE(copy.stat().st_mode) == 0o444
    commit_edits(plan_for(exposure, tmp_path))
    assert copy.read_bytes() == original
    changed = exposure.path.read_bytes()
    commit_edits(plan_for(exposure, tmp_path, overwrite=True))
    assert copy.read_bytes() == changed


def test_nothing_is_archived_if_not_asked(exposure, tmp_path):
    commit_edits(plan_for(exposure, tmp_path, preserve=False))
    assert not (tmp_path / ARCHIVE).exists()


def test_restoring_brings_the_archived_file_back(exposure, tmp_path):
    original = exposure.path.read_bytes()
    assert restore_inputs([exposure.path], tmp_path) == []
    commit_edits(plan_for(exposure, tmp_path))
    assert exposure.path.read_bytes() != original
    assert restore_inputs([exposure.path], tmp_path) == [exposure.path]
    assert exposure.path.read_bytes() == original
    assert os.access(exposure.path, os.W_OK)


@pytest.mark.parametrize(("bits", "kept"), [(None, 4112), (0, 4112), (16, 4096), (-4097, 4096), (4112, 0)])
def test_bits_are_cleared_as_they_are_given(exposure, tmp_path, bits, kept):
    commit_edits(plan_for(exposure, tmp_path, resetbits=bits, crbit=None))
    assert fits.getdata(exposure.path, ("DQ", 1))[0, 2] == kept


def test_the_highest_bit_of_16_can_be_set(exposure, tmp_path):
    commit_edits(plan_for(exposure, tmp_path, crbit=32768))
    assert np.uint16(fits.getdata(exposure.path, ("DQ", 1))[5, 5]) & 32768


def test_a_failure_while_preparing_changes_nothing(exposure, tmp_path, monkeypatch):
    before = exposure.path.read_bytes()

    def broken(self, *args, **keys):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fits.HDUList, "flush", broken)
    with pytest.raises(OutputError, match=r"No file was changed"):
        commit_edits(plan_for(exposure, tmp_path))
    assert exposure.path.read_bytes() == before
    assert leftovers(tmp_path) == []


class Killed(BaseException):
    """Stands for the end of the process."""


def test_a_run_that_stopped_while_renaming_is_completed_by_the_next(exposure, tmp_path, monkeypatch):
    original = exposure.path.read_bytes()
    moved = []

    def stop(moves):
        moved.append(moves[0])
        moves[0][0].replace(moves[0][1])
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(journal, "_rename", stop)
        with pytest.raises(Killed):
            commit_edits(plan_for(exposure, tmp_path))
    assert exposure.path.read_bytes() == original
    assert (tmp_path / ARCHIVE / exposure.path.name).read_bytes() == original
    assert "now complete" in journal.recover(tmp_path)
    assert fits.getheader(exposure.path, ("SCI", 1))["MDRIZSKY"] == 36.684402
    assert leftovers(tmp_path) == []
    assert journal.recover(tmp_path) == ""


def test_a_run_that_stopped_while_preparing_is_rolled_back(exposure, tmp_path):
    part = tmp_path / ".jx01_flt.fits.abc.part"
    part.write_bytes(b"half")
    record = {
        "state": "prepare",
        "pid": 2**22 + 5,
        "host": "elsewhere",
        "moves": [[str(part), str(exposure.path)]],
    }
    (tmp_path / journal.JOURNAL).write_text(json.dumps(record))
    before = exposure.path.read_bytes()
    assert "none was changed" in journal.recover(tmp_path)
    assert exposure.path.read_bytes() == before
    assert leftovers(tmp_path) == []


def test_two_runs_do_not_commit_at_once(exposure, tmp_path):
    import socket

    record = {"state": "prepare", "pid": os.getppid(), "host": socket.gethostname(), "moves": []}
    (tmp_path / journal.JOURNAL).write_text(json.dumps(record))
    with pytest.raises(OutputError, match=r"is writing files"):
        commit_edits(plan_for(exposure, tmp_path))


def test_a_damaged_journal_is_not_guessed_at(tmp_path):
    (tmp_path / journal.JOURNAL).write_text("{")
    with pytest.raises(OutputError, match=r"cannot be read"):
        journal.recover(tmp_path)


def test_an_input_that_has_vanished_is_named(exposure, tmp_path):
    plan = plan_for(exposure, tmp_path)
    exposure.path.unlink()
    with pytest.raises(MissingInputError, match=r"jx01_flt.fits has vanished"):
        commit_edits(plan)


def test_stis_image_sets_become_files_of_their_own(make_file, read, tmp_path):
    base = {"INSTRUME": "STIS", "DETECTOR": "CCD", "ATODGAIN": 1.0, "READNSE": 4.0, "TELESCOP": "HST"}
    path = make_file("o1_flt.fits", base=base, science={"BUNIT": "COUNTS", "EXPTIME": 150.0})
    with fits.open(path, mode="update") as hdus:
        for k in (1, 2):
            hdus["SCI", k].header["EXPNAME"], hdus["SCI", k].header["EXPSTART"] = f"o1ac{k}q", 10.0 * k
    before = path.read_bytes()
    exposures = read(path)
    masks = {Unit(1, 0): np.ones((12, 10), np.uint8)}
    masks[Unit(1, 0)][7, 7] = 0
    plan, notes = plan_edits(
        exposures, folder=tmp_path, sky={Unit(0, 0): 5.0, Unit(1, 0): 6.0}, masks=masks, crbit=4096
    )
    commit_edits(plan)
    assert notes == ()
    assert path.read_bytes() == before
    with fits.open(tmp_path / "o1ac2q_flt.fits") as hdus, fits.open(path) as old:
        assert [(h.name, h.ver) for h in hdus] == [("PRIMARY", 1), ("SCI", 1), ("ERR", 1), ("DQ", 1)]
        assert (hdus[0].header["EXPSTART"], hdus[0].header["EXPTIME"]) == (20.0, 150.0)
        assert hdus["SCI"].header["MDRIZSKY"] == 6.0
        np.testing.assert_array_equal(hdus["SCI"].data, old["SCI", 2].data)
        assert hdus["DQ"].data[7, 7] == old["DQ", 2].data[7, 7] | 4096
    assert (tmp_path / ARCHIVE / "o1_flt.fits").is_file()


def test_compressed_inputs_are_left_alone_with_a_note(exposure, tmp_path):
    packed = dataclasses.replace(exposure, path=exposure.path.with_name("jx01_flt.fits.gz"))
    plan, notes = plan_edits([packed], folder=tmp_path, sky={Unit(0, 0): 1.0})
    assert plan.files == ()
    assert "compressed" in notes[0]


def test_files_of_one_name_from_two_folders_are_both_archived(make_file, read, tmp_path):
    paths = [make_file(f"{d}/jx01_flt.fits") for d in ("one", "two")]
    exposures = [e for p in paths for e in read(p)]
    plan, _ = plan_edits(exposures, folder=tmp_path)
    commit_edits(plan)
    assert sorted(p.name for p in (tmp_path / ARCHIVE).iterdir()) == ["jx01_flt.fits", "jx01_flt_2.fits"]
