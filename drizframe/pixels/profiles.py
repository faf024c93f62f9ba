"""Components written as a profile: a function of the offset, which is tabulated and read by compiled loops.

For a kernel the offset (dx, dy) is that of an output pixel from the centre of an input pixel, along the axes of
the frame, in input pixels; the weight is ``s² f(dx, dy)``, with s the size of an output pixel over that of an
input pixel (for pixels that are not square, each offset is scaled with that of its axis, and s² is their product).
For an interpolator it is that of a pixel from the position, in pixels, and s = 1.  Offsets beyond
the support along either axis have no weight.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from drizframe._fast import load
from drizframe.errors import PluginError
from drizframe.hooks import Interpolator, Kernel, ask, image_of
from drizframe.model import axes_of

__all__ = ["TOLERANCE", "Table", "code_of", "exact", "product", "rounded", "surface", "tabulate"]

Array = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.intp]]
Profile = Callable[[Array, Array], Array]

compiled: Any = load("profiles")

#: Largest error of a table, as a fraction of the peak.
TOLERANCE = 1e-6
#: A form (product, round) is taken for granted where it holds to this fraction of the peak.
SAME = 1e-10
#: The same for profiles that compute in float32.
SAME_SINGLE = 1e-6
#: Offsets along each axis at which a profile is looked for at all.
FINE = 513
#: Cells along one axis: where tables start and end.  120 has many divisors, so that kinks often lie on nodes.
LINE, SQUARE = (120, 120 << 14), (1 << 4, 1 << 10)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A tabulated profile.

    Parameters
    ----------
    form : {"product", "rounded", "surface"}
        Which function reads it.
    parts : tuple of ndarray of float64
        One table for each axis; one over the distance; or one over both axes.
    support : float
        Largest offset along an axis, in input pixels.
    error : float
        Largest measured error as a fraction of the peak.
    """

    form: Literal["product", "rounded", "surface"]
    parts: tuple[Array, ...]
    support: float
    error: float

    def weigh(
        self, x: Array, y: Array, x0: Integers, y0: Integers, shape: tuple[int, int], scale: float
    ) -> Array:
        """Return weights (n, h, w) about centres, with the compiled loops if they are there."""
        function: Any = getattr(compiled, self.form) if compiled is not None else globals()[self.form]
        weights: Array = function(x, y, x0, y0, shape, *self.parts, self.support, scale)
        return weights


def code_of(table: Table, scale: float) -> tuple[Any, Array]:
    """Return the compiled body that reads a table for a block of pixels, and its constants."""
    return _code(table, scale, axes_of(scale))


@functools.lru_cache(maxsize=8)
def _code(table: Table, scale: float, axes: tuple[float, float]) -> tuple[Any, Array]:
    # scales that are equal as numbers may differ along the axes
    code: tuple[Any, Array] = getattr(compiled, f"{table.form}_block")(*table.parts, table.support, scale)
    return code


@functools.lru_cache(maxsize=32)
def tabulate(component: Kernel | Interpolator, support: float, advice: str, **keywords: float) -> Table:
    """Tabulate a profile until the error is small.

    Parameters
    ----------
    component : Kernel or Interpolator
        Whose ``profile(dx, dy, **keywords) -> weight`` it is.
    support : float
        Largest offset along an axis, in pixels.
    advice : str
        What its author can do if no table is good enough.
    **keywords : float
        Passed on.

    Raises
    ------
    PluginError
        If values are not finite, or if no table of reasonable size is good enough, as for a profile with a
        jump.
    """
    if not (np.isfinite(support) and support > 0.0):
        given = "".join(f" for {k}={v!r}" for k, v in keywords.items())
        msg = f"The support of {component.label} is {support!r}{given}; it must be finite and above 0."
        raise PluginError(msg, component)

    values = _Values(component, keywords)
    probes = _probes(support)
    same = SAME if values(probes, probes).dtype == np.float64 else SAME_SINGLE
    fine = np.linspace(-support, support, FINE)
    if not np.any(values(fine[None, :], fine[:, None])):
        msg = (
            f"The profile of {component.label} is 0 everywhere within its support ({support:g} pixels), as far as can be "
            f"seen with {FINE} offsets along each axis. Make the support as small as the profile is."
        )
        raise PluginError(msg, component)
    found = (
        _by_axes(values, support, same) or _by_distance(values, support, same) or _by_both(values, support)
    )
    if found is None:
        msg = (
            f"The profile of {component.label} cannot be tabulated to {TOLERANCE:g} of its peak: it seems to jump, or to "
            f"have kinks that lie askew. {advice}"
        )
        raise PluginError(msg, component)
    return found


