from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

_Array: TypeAlias = npt.NDArray[np.float64]

def nearest() -> tuple[Any, _Array]: ...
def weights_of(
    code: tuple[Any, _Array], x: Any, y: Any, corners: Any, x0: Any, y0: Any, shape: tuple[int, int]
) -> _Array: ...
def drizzle_block(
    code: tuple[Any, _Array],
    x: _Array,
    y: _Array,
    cx: _Array | None,
    cy: _Array | None,
    stride: int,
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
) -> int: ...
