"""How well kernels keep the flux: Σ SCI·WHT / (f Σ data·weight) - 1 in float64.

python benchmarks/kernel_flux.py

"one pixel": the largest error over 33 x 33 sub-pixel phases of a single input pixel. "image": the error of a whole
image of random data and weights, rotated by 20 degrees, which is what a mosaic sees: phases average out.
With s the output over the input pixel scale, f is s² (SCI is per output pixel); for lanczos it is 1, because their
weights are not divided by the area of the output pixel.
"""

from __future__ import annotations

import numpy as np

from drizframe import api
from drizframe.model import ChipInput, PixelMap, Window
from drizframe.pixels.drizzle import drizzle

PHASES = np.linspace(-0.5, 0.5, 33)
#: Output over input pixel scale, and pixfrac.
CASES = ((1.0, 1.0), (1.0, 0.8), (1.0, 0.5), (0.8, 1.0), (0.5, 1.0), (0.5, 0.5), (1.5, 1.0))


def _image_error(kernel, data, weight, pixmap, shape, scale, pixfrac):
    """Σ SCI·WHT / Σ data·weight - 1 of one chip on a frame that holds all of it."""
    chip = ChipInput(data=[data], weight=weight, number=1, pixmap=pixmap, scale=scale)
    done = drizzle(Window(0, shape[0], 0, shape[1]), [chip], kernel, pixfrac=pixfrac, dtype=np.float64)
    some = done.wht != 0
    total = float((done.sci[some] * done.wht[some]).sum())
    expected = 1.0 if kernel.name.startswith("lanczos") else scale**2
    return total / (expected * float((data.astype(np.float64) * weight).sum())) - 1.0


def pixel_error(kernel, *, scale=1.0, pixfrac=1.0):
    """Largest error of one input pixel over its sub-pixel phases."""
    one = np.ones((1, 1), dtype=np.float32)
    worst = 0.0
    for px in PHASES:
        for py in PHASES[: PHASES.size // 2 + 1]:
            pixmap = PixelMap.from_table(
                lambda x, y, px=px, py=py: (x / scale + 15 + px, y / scale + 15 + py), (1, 1), 1.0
            )
            error = _image_error(kernel, one, one, pixmap, (31, 31), scale, pixfrac)
            worst = max(worst, abs(error))
    return worst


def image_error(kernel, *, scale=1.0, pixfrac=1.0, size=120):
    """Error of a rotated image of random data and weights."""
    rng = np.random.default_rng(2)
    data = rng.uniform(50, 150, (size, size)).astype(np.float32)
    weight = rng.uniform(0.5, 1.5, (size, size)).astype(np.float32)
    side = int(1.6 * size / scale) + 20
    c, s = np.cos(np.deg2rad(20)) / scale, np.sin(np.deg2rad(20)) / scale
    pixmap = PixelMap.from_table(
        lambda x, y: (
            c * (x - size / 2) - s * (y - size / 2) + side / 2,
            s * (x - size / 2) + c * (y - size / 2) + side / 2,
        ),
        (size, size),
        10.0,
    )
    return _image_error(kernel, data, weight, pixmap, (side, side), scale, pixfrac)


def main():
    kernels = list(api.registry().records("kernel"))
    print("| scale | pixfrac | " + " | ".join(f"{k.name}: one pixel | image" for k in kernels) + " |")
    print("| --- " * (2 + 2 * len(kernels)) + "|")
    for scale, pixfrac in CASES:
        pairs = [
            (pixel_error(k, scale=scale, pixfrac=pixfrac), image_error(k, scale=scale, pixfrac=pixfrac))
            for k in kernels
        ]
        print(f"| {scale:g} | {pixfrac:g} | " + " | ".join(f"{a:.1e} | {b:+.1e}" for a, b in pairs) + " |")


if __name__ == "__main__":
    main()
