"""Run the tests of STScI's drizzle 3.0.0 twice: with its own `resample` and `utils`, and with ours.

    python drizzle3_suite.py DIRECTORY

downloads the source archive into DIRECTORY, takes the two test files from it, points their imports at either
library, and prints the tests that pass with theirs but not with ours. Their helper module and C extension
come, in both runs, from the drizzle that is installed; the helper needs gwcs. Tests whose data files are not
distributed fail with both.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ET
from pathlib import Path

VERSION = "3.0.0"
FILES = ("test_resample.py", "test_utils.py")
#: What the imports of the files become in both runs, and in ours.
BOTH = (("from .helpers import", "from drizzle.tests.helpers import"),)
OURS = (
    ("import cdrizzle, resample, utils", "import cdrizzle\nfrom drizframe import resample, utils"),
    ("from drizzle.utils import", "from drizframe.utils import"),
)  # fmt: skip


def fetch(directory: Path) -> dict[str, str]:
    """Return the text of the test files."""
    archive = directory / f"drizzle-{VERSION}.tar.gz"
    if not archive.is_file():
        command = [sys.executable, "-m", "pip", "--quiet", "download", "--no-deps", "--no-binary", "drizzle"]
        subprocess.run([*command, "--dest", str(directory), f"drizzle=={VERSION}"], check=True)
    texts = {}
    with tarfile.open(archive) as tar:
        for name in FILES:
            member = tar.extractfile(f"drizzle-{VERSION}/drizzle/tests/{name}")
            if member is None:
                raise FileNotFoundError(f"{archive} holds no {name}")
            texts[name] = member.read().decode()
    return texts


def rewritten(text: str, changes: tuple[tuple[str, str], ...]) -> str:
    """Replace what is there of `changes`."""
    for old, new in changes:
        text = text.replace(old, new)
    return text


def outcomes(directory: Path, texts: dict[str, str]) -> dict[str, str]:
    """Run test files; return the outcome of each test ("passed", "failed", "skipped")."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (directory / name).write_text(text)
    report = directory / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
    command += ["--rootdir", str(directory), "-c", os.devnull, f"--junitxml={report}", str(directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 1}:
        raise RuntimeError(f"pytest stopped with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    found = {}
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314  (pytest has just written it)
        kinds = {child.tag for child in case}
        name = f"{case.get('classname')}::{case.get('name')}"
        found[name] = (
            "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        )
    return found


def compare(directory: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return the outcomes with their library and with ours."""
    texts = fetch(directory)
    theirs = {n: rewritten(t, BOTH) for n, t in texts.items()}
    ours = {n: rewritten(t, OURS) for n, t in theirs.items()}
    for name in FILES:
        if ours[name] == theirs[name]:
            raise RuntimeError(f"the imports of {name} were not found; nothing of ours would be tested")
    return outcomes(directory / "theirs", theirs), outcomes(directory / "ours", ours)


def main(directory: Path) -> int:
    """Print what passes with theirs only; return how many there are."""
    theirs, ours = compare(directory)
    worse = sorted(n for n, o in theirs.items() if o == "passed" and ours.get(n) != "passed")
    for name in worse:
        print(f"{name}: {ours.get(name, 'missing')}")  # noqa: T201  (a script)
    counts = [sum(o == "passed" for o in run.values()) for run in (theirs, ours)]
    print(f"{len(theirs)} tests: {counts[0]} pass with theirs, {counts[1]} with ours")  # noqa: T201
    return len(worse)


if __name__ == "__main__":
    sys.exit(bool(main(Path(sys.argv[1]).resolve())))
