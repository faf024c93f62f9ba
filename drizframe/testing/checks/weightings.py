"""Checks of weightings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

from drizframe.hooks import Weighting, WeightOptions
from drizframe.model import ArraySource, Chip, SkyValue
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
from drizframe.testing.strategies import exposures, masks

__all__: list[str] = []

Array = np.ndarray[Any, Any]
SHAPE = (5, 6)
SKY = SkyValue(subtracted=2.0, level=2.0, method="localmin")


def flat_of(chip: Chip) -> Array:
    """Return a flat field that is 1 on the left and 0.5 on the right."""
    flat = np.ones(chip.shape, dtype=np.float32)
    flat[:, chip.shape[1] // 2 :] = 0.5
    return flat


def ivm_of(chip: Chip) -> Array:
    """Return an inverse-variance map, different in each pixel."""
    return (1.0 + np.arange(chip.shape[0] * chip.shape[1], dtype=np.float32)).reshape(chip.shape)


def weigh(
    record: Weighting,
    kind: str,
    chip: Chip,
    mask: Array,
    scl: Any = "exptime",
    ratio: float = 1.0,
    **maps: Any,
) -> Any:
    """Run a weighting; without other `maps` there is a flat field and no inverse-variance map."""
    plugin = own_options(record)
    options = WeightOptions(wt_scl=scl, plugin=plugin, **({"flat": flat_of(chip)} | maps))
    result = implementations(record)[kind](chip, mask, SKY, ratio, options)
    require(
        isinstance(result, tuple) and len(result) == 2 and isinstance(result[0], np.ndarray),
        f"{record!r} ({kind}) gives a weight map and a factor",
        expected="(map, scale): an array and a number",
        got=type(result).__name__ if not isinstance(result, tuple) else [type(r).__name__ for r in result],
        where="result",
    )
    return result


def each(record: Weighting, body: Callable[..., None], **more: Any) -> None:
    """Call ``body(kind, chip, mask)`` for drawn chips and masks, and every implementation."""

    def one(exposure: Any, mask: Array, **drawn: Any) -> None:
        for kind in implementations(record):
            body(kind, exposure.chips[0], mask, **drawn)

    forall(one, exposure=exposures(shapes=st.just(SHAPE)), mask=masks(shapes=st.just(SHAPE)), **more)


@check("weighting", name="check_shape_and_type")
def check_weighting_shape_and_type(record: Weighting) -> None:
    """A float32 map of the chip's shape, finite and not negative, and a finite factor above 0."""

    def body(kind: str, chip: Chip, mask: Array, scl: Any, ratio: float) -> None:
        what, inputs = (
            f"{record!r} ({kind}) gives a weight map and a factor",
            {"mask": mask, "exptime": chip.exptime, "wt_scl": scl},
        )
        got, scale = weigh(record, kind, chip, mask, scl, ratio)
        require(np.shape(got) == SHAPE, what, expected=SHAPE, got=np.shape(got), where="shape", inputs=inputs)
        require(
            got.dtype == np.float32, what, expected="float32", got=str(got.dtype), where="type", inputs=inputs
        )
        bad = ~(np.isfinite(got) & (got >= 0))
        require(
            not bad.any(),
            what,
            expected="finite weights of 0 or above",
            got=got[bad],
            where="map",
            inputs=inputs,
        )
        require(
            bool(np.isfinite(scale) and scale > 0),
            what,
            expected="a finite factor above 0",
            got=scale,
            where="factor",
            inputs=inputs,
        )

    each(record, body, scl=st.sampled_from(["exptime", "expsq", 2.0]), ratio=st.sampled_from([1.0, 0.5]))


@check("weighting", name="check_masked_have_no_weight")
def check_weighting_masked(record: Weighting) -> None:
    """Masked pixels have weight 0, good pixels above 0; a pixel's weight does not depend on the mask of others."""

    def body(kind: str, chip: Chip, mask: Array) -> None:
        got, whole = weigh(record, kind, chip, mask)[0], weigh(record, kind, chip, np.ones_like(mask))[0]
        what = f"{record!r} ({kind}): masked pixels have weight 0, the others the weight that they have without a mask"
        compare(what, got, np.where(mask != 0, whole, 0.0), where="pixel", inputs={"mask": mask})
        require(
            bool((whole > 0).any()),
            f"{record!r} ({kind}) gives good pixels weight",
            expected="above 0",
            got=whole,
            where="map",
        )

    each(record, body)


