"""Which run a product is of: a keyword by which a later run knows its own products from those of others."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from drizframe._version import __version__
from drizframe.config import Parameters
from drizframe.config.parameters import without_effect
from drizframe.config.peek import RUN_COMMENT, RUN_KEYWORD
from drizframe.model import Exposure, Mosaic

__all__ = ["of_same_inputs", "run_identity", "stamped", "with_run"]

#: Parameters on which no number of a product depends, but for its last bits.
_HOW = without_effect() | {"backend"}


def run_identity(exposures: Sequence[Exposure], parameters: Parameters, stem: Path) -> str:
    """Return what tells a run from others: the same for the same inputs, output and parameters.

    Parameters
    ----------
    exposures : sequence of Exposure
        What is combined; the order does not count.
    parameters : Parameters
        Those on which the numbers depend count.
    stem : pathlib.Path
        Root and tag of the products.

    Returns
    -------
    str
        Twelve hexadecimal digits for inputs and output, a hyphen, and twelve for parameters and version.

    Notes
    -----
    Files count by their path from the folder of the products, so a folder may be moved.
    """
    what = [stem.name, sorted(_described(e, stem.absolute().parent) for e in exposures)]
    chosen = {n: getattr(parameters, n) for n in type(parameters).model_fields if n not in _HOW}
    return f"{_digest(what)}-{_digest([__version__, chosen])}"


def of_same_inputs(one: str, other: str) -> bool:
    """Tell whether two identities are of runs with the same inputs and output; the parameters may differ."""
    return bool(one) and one.partition("-")[0] == other.partition("-")[0]


def stamped(mosaic: Mosaic, identity: str) -> Mosaic:
    """Return a mosaic whose primary header names its run."""
    return dataclasses.replace(mosaic, headers=with_run(mosaic.headers, identity))


def with_run(headers: Mapping[str, Any], identity: str) -> Mapping[str, Any]:
    """Return headers of which the primary one, if there is one, names its run."""
    if "primary" not in headers:
        return headers
    primary = headers["primary"].copy()
    primary[RUN_KEYWORD] = (identity, RUN_COMMENT)
    return {**headers, "primary": primary}


def _described(exposure: Exposure, folder: Path) -> str:
    """Return what tells an exposure from others; of arrays nothing is known but what was said of them."""
    where: list[Any] = [list(map(float, c.wcs.wcs.crval)) for c in exposure.chips]
    if exposure.path is not None:
        path = exposure.path.resolve()
        try:
            where = [os.path.relpath(path, folder.resolve())]
        except ValueError:  # on another drive
            where = [str(path)]
    shapes = [[c.extver, *c.shape] for c in exposure.chips]
    return json.dumps(
        [exposure.name, float(exposure.exptime), float(exposure.start), shapes, where], default=_text
    )


def _digest(record: Any) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True, default=_text).encode()).hexdigest()[:12]


def _text(value: Any) -> Any:
    """Return what stands for an object that is no plain value."""
    if hasattr(value, "model_dump"):
        return value.model_dump()
    if hasattr(value, "to_header_string"):
        return value.to_header_string()
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    return str(getattr(value, "name", None) or type(value).__name__)
