"""Images of a run's store as somebody else sees them: read when they are asked for, and in windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from drizframe.engine.store import Store
from drizframe.model import LazyImage, PlaneKey, lazy

__all__ = ["stored"]


def stored(store: Store, key: PlaneKey) -> LazyImage | None:
    """Return an image of a store, which holds its memory or its scratch file; None if there is none under the key.

    Parameters
    ----------
    store : Store
        Of a run.
    key : PlaneKey
        Its address.
    """
    plane = store.plane(key)
    if plane is not None:
        return plane
    value: Any = store.get(key)
    return None if value is None else lazy(np.asarray(value))
