from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

_Array: TypeAlias = npt.NDArray[np.float64]

def drizzle_points(
    code: Any,
    x: _Array,
    y: _Array,
    cx: _Array,
    cy: _Array,
    pixfrac: float,
    scale: float,
    radius: float,
    window: tuple[int, int, int, int],
    data: _Array,
    variances: _Array,
    pixel_weight: _Array,
    flags: npt.NDArray[np.uint32],
    bit: int,
    skip_zero: bool,
    weight: _Array,
    total: _Array,
    squared: _Array,
    last: _Array,
    context: Any,
    out_flags: Any,
) -> tuple[int, int, int]: ...
