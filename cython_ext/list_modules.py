"""List the compiled modules for Meson, which cannot look into a folder: each .pyx beside this file is one.

``list_modules.py`` prints a line for each module, ``name`` or ``name avx2``; the second kind has the line ``# builds: plain,
avx2`` in its head. The lists are read when the build is configured, so a build that is there must be told of a file that
came or went: ``list_modules.py --check STAMP DEPFILE NAME ...`` is run by ninja whenever the folder has changed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
#: In the head of a .pyx: a second build for AVX2 is worth it, which benchmarks/kernels.py shows with DRIZFRAME_AVX2=0 and 1.
TWICE = "# builds: plain, avx2"


def modules() -> dict[str, bool]:
    """Names of the modules in order, and whether each is built for AVX2 too."""
    return {p.stem: TWICE in p.read_text(encoding="utf-8").splitlines() for p in sorted(FOLDER.glob("*.pyx"))}


def lines() -> list[str]:
    """What Meson reads."""
    return [f"{name} avx2" if twice else name for name, twice in modules().items()]


def check(stamp: Path, depfile: Path, known: list[str]) -> int:
    """Return 1, and have the next build configured anew, if the folder holds other modules than the build knows."""
    now = [line.replace(" ", "+") for line in lines()]
    if now != known:
        os.utime(FOLDER / "meson.build")
        print(
            f"The compiled modules in {FOLDER} are others than this build knows: "
            f"new {sorted(set(now) - set(known))}, gone {sorted(set(known) - set(now))}. "
            f"Build once more; it will be configured anew."
        )
        return 1
    sources = [FOLDER, *(FOLDER / f"{name}.pyx" for name in modules())]
    depfile.write_text(f"{stamp}: " + " ".join(str(p).replace(" ", "\\ ") for p in sources) + "\n")
    stamp.write_text("\n".join(now) + "\n")
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--check"]:
        sys.exit(check(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:]))
    print("\n".join(lines()))