class _Values:
    """The profile of a component on arrays of offsets, checked.

    Parameters
    ----------
    component : Kernel or Interpolator
        Whose profile it is.
    keywords : dict
        Passed on.
    """

    def __init__(self, component: Kernel | Interpolator, keywords: dict[str, float]) -> None:
        self._component, self._keywords = component, keywords

    def __call__(self, dx: Array, dy: Array) -> Any:
        """Return one weight for each offset, float64, or float32 if that is what the profile gives."""
        component = self._component
        dx, dy = np.broadcast_arrays(np.asarray(dx, dtype=np.float64), np.asarray(dy, dtype=np.float64))
        answer = ask(component, component.profile, dx.copy(), dy.copy(), **self._keywords)
        out = image_of(component, answer, dx.shape, what="one weight for each offset")
        if not np.isfinite(out).all():
            j = np.unravel_index(np.argmin(np.isfinite(out)), out.shape)
            where = f"(dx, dy) = ({dx[j]:g}, {dy[j]:g})"
            msg = f"The profile of {component.label} returned {out[j]} at {where}. It must be finite within its support."
            raise PluginError(msg, component)
        return out if out.dtype == np.float32 else out.astype(np.float64, copy=False)


def exact(
    profile: Callable[..., Any], support: float, x: Array, y: Array, x0: Integers, y0: Integers,
    shape: tuple[int, int], *, scale: float, **keywords: float,
) -> Array:  # fmt: skip
    """Return weights (n, h, w) from the profile itself, without a table: what the tables approximate."""
    sx, sy = axes_of(scale)
    dx, inside_x = _offsets(x, x0, shape[1], support, sx)
    dy, inside_y = _offsets(y, y0, shape[0], support, sy)
    dx, dy = np.broadcast_arrays(dx[:, None, :], dy[:, :, None])
    values = np.asarray(profile(dx.copy(), dy.copy(), **keywords), dtype=np.float64)
    return np.where(inside_y[:, :, None] & inside_x[:, None, :], values, 0.0) * (sx * sy)


def product(
    x: Array, y: Array, x0: Integers, y0: Integers, shape: tuple[int, int],
    across: Array, along: Array, support: float, scale: float,
) -> Array:  # fmt: skip
    """Read one table for each axis, linearly, and multiply: ``s² f``."""
    sx, sy = axes_of(scale)
    dx, inside_x = _offsets(x, x0, shape[1], support, sx)
    dy, inside_y = _offsets(y, y0, shape[0], support, sy)
    step = (len(across) - 1) / (2.0 * support)
    column = np.where(inside_x, _linear((dx + support) * step, across), 0.0)
    row = np.where(inside_y, _linear((dy + support) * step, along), 0.0)
    return column[:, None, :] * (row * (sx * sy))[:, :, None]


def rounded(
    x: Array,
    y: Array,
    x0: Integers,
    y0: Integers,
    shape: tuple[int, int],
    table: Array,
    support: float,
    scale: float,
) -> Array:
    """Read one table over the distance, linearly."""
    sx, sy = axes_of(scale)
    dx, inside_x = _offsets(x, x0, shape[1], support, sx)
    dy, inside_y = _offsets(y, y0, shape[0], support, sy)
    distance = np.sqrt(dx[:, None, :] ** 2 + dy[:, :, None] ** 2)
    step = (len(table) - 1) / (np.sqrt(2.0) * support)
    value = _linear(distance * step, table) * (sx * sy)
    return np.where(inside_x[:, None, :] & inside_y[:, :, None], value, 0.0)


def surface(
    x: Array,
    y: Array,
    x0: Integers,
    y0: Integers,
    shape: tuple[int, int],
    table: Array,
    support: float,
    scale: float,
) -> Array:
    """Read one table over both axes with four-point polynomials."""
    sx, sy = axes_of(scale)
    dx, inside_x = _offsets(x, x0, shape[1], support, sx)
    dy, inside_y = _offsets(y, y0, shape[0], support, sy)
    step = (len(table) - 1) / (2.0 * support)
    i, cx = _cubic((dx + support) * step, len(table))
    j, cy = _cubic((dy + support) * step, len(table))
    value = np.zeros((len(x), *shape))
    for b in range(4):
        line = sum(cx[a][:, None, :] * table[(j + b)[:, :, None], (i + a)[:, None, :]] for a in range(4))
        value += cy[b][:, :, None] * line
    return np.where(inside_x[:, None, :] & inside_y[:, :, None], value * (sx * sy), 0.0)


# -- forms of tables -----------------------------------------------------------------------------------------


