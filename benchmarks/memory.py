"""Peak of the resident memory of whole runs at several limits, above that of Python with its libraries, and how often inputs are read.

python benchmarks/memory.py [--exposures N] [--side PIXELS] [--chips N] [--limits LIMIT ...] [--cores N]

Exposures of square chips lie on a square mosaic, a third of a side apart; each limit runs in a process of its own, which reads them
from files and writes a mosaic.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import resource
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

SCALE = 0.05 / 3600


def write(folder, count, side, chips):
    """Write exposures as files with SCI and DQ extensions."""
    across = math.isqrt(count - 1) + 1
    rng = np.random.default_rng(1)
    for number in range(count):
        row, column = divmod(number, across)
        header = fits.Header({"EXPTIME": 100.0, "TARGNAME": "BENCH"})
        hdus = [fits.PrimaryHDU(header=header)]
        for chip in range(chips):
            wcs = WCS(naxis=2)
            wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
            wcs.wcs.crval = [150.0, 2.0]
            wcs.wcs.cd = np.diag([-SCALE, SCALE])
            wcs.wcs.crpix = [-column * side / 3, -(row + chip * across * 3) * side / 3]
            image = rng.normal(100.0, 10.0, (side, side)).astype(np.float32)
            flags = (rng.random((side, side)) < 0.01).astype(np.int16)
            for name, data in (("SCI", image), ("DQ", flags)):
                hdus.append(fits.ImageHDU(data, wcs.to_header(), name=name, ver=chip + 1))
            hdus[-2].header["BUNIT"] = "ELECTRONS"
        fits.HDUList(hdus).writeto(Path(folder) / f"e{number:04d}.fits")


def status(field):
    """Return a line of the status of this process, in MB."""
    text = Path("/proc/self/status").read_text().split(f"{field}:")[1]
    return int(text.split()[0]) * 1024 / 1e6


def one(folder, limit, cores):
    """Run at a limit, and print a line."""
    warnings.simplefilter("ignore")
    import scipy.ndimage
    import scipy.spatial  # noqa: F401  (what a run may import)

    import drizframe
    from drizframe.stock.io.source import FitsSource

    read, whole, part = Counter(), FitsSource.__call__, FitsSource.rows

    def counted(function):
        def wrapped(self, kind, *rows):
            image = function(self, kind, *rows)
            if image is not None:
                read[kind, self.places[kind]] += image.size
            return image

        return wrapped

    FitsSource.__call__, FitsSource.rows = counted(whole), counted(part)
    os.chdir(folder)
    before, start, cpu = status("VmRSS"), time.perf_counter(), time.process_time()
    result = drizframe.run("e*.fits", f"out{limit}", max_memory=limit, num_cores=cores)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    size = result.exposures[0].chips[0].shape
    times = [n / math.prod(size) for (kind, _), n in read.items() if kind == "sci"]
    print(
        f"max_memory={limit}: peak {peak - before:.0f} MB above the {before:.0f} MB of Python with its libraries, {seconds:.1f} s "
        f"({cpu:.1f} s of CPU); SCI was read {np.mean(times):.1f} times on average, {max(times):.1f} at most",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exposures", type=int, default=16)
    parser.add_argument("--side", type=int, default=1014)
    parser.add_argument("--chips", type=int, default=1)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--limits", nargs="*", default=["150MB", "400MB", "1024MiB"])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        write(scratch, given.exposures, given.side, given.chips)
        for most in given.limits:
            process = multiprocessing.get_context("spawn").Process(
                target=one, args=(scratch, most, given.cores)
            )
            process.start()
            process.join()
