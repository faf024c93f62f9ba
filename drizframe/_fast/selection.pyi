from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]
Limits: TypeAlias = tuple[int, int, int, int]

def near_centres(x: Array, y: Array, radius: float, window: Limits) -> tuple[Any, Any, Any, None, Any]: ...
def near_quads(
    x: Array, y: Array, cx: Array, cy: Array, stride: int, window: Limits
) -> tuple[Any, Any, Any, Any, Any]: ...
