"""The array interface that clients call, against STScI's drizzle 3.0.0: `Drizzle.add_image` and `blot_image`.

python benchmarks/array_api.py [ROUNDS]

The same arrays go to both, in turn in one process; what is printed is CPU time for each pixel of the image, the median
over the rounds, and the ratio of the two (below 1: drizframe is faster). A call makes a `Drizzle` and adds one image.
"""

from __future__ import annotations

import statistics
import sys
import time
import warnings

import drizzle.resample as theirs
import numpy as np

import drizframe
import drizframe.resample as ours

KERNELS = (*((name, 1.0) for name in theirs.SUPPORTED_DRIZZLE_KERNELS), ("square", 0.7))
#: Sides of images, and calls that are timed together.
SIZES = ((1000, 1), (200, 10), (50, 40), (10, 200))


def theirs_takes(interp):
    """Whether the library knows an interpolator of ours."""
    y, x = np.mgrid[2:6, 2:6].astype(float)
    try:
        theirs.blot_image(np.ones((9, 9), np.float32), np.dstack([x, y]), 1.0, 1.0, (4, 4), interp=interp)
    except Exception as error:  # it raises plain ones
        if interp not in str(error):
            raise
        return False
    return True


def turned(n):
    """20 degrees about the centre plus a mild quadratic distortion, into a frame 1.5 times as large."""
    y, x = np.mgrid[0:n, 0:n].astype(float)
    c, s = np.cos(np.deg2rad(20)), np.sin(np.deg2rad(20))
    u, v = x - n / 2, y - n / 2
    return np.dstack([c * u - s * v + 1e-6 * u * v + 0.75 * n, s * u + c * v + 1e-6 * u * u + 0.75 * n])


def seconds(function, calls):
    start = time.process_time()
    for _ in range(calls):
        function()
    return (time.process_time() - start) / calls


def compare(label, n, calls, rounds, run):
    """Time `run(library)` for both, in turn."""
    run(theirs), run(ours)
    pairs = [(seconds(lambda: run(theirs), calls), seconds(lambda: run(ours), calls)) for _ in range(rounds)]
    a, b = (statistics.median(t) / n**2 * 1e9 for t in zip(*pairs, strict=True))
    ratio = statistics.median(y / x for x, y in pairs)
    print(f"{label:<24}{n:>6}{a:>10.1f}{b:>11.1f}{ratio:>8.2f}", flush=True)


def main(rounds):
    warnings.simplefilter("ignore")
    print(f"CPU time in ns per pixel, median of {rounds} rounds; ratio: drizframe over drizzle")
    print(f"{'':<24}{'side':>6}{'drizzle':>10}{'drizframe':>11}{'ratio':>8}")
    rng = np.random.default_rng(1)
    for n, calls in SIZES:
        data = rng.normal(100, 10, (n, n)).astype(np.float32)
        weight = rng.uniform(0.5, 1.5, (n, n)).astype(np.float32)
        pixmap, out = turned(n), (int(1.5 * n), int(1.5 * n))
        for kernel, pixfrac in KERNELS:

            def add(library, kernel=kernel, pixfrac=pixfrac):
                driz = library.Drizzle(kernel=kernel, out_shape=out)  # noqa: B023  (called at once)
                driz.add_image(data, 1.0, pixmap, weight_map=weight, pixfrac=pixfrac)  # noqa: B023

            compare(f"add_image {kernel} {pixfrac}", n, calls, rounds, add)

        def add_all(library):
            driz = library.Drizzle(out_shape=out)  # noqa: B023
            driz.add_image(data, 1.0, pixmap, weight_map=weight, data2=[data, weight])  # noqa: B023

        compare("add_image two variances", n, calls, rounds, add_all)
        image = rng.normal(100, 10, (2 * n, 2 * n)).astype(np.float32)
        inside = np.clip(pixmap + 0.2 * n, 6, 2 * n - 8)
        for interp in filter(theirs_takes, drizframe.registry().names("interpolator")):
            compare(
                f"blot_image {interp}", n, calls, rounds,
                lambda library, interp=interp: library.blot_image(image, inside, interp=interp),  # noqa: B023
            )  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
