from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

_Array: TypeAlias = npt.NDArray[np.float64]
_Pair: TypeAlias = tuple[int, int]

def block_boxes(pixmap: _Array, start: _Pair, shape: _Pair, half: float) -> Any: ...
def touched_part(
    pixmap: _Array, start: _Pair, shape: _Pair, half: float, margin: float, out_shape: _Pair
) -> tuple[tuple[float, float, float, float], int]: ...
