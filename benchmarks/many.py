"""Whole runs of many small exposures: CPU seconds, and the peak of the memory, as they become more.

python benchmarks/many.py [NUMBER ...] [--tile PIXELS]

Exposures of 64 x 64 pixels lie on a square mosaic, a third of a side apart; each number runs in a process of its own.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import resource
import time
import warnings

from planning import exposures

import drizframe


def one(count, tile):
    """Print the line of a number."""
    warnings.simplefilter("ignore")
    made = exposures(count, math.isqrt(count - 1) + 1)
    start = time.process_time()
    result = drizframe.run(made, num_cores=1, tile_size=tile)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    most = sorted(result.seconds.items(), key=lambda s: -s[1])[:3]
    print(
        f"{count} exposures, tiles of {tile}: {seconds:.2f} s, {1e3 * seconds / count:.2f} ms an exposure, peak {peak:.0f} MB; "
        f"longest: {', '.join(f'{name} {s:.2f} s' for name, s in most)}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("numbers", nargs="*", type=int)
    parser.add_argument("--tile", type=int, default=1024)
    given = parser.parse_args()
    for number in given.numbers or (100, 400, 1000):
        process = multiprocessing.get_context("spawn").Process(target=one, args=(number, given.tile))
        process.start()
        process.join()
