"""The running sums of one piece of an output image; the one mutable record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from drizframe.model.planes import Window

__all__ = ["Accumulator"]


@dataclass(slots=True, kw_only=True, eq=False)
class Accumulator:
    """Sums over all chips that fall on one window of a frame; owned by the task that made it.

    Parameters
    ----------
    window : Window
        The part of the frame.
    layers : int
        Number of images that are averaged with the weights (the first is the science image).
    variances : int
        Number of images that are averaged with the squared weights.
    planes : int
        Number of context planes; 0: no context.
    dq : bool
        Whether data-quality flags are combined (bitwise OR).
    """

    window: Window
    layers: int = 1
    variances: int = 0
    planes: int = 0
    dq: bool = False

    #: Σ w, shape (h, w).
    weight: np.ndarray[Any, np.dtype[np.float64]] = field(init=False)
    #: Σ w d, shape (layers, h, w).
    total: np.ndarray[Any, np.dtype[np.float64]] = field(init=False)
    #: Σ w² v, shape (variances, h, w).
    squared: np.ndarray[Any, np.dtype[np.float64]] = field(init=False)
    #: Last finite science value that came with weight 0; NaN where there was none. Shape (h, w).
    last: np.ndarray[Any, np.dtype[np.float64]] = field(init=False)
    #: Context bits, shape (planes, h, w).
    context: np.ndarray[Any, np.dtype[np.int32]] = field(init=False)
    #: Combined flags, shape (h, w) or (0, 0).
    flags: np.ndarray[Any, np.dtype[np.uint32]] = field(init=False)

    def __post_init__(self) -> None:
        """Allocate the sums."""
        h, w = self.window.shape
        self.weight = np.zeros((h, w))
        self.total = np.zeros((self.layers, h, w))
        self.squared = np.zeros((self.variances, h, w))
        self.last = np.full((h, w), np.nan)
        self.context = np.zeros((self.planes, h, w), dtype=np.int32)
        self.flags = np.zeros((h, w) if self.dq else (0, 0), dtype=np.uint32)
