"""Text files that users name: read up to 10 MB, never from devices and folders."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest
from astropy.wcs import WCS

import drizframe
from drizframe import astrodrizzle
from drizframe.config import texts
from drizframe.config.texts import read_text
from drizframe.config.toml import read_toml
from drizframe.errors import DrizframeError, MissingInputError, UnreadableInputError


def exposures():
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.cdelt = ["RA---TAN", "DEC--TAN"], [150.0, 2.0], [-1e-5, 1e-5]
    wcs.wcs.crpix = [5.0, 5.0]
    return [
        drizframe.Exposure.from_arrays(
            np.ones((9, 9), np.float32), wcs, name=f"e{k}", exptime=9.0, unit="electrons"
        )
        for k in (1, 2)
    ]


def test_text_is_read_with_or_without_a_byte_order_mark(tmp_path):
    for name, data in (("a", "Zürich\n".encode()), ("b", b"\xef\xbb\xbf" + "Zürich\n".encode())):
        (tmp_path / name).write_bytes(data)
        assert read_text(tmp_path / name, "The file") == "Zürich\n"


@pytest.mark.parametrize(
    ("data", "told"),
    [(b"\xff\xfe\x00", "not a text file"), (b"a\x00b", "NUL bytes"), (b"x" * 200, "more than")],
)
def test_what_is_no_small_text_is_refused_by_name(tmp_path, monkeypatch, data, told):
    monkeypatch.setattr(texts, "MAX_BYTES", 100)
    (tmp_path / "list.txt").write_bytes(data)
    with pytest.raises(UnreadableInputError, match=rf"The file '.*list.txt'.*{told}"):
        read_text(tmp_path / "list.txt", "The file")


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/null", "."])
def test_devices_and_folders_are_refused(name):
    if not os.path.exists(name):  # noqa: PTH110
        pytest.skip("this system has no such device")
    with pytest.raises(UnreadableInputError, match="a device or a pipe|a folder"):
        read_text(name, "The file")


def test_a_pipe_does_not_make_a_run_wait(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    found = []

    def read():
        try:
            read_text(tmp_path / "pipe", "It")
        except UnreadableInputError as error:
            found.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(10)
    assert found, "it waits for somebody to write"


def test_a_missing_file_is_named():
    with pytest.raises(MissingInputError, match=r"The list 'nowhere.txt' does not exist"):
        read_text("nowhere.txt", "The list")


@pytest.mark.parametrize(
    "given",
    [
        {"rules_file": "x.rules"},
        {"skyfile": "x.txt"},
        {"skymask_cat": "x.cat"},
        {"skysub": False, "skyuser": "@x.txt"},
    ],
)
@pytest.mark.parametrize("what", ["missing", "folder", "binary"])
def test_files_of_parameters_are_looked_at_while_planning(tmp_path, monkeypatch, given, what):
    monkeypatch.chdir(tmp_path)
    name = next(v.removeprefix("@") for v in given.values() if isinstance(v, str))
    if what == "folder":
        (tmp_path / name).mkdir()
    elif what == "binary":
        (tmp_path / name).write_bytes(b"\xff\xfe\x00\x01")
    steps = []
    listener = type(
        "Listener", (), {"drizframe_before_step": drizframe.hookimpl(lambda self, event: steps.append(event))}
    )()
    with pytest.raises((MissingInputError, UnreadableInputError), match=name):
        drizframe.run(exposures(), listeners=[listener], **given)
    assert not steps


BIG = b"# a long list\n" * 10


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda name: drizframe.run(f"@{name}"), "list"),
        (read_toml, "parameter file"),
        (lambda name: astrodrizzle.AstroDrizzle("x.fits", configobj=str(name)), "parameter file"),
    ],
    ids=["list", "toml", "cfg"],
)
@pytest.mark.parametrize("what", ["big", "folder", "device", "binary"])
def test_every_text_file_is_looked_at_first(tmp_path, monkeypatch, call, kind, what):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(texts, "MAX_BYTES", 100)
    if what == "device" and not os.path.exists("/dev/zero"):  # noqa: PTH110
        pytest.skip("this system has no such device")
    name = {"device": "/dev/zero"}.get(what, "given.txt")
    if what == "folder":
        (tmp_path / name).mkdir()
    elif what != "device":
        (tmp_path / name).write_bytes(BIG if what == "big" else b"\xff\xfe\x00\x01")
    with pytest.raises(DrizframeError, match=rf"The {kind} '{name}'"):
        call(name)
