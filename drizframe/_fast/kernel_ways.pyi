from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]

def product(
    x: Any,
    y: Any,
    x0: Any,
    y0: Any,
    shape: tuple[int, int],
    across: Array,
    along: Array,
    support: float,
    scale: float,
) -> Array: ...
def rounded(
    x: Any, y: Any, x0: Any, y0: Any, shape: tuple[int, int], table: Array, support: float, scale: float
) -> Array: ...
def surface(
    x: Any, y: Any, x0: Any, y0: Any, shape: tuple[int, int], table: Array, support: float, scale: float
) -> Array: ...
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
) -> tuple[Array, int, int]: ...
