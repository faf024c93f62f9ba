from typing import Any

import numpy as np
import numpy.typing as npt

def point(
    x: Any, y: Any, corners: Any, x0: Any, y0: Any, shape: tuple[int, int], *, pixfrac: float, scale: float
) -> npt.NDArray[np.float64]: ...
def block(pixfrac: float, scale: float) -> tuple[Any, npt.NDArray[np.float64]]: ...
