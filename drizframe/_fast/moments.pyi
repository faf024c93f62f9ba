import numpy as np
import numpy.typing as npt

def clipped_moments(
    values: npt.NDArray[np.float32], lo: float, hi: float
) -> tuple[int, float, float, float]: ...
def squared_deviations(values: npt.NDArray[np.float32], mean: float, lo: float, hi: float) -> float: ...
