from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

_Array: TypeAlias = npt.NDArray[np.float64]

def product_block(across: _Array, along: _Array, support: float, scale: float) -> tuple[Any, _Array]: ...
def rounded_block(table: _Array, support: float, scale: float) -> tuple[Any, _Array]: ...
def surface_block(table: _Array, support: float, scale: float) -> tuple[Any, _Array]: ...
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
