"""Run the resample and outlier-detection tests of stcal 1.20 twice: with its own `drizzle`, and with ours in its place.

    python stcal_suite.py ENVIRONMENT DIRECTORY

makes a virtual environment with stcal in ENVIRONMENT unless it is there, unpacks the tests into DIRECTORY, and prints
the tests that pass with theirs but not with ours.  stcal wants drizzle 2.2, so it has an environment of its own; ours
runs there from the folder that holds this drizframe, which is searched last, and must be of the same Python.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import venv
import xml.etree.ElementTree as ET
from pathlib import Path

import drizframe

VERSION = "1.20.0"
REQUIREMENTS = (f"stcal=={VERSION}", "pytest")
FOLDERS = ("tests/resample", "tests/outlier_detection")
#: Left out: all but one of 54 combinations that take 10 s each, the longer of the two modes of errors, and what does
#: not use drizzle at all.
CHOSEN = (
    "(test_resample.py and not photometry and not driz_err) "
    "or (photometry and square and True-ivm-1.0) or gwcs_blot or (test_pixmap and in_shape0)"
)
#: Puts `drizframe.resample` and `drizframe.utils` in the place of drizzle's modules.
SHIM = """
import sys, types
sys.path += {paths!r}
from drizframe import resample, utils
drizzle = types.ModuleType("drizzle")
drizzle.resample, drizzle.utils = resample, utils
sys.modules.update({{"drizzle": drizzle, "drizzle.resample": resample, "drizzle.utils": utils}})
"""


def python_of(environment: Path) -> Path:
    """Return the interpreter of the environment with stcal, which is made if there is none."""
    python, marker = environment / "bin" / "python", environment / "stcal_suite.complete"
    if marker.is_file() and marker.read_text().split() == [VERSION, sys.version.split()[0]]:
        return python
    if environment.is_dir() and any(environment.iterdir()) and not (environment / "pyvenv.cfg").is_file():
        message = f"{environment} holds something else. Name a new directory."
        raise RuntimeError(message)
    venv.create(environment, clear=True, with_pip=True)
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", *REQUIREMENTS], check=True)
    marker.write_text(f"{VERSION} {sys.version.split()[0]}")
    return python


def fetch(python: Path, directory: Path) -> Path:
    """Unpack the tests, and return the folder that holds them."""
    archive = directory / f"stcal-{VERSION}.tar.gz"
    if not archive.is_file():
        command = [str(python), "-m", "pip", "--quiet", "download", "--no-deps", "--no-binary", "stcal"]
        subprocess.run([*command, "--dest", str(directory), REQUIREMENTS[0]], check=True)
    root = directory / f"stcal-{VERSION}"
    with tarfile.open(archive) as tar:
        members = [m for m in tar.getmembers() if m.name.startswith(f"{root.name}/tests/")]
        tar.extractall(directory, members=members, filter="data")
    return root


def outcomes(python: Path, root: Path, chosen: str, *, ours: bool) -> dict[str, str]:
    """Run the tests; return the outcome of each ("passed", "failed", "skipped")."""
    report = root / f"report-{ours}.xml"
    command = [
        str(python),
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-k",
        chosen,
        f"--junitxml={report}",
    ]
    if ours:
        paths = [
            str(Path(drizframe.__file__).parents[1]),
            *(p for p in sys.path if p.endswith("site-packages")),
        ]
        (root / "drizframe_shim.py").write_text(SHIM.format(paths=paths))
        command += ["-p", "drizframe_shim"]
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(root),
        "PYTHONPATH": str(root),
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [*command, *FOLDERS], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode not in {0, 1}:
        message = f"pytest stopped with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        raise RuntimeError(message)
    found = {}
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314  (pytest has just written it)
        kinds = {child.tag for child in case}
        outcome = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        found[f"{case.get('classname')}::{case.get('name')}"] = outcome
    return found


def compare(
    environment: Path, directory: Path, chosen: str = CHOSEN
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the outcomes with their library and with ours."""
    python = python_of(environment)
    root = fetch(python, directory)
    return outcomes(python, root, chosen, ours=False), outcomes(python, root, chosen, ours=True)


def main(environment: Path, directory: Path) -> int:
    """Print what passes with theirs only; return how many there are."""
    directory.mkdir(parents=True, exist_ok=True)
    theirs, ours = compare(environment, directory)
    worse = sorted(n for n, o in theirs.items() if o == "passed" and ours.get(n) != "passed")
    for name in worse:
        print(f"{name}: {ours.get(name, 'missing')}")  # noqa: T201  (a script)
    counts = [sum(o == "passed" for o in run.values()) for run in (theirs, ours)]
    print(f"{len(theirs)} tests: {counts[0]} pass with theirs, {counts[1]} with ours")  # noqa: T201
    return len(worse)


if __name__ == "__main__":
    sys.exit(bool(main(*(Path(a).resolve() for a in sys.argv[1:3]))))
