"""Checks of sky methods."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from drizframe.hooks import SkyChip, SkyMethod, SkyOptions
from drizframe.model import Overlap, SkyValue
from drizframe.testing.checking import check, frozen_copy, implementations, same_from_threads, strided
from drizframe.testing.checks.own_options import own_options
from drizframe.testing.failure import compare, require

__all__: list[str] = []

Array = np.ndarray[Any, Any]
#: How far a sky may be off, as a fraction of what was added.
CLOSE = 0.02
#: The same for images without noise.
CONSTANT = 1e-4


class Scene:
    """Three exposures, the second of two chips, that overlap; the sky differs between them.

    Parameters
    ----------
    added : sequence of float
        Added to the surface brightness of each exposure.
    seed : int
        Of the noise.
    layout : callable
        What is made of pixels before a method gets them; by default a copy that can be written to.
    """

    shape = (12, 10)

    def __init__(
        self,
        added: Sequence[float] = (0.0, 0.0, 0.0),
        seed: int = 0,
        layout: Callable[[Array], Any] = np.array,
    ) -> None:
        rng = np.random.default_rng(seed)
        self.layout = layout
        self.given: list[tuple[str, Array, Array]] = []
        self.images: dict[Any, Array] = {}
        self.chips: list[SkyChip] = []
        for exposure, chip, level, conversion in (
            (0, 0, 20.0, 1.0),
            (1, 0, 23.0, 2.0),
            (1, 1, 26.0, 2.0),
            (2, 0, 31.0, 0.5),
        ):
            key = (exposure, chip)
            image = ((level + added[exposure] + rng.normal(0, 0.05, self.shape)) / conversion).astype(
                np.float32
            )
            self.images[key] = image
            self.chips.append(
                SkyChip(
                    key=key,
                    exposure=exposure,
                    name=f"exp{exposure}[{chip}]",
                    conversion=conversion,
                    pixels=self._pixels(key),
                )
            )

    def _pixels(self, key: Any) -> Callable[..., Array]:
        def pixels(region: Any = None) -> Array:
            image = self.images[key]
            values: Array = image.ravel() if region is None else image[np.asarray(region)]
            handed: Array = self.layout(values)
            self.given.append((f"pixels of chip {key}", handed, np.array(handed)))
            return handed

        return pixels

    def overlaps(self) -> list[Overlap]:
        """Return the regions that chips of different exposures share."""
        left, right = np.zeros(self.shape, dtype=bool), np.zeros(self.shape, dtype=bool)
        left[:, :5], right[:, 5:] = True, True
        self.given += [(f"{n} region", r, r.copy()) for n, r in (("second", left), ("first", right))]
        keys = [c.key for c in self.chips]
        return [
            Overlap(first=a, second=b, first_region=right, second_region=left, area=1e-10)
            for i, a in enumerate(keys)
            for b in keys[i + 1 :]
            if a[0] < b[0]
        ]


def mean(values: Array) -> tuple[float, int]:
    """Return the statistic that the checks use."""
    return (float(np.mean(values, dtype=np.float64)), values.size) if values.size else (float("nan"), 0)


def no_data(values: Array) -> tuple[float, int]:
    """Return what a statistic says where there is not enough data."""
    del values
    return float("nan"), 0


def solve(
    record: SkyMethod, kind: str, scene: Scene, statistic: Callable[..., Any] = mean
) -> dict[Any, SkyValue]:
    """Run a sky method."""
    plugin = own_options(record)
    options = SkyOptions(warn=lambda message: None, plugin=plugin)  # noqa: ARG005
    found = implementations(record)[kind](scene.chips, statistic, overlaps=scene.overlaps, options=options)
    return dict(found)


def levels(values: dict[Any, SkyValue], scene: Scene) -> Array:
    """Return the surface brightness that is subtracted from each chip."""
    return np.array([c.conversion * float(values[c.key].subtracted or 0.0) for c in scene.chips])


@check("sky method")
def check_keys_complete(record: SkyMethod) -> None:
    """Every chip, and nothing else, gets a finite `SkyValue`."""
    for kind in implementations(record):
        for statistic, case in (
            (mean, "chips with data"),
            (no_data, "chips without data"),
        ):
            scene = Scene()
            found, what = (
                solve(record, kind, scene, statistic),
                f"{record!r} ({kind}) gives every chip a SkyValue",
            )
            want = {c.key for c in scene.chips}
            require(set(found) == want, what, expected=sorted(want), got=sorted(found), where=f"keys, {case}")
            for key, value in found.items():
                where = f"chip {key}, {case}"
                require(
                    isinstance(value, SkyValue), what, expected="a SkyValue", got=repr(value), where=where
                )
                numbers = [value.level, *([] if value.subtracted is None else [value.subtracted])]
                require(
                    bool(np.isfinite(numbers).all()),
                    what,
                    expected="finite numbers",
                    got=repr(value),
                    where=where,
                )
                require(
                    bool(value.method),
                    what,
                    expected="the name of the method that gave the value",
                    got="''",
                    where=where,
                )


@check("sky method")
def check_sign(record: SkyMethod) -> None:
    """A constant added to exposures raises their sky by as much, or leaves it; it never lowers it."""
    added = 8.0
    for kind in implementations(record):
        base = levels(solve(record, kind, Scene()), Scene())
        rises = []
        for which in ((0,), (1,), (2,), (0, 1, 2)):
            scene = Scene([added if e in which else 0.0 for e in range(3)])
            change = levels(solve(record, kind, scene), scene) - base
            raised = np.array([c.exposure in which for c in scene.chips])
            # levels may be common or relative: what counts is the raised exposures against the others
            relative = change if raised.all() else change[raised] - change[~raised].min(initial=np.inf)
            rises += relative.tolist()
            for value in relative:
                require(
                    -CLOSE * added <= value <= (1 + CLOSE) * added,
                    f"{record!r} ({kind}): the sky rises with what is added to the image",
                    expected=f"a change between 0 and {added}",
                    got=float(value),
                    where=f"{added} added to exposure {', '.join(map(str, which))}; brightness of its sky against the others",
                    inputs={"levels before": base, "change of each chip": change},
                )
        require(
            max(rises) >= (1 - CLOSE) * added,
            f"{record!r} ({kind}): the sky follows what is added to the image",
            expected=f"a rise of {added} in one case at least",
            got=max(rises),
            where="largest change over all cases",
            inputs={"changes": rises},
        )


@check("sky method")
def check_constant_sky(record: SkyMethod) -> None:
    """Where every chip has the same constant brightness, that is its sky; for a method of differences it is 0."""
    for kind in implementations(record):
        what = f"{record!r} ({kind}) finds the sky of constant images"
        relative: bool | None = None
        for brightness in (40.0, 640.0, -8.0):
            scene = Scene()
            for c in scene.chips:
                scene.images[c.key] = np.full(scene.shape, brightness / c.conversion, dtype=np.float32)
            found = solve(record, kind, scene)
            first = float(levels(found, scene)[0])
            if relative is None:
                relative = abs(first) < abs(first - brightness)
            want = np.zeros(len(scene.chips)) if relative else np.full(len(scene.chips), brightness)
            where = f"surface brightness {brightness:g} everywhere, chip"
            given = np.array([c.conversion * float(found[c.key].level) for c in scene.chips])
            for name, got in (("subtracted", levels(found, scene)), ("level", given)):
                if name == "level" or any(v.subtracted is not None for v in found.values()):
                    compare(
                        f"{what}: {'differences, as for 40, so 0' if relative else 'the constant'}",
                        got,
                        want,
                        atol=CONSTANT * abs(brightness),
                        where=f"{name}, {where}",
                        inputs={"conversions": [c.conversion for c in scene.chips]},
                    )


@check("sky method", name="check_inputs_untouched")
def check_sky_inputs_untouched(record: SkyMethod) -> None:
    """The sequence of chips is not changed, and neither are pixels and regions."""
    for kind in implementations(record):
        scene = Scene()
        keys = [c.key for c in scene.chips]
        solve(record, kind, scene)
        for name, handed, before in scene.given:
            compare(f"{record!r} ({kind}) must not change its inputs", handed, before, where=name)
        got = [c.key for c in scene.chips]
        require(
            got == keys,
            f"{record!r} ({kind}) must not change its inputs",
            expected=keys,
            got=got,
            where="argument 'chips'",
        )


class Lazy:
    """A region that becomes an array when `numpy.asarray` asks for it, as those of the engine."""

    def __init__(self, region: Array) -> None:
        self._region = region

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Return the region, read-only."""
        del copy
        array: Array = frozen_copy(self._region if dtype is None else self._region.astype(dtype))
        return array


