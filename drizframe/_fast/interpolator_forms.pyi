from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

_Array: TypeAlias = npt.NDArray[np.float64]

def by_profile(
    code: tuple[Any, _Array], image: Any, x: Any, y: Any, support: float, fill: float
) -> _Array: ...
def by_points(
    capsule: Any, image: Any, x: Any, y: Any, support: float, fill: float
) -> tuple[_Array, int, int]: ...
