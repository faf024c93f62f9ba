"""Checks of kernels, however they are written (footprint, profile, point function)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from drizframe.hooks import Kernel
from drizframe.model import PixelMap
from drizframe.pixels.kernel_forms import form_of
from drizframe.pixels.reach import footprint_of_pixel
from drizframe.testing.checking import check, frozen_copy, same_from_threads, strided, untouched
from drizframe.testing.checking import forall as _forall
from drizframe.testing.failure import CheckFailure, compare, require
from drizframe.testing.strategies import ANYWHERE, OFF_TIES, affine_map, pixmaps, shapes

__all__: list[str] = []

Array = np.ndarray[Any, Any]
#: Sizes of the drop, and of frame pixels over those of the chip, that are tried.
DROPS = st.sampled_from([1.0, 0.6, 0.3, 1.5, 0.05, 2.5])
SCALES = st.sampled_from([1.0, 0.5, 2.0, 0.8, 1.3, 0.2, 3.0])
#: Pairs of these (pixfrac, scale) that are tried whatever is drawn.
ALWAYS = ((0.8, 1.0), (0.05, 1.0), (2.5, 1.0), (1.0, 0.2), (1.0, 3.0), (0.6, 2.2), (0.1, 0.7), (2.5, 0.25))
#: Chips of a few pixels.
SMALL = shapes(rows=st.integers(1, 4), columns=st.integers(1, 4))
#: Positions in a pixel, along each axis, at which the sum of the weights is looked at.
PHASES = 12
#: Relative rounding that another order of operations may bring.
ROUNDING = 1e-9
#: How far the mean centroid may lie from the pixel's centre, in frame pixels.
OFF_CENTRE = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """Arguments of a footprint function; the windows hold all that a pixel can touch and a border around it."""

    x: Array
    y: Array
    corners: Array | None
    x0: Array
    y0: Array
    shape: tuple[int, int]
    pixfrac: float
    scale: float

    def arrays(self) -> dict[str, Array | None]:
        """Return the arrays by name."""
        return {n: getattr(self, n) for n in ("x", "y", "corners", "x0", "y0")}

    def inputs(self) -> dict[str, Any]:
        """Return all arguments by name, for messages."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}


Weigh = Callable[[Case], Array]


def forms(kernel: Kernel, pixfrac: float, scale: float) -> dict[str, Weigh]:
    """Return the functions that can weigh: reference, and compiled if there is such."""
    backends = {"reference": "reference"} | (
        {} if kernel.footprint is not None and kernel.fast is None else {"fast": "auto"}
    )

    def form(backend: Any) -> Weigh:
        function = form_of(kernel, pixfrac, scale, backend=backend, call=None).weigh

        def weigh(c: Case) -> Array:
            return np.asarray(
                function(c.x, c.y, c.corners, c.x0, c.y0, c.shape, pixfrac=c.pixfrac, scale=c.scale)
            )

        return weigh

    return {name: form(backend) for name, backend in backends.items()}


def case_of(kernel: Kernel, pixmap: PixelMap, pixfrac: float, border: int = 2) -> Case:
    """Return the arguments for all pixels of a map."""
    ny, nx = pixmap.shape
    scale = float(pixmap.extra["scale"])
    px, py = np.arange(nx, dtype=np.float64), np.arange(ny, dtype=np.float64)
    gx, gy = (g.ravel() for g in pixmap.grid(px, py))
    half, margin = footprint_of_pixel(kernel, pixfrac, scale)
    corners = None
    if kernel.needs_corners or kernel.point is not None:
        h = half if kernel.needs_corners else 0.5
        parts = [pixmap.grid(px + a * h, py + b * h) for a, b in ((-1, 1), (1, 1), (1, -1), (-1, -1))]
        corners = np.stack([np.stack([a.ravel(), b.ravel()], axis=1) for a, b in parts], axis=1)
    low_x, high_x, low_y, high_y = limits(kernel, gx, gy, corners, margin)
    x0, y0 = (np.floor(v + 0.5).astype(np.intp) - border for v in (low_x, low_y))
    w = int((np.floor(high_x + 0.5).astype(np.intp) + border - x0).max()) + 1
    h = int((np.floor(high_y + 0.5).astype(np.intp) + border - y0).max()) + 1
    return Case(gx, gy, corners, x0, y0, (h, w), pixfrac, scale)


