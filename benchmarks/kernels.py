"""Kernels against STScI's drizzle 3.0.0: the same map, one thread, in turn, ns per input pixel.

python benchmarks/kernels.py [SIZE]
"""

from __future__ import annotations

import statistics
import sys
import time

import numpy as np
from drizzle.resample import Drizzle

from drizframe import api
from drizframe.model import ChipInput, PixelMap, Window
from drizframe.pixels.drizzle import drizzle
from drizframe.resample import SUPPORTED_DRIZZLE_KERNELS

ROUNDS = 3


def rotated(x, y, n):
    """20 degrees about the centre plus a mild quadratic distortion, into a frame 1.5 times as large."""
    c, s, h = np.cos(np.deg2rad(20)), np.sin(np.deg2rad(20)), n / 2
    u, v = x - h, y - h
    return c * u - s * v + 1e-6 * u * v + 1.5 * h, s * u + c * v + 1e-6 * u * u + 1.5 * h


def timed(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main(n):
    rng = np.random.default_rng(1)
    data = rng.normal(100, 10, (n, n)).astype(np.float32)
    weight = rng.uniform(0.5, 1.5, (n, n)).astype(np.float32)
    out = (int(1.5 * n), int(1.5 * n))
    table = PixelMap.from_table(lambda x, y: rotated(x, y, n), (n, n), 10.0)
    yy, xx = np.mgrid[0:n, 0:n].astype(float)
    pixmap = np.dstack(rotated(xx, yy, n))
    registry = api.registry()

    def ours(kernel, pixfrac):
        chip = ChipInput(data=[data], weight=weight, number=1, pixmap=table, scale=1.0)
        tiles = [
            Window(y, min(y + 512, out[0]), x, min(x + 512, out[1]))
            for y in range(0, out[0], 512)
            for x in range(0, out[1], 512)
        ]
        return [drizzle(t, [chip], registry.get("kernel", kernel), pixfrac=pixfrac, planes=1) for t in tiles]

    def theirs(kernel, pixfrac):
        d = Drizzle(kernel=kernel, out_shape=out, fillval="INDEF", disable_ctx=False)
        d.add_image(data, exptime=1.0, pixmap=pixmap, weight_map=weight, pixfrac=pixfrac, in_units="cps")

    print(f"{n} x {n} pixels, ns per input pixel, median of {ROUNDS} pairs")
    print(f"{'kernel':<10}{'pixfrac':>8}{'drizzle':>10}{'drizframe':>11}{'ratio':>8}")
    for kernel, pixfrac in [*((name, 1.0) for name in registry.names("kernel")), ("square", 0.8)]:
        a, b = [], []
        for _ in range(ROUNDS):
            if kernel in SUPPORTED_DRIZZLE_KERNELS:
                a.append(timed(lambda: theirs(kernel, pixfrac)))  # noqa: B023  (called at once)
            b.append(timed(lambda: ours(kernel, pixfrac)))  # noqa: B023
        y = statistics.median(b) / n**2 * 1e9
        if not a:  # the drizzle package does not have it
            print(f"{kernel:<10}{pixfrac:>8}{'-':>10}{y:>11.1f}{'-':>8}")
            continue
        ratio = statistics.median(x / y for x, y in zip(a, b, strict=True))
        x = statistics.median(a) / n**2 * 1e9
        print(f"{kernel:<10}{pixfrac:>8}{x:>10.1f}{y:>11.1f}{ratio:>8.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2048)
