import numpy as np
import numpy.typing as npt

def nearest(
    image: npt.NDArray[np.floating], x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], *, fill: float
) -> npt.NDArray[np.float64]: ...