@check("weighting", name="check_inputs_untouched")
def check_weighting_inputs_untouched(record: Weighting) -> None:
    """Mask and images of the chip are not changed."""

    def body(kind: str, chip: Chip, mask: Array) -> None:
        images = {k: chip.load(k) for k in ("sci", "err", "dq")}
        maps = {"flat": flat_of(chip), "ivm": ivm_of(chip)}
        with untouched(f"{record!r} ({kind})", mask=mask, **maps, **images):
            weigh(record, kind, chip, mask, flat=maps["flat"])
            weigh(record, kind, chip, mask, flat=None, ivm=maps["ivm"])

    each(record, body)


@check("weighting", name="check_any_layout")
def check_weighting_any_layout(record: Weighting) -> None:
    """Read-only and strided masks, and maps and images of the chip of any layout and byte order, give the same."""

    def swapped(a: Array) -> Array:
        return a.astype(a.dtype.newbyteorder(">"))

    def body(kind: str, chip: Chip, mask: Array) -> None:
        given: dict[str, dict[str, Any]] = {
            "flat": {"flat": flat_of(chip)},
            "ivm": {"flat": None, "ivm": ivm_of(chip)},
        }
        for name, maps in given.items():
            want = weigh(record, kind, chip, mask, **maps)[0]
            for layout, change in (("read-only", frozen_copy), ("strided", strided), ("big-endian", swapped)):
                images = {k: chip.load(k) for k in ("sci", "err", "dq")}
                source = ArraySource({k: change(a) for k, a in images.items() if a is not None})
                other = dataclasses.replace(chip, load=source)
                changed: dict[str, Any] = {k: None if a is None else change(a) for k, a in maps.items()}
                own = mask if layout == "big-endian" else change(mask)
                compare(
                    f"{record!r} ({kind}) takes {layout} arrays, with {name}",
                    weigh(record, kind, other, own, **changed)[0],
                    want,
                    where="pixel",
                    inputs={"mask": mask, **maps},
                )

    each(record, body)


@check("weighting", applies=lambda r: r.fast is not None, name="check_reference_equals_fast")
def check_weighting_reference_equals_fast(record: Weighting) -> None:
    """Compiled and NumPy maps agree to a few units in the last place of float32."""

    def one(exposure: Any, mask: Array) -> None:
        found = [weigh(record, kind, exposure.chips[0], mask) for kind in ("fast", "reference")]
        compare(
            f"{record!r}: fast equals reference",
            found[0][0],
            found[1][0],
            rtol=5e-7,
            zeros=True,
            where="map",
            inputs={"mask": mask},
        )
        compare(
            f"{record!r}: fast equals reference",
            found[0][1],
            found[1][1],
            rtol=record.tolerance,
            where="factor",
        )

    forall(one, exposure=exposures(shapes=st.just(SHAPE)), mask=masks(shapes=st.just(SHAPE)))


@check("weighting", name="check_threads")
def check_weighting_threads(record: Weighting) -> None:
    """Eight threads at once get what one gets alone."""
    from drizframe.model import Exposure
    from drizframe.testing.strategies import tangent_plane

    rng = np.random.default_rng(2)
    made = []
    for k in range(8):
        err = rng.uniform(1, 9, (20, 20)).astype(np.float32)
        sci = rng.normal(9, 1, (20, 20)).astype(np.float32)
        exposure = Exposure.from_arrays(
            sci, tangent_plane((20, 20), 0.1), exptime=10.0 + k, err=err, dark=1.0 + k, readnoise=2.0
        )
        made.append((exposure.chips[0], (rng.random((20, 20)) < 0.8).astype(np.uint8)))
    for kind in implementations(record):
        same_from_threads(f"{record!r} ({kind})", [lambda a=a, k=kind: weigh(record, k, *a) for a in made])  # type: ignore[misc]