def _by_axes(values: Profile, support: float, same: float) -> Table | None:
    """Return a table for each axis if the profile is a product of functions of dx and of dy."""
    u = _probes(support)
    f = values(u[None, :], u[:, None])
    j, i = np.unravel_index(np.argmax(np.abs(f)), f.shape)
    peak = f[j, i]
    if peak == 0.0 or np.abs(f * peak - f[j][None, :] * f[:, i][:, None]).max() > same * peak * peak:
        return None
    across = _line(lambda v: values(v, np.full_like(v, u[j])), -support, support)
    along = _line(lambda v: values(np.full_like(v, u[i]), v) / peak, -support, support)
    if across is None or along is None:
        return None
    size = max(len(across[0]), len(along[0]))
    parts = []
    for line, function in (
        (across, lambda v: values(v, np.full_like(v, u[j]))),
        (along, lambda v: values(np.full_like(v, u[i]), v) / peak),
    ):
        same_size = len(line[0]) == size
        parts.append(
            line[0] if same_size else np.asarray(function(np.linspace(-support, support, size)), np.float64)
        )
    return Table("product", tuple(parts), support, across[1] + along[1])


def _by_distance(values: Profile, support: float, same: float) -> Table | None:
    """Return a table over the distance if the profile is round."""
    u = _probes(support)
    f = values(u[None, :], u[:, None])
    distance = np.hypot(u[None, :], u[:, None])
    if np.abs(f - values(distance, np.zeros_like(distance))).max() > same * np.abs(f).max():
        return None
    line = _line(lambda v: values(v, np.zeros_like(v)), 0.0, np.sqrt(2.0) * support)
    return None if line is None else Table("rounded", (line[0],), support, line[1])


def _by_both(values: Profile, support: float) -> Table | None:
    """Return a table over both axes."""
    errors: list[float] = []
    cells = SQUARE[0]
    while cells <= SQUARE[1] and not _stuck(errors):
        u = np.linspace(-support, support, cells + 1)
        # float32 numbers, which the compiled loop keeps as such: half the memory to read
        table = values(u[None, :], u[:, None]).astype(np.float32).astype(np.float64)
        v = _between(u)
        i, c = _cubic((v + support) * (cells / (2.0 * support)), len(u))
        rows = np.sum([c[a][None, :] * table[:, i + a] for a in range(4)], axis=0)
        read = np.sum([c[b][:, None] * rows[i + b, :] for b in range(4)], axis=0)
        errors.append(_relative(read - values(v[None, :], v[:, None]), table))
        if errors[-1] <= 0.5 * TOLERANCE:
            return Table("surface", (np.ascontiguousarray(table, dtype=np.float64),), support, errors[-1])
        cells *= 2
    return None


def _line(function: Callable[[Array], Array], low: float, high: float) -> tuple[Array, float] | None:
    """Tabulate a function of one variable; return the table and its error as a fraction of the peak."""
    errors: list[float] = []
    cells = LINE[0]
    while cells <= LINE[1] and not _stuck(errors):
        u = np.linspace(low, high, cells + 1)
        table = function(u)
        v = _between(u)
        errors.append(_relative(_linear((v - low) * (cells / (high - low)), table) - function(v), table))
        if errors[-1] <= 0.4 * TOLERANCE:
            return np.ascontiguousarray(table, dtype=np.float64), errors[-1]
        cells *= 2
    return None


def _relative(difference: Array, table: Array) -> float:
    """Return the largest difference as a fraction of the peak."""
    peak = float(np.abs(table).max())
    return float(np.abs(difference).max()) / peak if peak else 0.0


def _stuck(errors: list[float]) -> bool:
    """Whether the error did not fall over four refinements, as at a jump."""
    return len(errors) > 4 and errors[-1] > 0.5 * errors[-5]


def _probes(support: float) -> Array:
    """Offsets at which the form of a profile is tried: neither even nor in proportion, and 0."""
    return np.append(support * np.sin(np.linspace(-1.5, 1.55, 32)), 0.0)


def _between(u: Array) -> Array:
    """Positions inside the cells of a table, off their centres as well."""
    return np.sort(np.concatenate([u[:-1] + f * np.diff(u) for f in (0.25, 0.5, 0.8)]))


def _offsets(
    v: Array, start: Integers, count: int, support: float, scale: float
) -> tuple[Array, np.ndarray[Any, Any]]:
    """Offsets of the pixels of windows in input pixels, and whether they are in the support; (n, count)."""
    d = ((start[:, None] + np.arange(count, dtype=np.float64)) - v[:, None]) * scale
    return d, np.abs(d) <= support


def _linear(u: Array, table: Array) -> Array:
    k = np.clip(u.astype(np.intp), 0, len(table) - 2)
    value: Array = table[k] + (u - k) * (table[k + 1] - table[k])
    return value


def _cubic(u: Array, n: int) -> tuple[Integers, tuple[Array, ...]]:
    """First node and coefficients of four-point polynomials; stencils stay inside the table of n nodes."""
    k = np.clip(u.astype(np.intp) - 1, 0, n - 4)
    a = u - k
    return k, (
        -(a - 1.0) * (a - 2.0) * (a - 3.0) / 6.0,
        a * (a - 2.0) * (a - 3.0) / 2.0,
        -a * (a - 1.0) * (a - 3.0) / 2.0,
        a * (a - 1.0) * (a - 2.0) / 6.0,
    )
