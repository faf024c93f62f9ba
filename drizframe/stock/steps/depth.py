"""How many exposures lie behind each pixel of the separate frame; made for cosmic-ray detectors that ask for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.hooks import Need, Step, TileJob, hookimpl
from drizframe.model import Plane

if TYPE_CHECKING:
    from drizframe.config import Parameters
    from drizframe.hooks import Registry
    from drizframe.model import Exposure

__all__ = ["DEPTH"]


def run(job: TileJob) -> Mapping[str, Any]:
    """Count the exposures whose weight is above 0, on a tile of the separate frame."""
    depth = np.zeros(job.window.shape, dtype=np.int32)
    for _, weight in job.each("single.wht"):
        depth += weight > 0
    return {"depth": depth}


def _enabled(parameters: Parameters, exposures: Sequence[Exposure], registry: Registry) -> bool:
    """Whether cosmic rays are looked for among several exposures by a detector that wants the depth."""
    detector = registry.get("cosmic-ray detector", parameters.cr_detector)
    wanted = bool(parameters.driz_cr) and bool(parameters.driz_separate) and len(exposures) > 1
    return wanted and "needs_depth" in detector.traits


DEPTH = Step(
    name="depth",
    summary="Count the exposures behind each pixel of the separate frame.",
    parameters=("driz_sep_*",),
    needs=(Need("single.wht", of="touching", optional=True),),
    makes=(
        Plane(
            name="depth",
            meaning="number of exposures with weight on each pixel",
            on="frame",
            grid="separate",
            dtype="int32",
        ),
    ),
    over="tile",
    grid="separate",
    run=run,
    enabled=_enabled,
)


@hookimpl
def drizframe_extra_steps() -> Iterator[Step]:
    """Yield the step."""
    yield DEPTH
