from typing import Any, TypeAlias

import numpy as np

from drizframe.hooks import CombineOptions

_Array: TypeAlias = np.ndarray[Any, Any]
_Image: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]

def median(
    stack: _Array,
    bad: _Array,
    *,
    weight: _Array,
    exptime: _Array,
    background: _Array,
    readnoise: _Array,
    n_total: int,
    options: CombineOptions,
) -> _Image: ...
def imedian(
    stack: _Array,
    bad: _Array,
    *,
    weight: _Array,
    exptime: _Array,
    background: _Array,
    readnoise: _Array,
    n_total: int,
    options: CombineOptions,
) -> _Image: ...
def mean(
    stack: _Array,
    bad: _Array,
    *,
    weight: _Array,
    exptime: _Array,
    background: _Array,
    readnoise: _Array,
    n_total: int,
    options: CombineOptions,
) -> _Image: ...
def imean(
    stack: _Array,
    bad: _Array,
    *,
    weight: _Array,
    exptime: _Array,
    background: _Array,
    readnoise: _Array,
    n_total: int,
    options: CombineOptions,
) -> _Image: ...
def plain_sum(
    stack: _Array,
    bad: _Array,
    *,
    weight: _Array,
    exptime: _Array,
    background: _Array,
    readnoise: _Array,
    n_total: int,
    options: CombineOptions,
) -> _Image: ...
def minmed(
    stack: _Array,
    bad: _Array,
    *,
    weight: _Array,
    exptime: _Array,
    background: _Array,
    readnoise: _Array,
    n_total: int,
    options: CombineOptions,
) -> _Image: ...
def iminmed(
    stack: _Array,
    bad: _Array,
    *,
    weight: _Array,
    exptime: _Array,
    background: _Array,
    readnoise: _Array,
    n_total: int,
    options: CombineOptions,
) -> _Image: ...
