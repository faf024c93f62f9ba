from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]

def nearest() -> tuple[Any, Array]: ...
def drizzle_block(
    code: tuple[Any, Array],
    x: Array,
    y: Array,
    cx: Array | None,
    cy: Array | None,
    stride: int,
    radius: float,
    window: tuple[int, int, int, int],
    data: Array,
    variances: Array,
    pixel_weight: Array,
    flags: npt.NDArray[np.uint32],
    bit: int,
    skip_zero: bool,
    weight: Array,
    total: Array,
    squared: Array,
    last: Array,
    context: Any,
    out_flags: Any,
) -> int: ...
