"""Hold the stubs of the compiled modules to what was built: mypy's stubtest over drizframe/_fast/*.pyi."""

from __future__ import annotations

import sys
from pathlib import Path

from mypy import stubtest

import drizframe._fast


def main() -> int:
    """Return stubtest's verdict, or 1 if a declared module was not built."""
    declared = sorted(path.stem for path in Path(drizframe._fast.__file__).parent.glob("*.pyi"))  # noqa: SLF001
    missing = sorted(set(declared) - set(drizframe._fast.available()))  # noqa: SLF001
    if missing:
        print(f"declared but not built: {', '.join(missing)}. {drizframe._fast.explain()}")  # noqa: SLF001
        return 1
    names = [f"drizframe._fast.{name}" for name in declared]
    return stubtest.test_stubs(stubtest.parse_options([*names, "--ignore-disjoint-bases"]))


if __name__ == "__main__":
    sys.exit(main())
