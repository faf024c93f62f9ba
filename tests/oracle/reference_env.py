"""The reference program in a virtual environment of its own, and its products, each made once.

    python reference_env.py DIRECTORY

installs it there unless that was done already. `products` runs it on files and keeps what it wrote under a
hash of everything that the result depends on.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

REQUIREMENTS = ("drizzlepac==3.11.0", "spherical-geometry<1.4")
RUNNER = Path(__file__).with_name("run_reference.py")


def python_of(directory: Path) -> Path:
    """The interpreter of a virtual environment."""
    return directory / "bin" / "python"


def identity() -> dict[str, Any]:
    """What a complete environment was made from."""
    return {"python": sys.version.split()[0], "requirements": list(REQUIREMENTS)}


def ensure(directory: Path) -> Path:
    """Make the environment unless a complete one is there, and return its interpreter."""
    marker = directory / "complete.json"
    if marker.is_file() and json.loads(marker.read_text()) == identity():
        return python_of(directory)
    venv.create(directory, clear=True, with_pip=True)
    environment = {
        k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    }
    command = [str(python_of(directory)), "-m", "pip", "install", "--quiet", *REQUIREMENTS]
    subprocess.run(command, check=True, env=environment)
    marker.write_text(json.dumps(identity()))  # last: its presence says that all went well
    return python_of(directory)


def key_of(inputs: Iterable[Path], parameters: Mapping[str, Any]) -> str:
    """Hash of names and contents of the inputs, the parameters, the program and the script that runs it."""
    total = hashlib.sha256(json.dumps([identity(), dict(parameters)], sort_keys=True).encode())
    for path in (RUNNER, *sorted(inputs, key=lambda path: path.name)):
        total.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:32]


def products(python: Path, cache: Path, inputs: Iterable[Path], parameters: Mapping[str, Any]) -> Path:
    """Directory with all that the reference made of copies of the inputs; the copies, as edited, are in it.

    Treat it as read-only: it serves every later test with the same inputs and parameters.
    """
    inputs = list(inputs)
    final = cache / key_of(inputs, parameters)
    if final.is_dir():
        return final
    cache.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="run-", dir=cache))
    try:
        for path in inputs:
            shutil.copyfile(path, work / path.name)
        done = subprocess.run(
            [str(python), str(RUNNER)],
            input=json.dumps(
                {"inputs": sorted(path.name for path in inputs), "parameters": dict(parameters)}
            ),
            cwd=work,
            env={k: v for k, v in os.environ.items() if not k.startswith("PYTHON")},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            message = f"The reference program failed with {dict(parameters)!r}:\n{done.stdout}\n{done.stderr}"
            raise RuntimeError(message)
        (work / "log.txt").write_text(done.stdout + done.stderr)
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
