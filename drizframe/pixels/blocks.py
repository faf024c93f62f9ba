"""Blocks of chip pixels on their way into the sums of a window: mapped, weighed and added."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from drizframe._fast import Backend, load, resolved
from drizframe.errors import ParameterError, PluginError, ShapeError
from drizframe.hooks import Component, Kernel, image_of
from drizframe.model import Accumulator, ChipInput, Window
from drizframe.pixels import scatter as scattering
from drizframe.pixels import selection
from drizframe.pixels.bounds import BLOCK, blocks_near
from drizframe.pixels.kernel_forms import form_of, nearest, point_failure
from drizframe.pixels.reach import POINT_BELOW, footprint_of_pixel

__all__ = ["Block", "Spreader", "blocks", "spreader_of"]

Array = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.intp]]
Call = Callable[[Component], Callable[..., Any]]

#: Select, weigh and scatter in one compiled loop, for kernels that have a compiled body.
one_pass: Any = load("drizzle_block")
#: The same for point functions.
by_points: Any = load("drizzle_points")

#: Chip pixels that are handled at a time.
CHUNK = 8192
#: Chip pixels of some rows that are handled at a time: their positions and values stay in the cache of a core.
ROWS_OF = 16384
#: Weights (pixels times window) that are held at a time.
CELLS = 1 << 18


@dataclass(frozen=True, slots=True, eq=False)
class Spreader:
    """How pixels are turned into weights: the kernel's function and what it wants to know."""

    weigh: Callable[..., Array]
    half: float
    margin: float
    corners: Literal["none", "choose", "attach"]
    pixfrac: float
    scale: float
    fast: bool
    kernel: Kernel
    code: tuple[Any, Any] | None = None
    point: tuple[Any, float] | None = None


def spreader_of(
    chip: ChipInput, kernel: Kernel, pixfrac: float, backend: Backend, call: Call | None
) -> Spreader:
    """Decide how the chip's pixels are weighed; the one place where a small pixfrac becomes a point."""
    fast = resolved(backend) != "reference"
    fused: Any = one_pass if fast else None
    if pixfrac <= POINT_BELOW:
        code = None if fused is None else fused.nearest()
        return Spreader(nearest, 0.0, 0.0, "none", pixfrac, chip.scale, fast, kernel, code)
    form = form_of(kernel, pixfrac, chip.scale, backend=backend, call=call)
    half, margin = footprint_of_pixel(kernel, pixfrac, chip.scale)
    corners: Literal["none", "choose", "attach"] = "choose" if kernel.needs_corners else "none"
    if kernel.point is not None:
        corners = "attach"
    code = form.code if fused is not None else None
    point = form.point if by_points is not None else None
    return Spreader(form.weigh, half, margin, corners, pixfrac, chip.scale, fast, kernel, code, point)


# -- which pixels --------------------------------------------------------------------------------------------


