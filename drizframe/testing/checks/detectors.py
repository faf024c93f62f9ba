"""Checks of cosmic-ray detectors."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from drizframe.hooks import CosmicRayDetector, CosmicRayOptions
from drizframe.testing.checking import (
    check,
    forall,
    frozen_copy,
    implementations,
    same_from_threads,
    strided,
    untouched,
)
from drizframe.testing.checks.own_options import own_options
from drizframe.testing.failure import compare, require

__all__: list[str] = []

Array = np.ndarray[Any, Any]
#: Halos up to this are looked at for every pixel, larger ones for every second.
SMALL = 5
#: One sigma of the noise, electrons.
NOISE = 3.0


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Chip:
    """The arrays that a detector gets."""

    sci: Array
    blot: Array | None
    deriv: Array | None
    noise: Array
    depth: Array | None
    dq: Array | None

    def arrays(self) -> dict[str, Array | None]:
        """Return the arrays by name."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}


def made(seed: int, shape: tuple[int, int] = (24, 28), hits: int = 6) -> tuple[Chip, Array]:
    """Return a smooth sky with noise and cosmic rays of 100 sigma, and where these are (away from edges)."""
    rng = np.random.default_rng(seed)
    blot = np.full(shape, 50.0, dtype=np.float32)
    sci = (blot + rng.normal(0, 0.5 * NOISE, shape)).astype(np.float32)
    planted = np.zeros(shape, dtype=bool)
    planted[rng.integers(4, shape[0] - 4, hits), rng.integers(4, shape[1] - 4, hits)] = True
    sci[planted] += np.float32(100 * NOISE)
    noise = np.full(shape, NOISE, dtype=np.float32)
    return Chip(
        sci,
        blot,
        np.zeros_like(blot),
        noise,
        np.full(shape, 4, dtype=np.int32),
        np.zeros(shape, dtype=np.int16),
    ), planted


def sloping(rows: int, columns: int) -> Chip:
    """Return a chip whose brightness rises from column to column, with cosmic rays of 4 to 100 sigma."""
    rng = np.random.default_rng(61)
    blot = np.broadcast_to(np.linspace(10, 250, columns, dtype=np.float32), (rows, columns)).copy()
    sci = blot + rng.normal(0, 0.5 * NOISE, blot.shape)
    hits = rng.random(blot.shape) < 0.02
    sci[hits] += NOISE * rng.uniform(4, 100, int(hits.sum()))
    return Chip(
        sci.astype(np.float32),
        blot,
        np.zeros_like(blot),
        np.full(blot.shape, NOISE, dtype=np.float32),
        rng.integers(1, 5, blot.shape).astype(np.int32),
        np.zeros(blot.shape, dtype=np.int16),
    )


def alone(chip: Chip) -> Chip:
    """Return what a detector gets for a single exposure."""
    return dataclasses.replace(chip, blot=None, deriv=None, depth=None)


def chips_for(record: CosmicRayDetector, chip: Chip) -> list[Chip]:
    """Return the chips that a detector must take: without blot as well if it needs none; with and without flags.

    The depth comes with every blot if the detector has the trait ``needs_depth``, else it may be missing.
    """
    bare = dataclasses.replace(chip, depth=chip.depth if "needs_depth" in record.traits else None, dq=None)
    return [chip, bare] if "needs_blot" in record.traits else [chip, bare, alone(chip)]


def detect(record: CosmicRayDetector, kind: str, chip: Chip, **changes: Any) -> Array:
    """Run a detector."""
    plugin = own_options(record)
    function: Callable[..., Any] = implementations(record)[kind]
    return np.asarray(function(*chip.arrays().values(), CosmicRayOptions(plugin=plugin, **changes)))


def each(record: CosmicRayDetector, body: Callable[..., None]) -> None:
    """Call ``body(kind, chip, planted)`` for drawn chips and every implementation."""

    def one(seed: int, hits: int) -> None:
        chip, planted = made(seed, hits=hits)
        for kind in implementations(record):
            for c in chips_for(record, chip):
                body(kind, c, planted)

    forall(one, seed=st.integers(0, 999), hits=st.integers(0, 6))


