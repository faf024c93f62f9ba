from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

_Array: TypeAlias = npt.NDArray[np.float64]
_Limits: TypeAlias = tuple[int, int, int, int]

def near_centres(x: _Array, y: _Array, radius: float, window: _Limits) -> tuple[Any, Any, Any, None, Any]: ...
def near_quads(
    x: _Array, y: _Array, cx: _Array, cy: _Array, stride: int, window: _Limits
) -> tuple[Any, Any, Any, Any, Any]: ...
