"""The reference program in a virtual environment of its own, and its products, each made once.

    python reference_env.py DIRECTORY

installs it there unless that was done already. `products` runs it on files and keeps what it wrote under a
hash of everything that the result depends on.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

REQUIREMENTS = ("drizzlepac==3.11.0", "spherical-geometry<1.4")
RUNNER = Path(__file__).with_name("run_reference.py")
_VERSION = "from importlib.metadata import version as v; print(v('drizzlepac'), v('spherical-geometry'))"


def python_of(directory: Path) -> Path:
    """The interpreter of a virtual environment."""
    return directory / "bin" / "python"


def identity() -> dict[str, Any]:
    """What a complete environment was made from."""
    return {"python": sys.version.split()[0], "requirements": list(REQUIREMENTS)}


def _has_the_program(directory: Path) -> bool:
    """Whether somebody installed the reference there already."""
    python = python_of(directory)
    if not python.exists():
        return False
    answer = subprocess.run([str(python), "-c", _VERSION], capture_output=True, text=True, check=False)
    words = answer.stdout.split()
    return len(words) == 2 and words[0] == "3.11.0" and words[1] < "1.4"


def ensure(directory: Path) -> Path:
    """Make the environment unless a complete one is there, and return its interpreter.

    A directory that this function did not make is used as it is, or refused; it is never cleared.
    """
    marker, begun = directory / "complete.json", directory / "made_by_reference_env"
    if marker.is_file() and json.loads(marker.read_text()) == identity():
        return python_of(directory)
    ours = begun.is_file()
    if not ours and directory.is_dir() and any(directory.iterdir()):
        if _has_the_program(directory):
            return python_of(directory)
        message = (
            f"{directory} is not empty, was not made by reference_env.py, and does not hold {' '.join(REQUIREMENTS)}. "
            "Install them there, or name a new directory."
        )
        raise RuntimeError(message)
    venv.create(directory, clear=ours, with_pip=True)
    begun.touch()
    environment = {
        k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    }
    command = [str(python_of(directory)), "-m", "pip", "install", "--quiet", *REQUIREMENTS]
    subprocess.run(command, check=True, env=environment)
    marker.write_text(json.dumps(identity()))  # last: its presence says that all went well
    return python_of(directory)


def key_of(files: Iterable[Path], parameters: Mapping[str, Any], inputs: str | Sequence[str] = ()) -> str:
    """Hash of names and contents of the files, the parameters, the program and the script that runs it."""
    described = [identity(), dict(parameters), list(inputs) if not isinstance(inputs, str) else inputs]
    total = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    for path in (RUNNER, *sorted(files, key=lambda path: path.name)):
        total.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:32]


_servers: dict[str, subprocess.Popen[str]] = {}


def _server(python: str) -> subprocess.Popen[str]:
    """The running program, started at its first request; `close` ends it."""
    if python not in _servers:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        _servers[python] = subprocess.Popen(
            [python, str(RUNNER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
    return _servers[python]


def close() -> None:
    """End the programs that `products` started."""
    while _servers:
        _, server = _servers.popitem()
        for stream in (server.stdin, server.stdout):
            with contextlib.suppress(OSError):  # what it did not read is lost anyway
                assert stream is not None
                stream.close()
        server.wait()


def _ask(python: Path | str, request: Mapping[str, Any]) -> int:
    """Send a request and return the exit status of the run (1 if there is no answer)."""
    server = _server(str(python))
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        answer = server.stdout.readline()
    except OSError:  # it has ended
        answer = ""
    if not answer:
        close()
        return 1
    return int(json.loads(answer)["status"])


def products(
    python: Path | str,
    store: Path,
    files: Iterable[Path],
    parameters: Mapping[str, Any],
    inputs: str | Sequence[str] | None = None,
) -> Path:
    """Directory with all that the reference made of copies of the files; the copies, as edited, are in it.

    `inputs` names what is combined (all files by default; others may be catalogues, flats and the like).
    Treat the directory as read-only: it serves every later test with the same files and parameters.
    """
    files = list(files)
    chosen: str | Sequence[str] = sorted(path.name for path in files) if inputs is None else inputs
    final = store / key_of(files, parameters, chosen)
    if final.is_dir():
        return final
    store.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="run-", dir=store))
    try:
        for path in files:
            shutil.copyfile(path, work / path.name)
        status = _ask(
            python, {"folder": str(work.resolve()), "inputs": chosen, "parameters": dict(parameters)}
        )
        log = work / "log.txt"
        text = log.read_text(errors="replace") if log.is_file() else "(no log)"
        # It reports some errors in its log alone and ends as if all were well.
        root = str(parameters.get("output", "ref")).removesuffix(".fits")
        made = any(work.glob(f"{root}*.fits")) or not parameters.get("driz_combine", True)
        if status or not made:
            message = f"The reference program failed with {dict(parameters)!r}:\n{text[-6000:]}"
            raise RuntimeError(message)
        try:
            work.rename(final)
        except OSError:  # another worker was first, with the same products
            if not final.is_dir():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return final


if __name__ == "__main__":
    print(ensure(Path(sys.argv[1]).resolve()))  # noqa: T201 - the answer of the script
