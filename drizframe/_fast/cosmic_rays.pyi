from typing import Any, TypeAlias

import numpy as np

from drizframe.hooks import CosmicRayOptions

_Array: TypeAlias = np.ndarray[Any, Any]

def derivative(image: _Array) -> np.ndarray[Any, np.dtype[np.float32]]: ...
def deriv(
    sci: _Array,
    blot: _Array,
    deriv: _Array,
    noise: _Array,
    depth: _Array | None,
    dq: _Array | None,
    options: CosmicRayOptions,
) -> np.ndarray[Any, np.dtype[np.uint8]]: ...
