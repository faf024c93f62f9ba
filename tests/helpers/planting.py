"""A copy of the source into which something more is put, and which files that touched."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from stranger import c_compiler

import drizframe

TESTS = Path(__file__).parents[1]
CYTHON = TESTS.parent / "cython_ext"
#: Folders of files that a commit would add, one for each kind.
OVERLAYS = TESTS / "planted"
#: What is no source.
_MADE = ("*.so", "*.pyd", "__pycache__")


class Copy:
    """A copy of the package and of the sources of its compiled modules.

    Parameters
    ----------
    folder : pathlib.Path
        Where to put it; empty.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._from = {"drizframe": Path(drizframe.__file__).parent, "cython_ext": CYTHON}
        for name, source in self._from.items():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))

    def lay(self, kind: str) -> set[str]:
        """Lay the files of a kind over the copy; return their names."""
        overlay = OVERLAYS / kind
        shutil.copytree(overlay, self.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*_MADE))
        made = (p.relative_to(overlay) for p in overlay.rglob("*") if p.is_file())
        return {p.as_posix() for p in made if "__pycache__" not in p.parts}

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that stands once in a file."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name} has {old!r} {text.count(old)} times"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def touched(self) -> set[str]:
        """Return the names of the files that are new or others than in the source."""
        found = set()
        for name, source in self._from.items():
            for path in (self.folder / name).rglob("*"):
                within = path.relative_to(self.folder / name)
                if path.is_dir() or any(path.match(m) or m in path.parts for m in _MADE):
                    continue
                old = source / within
                if not old.is_file() or old.read_bytes() != path.read_bytes():
                    found.add(f"{name}/{within.as_posix()}")
        return found

    def compile(self) -> list[str]:
        """Compile the .pyx that are new, as the build does; return the names of the modules."""
        compiler = c_compiler()
        new = sorted(n for n in self.touched() if n.endswith(".pyx"))
        for name in new:
            source = self.folder / name
            module, c = f"drizframe._fast.{source.stem}", source.with_suffix(".c")
            directives = ("boundscheck=False", "wraparound=False", "cdivision=True", "initializedcheck=False")
            options = [part for d in directives for part in ("-X", d)]
            folders = ["-I", str(source.parent), "-I", drizframe.get_include()]
            shared = ["--shared", "drizframe._fast._cyutility", "--module-name", module]
            self._done(
                [sys.executable, "-m", "cython", "-3", "--fast-fail", *folders, *options, *shared,
                 str(source), "-o", str(c)]
            )  # fmt: skip
            target = (
                self.folder / "drizframe" / "_fast" / f"{source.stem}{sysconfig.get_config_var('EXT_SUFFIX')}"
            )
            self._done(
                [*compiler, "-O1", "-ffp-contract=off", "-shared", "-fPIC", f"-I{sysconfig.get_path('include')}", str(c),
                 "-o", str(target), "-lm"]
            )  # fmt: skip
            c.unlink()
        return [Path(n).stem for n in new]

    def python(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Python with the copy; skip the test if that does not come first."""
        done = self._run([sys.executable, *arguments], environment)
        if "the copy is not used" in done.stderr:
            pytest.skip("an editable install takes the place of the copy")
        return done

    def script(self, text: str) -> str:
        """Return what a program prints that works with the copy."""
        check = (
            "import drizframe, sys\n"
            f"drizframe.__file__.startswith({str(self.folder)!r}) or sys.exit('the copy is not used')\n"
        )
        done = self.python("-c", check + text)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def pytest(self, *arguments: str) -> str:
        """Run tests of the source with the copy; return what pytest says, and fail if one fails."""
        self.script("")
        config = ["-c", str(TESTS.parent / "pyproject.toml"), "-p", "no:cacheprovider", "-q"]
        done = self.python("-m", "pytest", *config, *arguments)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
        return done.stdout

    def _run(
        self, command: list[str], environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        variables = {
            **os.environ, "PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1", **(environment or {}),
        }  # fmt: skip
        return subprocess.run(
            command, env=variables, cwd=self.folder, capture_output=True, text=True, check=False
        )

    def _done(self, command: list[str]) -> None:
        done = self._run(command)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