def limits(
    kernel: Kernel, x: Array, y: Array, corners: Array | None, margin: float
) -> tuple[Array, Array, Array, Array]:
    """Return lowest and highest x and y that each pixel can reach."""
    if kernel.needs_corners and corners is not None:
        return (
            corners[:, :, 0].min(axis=1),
            corners[:, :, 0].max(axis=1),
            corners[:, :, 1].min(axis=1),
            corners[:, :, 1].max(axis=1),
        )
    return x - margin, x + margin, y - margin, y + margin


def forall(body: Callable[..., None], kernel: Kernel, *, ties: bool = True, **more: Any) -> None:
    """Call ``body(case, weigh, kind)`` for drawn cases and every implementation; `ties`: see `strategies.off_ties`."""

    def one(pixmap: PixelMap, pixfrac: float, **drawn: Any) -> None:
        case = case_of(kernel, pixmap, pixfrac)
        for kind, weigh in forms(kernel, pixfrac, case.scale).items():
            body(case, weigh, kind, **drawn)

    _forall(
        one,
        pixmap=pixmaps(shapes=SMALL, scales=SCALES, shifts=ANYWHERE if ties else OFF_TIES),
        pixfrac=DROPS,
        **more,
    )
    for pixfrac, scale in () if more else ALWAYS:
        one(affine_map((2, 3), angle=23.0, scale=scale, shift=(-7.3, 1500.2)), pixfrac)


# -- weights -----------------------------------------------------------------------------------------------------------


@check("kernel", name="check_shape_and_type")
def check_kernel_shape_and_type(kernel: Kernel) -> None:
    """Weights are finite float64 of shape (n, h, w)."""

    def body(case: Case, weigh: Weigh, kind: str) -> None:
        got = weigh(case)
        what = f"{kernel!r} ({kind}) gives finite float64 weights of shape (n, h, w)"
        want = (len(case.x), *case.shape)
        require(got.shape == want, what, expected=want, got=got.shape, where="shape", inputs=case.inputs())
        require(
            got.dtype == np.float64,
            what,
            expected="float64",
            got=str(got.dtype),
            where="type",
            inputs=case.inputs(),
        )
        bad = np.argwhere(~np.isfinite(got))
        if bad.size:
            index = tuple(int(i) for i in bad[0])
            raise CheckFailure(
                what,
                expected="a finite number",
                got=got[index].item(),
                where=f"element {list(index)}",
                inputs=case.inputs(),
            )

    forall(body, kernel)


@check("kernel", name="check_inputs_untouched")
def check_kernel_inputs_untouched(kernel: Kernel) -> None:
    """The kernel does not change its arguments."""

    def body(case: Case, weigh: Weigh, kind: str) -> None:
        with untouched(f"{kernel!r} ({kind})", **case.arrays()):
            weigh(case)

    forall(body, kernel)


@check("kernel", name="check_any_layout")
def check_kernel_any_layout(kernel: Kernel) -> None:
    """Read-only and strided arguments give the same weights."""

    def body(case: Case, weigh: Weigh, kind: str) -> None:
        want = weigh(case)
        for layout, change in (("read-only", frozen_copy), ("strided", strided)):
            other = dataclasses.replace(case, **{n: change(a) for n, a in case.arrays().items()})
            compare(f"{kernel!r} ({kind}) takes {layout} arguments", weigh(other), want, inputs=case.inputs())

    forall(body, kernel)


@check("kernel")
def check_nothing_outside_footprint(kernel: Kernel) -> None:
    """The weight is exactly 0 (which means: not touched) beyond the corners or the support."""

    def body(case: Case, weigh: Weigh, kind: str) -> None:
        _, margin = footprint_of_pixel(kernel, case.pixfrac, case.scale)
        low_x, high_x, low_y, high_y = limits(kernel, case.x, case.y, case.corners, margin)
        columns, rows = (
            case.x0[:, None] + np.arange(case.shape[1]),
            case.y0[:, None] + np.arange(case.shape[0]),
        )
        # a pixel that the region's edge only grazes belongs to it: half a pixel, and rounding
        out_x = (columns < low_x[:, None] - 0.5 - 1e-6) | (columns > high_x[:, None] + 0.5 + 1e-6)
        out_y = (rows < low_y[:, None] - 0.5 - 1e-6) | (rows > high_y[:, None] + 0.5 + 1e-6)
        outside = out_y[:, :, None] | out_x[:, None, :]
        got = weigh(case)
        compare(
            f"{kernel!r} ({kind}) gives exactly 0 outside of its footprint (else the pixel counts as touched)",
            np.where(outside, got, 0.0),
            np.zeros_like(got),
            inputs=case.inputs(),
        )

    forall(body, kernel)