def inputs_of(chip: Chip) -> dict[str, Any]:
    """Return what a message shows."""
    return {n: "None" if a is None else a for n, a in chip.arrays().items()}


@check("cosmic-ray detector", name="check_codes")
def check_detector_codes(record: CosmicRayDetector) -> None:
    """Reason codes are uint8 of the chip's shape."""

    def body(kind: str, chip: Chip, planted: Array) -> None:
        got, what = detect(record, kind, chip), f"{record!r} ({kind}) gives uint8 codes of the chip's shape"
        require(
            got.shape == chip.sci.shape,
            what,
            expected=chip.sci.shape,
            got=got.shape,
            where="shape",
            inputs=inputs_of(chip),
        )
        require(
            got.dtype == np.uint8,
            what,
            expected="uint8",
            got=str(got.dtype),
            where="type",
            inputs=inputs_of(chip),
        )

    each(record, body)


@check("cosmic-ray detector", name="check_inputs_untouched")
def check_detector_inputs_untouched(record: CosmicRayDetector) -> None:
    """No image is changed."""

    def body(kind: str, chip: Chip, planted: Array) -> None:
        with untouched(f"{record!r} ({kind})", **chip.arrays()):
            detect(record, kind, chip)

    each(record, body)


@check("cosmic-ray detector", name="check_any_layout")
def check_detector_any_layout(record: CosmicRayDetector) -> None:
    """Read-only, strided and big-endian images give the same codes."""

    def swapped(a: Array | None) -> Array | None:
        return None if a is None else a.astype(a.dtype.newbyteorder(">"))

    def body(kind: str, chip: Chip, planted: Array) -> None:
        want = detect(record, kind, chip)
        layouts: list[tuple[str, Callable[..., Any]]] = [
            ("read-only", frozen_copy),
            ("strided", strided),
            ("big-endian", swapped),
        ]
        for layout, change in layouts:
            other = Chip(*[change(a) for a in chip.arrays().values()])
            compare(
                f"{record!r} ({kind}) takes {layout} images",
                detect(record, kind, other),
                want,
                inputs=inputs_of(chip),
            )
        if chip.dq is None:
            return
        for dtype in ("u1", "u2", "i4", "i8"):
            other = dataclasses.replace(chip, dq=chip.dq.astype(dtype))
            compare(
                f"{record!r} ({kind}) takes flags of type {np.dtype(dtype)}",
                detect(record, kind, other),
                want,
                where="pixel",
                inputs=inputs_of(other),
            )

    each(record, body)


@check("cosmic-ray detector", name="check_not_a_number")
def check_detector_not_a_number(record: CosmicRayDetector) -> None:
    """A pixel that is no number gets any code, but does not disturb pixels beyond the halo."""
    plugin = own_options(record)
    halo = int(record.halo(CosmicRayOptions(plugin=plugin)))

    def body(kind: str, chip: Chip, planted: Array) -> None:
        want = detect(record, kind, chip)
        holes = np.zeros(chip.sci.shape, dtype=bool)
        holes[2, 3] = holes[13, 20] = True
        far = np.ones(holes.shape, dtype=bool)
        for y, x in np.argwhere(holes):
            far[max(0, y - halo) : y + halo + 1, max(0, x - halo) : x + halo + 1] = False
        other = dataclasses.replace(chip, sci=np.where(holes, np.float32(np.nan), chip.sci))
        got = detect(record, kind, other)
        what = (
            f"{record!r} ({kind}) is not disturbed by pixels that are no numbers farther than halo = {halo}"
        )
        compare(what, np.where(far, got, 0), np.where(far, want, 0), where="pixel", inputs=inputs_of(other))

    each(record, body)