@check("sky method", name="check_any_layout")
def check_sky_any_layout(record: SkyMethod) -> None:
    """Read-only and strided pixels, and regions that are made when they are needed, give the same."""
    for kind in implementations(record):
        want = levels(solve(record, kind, Scene()), Scene())
        for layout, change in (("read-only", frozen_copy), ("strided", strided)):
            scene = Scene(layout=change)
            got = levels(solve(record, kind, scene), scene)
            compare(f"{record!r} ({kind}) takes {layout} pixels", got, want, where="chip")
        scene = Scene()
        regions = [
            dataclasses.replace(o, first_region=Lazy(o.first_region), second_region=Lazy(o.second_region))
            for o in scene.overlaps()
        ]
        scene.overlaps = lambda r=regions: r  # type: ignore[method-assign, misc]
        got = levels(solve(record, kind, scene), scene)
        compare(f"{record!r} ({kind}) takes regions that numpy.asarray makes", got, want, where="chip")


@check("sky method")
def check_one_exposure(record: SkyMethod) -> None:
    """With fewer exposures than `minimum` there is a fallback; with `minimum` exposures and more it works."""
    if record.minimum > 1:
        require(
            bool(record.fallback) and record.fallback != record.name,
            f"{record!r} needs {record.minimum} exposures, so it names what is taken for fewer",
            expected="the name of another sky method in fallback",
            got=repr(record.fallback),
            where="fallback",
        )
    for kind in implementations(record):
        for count in range(record.minimum, max(record.minimum, 3) + 1):
            scene = Scene()
            scene.chips = [c for c in scene.chips if c.exposure < count]
            found = solve(record, kind, scene)
            want = {c.key for c in scene.chips}
            what = f"{record!r} ({kind}) works with {count} exposures"
            require(set(found) == want, what, expected=sorted(want), got=sorted(found), where="keys")


@check("sky method", traits=["order_free"], name="check_order_free")
def check_sky_order_free(record: SkyMethod) -> None:
    """The order of the chips does not matter, as promised."""
    for kind in implementations(record):
        scene = Scene()
        want = levels(solve(record, kind, scene), scene)
        scene.chips.reverse()
        got = levels(solve(record, kind, scene), scene)[::-1]
        compare(
            f"{record!r} ({kind}) does not depend on the order of the chips",
            got,
            want,
            rtol=1e-12,
            where="chip",
        )


@check("sky method", name="check_threads")
def check_sky_threads(record: SkyMethod) -> None:
    """Eight threads at once get what one gets alone."""
    for kind in implementations(record):
        scenes = [Scene((k, 2.0 * k, -k), seed=k) for k in range(8)]
        calls = [lambda s=s, k=kind: solve(record, k, s) for s in scenes]
        same_from_threads(f"{record!r} ({kind})", calls, [{"images": s.images} for s in scenes])
