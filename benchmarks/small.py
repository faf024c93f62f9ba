"""What a run costs beside its pixels: four exposures of 64 x 64 pixels, in memory and in files, many times in one process.

python benchmarks/small.py [RUNS]

Milliseconds are CPU time of this process, the smallest mean of five rounds; pixels are what exposures of 64 x 64 cost more than
exposures of 8 x 8.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import planning
from astropy.io import fits

import drizframe


def files(folder, exposures):
    """Write exposures with headers of some hundred cards."""
    for exposure in exposures:
        chip = exposure.chips[0]
        primary = fits.Header([(f"KEY{k:03d}", 1.5 * k, "a comment") for k in range(150)])
        primary["EXPTIME"], primary["ROOTNAME"] = exposure.exptime, exposure.name
        header = chip.wcs.to_header()
        header["BUNIT"] = "ELECTRONS"
        header.extend([(f"X{k:03d}", k, "a comment") for k in range(150)])
        image = chip.data()
        planes = {"SCI": image, "ERR": np.sqrt(np.abs(image)), "DQ": np.zeros(image.shape, np.int16)}
        hdus = [fits.ImageHDU(plane, header, name=name) for name, plane in planes.items()]
        path = Path(folder) / f"{exposure.name}_flt.fits"
        fits.HDUList([fits.PrimaryHDU(header=primary), *hdus]).writeto(path, checksum=True)
        yield str(path)


def cost(inputs, runs, **more):
    """Return CPU milliseconds a run."""
    rounds = []
    for _ in range(6):  # the first warms up
        start = time.process_time()
        for _ in range(max(runs // 5, 1)):
            drizframe.run(inputs, num_cores=1, **more)
        rounds.append((time.process_time() - start) / max(runs // 5, 1))
    return 1e3 * min(rounds[1:])


def main(runs=50):
    """Print the lines."""
    large = planning.exposures(4)
    planning.SIDE = 8
    tiny = cost(planning.exposures(4), runs)
    whole = cost(large, runs)
    print(f"in memory: {whole:.1f} ms, pixels {whole - tiny:.1f} ms, beside them {tiny:.1f} ms")
    with tempfile.TemporaryDirectory() as folder:
        names = list(files(folder, large))
        read = cost(names, runs)
        written = cost(names, runs, output=f"{folder}/x")
    print(f"from files: {read:.1f} ms, {read / whole:.1f} times as much; with products {written:.1f} ms")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    main(*map(int, sys.argv[1:]))
