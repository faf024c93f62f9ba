"""Calls of the array interface with arguments of wrong shapes, types and numbers.

A case is a function, arguments that are right, and what one to three of them are replaced by.  Arguments are kept as
plain words (`build` makes them), so that a kept case means the same later.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_driver import Wrong

import drizframe
from drizframe import resample
from drizframe.errors import DrizframeError

Spec = Any
N = 9
IMAGE = {"array": "f4", "shape": [N, N], "values": "ramp"}
MAP = {"map": [N, N], "turn": 0.3, "scale": 1.0}
WCS = {"wcs": [N, N], "scale": 1e-5, "angle": 0.2}
#: Right arguments of every function; those of "Drizzle" and "add_image" go to the object and its method.
RIGHT: dict[str, dict[str, Spec]] = {
    "Drizzle": {"kernel": "square", "out_shape": [N, N]},
    "add_image": {"data": IMAGE, "exptime": 2.0, "pixmap": MAP},
    "blot_image": {"data": IMAGE, "pixmap": MAP, "interp": "linear"},
    "calc_pixmap": {"wcs_from": WCS, "wcs_to": {**WCS, "angle": 1.0}},
    "decode_context": {
        "context": {"array": "i4", "shape": [2, N, N], "values": "ramp"},
        "x": [1, 2],
        "y": [3, 4],
    },
    "estimate_pixel_scale_ratio": {"wcs_from": WCS, "wcs_to": WCS},
}
#: What may be replaced.
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "Drizzle": (
        "kernel", "fillval", "fillval2", "out_shape", "out_img", "out_wht", "out_ctx", "out_img2", "out_dq", "exptime",
        "begin_ctx_id", "max_ctx_id", "disable_ctx", "max_pixels",
    ),
    "add_image": (
        "data", "exptime", "pixmap", "data2", "dq", "scale", "iscale", "pixel_scale_ratio", "weight_map", "wht_scale",
        "pixfrac", "in_units", "xmin", "xmax", "ymin", "ymax",
    ),
    "blot_image": (
        "data", "pixmap", "pix_ratio", "exptime", "output_pixel_shape", "out_img", "fillval", "iscale", "interp",
        "sinscl", "max_pixels",
    ),
    "calc_pixmap": ("wcs_from", "wcs_to", "shape", "disable_bbox", "stepsize", "order", "max_pixels"),
    "decode_context": ("context", "x", "y"),
    "estimate_pixel_scale_ratio": ("wcs_from", "wcs_to", "refpix_from", "refpix_to"),
}  # fmt: skip
#: Where an error need not name the argument itself: what it says in its place.
NAMES = {
    "wcs_to": "wcs|WCS",
    "wcs_from": "wcs|WCS",
    "out_shape": "out_shape|shape",
    "kernel": "[kK]ernel",
    "interp": "interp",
}
NUMBERS: list[Spec] = [
    0, 1, -1, 2, 3, 0.5, -0.5, 1e-9, 1e-31, 1e-300, 1e9, 1e31, 1e300, -1e300, 2**31, -(2**31), 2**40, 2**63, 10**400,
    {"number": "nan"}, {"number": "inf"}, {"number": "-inf"}, {"scalar": "f2", "of": 1.5}, {"scalar": "f4", "of": 0.5},
    {"scalar": "f8", "of": "nan"}, {"scalar": "i1", "of": -3}, {"scalar": "u8", "of": 2**63}, {"scalar": "c8", "of": 1},
    {"scalar": "M8[s]", "of": 1}, {"scalar": "m8[s]", "of": 1}, {"scalar": "g", "of": 2}, {"scalar": "?", "of": 1},
    {"array": "f8", "shape": [], "values": "ones"}, {"array": "f8", "shape": [1], "values": "ones"},
    {"object": "decimal"}, {"object": "fraction"}, True, False,
]  # fmt: skip
THINGS: list[Spec] = [
    None, "", "text", "INDEF", "nan", "1.5", "square", "cps", "counts", "poly5", "\x00", "\u00e9" * 50, [], {"tuple": []},
    {"dict": 1}, {"object": "object"}, {"object": "class"}, {"object": "function"}, {"object": "hostile array"},
    {"object": "hostile text"}, {"object": "bytes"}, {"object": "complex"}, {"object": "generator"}, {"object": "set"},
    {"object": "quantity"}, {"object": "ccddata"}, {"object": "slice"}, {"object": "ellipsis"}, [1, 2], [[1, 2], [3]],
    [None, None], [1.5, "x"], {"tuple": [3, 3]}, {"tuple": [-3, 3]}, {"tuple": [2**40, 2]}, {"tuple": [10**6, 10**6]},
    {"tuple": [0, 5]}, {"tuple": [3]}, {"tuple": [3, 3, 3]}, {"tuple": [3.0, 3.0]}, {"kernel": "gaussian"},
    {"interpolator": "poly3"},
]  # fmt: skip
TYPES: list[str] = [
    "f4", "f8", ">f4", ">f8", "f2", "g", "i1", "i2", ">i2", "i4", "i8", "u1", "u2", "u4", ">u4", "u8", "?", "c8", "c16", "O",
    "S3", "U3", "M8[s]", "m8[s]", "V4", "f4,i4",
]  # fmt: skip
SHAPES: list[list[int]] = [
    [N, N, 2], [N, N, 2], [N, N + 1], [N + 1, N], [1, N], [N, 1], [1, 1], [2, 2], [0, N],
    [N, 0], [0], [], [N], [N * N], [1, N, N], [2, N, N], [3, N, N, 1], [N, N, 3], [2, 2, 2], [1, 2, 2], [80, 80], [80, 80, 2],
    [1] * 30,
]  # fmt: skip
VALUES = ["ramp", "ones", "zeros", "nan", "inf", "huge", "tiny", "random", "negative", "some-nan"]
LAYOUTS = [
    "plain", "plain", "plain", "strided", "reversed", "fortran", "readonly", "list", "masked", "masked-none", "matrix",
    "subclass", "memoryview",
]  # fmt: skip
HUGE = [[200_000, 200_000], [2**30, 2**29], [2**34, 1], [200_000, 200_000, 2], [2**20, 2**20, 2]]
SCALES = [0.0, 1e-300, 1e-12, 0.01, 0.3, 1.0, 3.0, 40.0, 1e6, 1e15, 1e100, 1e300, -1.0]


def make(seed: int) -> dict[str, Any]:
    """Return the case of a seed."""
    rng = np.random.default_rng([seed, 9])
    function = str(rng.choice(list(RIGHT), p=[0.2, 0.42, 0.16, 0.1, 0.06, 0.06]))
    changed = rng.choice(ARGUMENTS[function], size=int(rng.choice([1, 1, 1, 2, 3])), replace=False).tolist()
    with_ = {name: _draw(rng, name) for name in changed}
    kernel = str(rng.choice(["square", "turbo", "point", "gaussian", "lanczos3"]))
    return {
        "seed": seed,
        "function": function,
        "with": with_,
        "kernel": kernel,
        "sized": bool(rng.random() < 0.7),
    }


def _draw(rng: np.random.Generator, name: str) -> Spec:
    """Return a value for an argument: mostly of the kind that it expects, sometimes of any."""
    arrays = {
        "data",
        "data2",
        "dq",
        "weight_map",
        "out_img",
        "out_wht",
        "out_ctx",
        "out_img2",
        "out_dq",
        "context",
    }
    roll = rng.random()
    if name == "pixmap" and roll < 0.6:
        return _draw_map(rng)
    if name.startswith("wcs") and roll < 0.6:
        return _draw_wcs(rng)
    if name in arrays | {"pixmap", "x", "y"} and roll < 0.75:
        spec = _draw_array(rng)
        listed = name in {"data2", "out_img2"} and rng.random() < 0.4
        return [spec, _draw_array(rng) if rng.random() < 0.5 else None] if listed else spec
    if roll < 0.6:
        return _pick(rng, NUMBERS)
    return _pick(rng, THINGS) if roll < 0.93 else _draw_array(rng)


def _pick(rng: np.random.Generator, from_: list[Spec]) -> Spec:
    return from_[int(rng.integers(len(from_)))]


def _draw_array(rng: np.random.Generator) -> Spec:
    if rng.random() < 0.06:
        return {"huge": _pick(rng, HUGE), "array": str(rng.choice(["f4", "f8", "i4", "u1"]))}
    fits, numeric = rng.random(2)
    return {
        "array": str(rng.choice(TYPES[:17] if numeric < 0.6 else TYPES)),
        "shape": [N, N] if fits < 0.6 else _pick(rng, SHAPES), "values": str(rng.choice(VALUES)),
        "layout": str(rng.choice(LAYOUTS)),
    }  # fmt: skip


def _draw_map(rng: np.random.Generator) -> Spec:
    spots = [[int(v) for v in rng.integers(0, N, 2)] for _ in range(int(rng.choice([0, 0, 1, 3])))]
    bad = str(rng.choice(["nan", "inf", "-inf", "1e300", "-1e300", "1e18", "1e9"]))
    shape = _pick(rng, [[N, N], [N, N], [N, N], [1, N], [N, 1], [1, 1], [N, N + 1]])
    turn, scale, shift = float(rng.uniform(0, 6.3)), _pick(rng, SCALES), _pick(rng, [*SCALES, -1e9])
    return {"map": shape, "turn": turn, "scale": scale, "shift": shift, "spots": spots, "bad": bad}


def _draw_wcs(rng: np.random.Generator) -> Spec:
    kinds = [
        "plain", "no shape", "not celestial", "three axes", "one axis", "unset", "other side", "galactic", "raises",
        "wrong number", "wrong shape", "nothing", "box", "box of nothing", "huge",
    ]  # fmt: skip
    return {**WCS, "kind": str(rng.choice(kinds)), "scale": _pick(rng, [1e-5, 1.0, 0.0, 1e-300, 1e9])}


# -- from words to objects -----------------------------------------------------------------------------------


def build(spec: Spec) -> Any:
    """Make what a spec says."""
    if isinstance(spec, list):
        return [build(s) for s in spec]
    if not isinstance(spec, dict):
        return spec
    makers = {
        "huge": _huge, "array": _array, "map": _map, "wcs": _wcs, "object": _object,
        "number": lambda s: float(s["number"]), "scalar": _scalar, "tuple": lambda s: tuple(build(s["tuple"])),
        "dict": lambda s: {1: 2}, "kernel": lambda s: drizframe.registry().get("kernel", s["kernel"]),
        "interpolator": lambda s: drizframe.registry().get("interpolator", s["interpolator"]),
    }  # fmt: skip
    return next(maker for key, maker in makers.items() if key in spec)(spec)


def _scalar(spec: Spec) -> Any:
    return np.array(spec["of"]).astype(spec["scalar"])[()]


def _huge(spec: Spec) -> Any:
    return np.broadcast_to(np.zeros((), spec["array"]), spec["huge"])


def _array(spec: Spec) -> Any:
    rng = np.random.default_rng(7)
    shape, dtype = spec["shape"], np.dtype(spec["array"])
    size = int(np.prod(shape, dtype=int))
    base = {
        "ramp": np.arange(size) % 101, "ones": np.ones(size), "zeros": np.zeros(size), "nan": np.full(size, np.nan),
        "inf": np.full(size, np.inf), "huge": np.full(size, 1e300), "tiny": np.full(size, 1e-300),
        "random": rng.normal(10, 4, size), "negative": -np.arange(size, dtype=float),
        "some-nan": np.where(np.arange(size) % 5, 1.0, np.nan),
    }[spec["values"]].reshape(shape)  # fmt: skip
    with np.errstate(all="ignore"):
        if dtype.names or dtype.kind == "V":
            made = np.zeros(shape, dtype)
        elif dtype.kind in "mM":
            made = np.arange(size).reshape(shape).astype(dtype)
        else:
            made = base.astype(dtype)
    return _laid_out(made, spec.get("layout", "plain"))


class _Subclass(np.ndarray):
    pass


def _laid_out(made: Any, layout: str) -> Any:
    if layout in {"strided", "reversed"} and made.ndim:
        kept = np.zeros([*made.shape[:-1], 2 * made.shape[-1]], made.dtype)
        view = kept[..., ::2] if layout == "strided" else kept[..., ::2][..., ::-1]
        view[...] = made
        return view
    if layout == "readonly":
        made.flags.writeable = False
    if layout.startswith("masked"):
        mask = np.zeros(made.shape, bool)
        mask.flat[:: 3 if layout == "masked" else made.size + 1] = layout == "masked"
        return np.ma.array(made, mask=mask)
    if layout == "memoryview" and made.dtype.char in "fdbhilBHIL" and made.dtype.isnative:
        return memoryview(made)
    plain = {
        "fortran": np.asfortranarray,
        "list": lambda a: a.tolist(),
        "subclass": lambda a: a.view(_Subclass),
    }
    if layout == "matrix" and made.ndim == 2:
        return np.matrix(made)
    return plain.get(layout, lambda a: a)(made)


def _map(spec: Spec) -> Any:
    ny, nx = spec["map"]
    y, x = np.mgrid[:ny, :nx].astype(float)
    c, s = np.cos(spec["turn"]), np.sin(spec["turn"])
    with np.errstate(all="ignore"):
        made = np.dstack([c * x - s * y, s * x + c * y]) * spec["scale"] + spec.get("shift", 2.0)
    for j, i in spec.get("spots", ()):
        made[j % ny, i % nx] = float(spec["bad"])
    return made


class _BadWcs:
    array_shape = (N, N)
    pixel_shape = (N, N)

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def pixel_to_world_values(self, *axes: Any) -> Any:
        answers = {
            "raises": 1,
            "wrong number": axes[:1],
            "wrong shape": (np.zeros(3), np.zeros(3)),
            "nothing": None,
        }
        if self.kind == "raises":
            raise KeyError("no")
        return answers[self.kind]

    world_to_pixel_values = pixel_to_world_values


def _wcs(spec: Spec) -> Any:
    import astropy.wcs

    kind = spec.get("kind", "plain")
    if kind in {"raises", "wrong number", "wrong shape", "nothing"}:
        return _BadWcs(kind)
    wcs = astropy.wcs.WCS(naxis={"three axes": 3, "one axis": 1}.get(kind, 2))
    if wcs.naxis == 2 and kind != "unset":
        sky = ["LINEAR", "LINEAR"] if kind == "not celestial" else ["RA---TAN", "DEC--TAN"]
        wcs.wcs.ctype = ["GLON-TAN", "GLAT-TAN"] if kind == "galactic" else sky
        wcs.wcs.crval = [330.0, -20.0] if kind == "other side" else [150.0, 20.0]
        c, s = spec["scale"] * np.cos(spec["angle"]), spec["scale"] * np.sin(spec["angle"])
        wcs.wcs.cd = [[-c, s], [s, c]]
    if kind != "no shape" and wcs.naxis == 2:
        wcs.array_shape = (2**40, 2**40) if kind == "huge" else tuple(spec["wcs"])
    if kind.startswith("box"):
        wcs.bounding_box = None if kind == "box of nothing" else ((1.0, 5.0), (1.0, 5.0))
    return wcs


def _object(spec: Spec) -> Any:
    import decimal
    import fractions

    from astropy import units
    from astropy.nddata import CCDData

    class HostileArray:
        def __array__(self, *_: Any, **__: Any) -> Any:
            raise ZeroDivisionError("no")

    class HostileText:
        def __repr__(self) -> str:
            raise KeyError("no")

    made = {
        "object": object(), "class": dict, "function": len, "hostile array": HostileArray(), "hostile text": HostileText(),
        "bytes": b"abc", "complex": 1 + 2j, "generator": (i for i in range(3)), "set": {1, 2}, "slice": slice(3),
        "quantity": np.ones((N, N)) * units.Jy, "ccddata": CCDData(np.ones((N, N)), unit="adu"), "ellipsis": ...,
        "decimal": decimal.Decimal("1.5"), "fraction": fractions.Fraction(3, 2),
    }  # fmt: skip
    return made[spec["object"]]


# -- calls ---------------------------------------------------------------------------------------------------


def run(case: dict[str, Any], folder: Path) -> None:
    """Call, and see that promises are kept: inputs unchanged, results of the right form, errors that name arguments."""
    function = case["function"]
    right = {k: build(v) for k, v in RIGHT[function].items()}
    given = {**right, **{k: build(v) for k, v in case["with"].items()}}
    kept = {
        k: v.copy()
        for k, v in given.items()
        if isinstance(v, np.ndarray) and v.size < 10**6 and "out" not in k
    }
    try:
        _call(function, given, case)
    except DrizframeError as error:
        _check_named(error, case["with"])
        raise
    for name, before in kept.items():
        if given[name].dtype != object and given[name].tobytes() != before.tobytes():
            msg = f"{name} was changed"
            raise Wrong(msg)


def _call(function: str, given: dict[str, Any], case: dict[str, Any]) -> None:
    if function == "Drizzle":
        driz = resample.Drizzle(**given)
        if driz.out_img is not None and driz.out_img.size < 10**6:
            ny, nx = driz.out_img.shape
            y, x = np.mgrid[:ny, :nx].astype(float)
            driz.add_image(
                np.ones((ny, nx)),
                1.0,
                np.dstack([x, y]),
                data2=[np.ones((ny, nx))] * len(driz.out_img2 or []) or None,
            )
            _check_output(driz)
    elif function == "add_image":
        driz = resample.Drizzle(kernel=case["kernel"], **({"out_shape": (N + 2, N)} if case["sized"] else {}))
        for _ in range(2):
            found = driz.add_image(**given)
            if not all(isinstance(n, int) and n >= 0 for n in found):
                msg = f"add_image returned {found!r}"
                raise Wrong(msg)
        _check_output(driz)
    else:
        result = getattr(resample, function)(**given)
        if function == "blot_image" and (
            result.dtype != np.float32 or result.shape != given["pixmap"].shape[:2]
        ):
            msg = f"blot_image returned {result.dtype} {result.shape}"
            raise Wrong(msg)
        if function == "estimate_pixel_scale_ratio" and not (np.isfinite(result) and result > 0):
            msg = f"the ratio is {result!r}"
            raise Wrong(msg)


def _check_output(driz: Any) -> None:
    finite = np.isfinite(driz.out_wht)
    if driz.out_img.dtype != np.float32 or driz.out_wht.dtype != np.float32 or not finite.all():
        msg = "the output is not of float32, or a weight is not finite"
        raise Wrong(msg)


def _check_named(error: DrizframeError, changed: dict[str, Any]) -> None:
    """An error names one of the arguments that were changed."""
    said = " ".join([str(error), *getattr(error, "__notes__", ())])
    if not any(re.search(NAMES.get(name, name), said) for name in changed):
        msg = f"no argument of {sorted(changed)} is named: {type(error).__name__}: {said}"
        raise Wrong(msg)
