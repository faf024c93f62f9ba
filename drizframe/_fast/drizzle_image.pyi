from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

_Array: TypeAlias = npt.NDArray[np.float64]

def drizzle_image(
    code: tuple[Any, _Array],
    pixmap: _Array,
    start: tuple[int, int],
    half: float,
    margin: float,
    with_corners: bool,
    boxes: _Array,
    data: npt.NDArray[Any],
    weight: npt.NDArray[Any] | None,
    flags: npt.NDArray[np.uint32] | None,
    variances: Sequence[npt.NDArray[Any]],
    factor: float,
    variance_factor: float,
    weight_factor: float,
    bit: int,
    out_image: npt.NDArray[np.float32],
    out_weight: npt.NDArray[np.float32],
    out_context: npt.NDArray[np.int32] | None,
    out_flags: npt.NDArray[np.uint32] | None,
    out_variances: Sequence[npt.NDArray[np.float32]],
) -> tuple[int, int, bool]: ...
