from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

_Array: TypeAlias = npt.NDArray[np.float64]

def product(
    x: Any,
    y: Any,
    x0: Any,
    y0: Any,
    shape: tuple[int, int],
    across: _Array,
    along: _Array,
    support: float,
    scale: float,
) -> _Array: ...
def rounded(
    x: Any, y: Any, x0: Any, y0: Any, shape: tuple[int, int], table: _Array, support: float, scale: float
) -> _Array: ...
def surface(
    x: Any, y: Any, x0: Any, y0: Any, shape: tuple[int, int], table: _Array, support: float, scale: float
) -> _Array: ...
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