def blocks(chip: ChipInput, window: Window, spreader: Spreader) -> Iterator[tuple[slice, slice]]:
    """Yield rectangles of chip pixels, in input order, that hold all pixels that can touch the window."""
    ny, nx = chip.pixmap.shape
    if window.empty:
        return
    near = blocks_near(chip.pixmap, window, spreader.half, spreader.margin)
    _check_rows(chip, near)
    for k in np.flatnonzero(near.any(axis=1)):
        hit = np.flatnonzero(near[k])
        left, right = int(hit[0]) * BLOCK, min((int(hit[-1]) + 1) * BLOCK, nx)
        height = (
            1 if right - left > CHUNK else max(1, ROWS_OF // (right - left))
        )  # pixels come in input order
        top = min((int(k) + 1) * BLOCK, ny)
        for row in range(int(k) * BLOCK, top, height):
            for column in range(left, right, CHUNK):
                yield slice(row, min(row + height, top)), slice(column, min(column + CHUNK, right))


def _check_rows(chip: ChipInput, near: np.ndarray[Any, np.dtype[np.bool_]]) -> None:
    """Refuse a part of a chip that lacks rows which can touch the window."""
    if chip.rows is None or not near.any():
        return
    hit = np.flatnonzero(near.any(axis=1))
    first, stop = int(hit[0]) * BLOCK, min((int(hit[-1]) + 1) * BLOCK, chip.pixmap.shape[0])
    if first < chip.rows[0] or stop > chip.rows[1]:
        msg = (
            f"Chip number {chip.number} is given in rows {chip.rows[0]} to {chip.rows[1] - 1}, but rows {first} to {stop - 1} can "
            "touch the window. Give these; rows_near tells them."
        )
        raise ShapeError(msg)


@dataclass(slots=True, eq=False)
class Block:
    """A rectangle of chip pixels on its way into the sums."""

    acc: Accumulator
    chip: ChipInput
    spreader: Spreader
    rows: slice
    columns: slice
    skip_zero: bool

    def add(self) -> int:
        """Add the pixels of the block; return how many touched the window."""
        if self.spreader.code is not None:
            return self._add_in_one_pass()
        if self.spreader.point is not None:
            return self._add_by_points(*self.spreader.point)
        index, x, y, corners, box = self._select()
        if not index.size:
            return 0
        values = self._values()
        return sum(self._weigh(values, index, x, y, corners, box, 0, index.size))

    def _add_in_one_pass(self) -> int:
        """Do as the three steps below do, in one compiled loop."""
        pixmap, spreader, window = self.chip.pixmap, self.spreader, self.acc.window
        x, y = _pixels(self.columns), _pixels(self.rows)
        cx = cy = None
        with np.errstate(all="ignore"):
            px, py = _contiguous(pixmap.grid(x, y))
            if spreader.corners == "choose":
                cx, cy = _contiguous(pixmap.grid(_edges(x, spreader.half), _edges(y, spreader.half)))
        touched: int = one_pass.drizzle_block(
            spreader.code, px, py, cx, cy, 1 if spreader.half == 0.5 else 2, spreader.margin,
            (window.y0, window.y1, window.x0, window.x1), *self._values(), *self._bit_and_sums(),
        )  # fmt: skip
        return touched

    def _add_by_points(self, capsule: Any, radius: float) -> int:
        """Do so with a point function."""
        pixmap, spreader, window = self.chip.pixmap, self.spreader, self.acc.window
        x, y = _pixels(self.columns), _pixels(self.rows)
        with np.errstate(all="ignore"):
            px, py = _contiguous(pixmap.grid(x, y))
            cx, cy = _contiguous(pixmap.grid(_edges(x, 0.5), _edges(y, 0.5)))
        touched: int
        touched, status, failed = by_points.drizzle_points(
            capsule, px, py, cx, cy, spreader.pixfrac, spreader.scale, radius,
            (window.y0, window.y1, window.x0, window.x1), *self._values(), *self._bit_and_sums(),
        )  # fmt: skip
        if failed >= 0:
            raise point_failure(spreader.kernel, radius, status, px.flat[failed], py.flat[failed])
        return touched

    def _select(self) -> selection.Selection:
        """Map the pixels and choose those that can touch the window."""
        pixmap, spreader, window = self.chip.pixmap, self.spreader, self.acc.window
        limits = (window.y0, window.y1, window.x0, window.x1)
        choose: Any = selection.compiled if spreader.fast and selection.compiled is not None else selection
        x, y = _pixels(self.columns), _pixels(self.rows)
        with np.errstate(all="ignore"):
            px, py = pixmap.grid(x, y, fast=spreader.fast)
            if spreader.corners != "choose":
                found: selection.Selection = choose.near_centres(px, py, spreader.margin, limits)
                return self._with_corners(found, x, y) if spreader.corners == "attach" else found
            cx, cy = pixmap.grid(_edges(x, spreader.half), _edges(y, spreader.half), fast=spreader.fast)
            return choose.near_quads(px, py, cx, cy, 1 if spreader.half == 0.5 else 2, limits)  # type: ignore[no-any-return]

    def _with_corners(self, found: selection.Selection, x: Array, y: Array) -> selection.Selection:
        """Add the corners of whole pixels to pixels that were chosen by their centres; drop those without."""
        index, px, py, _, box = found
        cx, cy = self.chip.pixmap.grid(_edges(x, 0.5), _edges(y, 0.5), fast=self.spreader.fast)
        j, i = np.divmod(index, len(x))
        order = ((j + 1, i), (j + 1, i + 1), (j, i + 1), (j, i))
        corners = np.stack([np.stack([cx[a], cy[a]], axis=1) for a in order], axis=1)
        good = np.isfinite(corners).all(axis=(1, 2))
        return index[good], px[good], py[good], corners[good], np.ascontiguousarray(box[:, good])

    def _values(self) -> tuple[Array, Array, Array, np.ndarray[Any, np.dtype[np.uint32]]]:
        """Return values, variances, weights and flags of the block, flat."""
        chip, area = self.chip, self._area()
        shape = (self.rows.stop - self.rows.start, self.columns.stop - self.columns.start)
        data = np.empty((len(chip.data), *shape))
        np.subtract(chip.data[0][area], chip.offset, out=data[0], dtype=np.float64)
        for k, d in enumerate(chip.data[1:], start=1):
            data[k] = d[area]
        data *= chip.multiplier
        variances = np.empty((len(chip.variances), *shape))
        for k, v in enumerate(chip.variances):
            variances[k] = v[area]
        variances *= chip.multiplier**2
        weight = np.full(shape, float(chip.weight_scale))
        if chip.weight is not None:
            np.multiply(chip.weight[area], chip.weight_scale, out=weight, dtype=np.float64)
        usable = np.isfinite(data[0])
        usable &= np.isfinite(weight)
        if not usable.all():
            weight[~usable] = 0.0
        pixels = shape[0] * shape[1]
        flat = data.reshape(len(chip.data), pixels), variances.reshape(len(chip.variances), pixels)
        return *flat, weight.reshape(pixels), self._flags()

    def _area(self) -> tuple[slice, slice]:
        """Return where the block lies in the images of the chip."""
        first = 0 if self.chip.rows is None else self.chip.rows[0]
        return slice(self.rows.start - first, self.rows.stop - first), self.columns

    def _flags(self) -> np.ndarray[Any, np.dtype[np.uint32]]:
        dq = self.chip.dq
        if dq is None:
            return np.empty(0, dtype=np.uint32)
        flags = np.asarray(dq[self._area()]).ravel()
        if flags.dtype.itemsize > 4 and flags.size and (flags.max() >= 1 << 32 or flags.min() < -(1 << 31)):
            msg = f"dq of chip number {self.chip.number} has flags beyond 32 bits. Give at most 32 flags."
            raise ParameterError(msg)
        return flags.astype(np.uint32)

    def _weigh(
        self,
        values: Any,
        index: Integers,
        x: Array,
        y: Array,
        corners: Array | None,
        box: Integers,
        start: int,
        stop: int,
    ) -> Iterator[int]:
        """Weigh and add pixels [start, stop); halve the list while their windows are too large together."""
        part = slice(start, stop)
        left, right, low, high = box[:, part]
        w, h = int((right - left).max()) + 1, int((high - low).max()) + 1
        n = stop - start
        if n * h * w > CELLS and n > 1:
            middle = start + n // 2
            yield from self._weigh(values, index, x, y, corners, box, start, middle)
            yield from self._weigh(values, index, x, y, corners, box, middle, stop)
            return
        window = self.acc.window
        x0 = np.minimum(left, window.x1 - w)
        y0 = np.minimum(low, window.y1 - h)
        quads = None if corners is None else _frozen(corners[part])
        px, py, x0, y0 = _frozen(x[part]), _frozen(y[part]), _frozen(x0), _frozen(y0)
        strip = max(1, CELLS // (n * w))
        touched = 0
        for row in range(0, h, strip):
            shape = (min(strip, h - row), w)
            weights = self.spreader.weigh(
                px,
                py,
                quads,
                x0,
                _frozen(y0 + row),
                shape,
                pixfrac=self.spreader.pixfrac,
                scale=self.spreader.scale,
            )
            _check_weights(self.spreader.kernel, weights, (n, *shape))
            touched += self._scatter(weights, values, index[part], x0 - window.x0, y0 + row - window.y0)
        yield min(touched, n) if strip < h else touched

    def _scatter(self, weights: Array, values: Any, index: Integers, x0: Integers, y0: Integers) -> int:
        fast = self.spreader.fast and scattering.compiled is not None
        function: Callable[..., int] = scattering.compiled.scatter if fast else scattering.scatter
        weights = np.ascontiguousarray(weights, dtype=np.float64)
        return function(weights, index, x0, y0, *values, *self._bit_and_sums())

    def _bit_and_sums(self) -> tuple[Any, ...]:
        """Return the context bit, the rule for weight 0, and the sums."""
        acc, number = self.acc, self.chip.number - 1
        plane = number // 32 if acc.planes > 1 else 0
        return (
            1 << (number % 32), self.skip_zero, acc.weight, acc.total, acc.squared, acc.last,
            acc.context[plane] if acc.planes else None, acc.flags if acc.dq else None,
        )  # fmt: skip


def _check_weights(kernel: Kernel, weights: Any, shape: tuple[int, ...]) -> None:
    """Refuse weights that would spoil the sums; the sum of all is finite if they are."""
    image_of(kernel, weights, shape, what="weights")
    with np.errstate(over="ignore", invalid="ignore"):
        finite = bool(np.isfinite(np.sum(weights)))
    if not finite:
        msg = f"The weights that {kernel.label} returned are not finite, or huge. Give finite weights."
        raise PluginError(msg, kernel)


def _frozen(array: Any) -> Any:
    """Return a view that a kernel cannot change."""
    view = array.view()
    view.flags.writeable = False
    return view


def _contiguous(pair: tuple[Array, Array]) -> tuple[Array, Array]:
    return np.ascontiguousarray(pair[0], dtype=np.float64), np.ascontiguousarray(pair[1], dtype=np.float64)


def _pixels(part: slice) -> Array:
    return np.arange(part.start, part.stop, dtype=np.float64)


def _edges(centres: Array, half: float) -> Array:
    """Positions of the sides of pixels: shared by neighbours if pixels are whole, else two for each pixel."""
    if half == 0.5:
        return np.append(centres - 0.5, centres[-1] + 0.5)
    return np.stack([centres - half, centres + half], axis=1).ravel()
