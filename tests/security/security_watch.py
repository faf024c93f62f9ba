"""A program that runs hostile cases while a hook watches what it opens, writes and removes.

``python security_watch.py FOLDER OUTSIDE``: works in FOLDER; OUTSIDE holds files that nobody named.  Prints a list of
``{"case": …, "outcome": …, "seen": […]}`` as JSON; `seen` are the accesses that should not have been.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import security_files as files
from astropy.io import fits

import drizframe
from drizframe import astrodrizzle
from drizframe.errors import DrizframeError, DrizframeWarning
from drizframe.stock.io.journal import JOURNAL

FOLDER, OUTSIDE = (Path(os.path.realpath(a)) for a in sys.argv[1:3])
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
#: Events that change a name itself; those that follow a link; and how many of their arguments are paths.
_NAMES = {"os.remove": 1, "os.rename": 2, "os.rmdir": 1, "os.mkdir": 1, "os.link": 2, "os.symlink": 1}
_CONTENTS = {"os.truncate": 1, "os.chmod": 1, "os.chown": 1, "os.utime": 1, "os.setxattr": 1}
SEEN: list[str] = []
_ARMED = [False]


def _real(path: Any, *, follow: bool) -> Path | None:
    if isinstance(path, int) or path is None:
        return None
    text = os.path.abspath(os.fsdecode(path))
    if follow:
        return Path(os.path.realpath(text))
    return Path(os.path.realpath(os.path.dirname(text))) / os.path.basename(text)


def _judge(event: str, path: Path | None, *, writes: bool) -> None:
    if path is None or str(path).startswith("/dev/"):
        return
    if path.is_relative_to(OUTSIDE) or (writes and not path.is_relative_to(FOLDER)):
        SEEN.append(f"{event} {path}")


def watch(event: str, args: tuple[Any, ...]) -> None:
    """Remember what should not have been."""
    if not _ARMED[0]:
        return
    if event == "open":
        writes = bool((args[2] or 0) & _WRITES) or any(c in str(args[1] or "") for c in "wxa+")
        follow = not (args[2] or 0) & getattr(os, "O_NOFOLLOW", 0)
        _judge(event, _real(args[0], follow=follow), writes=writes)
    elif event in _NAMES:
        for path in args[1:2] if event == "os.symlink" else args[: _NAMES[event]]:
            _judge(event, _real(path, follow=False), writes=True)
    elif event in _CONTENTS:
        _judge(event, _real(args[0], follow=True), writes=True)


def bad_names() -> list[str]:
    """Return names that lead to a file outside, in all ways that a program may read a name."""
    up = os.path.relpath(OUTSIDE, FOLDER / "case")
    return [
        f"{up}/victim", f"{OUTSIDE}/victim", "$BAIT/victim", "${BAIT}/victim", "BAIT$victim", "~/victim", "door/victim",
        "..", ".", f"{up}/victim_flt.fits", "-o", "a\\..\\victim", "jref$../outside/victim", f"jref${OUTSIDE}/victim",
        "a;b/../victim",
    ]  # fmt: skip


def run_drop_in(inputs: str, **more: Any) -> Any:
    return astrodrizzle.AstroDrizzle(
        inputs, **{"output": "final", "num_cores": 1, "final_wht_type": "IVM", **more}
    )


def keyword_cases() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield cases in which keywords or tables of an input lead elsewhere."""
    for number, name in enumerate(bad_names()):

        def stis(name: str = name) -> Any:
            files.exposure(
                Path("o1_flt.fits"), base=files.STIS, sets=2, science={"EXPNAME": name, "BUNIT": "COUNTS"}
            )
            return run_drop_in("o1_flt.fits")

        def member(name: str = name) -> Any:
            files.exposure(Path("ja_flt.fits"))
            files.association(Path("j_asn.fits"), [("JA", "EXP-DTH"), (name, "EXP-DTH"), ("JP", "PROD-DTH")])
            return run_drop_in("j_asn.fits", output="")

        def product(name: str = name) -> Any:
            files.exposure(Path("ja_flt.fits"))
            files.association(Path("j_asn.fits"), [("JA", "EXP-DTH"), (name, "PROD-DTH")])
            return run_drop_in("j_asn.fits", output="")

        def header(name: str = name) -> Any:
            texts = [
                k
                for k, v in files.ACS.items()
                if isinstance(v, str) and k not in ("INSTRUME", "DETECTOR", "CCDAMP")
            ]
            primary = dict.fromkeys(
                (*texts, "ROOTNAME", "FILENAME", "ASN_TAB", "EXPNAME", "DGEOFILE", "FLATFILE"), name
            )
            science = dict.fromkeys(("EXPNAME", "NPOLEXT", "D2IMEXT", "WCSNAME", "IDCTAB"), name)
            files.exposure(Path("ja_flt.fits"), primary=primary, science=science)
            files.exposure(Path("jb_flt.fits"), primary=primary, science=science, seed=3)
            return run_drop_in("ja_flt.fits,jb_flt.fits")

        def support(name: str = name) -> Any:
            files.exposure(Path("ja_flt.fits"), primary={"PA_V3": None, "ROOTNAME": name})
            return run_drop_in("ja_flt.fits")

        def camera(name: str = name) -> Any:
            for k, own in enumerate((name, name + "2")):
                cards = {"INSTRUME": own, "DETECTOR": own, "TELESCOP": own}
                files.exposure(Path(f"j{k}_flt.fits"), primary=cards, seed=k)
            return run_drop_in(
                "j0_flt.fits,j1_flt.fits",
                final_wht_type="EXP",
                driz_separate=False,
                median=False,
                blot=False,
                driz_cr=False,
            )

        for case in (stis, member, product, header, support, camera):
            if case in (header, camera) and number % 3:
                continue  # the same code reads all of them
            yield f"{case.__name__} {name}", case


