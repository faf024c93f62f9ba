"""Changes of input files: all or none."""

from __future__ import annotations

import dataclasses
import io
import os
import stat

import numpy as np
import pytest
from astropy.io import fits

from drizframe.compat.archive import restore_inputs
from drizframe.compat.edits import commit_edits, plan_edits
from drizframe.errors import InputError, MissingInputError, OutputError
from drizframe.model import ChipUnit
from drizframe.stock.io import recovery
from drizframe.stock.io.checksums import wrong_sums
from drizframe.stock.io.journal import ARCHIVE


@pytest.fixture
def exposure(make_file, read):
    path = make_file()
    with fits.open(path, mode="update") as hdus:
        hdus["DQ", 1].data[0, :3] = [0, 4096, 4096 | 16]
    return read(path)[0]


def masks_for(exposure):
    masks = {ChipUnit(0, j): np.ones((12, 10), np.uint8) for j in range(2)}
    masks[ChipUnit(0, 0)][5, 5] = masks[ChipUnit(0, 1)][6, 6] = 0
    return masks


def plan_for(exposure, folder, **options):
    keys = {
        "resetbits": 4096,
        "crbit": 4096,
        "sky": {ChipUnit(0, 0): float(np.float32(36.684402)), ChipUnit(0, 1): 37.0},
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


def test_originals_are_archived_once_and_read_only(exposure, read, tmp_path):
    original = exposure.path.read_bytes()
    commit_edits(plan_for(exposure, tmp_path))
    copy = tmp_path / ARCHIVE / exposure.path.name
    assert copy.read_bytes() == original
    assert stat.S_IMODE(copy.stat().st_mode) == 0o444
    exposure = read(exposure.path)[0]
    commit_edits(plan_for(exposure, tmp_path))
    assert copy.read_bytes() == original
    exposure = read(exposure.path)[0]
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

    monkeypatch.setattr(fits.HDUList, "writeto", broken)
    with pytest.raises(OutputError, match=r"No file was changed"):
        commit_edits(plan_for(exposure, tmp_path))
    assert exposure.path.read_bytes() == before
    assert leftovers(tmp_path) == []


class Killed(BaseException):
    """Stands for the end of the process."""


def test_a_run_that_stopped_while_renaming_is_completed_by_the_next(exposure, tmp_path, monkeypatch):
    original = exposure.path.read_bytes()

    def stop(part, target):
        if target == exposure.path:
            raise Killed
        part.replace(target)

    with monkeypatch.context() as patch:
        patch.setattr(recovery, "_rename", stop)
        with pytest.raises(Killed):
            commit_edits(plan_for(exposure, tmp_path))
    assert exposure.path.read_bytes() == original
    assert (tmp_path / ARCHIVE / exposure.path.name).read_bytes() == original
    assert "now complete" in recovery.recover(tmp_path)
    assert fits.getheader(exposure.path, ("SCI", 1))["MDRIZSKY"] == 36.684402
    assert leftovers(tmp_path) == []
    assert recovery.recover(tmp_path) == ""


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
    masks = {ChipUnit(1, 0): np.ones((12, 10), np.uint8)}
    masks[ChipUnit(1, 0)][7, 7] = 0
    plan, notes = plan_edits(
        exposures, folder=tmp_path, sky={ChipUnit(0, 0): 5.0, ChipUnit(1, 0): 6.0}, masks=masks, crbit=4096
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
    plan, notes = plan_edits([packed], folder=tmp_path, sky={ChipUnit(0, 0): 1.0})
    assert plan.files == ()
    assert "compressed" in notes[0]


def test_files_of_one_name_from_two_folders_are_both_archived(make_file, read, tmp_path):
    paths = [make_file(f"{d}/jx01_flt.fits") for d in ("one", "two")]
    exposures = [e for p in paths for e in read(p)]
    plan, _ = plan_edits(exposures, folder=tmp_path)
    commit_edits(plan)
    assert sorted(p.name for p in (tmp_path / ARCHIVE).iterdir()) == ["jx01_flt.fits", "jx01_flt_2.fits"]


def test_an_input_that_is_another_file_now_is_not_edited(exposure, tmp_path):
    plan = plan_for(exposure, tmp_path)
    other = tmp_path / "other"
    other.write_bytes(exposure.path.read_bytes())
    other.replace(exposure.path)
    before = exposure.path.read_bytes()
    with pytest.raises(InputError, match=r"jx01_flt.fits was replaced by another file"):
        commit_edits(plan)
    assert exposure.path.read_bytes() == before
    assert not (tmp_path / ARCHIVE).exists()
    assert leftovers(tmp_path) == []


def test_an_input_that_changes_while_the_edits_are_prepared_is_not_written_over(
    exposure, tmp_path, monkeypatch
):
    real = fits.HDUList.writeto

    def writeto(self, *args, **keys):
        with exposure.path.open("ab") as stream:
            stream.write(bytes(2880))
        return real(self, *args, **keys)

    monkeypatch.setattr(fits.HDUList, "writeto", writeto)
    with pytest.raises(InputError, match=r"jx01_flt.fits was changed"):
        commit_edits(plan_for(exposure, tmp_path))
    assert exposure.path.read_bytes().endswith(bytes(2880))
    assert "MDRIZSKY" not in fits.getheader(exposure.path, 1)
    assert leftovers(tmp_path) == []


@pytest.fixture
def summed(make_file):
    path = make_file(dq_type=np.uint16)
    with fits.open(path) as hdus:
        hdus.writeto(path, checksum=True, overwrite=True)
    return path


def test_edited_extensions_get_new_checksums_and_others_keep_their_bytes(summed, read, tmp_path):
    before = summed.read_bytes()
    commit_edits(plan_for(read(summed)[0], tmp_path))
    after = summed.read_bytes()
    assert wrong_sums(io.BytesIO(after)) == []
    err = before.index(b"'ERR     '"), before.index(b"'DQ      '")
    assert before[err[0] : err[1] - 400] in after


def test_a_checksum_that_did_not_hold_does_not_hold_after_an_edit(summed, read, tmp_path):
    raw = bytearray(summed.read_bytes())
    with fits.open(summed) as hdus:
        places = {(h.name, h.ver): h.fileinfo()["datLoc"] for h in hdus}
    for name in (("SCI", 1), ("ERR", 2), ("DQ", 2)):
        raw[places[name] + 50] ^= 1
    summed.write_bytes(raw)
    wrong = [(1, "SCI,1"), (5, "ERR,2"), (6, "DQ,2")]
    assert [w[:2] for w in wrong_sums(io.BytesIO(raw))] == wrong
    commit_edits(plan_for(read(summed)[0], tmp_path))
    after = summed.read_bytes()
    assert [w[:2] for w in wrong_sums(io.BytesIO(after))] == wrong
    assert fits.getheader(summed, ("SCI", 1))["MDRIZSKY"] == 36.684402


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o664])
def test_copies_and_restored_files_have_the_rights_of_the_input(exposure, read, tmp_path, mode):
    path = exposure.path
    path.chmod(mode)
    os.utime(path, ns=(10**18, 10**18 + 123_456_000))
    original = path.read_bytes()
    commit_edits(plan_for(read(path)[0], tmp_path))
    copy = tmp_path / ARCHIVE / path.name
    assert stat.S_IMODE(copy.stat().st_mode) == mode & ~0o222
    assert copy.stat().st_mtime_ns == 10**18 + 123_456_000
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.stat().st_mtime_ns > 10**18 + 123_456_000  # its contents are new
    assert restore_inputs([path], tmp_path) == [path]
    assert path.read_bytes() == original
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.stat().st_mtime_ns == 10**18 + 123_456_000