@check("cosmic-ray detector", traits=["needs_blot"])
def check_finds_outlier(record: CosmicRayDetector) -> None:
    """A pixel 100 sigma above the blotted median is found, a pixel that equals it is not."""

    def body(kind: str, chip: Chip, planted: Array) -> None:
        got = detect(record, kind, chip)
        compare(
            f"{record!r} ({kind}) flags pixels 100 sigma above the blotted median",
            got[planted] != 0,
            np.ones(int(planted.sum()), dtype=bool),
            where=f"planted pixels {np.argwhere(planted).tolist()}",
            inputs=inputs_of(chip),
        )
        clean = dataclasses.replace(chip, sci=np.array(chip.blot))
        codes = detect(record, kind, clean)
        compare(
            f"{record!r} ({kind}) flags no pixel of an image that equals the blotted median",
            codes,
            np.zeros_like(codes),
            where="pixel",
            inputs=inputs_of(clean),
        )

    each(record, body)


@check("cosmic-ray detector", name="check_halo")
def check_detector_halo(record: CosmicRayDetector) -> None:
    """A code depends on no pixel farther than the halo."""
    plugin = own_options(record)
    halo = int(record.halo(CosmicRayOptions(plugin=plugin)))
    chip, _ = made(7, shape=(2 * halo + 20, 2 * halo + 20), hits=12 + 2 * halo)
    step = 1 if halo <= SMALL else 2
    for kind in implementations(record):
        for c in chips_for(record, chip):
            whole = detect(record, kind, c)
            for y, x in itertools.product(range(0, 20, step), repeat=2):
                cut = (slice(y, y + 2 * halo + 1), slice(x, x + 2 * halo + 1))
                cuts: list[Any] = [None if a is None else a[cut] for a in c.arrays().values()]
                part = Chip(*cuts)
                compare(
                    f"{record!r} ({kind}) depends on no pixel farther than halo = {halo}",
                    detect(record, kind, part)[halo, halo],
                    whole[y + halo, x + halo],
                    where=f"pixel [{y + halo}, {x + halo}]",
                    inputs=inputs_of(part),
                )

    _tiles(record, halo)


def _tiles(record: CosmicRayDetector, halo: int) -> None:
    """Compare a wide chip, bright on one side, with tiles of it that are as large as those of a run."""
    rows, columns = 101 + 2 * halo, 143 + 2 * halo
    for kind in implementations(record):
        for c in chips_for(record, sloping(rows, columns)):
            whole = detect(record, kind, c)
            for top, left, h, w in ((0, 0, 33, 64), (33, 64, 51, 79), (84, 7, 17, 37)):
                cut = (slice(top, top + h + 2 * halo), slice(left, left + w + 2 * halo))
                cuts: list[Any] = [None if a is None else a[cut] for a in c.arrays().values()]
                compare(
                    f"{record!r} ({kind}) depends on no pixel farther than halo = {halo}",
                    detect(record, kind, Chip(*cuts))[halo : halo + h, halo : halo + w],
                    whole[top + halo : top + halo + h, left + halo : left + halo + w],
                    where=f"tile of {h} rows, {w} columns of a chip of {rows} rows, {columns} columns; pixel",
                )


@check("cosmic-ray detector", applies=lambda r: r.fast is not None, name="check_reference_equals_fast")
def check_detector_reference_equals_fast(record: CosmicRayDetector) -> None:
    """Compiled and NumPy codes are the same, also with growth and tails."""

    def one(seed: int, grow: int, ctegrow: int, direction: int) -> None:
        chip, _ = made(seed)
        for c in chips_for(record, chip):
            changes = {"grow": grow, "ctegrow": ctegrow, "cte_direction": direction}
            compare(
                f"{record!r}: fast equals reference",
                detect(record, "fast", c, **changes),
                detect(record, "reference", c, **changes),
                where="pixel",
                inputs={**inputs_of(c), **changes},
            )

    forall(
        one,
        seed=st.integers(0, 999),
        grow=st.integers(0, 5),
        ctegrow=st.integers(0, 6),
        direction=st.integers(-1, 1),
    )


@check("cosmic-ray detector", name="check_threads")
def check_detector_threads(record: CosmicRayDetector) -> None:
    """Eight threads at once get what one gets alone."""
    chips = [made(k)[0] for k in range(8)]
    for kind in implementations(record):
        same_from_threads(f"{record!r} ({kind})", [lambda c=c, k=kind: detect(record, k, c) for c in chips])  # type: ignore[misc]