def link_cases() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield cases in which a link was put where a file is opened or made."""

    def archive_folder() -> Any:
        files.exposure(Path("ja_flt.fits"))
        Path("OrIg_files").symlink_to(OUTSIDE)
        return run_drop_in("ja_flt.fits")

    def archive_copy() -> Any:
        files.exposure(Path("ja_flt.fits"))
        Path("OrIg_files").mkdir()
        Path("OrIg_files/ja_flt.fits").symlink_to(OUTSIDE / "victim_flt.fits")
        return run_drop_in("ja_flt.fits", restore=True)

    def archive_overwritten() -> Any:
        files.exposure(Path("ja_flt.fits"))
        Path("OrIg_files").mkdir()
        Path("OrIg_files/ja_flt.fits").symlink_to(OUTSIDE / "victim_flt.fits")
        return run_drop_in("ja_flt.fits", overwrite=True)

    def split_file() -> Any:
        files.exposure(Path("o1_flt.fits"), base=files.STIS, sets=2, science={"BUNIT": "COUNTS"})
        Path("o11_flt.fits").symlink_to(OUTSIDE / "victim_flt.fits")
        return run_drop_in("o1_flt.fits")

    def member_link() -> Any:
        files.exposure(Path("ja_flt.fits"))
        Path("jb_flt.fits").symlink_to(OUTSIDE / "victim_flt.fits")
        files.association(Path("j_asn.fits"), [("JA", "EXP-DTH"), ("JB", "EXP-DTH"), ("JP", "PROD-DTH")])
        return run_drop_in("j_asn.fits")

    def products() -> Any:
        files.exposure(Path("ja_flt.fits"))
        for end in ("sci", "wht", "ctx"):
            Path(f"final_drz_{end}.fits").symlink_to(OUTSIDE / "victim_flt.fits")
        for name in (
            "ja_sci1_crmask.fits",
            "ja_single_sci.fits",
            "final_med.fits",
            "_24x26_1_staticMask.fits",
        ):
            Path(name).symlink_to(OUTSIDE / "victim_flt.fits")
        return run_drop_in("ja_flt.fits", use_crmasks=False)

    def journal_link() -> Any:
        files.exposure(Path("ja_flt.fits"))
        Path(JOURNAL).symlink_to(OUTSIDE / "victim_flt.fits")
        return run_drop_in("ja_flt.fits")

    def lock_link() -> Any:
        files.exposure(Path("ja_flt.fits"))
        Path(".ja_flt.fits.drizframe-lock").symlink_to(OUTSIDE / "victim_flt.fits")
        return run_drop_in("ja_flt.fits")

    for case in (
        archive_folder,
        archive_copy,
        archive_overwritten,
        split_file,
        member_link,
        products,
        journal_link,
        lock_link,
    ):
        yield case.__name__, case


def journals() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield journals as they may be planted: of the old form and of the new, with names that lead elsewhere."""
    from drizframe.stock.io.journal import digest_of, new_part
    from drizframe.stock.io.locks import Holder
    from drizframe.system.owners import Mark

    own = Mark.own()
    dead = {**Holder(socket.gethostname(), Mark(own.machine, 2**22 - 1, "0123456789", own.random)).record()}
    up = os.path.relpath(OUTSIDE, FOLDER / "case")
    victim, part = OUTSIDE / "victim_flt.fits", new_part(Path("ja_flt.fits"))
    for state in ("prepare", "commit"):
        old = {"state": state, "pid": 2**22 - 1, "host": socket.gethostname()}
        yield (
            f"old {state}",
            {**old, "moves": [[str(victim), str(OUTSIDE / "other")], ["ja_flt.fits", str(victim)]]},
        )
        head = {"format": 2, "state": state, "transaction": "0" * 16, **dead}
        sums = {"new": digest_of(victim), "old": digest_of(victim), "link": False}
        for name in (
            f"{up}/victim_flt.fits",
            str(victim),
            "door/victim_flt.fits",
            "..",
            "",
            "a\0b",
            7,
            None,
            ["x"],
        ):
            yield f"name {state} {name!r}", {**head, "files": [{"name": name, "part": part, **sums}]}
            yield f"part {state} {name!r}", {**head, "files": [{"name": "ja_flt.fits", "part": name, **sums}]}
        away = f"{up}/{new_part(Path('victim_flt.fits'))}"
        yield f"marked part {state}", {**head, "files": [{"name": "ja_flt.fits", "part": away, **sums}]}
        yield f"link {state}", {**head, "files": [{"name": "ja_flt.fits", "part": part, **sums}]}


