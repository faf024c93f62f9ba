"""Mutated FITS files, through the native front door and through the drop-in."""

from __future__ import annotations

import gzip
import logging
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_corpus import BASES, base_files
from fuzz_driver import Wrong
from fuzz_mutators import apply, draw

import drizframe
from drizframe.errors import DrizframeError

#: How cases are run: the mosaic alone, mostly in memory, which is fast; all steps; the drop-in.
DOORS = ("memory", "memory", "memory", "memory", "memory", "short", "run", "drop-in")
#: Parameters of a run that only reads, plans and makes the mosaic.
SHORT = {"static": False, "driz_separate": False, "median": False, "blot": False, "driz_cr": False}


def make(seed: int) -> dict[str, Any]:
    """Return the case of a seed: a base, the changes of one of its files, and how it is run."""
    rng = np.random.default_rng(seed)
    base = str(rng.choice(list(BASES)))
    names = [n for n in base_files(base) if n.startswith("k1")]
    name = str(rng.choice(names))
    data = base_files(base)[name]
    packed = name.endswith(".gz")
    if packed and rng.random() < 0.8:  # change what is inside
        data = gzip.decompress(data)
    else:
        packed = False
    mutations = [draw(rng, data) for _ in range(int(rng.choice([1, 1, 1, 2, 3])))]
    door = str(rng.choice(DOORS))
    return {"seed": seed, "base": base, "file": name, "pack": packed, "mutations": mutations, "door": door}


def run(case: dict[str, Any], folder: Path) -> None:
    """Write the files, run, and see that promises are kept."""
    logging.disable(logging.CRITICAL)
    for name, data in base_files(case["base"]).items():
        (folder / name).write_bytes(_changed(data, case) if name == case["file"] else data)
    inputs = sorted(str(p.name) for p in folder.iterdir() if "_c1" not in p.name)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    try:
        result = _run(case["door"], inputs)
    except DrizframeError as error:
        _check_left(folder, before, error)
        raise
    if case["door"] != "drop-in":
        _check_inputs(folder, before)
    if result is not None:
        check_values(result)


def _changed(data: bytes, case: dict[str, Any]) -> bytes:
    if case["pack"]:
        return gzip.compress(apply(gzip.decompress(data), case["mutations"]))
    return apply(data, case["mutations"])


def _run(door: str, inputs: list[str]) -> Any:
    if door == "drop-in":
        drizframe.astrodrizzle.AstroDrizzle(inputs, output="o", num_cores=1, preserve=False, runfile="")
        return None
    more = SHORT if door in {"memory", "short"} else {}
    return drizframe.run(inputs, output=None if door == "memory" else "o", num_cores=1, **more)


def _check_inputs(folder: Path, before: dict[str, bytes]) -> None:
    changed = [
        n for n, data in before.items() if not (folder / n).is_file() or (folder / n).read_bytes() != data
    ]
    if changed:
        msg = f"inputs were changed: {changed}"
        raise Wrong(msg)


def _check_left(folder: Path, before: dict[str, bytes], error: DrizframeError) -> None:
    """After a refusal nothing has changed, nothing is left, and the file is named."""
    _check_inputs(folder, before)
    left = sorted(p.name for p in folder.rglob("*") if p.is_file() and p.name not in before)
    if left:
        msg = f"{left} are left behind by {error}"
        raise Wrong(msg)
    if "k1" not in str(error):
        msg = f"the file is not named: {type(error).__name__}: {error}"
        raise Wrong(msg)


def check_values(result: Any) -> None:
    if not np.isfinite(result.sci[result.wht > 0]).all():
        msg = "not finite where there is weight"
        raise Wrong(msg)
    if not np.isfinite(result.wht).all():
        msg = "a weight that is not finite"
        raise Wrong(msg)
