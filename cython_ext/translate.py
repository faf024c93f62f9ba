"""Translate a .pyx to C, and with it all others whose C is older than what it was made from, in one process.

``translate.py OUTPUT.c OPTIONS-OF-CYTHON ...``, for ninja, which knows one file at a time: Cython needs longer to start
than to translate, so the first that comes does the work of all (23 modules: 7 seconds of CPU time instead of 29), and those
that waited find theirs done. Afterwards a changed file is translated alone.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import sys
from pathlib import Path

from Cython import __version__
from list_modules import FOLDER, modules

#: Where the modules go. Without the full name Cython sees no package around a file, and its functions do not pickle.
PACKAGE = "drizframe._fast"


def depfile_of(output: Path) -> Path:
    """Where Cython writes what it read."""
    return output.with_name(f"{output.name}.dep")


def kept(output: Path) -> Path:
    """Where we keep the same: ninja deletes the depfile once it has read it."""
    return output.with_name(f"{output.name}.sources")


def is_stale(output: Path, made_with: Path) -> bool:
    """Whether a file is to be made: it is not there, or older than one of those it was made from."""
    if not (output.is_file() and kept(output).is_file()):
        return True
    sources = shlex.split(kept(output).read_text(encoding="utf-8").replace("\\\n", " "))[1:]
    inputs = [made_with, Path(__file__), FOLDER / f"{output.stem}.pyx", *map(Path, sources)]
    made = output.stat().st_mtime_ns
    return any(not p.exists() or p.stat().st_mtime_ns > made for p in inputs)


def translate(output: Path, options: list[str]) -> bool:
    """Run Cython, in this process; false if it found errors, which it has told."""
    from Cython.Compiler.Main import setuptools_main

    source = str(FOLDER / f"{output.stem}.pyx")
    sys.argv = [
        "cython", "--depfile", *options, "--shared", f"{PACKAGE}._cyutility",
        "--module-name", f"{PACKAGE}.{output.stem}", source, "--output-file", str(output),
    ]  # fmt: skip
    try:
        setuptools_main()
    except SystemExit as exit_:
        if exit_.code:
            output.unlink(missing_ok=True)
            return False
    shutil.copyfile(depfile_of(output), kept(output))
    return True


def main(wanted: Path, options: list[str]) -> int:
    """Make the file that is wanted, then the others; 1 if it cannot be made."""
    folder = wanted.parent
    made_with = folder / "translate.options"
    with (folder / "translate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        text = "\n".join([__version__, *options])
        if not made_with.is_file() or made_with.read_text(encoding="utf-8") != text:
            made_with.write_text(text, encoding="utf-8")
        if not is_stale(wanted, made_with):
            os.utime(wanted)  # ninja asked for it; newer than anything it may have in mind
            shutil.copyfile(kept(wanted), depfile_of(wanted))
        elif not translate(wanted, options):
            return 1
        for other in (folder / f"{name}.c" for name in modules()):
            if is_stale(other, made_with):
                translate(other, options)  # what is wrong is told again when ninja asks for it
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