def journal_cases() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield cases in which somebody put a journal, and what it names, into the folder."""
    for name, record in journals():

        def case(record: dict[str, Any] = record, native: bool = name.startswith("name")) -> Any:
            files.exposure(Path("ja_flt.fits"))
            Path(JOURNAL).write_text(json.dumps(record), encoding="utf-8")
            for entry in record.get("files", ()):
                part = entry["part"]
                if isinstance(part, str) and part.startswith(".ja"):
                    Path(part).symlink_to(OUTSIDE / "victim_flt.fits")
            return drizframe.run("ja_flt.fits") if native else run_drop_in("ja_flt.fits")

        yield f"journal {name}", case


def product_cases() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield cases in which somebody put a journal of products into the folder of the products."""
    from drizframe.system.owners import Mark

    mark = Mark(Mark.own().machine, 2**22 - 1, "0123456789", "0" * 16)
    up = os.path.relpath(OUTSIDE, FOLDER / "case")
    backup, part = f".final.{mark}.old", f".final.{mark}.part"
    good = {"target": "ja_flt.fits", "backup": backup, "part": part, "size": 1, "changed": 1}
    away = [str(OUTSIDE / f".products.{mark}.journal")]
    changes: list[tuple[dict[str, Any], list[str]]] = [({}, away), ({}, ["/"]), ({}, [up])]
    for name in (f"{up}/victim_flt.fits", str(OUTSIDE / "victim"), "..", "", "ja_flt.fits"):
        changes += [
            ({key: name}, [])
            for key in ("target", "backup", "part")
            if (key, name) != ("target", "ja_flt.fits")
        ]
    for number, (change, others) in enumerate(changes):
        for state in ("commit", "back"):

            def case(change: Any = change, others: Any = others, state: str = state) -> Any:
                files.exposure(Path("ja_flt.fits"))
                before = Path("ja_flt.fits").read_bytes()
                record = {"state": state, "with": others, "moves": [{**good, **change}]}
                Path(f".products.{mark}.journal").write_text(json.dumps(record), encoding="utf-8")
                try:
                    drizframe.run("ja_flt.fits", "final")
                finally:
                    assert Path("ja_flt.fits").read_bytes() == before

            yield f"products {number} {state} {change or others}", case


def carry_out(name: str, case: Callable[[], Any]) -> dict[str, Any]:
    """Run one case in a fresh folder."""
    place = FOLDER / "case"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    os.chdir(place)
    Path("door").symlink_to(OUTSIDE)
    SEEN.clear()
    _ARMED[0] = True
    try:
        case()
        outcome = "ok"
    except DrizframeError as error:
        outcome = f"{type(error).__name__}: {error}"
    except BaseException:
        outcome = "crash: " + traceback.format_exc()
    finally:
        _ARMED[0] = False
    return {"case": name, "outcome": outcome, "seen": list(SEEN)}


def main() -> None:
    """Run all cases of the kinds that the arguments name."""
    warnings.simplefilter("ignore", DrizframeWarning)
    warnings.simplefilter("ignore", fits.verify.VerifyWarning)
    kinds = {
        "keywords": keyword_cases,
        "links": link_cases,
        "journals": journal_cases,
        "products": product_cases,
    }
    sys.addaudithook(watch)
    results = [carry_out(name, case) for kind in sys.argv[3:] for name, case in kinds[kind]()]
    print(json.dumps(results))


if __name__ == "__main__":
    main()
