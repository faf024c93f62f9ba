"""A whole run with defaults against AstroDrizzle, on the same simulated exposures, in turn.

python benchmarks/run_against.py PYTHON [NUMBER] [ROWSxCOLUMNS] [TIMES]

PYTHON is an interpreter that has drizzlepac 3.11.0; times include the start of the interpreter.  AstroDrizzle's best is the fastest of
its settings.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from drizframe.simulate import acs_wfc, dither, random_scene, simulate

DROP_IN = "astrodrizzle.AstroDrizzle('*_flt.fits', output='ref', build=False, num_cores={cores}, in_memory={memory})"
THEIRS = {
    f"AstroDrizzle, {cores} process{'es' * (cores > 1)}{', in memory' if memory else ''}": "from drizzlepac import astrodrizzle; "
    + DROP_IN.format(cores=cores, memory=memory)
    for cores in (1, 2)
    for memory in (False, True)
}
OURS = {
    "drizframe, drop-in with all files": "from drizframe import astrodrizzle; "
    + DROP_IN.format(cores=2, memory=False),
    "drizframe.run, files to products": "import drizframe; drizframe.run('*_flt.fits', 'ref', num_cores=2)",
}


def measured(python, code, source):
    """Return wall time and CPU time in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        for path in source.glob("*_flt.fits"):
            shutil.copy(path, folder)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        subprocess.run([python, "-W", "ignore", "-c", code], cwd=folder, check=True, capture_output=True)  # noqa: S603
        wall = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(python, number=4, shape="2048x4096", times=2):
    rows, columns = (int(v) for v in shape.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder)
        scene = random_scene(1, stars=3000, size=220.0)
        simulate(acs_wfc(), scene, dither(number, exptime=400, seed=1), seed=1, shape=(rows, columns)).write(
            source
        )
        print(f"{number} exposures of 2 x {rows} x {columns} pixels; least of {times} runs, in turn")
        best = {}
        for _ in range(times):
            for name, code in {**THEIRS, **OURS}.items():
                found = measured(sys.executable if name in OURS else python, code, source)
                best[name] = min(best.get(name, found), found)
                print(f"  {name}: {found[0]:.1f} s, {found[1]:.1f} s of CPU", flush=True)
        theirs, spent = (min(best[n][k] for n in THEIRS) for k in (0, 1))
        print(f"AstroDrizzle's best: {theirs:.1f} s, {spent:.1f} s of CPU")
        for name in OURS:
            wall, cpu = best[name]
            print(
                f"{name}: {wall:.1f} s, ratio {theirs / wall:.1f}; {cpu:.1f} s of CPU, ratio {spent / cpu:.1f}"
            )


if __name__ == "__main__":
    main(sys.argv[1], *[int(v) if v.isdigit() else v for v in sys.argv[2:]])
