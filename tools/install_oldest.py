"""Install the lowest versions that pyproject.toml promises: of each requirement ``name>=version``, that version.

    python tools/install_oldest.py [extra ...]

Into the environment of this Python, which holds the newest already: pip then says what does not go together.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
BOUND = re.compile(r"([A-Za-z0-9._-]+)\s*>=\s*([0-9][0-9a-z.]*)")


def lowest(extras: list[str]) -> list[str]:
    """Return ``name==version`` for the dependencies of the project and of extras.

    Raises
    ------
    SystemExit
        If an extra is unknown, or a requirement says no lowest version.
    """
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    if unknown := sorted(set(extras) - set(optional)):
        sys.exit(f"{PROJECT.name} has no extras {unknown}; choose from {sorted(optional)}")
    pins = []
    for text in [*project["dependencies"], *(text for extra in extras for text in optional[extra])]:
        match = BOUND.match(text)
        if match is None:
            sys.exit(f"{text!r} in {PROJECT.name} says no lowest version; write name>=version")
        pins.append(f"{match[1]}=={match[2]}")
    return pins


def main() -> int:
    """Return pip's verdict."""
    pins = lowest(sys.argv[1:])
    print("installing", *pins, flush=True)
    return subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *pins], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
