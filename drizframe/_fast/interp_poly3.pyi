import numpy as np
import numpy.typing as npt

def poly3(
    image: npt.NDArray[np.floating], x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], *, fill: float
) -> npt.NDArray[np.float64]: ...
