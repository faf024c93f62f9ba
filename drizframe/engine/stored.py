"""Images of a run's store as somebody else sees them: read when they are asked for, and in windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from drizframe.engine.store import Store
from drizframe.errors import RunError
from drizframe.model import LazyImage, PlaneKey, Window, lazy

__all__ = ["StoredImage", "stored"]


class StoredImage:
    """An image of a store.

    Parameters
    ----------
    store : Store
        Stays open as long as this is in use.
    key : PlaneKey
        Its address.
    """

    __slots__ = ("_key", "_store", "dtype", "shape")

    def __init__(self, store: Store, key: PlaneKey) -> None:
        shape, dtype = store.shape(key), store.dtype(key)
        assert shape is not None  # noqa: S101  (whoever makes it has looked)
        assert dtype is not None  # noqa: S101
        self._store, self._key = store, key
        self.shape: tuple[int, ...] = shape
        self.dtype: np.dtype[Any] = dtype

    def read(self, window: Window | None = None) -> np.ndarray[Any, Any]:
        """Return it, or a part of it.

        Raises
        ------
        RunError
            If its store is closed.
        """
        found: np.ndarray[Any, Any] | None = self._store.get(self._key, window)
        if found is None:
            msg = f"The image {self._key.name!r} is gone: it was in a scratch file, and its result is closed. Read it before."
            raise RunError(msg)
        return found


def stored(store: Store, key: PlaneKey) -> LazyImage | None:
    """Return an image of a store, or None if there is none under the key."""
    if store.shape(key) is not None:
        return StoredImage(store, key)
    value = store.get(key)
    return None if value is None else lazy(np.asarray(value))
