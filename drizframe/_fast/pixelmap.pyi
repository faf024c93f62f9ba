from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

_Array: TypeAlias = npt.NDArray[np.float64]

def table_grid(nodes: _Array, step: float, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Any, Any]: ...
def cell_grid(pixmap: _Array, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Any, Any]: ...
