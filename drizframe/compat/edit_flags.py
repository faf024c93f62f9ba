"""New data-quality flags of an input that is edited: bits that are cleared, and cosmic rays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from drizframe.model import LazyImage, Window, blocks

__all__ = ["PIECE", "EditedFlags"]

Image = np.ndarray[Any, Any]
#: Bytes of flags that are looked at at a time; four times as many while a bit is set.
PIECE = 1 << 20


class EditedFlags:
    """Flags with bits cleared, and a bit set where a mask is 0; it is a `LazyImage`, and has the type that the flags have.

    Parameters
    ----------
    flags : LazyImage
        As they are.
    masks : sequence of LazyImage
        Cosmic-ray masks, 1 = good; a pixel that any of them marks is marked.
    resetbits, crbit : int or None
        Bits to clear, and to set where a mask is 0.

    Raises
    ------
    ValueError
        If a mask has not the shape of the flags.
    """

    __slots__ = ("_crbit", "_flags", "_masks", "_resetbits", "dtype", "shape")

    def __init__(
        self, flags: LazyImage, masks: Sequence[LazyImage], resetbits: int | None, crbit: int | None
    ) -> None:
        for mask in masks:
            if mask.shape != flags.shape[-2:]:
                msg = f"its flags have {flags.shape} pixels, but the mask of cosmic rays has {mask.shape}"
                raise ValueError(msg)
        self._flags, self._masks = flags, tuple(masks) if crbit else ()
        self._resetbits, self._crbit = resetbits or 0, crbit or 0
        self.shape = flags.shape
        self.dtype = flags.dtype

    def read(self, window: Window | None = None) -> Image:
        """Return the new flags, or those of a window."""
        return self._new(self._flags.read(window), window)

    def differ(self) -> bool:
        """Return whether any of them is not what it was."""
        if not self._resetbits and not self._masks:
            return False
        return any(
            not np.array_equal(self._new(old, window), old)
            for window in blocks(self, PIECE)
            for old in (self._flags.read(window),)
        )

    def _new(self, flags: Image, window: Window | None) -> Image:
        kind, new = flags.dtype, flags
        if self._resetbits:
            new = (new.astype(np.int64) & ~np.int64(self._resetbits)).astype(kind)
        for mask in self._masks:
            new = np.where(mask.read(window) == 0, new.astype(np.int64) | self._crbit, new).astype(kind)
        return new