@check("kernel")
def check_window_independence(kernel: Kernel) -> None:
    """The weight of an output pixel does not depend on the window that was asked for."""

    def body(case: Case, weigh: Weigh, kind: str, cut: tuple[int, int, int, int]) -> None:
        whole = weigh(case)
        h, w = case.shape
        top, left = cut[0] % h, cut[1] % w
        drawn = (1 + cut[2] % (h - top), 1 + cut[3] % (w - left))
        middle = (top, left, *drawn), (h // 2, 0, 1, w), (0, w // 2, h, 1), (h // 2, w // 2, 1, 1)
        for y, x, rows, columns in middle:
            small = dataclasses.replace(case, x0=case.x0 + x, y0=case.y0 + y, shape=(rows, columns))
            compare(
                f"{kernel!r} ({kind}) gives an output pixel the same weight whatever the window",
                weigh(small),
                whole[:, y : y + rows, x : x + columns],
                inputs=small.inputs(),
            )

    forall(body, kernel, cut=st.tuples(*[st.integers(0, 15)] * 4))


@check("kernel", name="check_whole_pixel_shifts")
def check_kernel_whole_pixel_shifts(kernel: Kernel) -> None:
    """A shift of positions and window by whole pixels changes no weight."""

    def body(case: Case, weigh: Weigh, kind: str, shift: tuple[int, int]) -> None:
        dx, dy = shift
        corners = None if case.corners is None else case.corners + np.array([dx, dy], dtype=np.float64)
        moved = dataclasses.replace(
            case, x=case.x + dx, y=case.y + dy, corners=corners, x0=case.x0 + dx, y0=case.y0 + dy
        )
        want = weigh(case)
        peak = float(np.abs(want).max(initial=0.0))
        compare(
            f"{kernel!r} ({kind}) commutes with shifts by whole pixels, here {shift}",
            weigh(moved),
            want,
            rtol=ROUNDING,
            atol=ROUNDING * peak,
            inputs=case.inputs(),
        )

    drawn = st.tuples(st.integers(-700, 3000), st.integers(-700, 3000))
    exact = pixmaps(
        shapes=shapes(rows=st.integers(1, 3), columns=st.integers(1, 3)),
        angles=st.sampled_from([0.0, 90.0, 180.0]),
        scales=st.sampled_from([1.0, 0.5]),
        bends=st.just(0.0),
    )

    def one(pixmap: PixelMap, pixfrac: float, shift: tuple[int, int]) -> None:
        case = case_of(kernel, pixmap, pixfrac)
        for kind, weigh in forms(kernel, pixfrac, case.scale).items():
            body(case, weigh, kind, shift)

    _forall(one, pixmap=exact, pixfrac=DROPS, shift=drawn)


@check("kernel")
def check_centred(kernel: Kernel) -> None:
    """Over all positions within a pixel, the mean centroid of the weights is the pixel's centre."""
    phases = (np.arange(16) + 0.5) / 16
    for pixfrac in (1.0, 0.6):
        maps = [affine_map((1, 1), shift=(32.0 + a, 32.0 + b)) for a in phases for b in phases]
        cases = [case_of(kernel, m, pixfrac) for m in maps]
        for kind, weigh in forms(kernel, pixfrac, 1.0).items():
            first, total = np.zeros(2), 0.0
            for c in cases:
                got = weigh(c)[0]
                columns, rows = (
                    c.x0[0] + np.arange(c.shape[1]) - c.x[0],
                    c.y0[0] + np.arange(c.shape[0]) - c.y[0],
                )
                first += [(got * columns).sum(), (got * rows[:, None]).sum()]
                total += got.sum()
            compare(
                f"{kernel!r} ({kind}) is centred on the input pixel: the mean of centroid minus centre (x, y) is 0",
                first / total,
                np.zeros(2),
                atol=OFF_CENTRE,
                where=f"mean over {len(cases)} positions, in frame pixels",
                inputs={"pixfrac": pixfrac, "scale": 1.0},
            )


@check("kernel", traits=["conserves_flux"])
def check_conserves_flux(kernel: Kernel) -> None:
    """The weights of a pixel sum to 1, as promised."""

    def body(case: Case, weigh: Weigh, kind: str) -> None:
        got = weigh(case).sum(axis=(1, 2))
        compare(
            f"{kernel!r} ({kind}) conserves flux: the weights of a pixel inside of its window sum to 1",
            got,
            np.ones_like(got),
            atol=max(kernel.tolerance, ROUNDING),
            where="pixel",
            inputs=case.inputs(),
        )

    forall(body, kernel)


@check("kernel", applies=lambda k: k.flux_error > 0, name="check_flux_error")
def check_flux_error(kernel: Kernel) -> None:
    """The weights of a pixel sum to 1 within `flux_error`, for pixels of one size and pixfrac 1."""
    for px, py in np.ndindex(PHASES, PHASES):
        shift = (20.0 + px / PHASES, 20.0 + py / PHASES)
        case = case_of(kernel, affine_map((1, 1), shift=shift), 1.0)
        for kind, weigh in forms(kernel, 1.0, 1.0).items():
            compare(
                f"{kernel!r} ({kind}) conserves flux within flux_error = {kernel.flux_error:g}",
                weigh(case).sum(axis=(1, 2)),
                np.ones(1),
                atol=kernel.flux_error,
                where="pixel",
                inputs=case.inputs(),
            )


@check("kernel", traits=["non_negative"])
def check_non_negative(kernel: Kernel) -> None:
    """No weight is negative, as promised."""

    def body(case: Case, weigh: Weigh, kind: str) -> None:
        got = weigh(case)
        compare(
            f"{kernel!r} ({kind}) gives no negative weight",
            np.minimum(got, 0.0),
            np.zeros_like(got),
            inputs=case.inputs(),
        )

    forall(body, kernel)


@check("kernel", traits=["ignores_pixfrac"])
def check_ignores_pixfrac(kernel: Kernel) -> None:
    """Another pixfrac makes no difference, as promised."""

    def body(case: Case, weigh: Weigh, kind: str) -> None:
        other = dataclasses.replace(case, pixfrac=0.5 * case.pixfrac)
        what = f"{kernel!r} ({kind}) ignores pixfrac"
        compare(what, weigh(other), weigh(case), inputs=case.inputs())

    forall(body, kernel)


@check("kernel", traits=["rotation_invariant"], name="check_rotation_invariant")
def check_kernel_rotation_invariant(kernel: Kernel) -> None:
    """The weights turn with the pixel by 90 degrees, as promised."""

    def body(case: Case, weigh: Weigh, kind: str) -> None:
        want = np.rot90(
            weigh(case), axes=(1, 2)
        )  # (x, y) -> (y, -x), about a whole pixel far enough to stay positive
        top, (h, w) = 128, case.shape
        corners = None
        if case.corners is not None:
            corners = np.stack([case.corners[:, :, 1], top - case.corners[:, :, 0]], axis=2)
        turned = dataclasses.replace(
            case,
            x=case.y,
            y=top - case.x,
            corners=corners,
            x0=case.y0,
            y0=top - case.x0 - (w - 1),
            shape=(w, h),
        )
        peak = float(np.abs(want).max(initial=0.0))
        compare(
            f"{kernel!r} ({kind}) turns with the input by 90 degrees",
            weigh(turned),
            want,
            rtol=ROUNDING,
            atol=ROUNDING * peak,
            inputs=case.inputs(),
        )

    forall(body, kernel, ties=False)


@check("kernel", name="check_threads")
def check_kernel_threads(kernel: Kernel) -> None:
    """Eight threads at once get what one gets alone."""
    maps = [affine_map((5, 5), angle=11.0 * k, shift=(32.3 + k / 7, 40.1 - k / 5)) for k in range(8)]
    for pixfrac in (1.0, 0.6):
        cases = [case_of(kernel, m, pixfrac) for m in maps]
        h, w = (max(c.shape[i] for c in cases) for i in (0, 1))
        cases = [dataclasses.replace(c, shape=(h, w)) for c in cases]
        for kind, weigh in forms(kernel, pixfrac, 1.0).items():
            same_from_threads(f"{kernel!r} ({kind})", [lambda c=c, f=weigh: f(c) for c in cases])  # type: ignore[misc]
