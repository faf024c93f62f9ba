from typing import Any

import numpy as np
import numpy.typing as npt

def lanczos(
    x: Any,
    y: Any,
    x0: Any,
    y0: Any,
    shape: tuple[int, int],
    scale: float,
    order: float,
    table: npt.NDArray[np.float64],
    spacing: float,
) -> npt.NDArray[np.float64]: ...
def block(
    scale: float, order: float, table: npt.NDArray[np.float64], spacing: float
) -> tuple[Any, npt.NDArray[np.float64]]: ...
