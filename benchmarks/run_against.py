"""A whole run with defaults against AstroDrizzle, on the same simulated exposures, in turn.

python benchmarks/run_against.py PYTHON [NUMBER] [ROWSxCOLUMNS]

PYTHON is an interpreter that has drizzlepac 3.11.0; times include the start of the interpreter.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from drizframe.simulate import acs_wfc, dither, random_scene, simulate

REFERENCE = "from drizzlepac import astrodrizzle; astrodrizzle.AstroDrizzle('*_flt.fits', output='ref', build=False, num_cores=2)"
OURS = "from drizframe import astrodrizzle; astrodrizzle.AstroDrizzle('*_flt.fits', output='ref', build=False, num_cores=2)"


def seconds(python, code, source):
    with tempfile.TemporaryDirectory() as folder:
        for path in source.glob("*_flt.fits"):
            shutil.copy(path, folder)
        start = time.perf_counter()
        subprocess.run([python, "-W", "ignore", "-c", code], cwd=folder, check=True, capture_output=True)  # noqa: S603
        return time.perf_counter() - start


def main(python, number=4, shape="2048x4096"):
    rows, columns = (int(v) for v in shape.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder)
        scene = random_scene(1, stars=3000, size=220.0)
        simulate(
            acs_wfc(),
            scene,
            dither(number, exptime=400, seed=1),
            seed=1,
            shape=(rows, columns),
        ).write(source)
        print(f"{number} exposures of 2 x {rows} x {columns} pixels, drop-in with all files")
        for _ in range(2):
            theirs, ours = seconds(python, REFERENCE, source), seconds(sys.executable, OURS, source)
            print(f"AstroDrizzle {theirs:.1f} s, drizframe {ours:.1f} s, ratio {theirs / ours:.1f}")


if __name__ == "__main__":
    main(sys.argv[1], *[int(v) if v.isdigit() else v for v in sys.argv[2:]])
