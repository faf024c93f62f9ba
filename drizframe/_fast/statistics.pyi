<<<<<<< HEAD
from typing import Any, TypeAlias

=======
>>>>>>> main
import numpy as np
import numpy.typing as npt

<<<<<<< HEAD
Values: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]

def moments(values: Values, lo: float, hi: float) -> tuple[int, float, float, float]: ...
def squared_deviations(values: Values, lo: float, hi: float, mean: float) -> float: ...
=======
def moments(values: npt.NDArray[np.float32], lo: float, hi: float) -> tuple[int, float, float, float]: ...
def squared_deviations(values: npt.NDArray[np.float32], lo: float, hi: float, mean: float) -> float: ...
>>>>>>> main
def histogram(
    values: npt.NDArray[np.float32], origin: float, factor: float, edge: float, closed: bool, nbins: int
) -> npt.NDArray[np.int64]: ...
def middle(values: npt.NDArray[np.float32], lo: float, hi: float, count: int) -> tuple[float, float]: ...
