"""Kernels in every way that plugins write them, against the stock gaussian at equal support; interpolators against stock ones.

python benchmarks/forms.py [SIZE]

One thread, in turn; ns per input pixel and the median of the ratios of pairs. Needs a C compiler for the point functions.
"""

from __future__ import annotations

import ctypes
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy import LowLevelCallable

import drizframe
from drizframe import api
from drizframe.model import ChipInput, PixelMap, Window
from drizframe.pixels.blot import blot_chip
from drizframe.pixels.drizzle import drizzle

ROUNDS = 5
#: exp(-E r²) of the stock gaussian at pixfrac 1, and its support in input pixels.
E, SUPPORT = 2.3548**2 / 2, 1.2
PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "kernel.md"
GAUSSIAN = """
#include <math.h>
int gaussian(double x, double y, const double jac[4], double pixfrac, double scale, int *x0, int *y0, int *nx, int *ny,
             double *w, int capacity, void *user)
{
    double r = 1.2 / scale, e = 2.3548 * 2.3548 * scale * scale / (2 * pixfrac * pixfrac), across[64];
    *x0 = (int) floor(x - r + 0.5); *nx = (int) floor(x + r + 0.5) - *x0 + 1;
    *y0 = (int) floor(y - r + 0.5); *ny = (int) floor(y + r + 0.5) - *y0 + 1;
    for (int i = 0; i < *nx; i++) across[i] = exp(-e * (x - *x0 - i) * (x - *x0 - i));
    for (int j = 0; j < *ny; j++) {
        double along = e / 3.141592653589793 * exp(-e * (y - *y0 - j) * (y - *y0 - j));
        for (int i = 0; i < *nx; i++) w[j * *nx + i] = along * across[i];
    }
    return 0;
}
"""


def gauss(dx, dy, *, pixfrac):
    return E / np.pi * np.exp(-E / pixfrac**2 * (dx * dx + dy * dy))


def moffat(dx, dy, *, pixfrac):
    return (1 + (dx * dx + dy * dy) / pixfrac**2) ** -2.5


def skew(dx, dy, *, pixfrac):
    return np.exp(-E / pixfrac**2 * (dx * dx + dy * dy + 0.5 * dx * dy))


def box(x, y, corners, x0, y0, shape, *, pixfrac, scale):
    """A footprint in NumPy: the stock gaussian's formula."""
    i = x0[:, None] + np.arange(shape[1]) - x[:, None]
    j = y0[:, None] + np.arange(shape[0]) - y[:, None]
    near = (np.abs(j) <= SUPPORT)[:, :, None] & (np.abs(i) <= SUPPORT)[:, None, :]
    return np.where(near, E / np.pi * np.exp(-E * j * j)[:, :, None] * np.exp(-E * i * i)[:, None, :], 0.0)


def sinc3(dx, dy):
    def along(u):
        return np.where(np.abs(u) < 3, np.sinc(u) * np.sinc(u / 3), 0.0)

    return along(dx) * along(dy)


def triangle(dx, dy):
    return np.clip(1 - np.abs(dx), 0, None) * np.clip(1 - np.abs(dy), 0, None)


def compiled(folder, name, code):
    (folder / f"{name}.c").write_text(code)
    command = ["cc", "-O2", "-shared", "-fPIC", f"{name}.c", "-o", f"{name}.so", "-lm"]
    subprocess.run(command, cwd=folder, check=True)  # noqa: S603  (our own command)
    return LowLevelCallable(drizframe.PointFunction((name, ctypes.CDLL(str(folder / f"{name}.so")))))


def kernels(folder):
    def kernel(name, **way):
        return drizframe.Kernel(name=name, summary="For timing.", **way)

    def width(pixfrac):
        return SUPPORT

    def reach(pixfrac, scale):
        return SUPPORT / scale

    return [
        kernel("profile-product", profile=gauss, support=width),
        kernel("profile-round", profile=moffat, support=width),
        kernel("profile-neither", profile=skew, support=width),
        kernel("point-function-C", point=compiled(folder, "gaussian", GAUSSIAN), support=reach),
        kernel("footprint-NumPy", footprint=box, support=reach),
    ]


def interpolators(folder):
    code = re.search(r"```c file=pyramid.c\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]

    def interpolator(name, **way):
        return drizframe.Interpolator(name=name, summary="For timing.", **way)

    return [
        ("linear", interpolator("profile-product", profile=triangle, support=1)),
        ("linear", interpolator("point-function-C", point=compiled(folder, "pyramid", code), support=1)),
        ("lanczos3", interpolator("profile-product", profile=sinc3, support=3)),
    ]


def compare(stock, other, n):
    """Return ns per pixel of both, and the median ratio of pairs."""
    stock(), other()  # tables are made once
    a, b = [], []
    for _ in range(ROUNDS):
        for times, function in ((a, stock), (b, other)):
            start = time.perf_counter()
            function()
            times.append((time.perf_counter() - start) / n**2 * 1e9)
    ratio = statistics.median(y / x for x, y in zip(a, b, strict=True))
    return statistics.median(a), statistics.median(b), ratio


def main(n):
    rng = np.random.default_rng(1)
    data = rng.normal(100, 10, (n, n)).astype(np.float32)
    c, s = np.cos(np.deg2rad(20)), np.sin(np.deg2rad(20))
    size = int(1.5 * n)
    table = PixelMap.from_table(
        lambda x, y: (c * x - s * y + 0.4 * n + 1e-6 * x * y, s * x + c * y + 0.05 * n), (n, n), 10.0
    )
    registry = api.registry()
    wide = rng.normal(100, 10, (size, size)).astype(np.float32)

    def drizzling(kernel):
        chip = ChipInput(data=[data], weight=None, number=1, pixmap=table, scale=1.0)

        def run():
            for y in range(0, size, 512):
                for x in range(0, size, 512):
                    window = Window(y, min(y + 512, size), x, min(x + 512, size))
                    drizzle(window, [chip], kernel, pixfrac=1.0, planes=1)

        return run

    print(f"{n} x {n} pixels, ns per input pixel, median of {ROUNDS} pairs")
    print(f"{'component':<34}{'against':<12}{'stock':>8}{'this':>8}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [("kernel", "gaussian", k) for k in kernels(folder)]
        rows += [("interpolator", stock, i) for stock, i in interpolators(folder)]
        for family, against, record in rows:
            stock = registry.get(family, against)
            if family == "kernel":
                pair = drizzling(stock), drizzling(record)
            else:
                pair = tuple(lambda r=r: blot_chip(wide, table, r, factor=1.0) for r in (stock, record))
            x, y, ratio = compare(*pair, n)
            print(f"{family + ', ' + record.name:<34}{against:<12}{x:>8.1f}{y:>8.1f}{ratio:>8.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1024)
