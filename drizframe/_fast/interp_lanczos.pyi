import numpy as np
import numpy.typing as npt

def lanczos3(
    image: npt.NDArray[np.floating], x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], *, fill: float
) -> npt.NDArray[np.float64]: ...
def lanczos5(
    image: npt.NDArray[np.floating], x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], *, fill: float
) -> npt.NDArray[np.float64]: ...
