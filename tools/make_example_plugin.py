"""Write plugins/drizframe-example from the tutorial, word for word.

python tools/make_example_plugin.py
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TUTORIAL = ROOT / "docs" / "tutorial" / "kernel.md"
FOLDER = ROOT / "plugins" / "drizframe-example"
BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(path: Path = TUTORIAL) -> list[tuple[str, str, str]]:
    """Return language, file name (blank if it is of no file) and text of every block of code."""
    return [(m[1], m[2] or "", m[3]) for m in BLOCK.finditer(path.read_text(encoding="utf-8"))]


def files() -> dict[str, str]:
    """Return the files of the package by path."""
    return {name: text for _, name, text in blocks() if name}


def main() -> None:
    """Write the files."""
    for name, text in files().items():
        target = FOLDER / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        print(f"wrote {target}")


if __name__ == "__main__":
    main()
