from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

_Array: TypeAlias = npt.NDArray[np.float64]

def call_points(
    capsule: Any,
    x: Any,
    y: Any,
    jacobian: Any,
    x0: Any,
    y0: Any,
    shape: tuple[int, int],
    pixfrac: float,
    scale: float,
    radius: float,
) -> tuple[_Array, int, int]: ...
