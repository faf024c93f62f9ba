from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.intp]

def scatter(
    weights: Array,
    index: Integers,
    x0: Integers,
    y0: Integers,
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
