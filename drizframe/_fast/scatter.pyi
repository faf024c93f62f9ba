from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

_Array: TypeAlias = npt.NDArray[np.float64]
_Integers: TypeAlias = npt.NDArray[np.intp]

def scatter(
    weights: _Array,
    index: _Integers,
    x0: _Integers,
    y0: _Integers,
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