def test_the_file_of_one_exposure_of_a_private_file_is_private(make_file, read, tmp_path):
    base = {"INSTRUME": "STIS", "DETECTOR": "CCD", "ATODGAIN": 1.0, "READNSE": 4.0, "TELESCOP": "HST"}
    path = make_file("o1_flt.fits", base=base, science={"BUNIT": "COUNTS", "EXPTIME": 150.0})
    path.chmod(0o600)
    plan, _ = plan_edits(read(path), folder=tmp_path, sky={ChipUnit(0, 0): 5.0})
    commit_edits(plan)
    made = plan.files[0].target
    assert stat.S_IMODE(made.stat().st_mode) == 0o600


def test_two_names_of_one_file_are_edited_once(exposure, read, tmp_path):
    link = tmp_path / "link_flt.fits"
    link.symlink_to(exposure.path)
    both = [exposure, *read(link)]
    plan, _ = plan_edits(both, folder=tmp_path, sky={ChipUnit(0, 0): 1.0, ChipUnit(1, 0): 2.0})
    assert [f.target for f in plan.files] == [exposure.path.resolve()]
    commit_edits(plan)
    assert link.is_symlink()


def test_a_copy_of_another_exposure_is_not_restored(make_file, read, tmp_path):
    path = make_file()
    commit_edits(plan_for(read(path)[0], tmp_path))
    make_file(primary={"ROOTNAME": "jx99"})
    before = path.read_bytes()
    with pytest.raises(OutputError, match=r"copy of exposure 'jx01'.*holds 'jx99'"):
        restore_inputs([path], tmp_path)
    assert path.read_bytes() == before


def test_a_damaged_input_can_be_restored(exposure, tmp_path):
    original = exposure.path.read_bytes()
    commit_edits(plan_for(exposure, tmp_path))
    exposure.path.write_bytes(b"broken")
    restore_inputs([exposure.path], tmp_path)
    assert exposure.path.read_bytes() == original
