"""Images that were looked at before the work began: the run begins with them, instead of reading them again."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any

import numpy as np

from drizframe.engine.context import RunContext
from drizframe.engine.loading import LOADED, keep_input
from drizframe.model import ArraySource, Chip, PixelSource, PlaneKey
from drizframe.model.sources import over, stored
from drizframe.system.memory import resident

__all__ = ["Seen"]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Remembering:
    """Loads images, and remembers them."""

    source: PixelSource
    seen: Seen

    def __call__(self, kind: str) -> np.ndarray[Any, Any] | None:
        """Return the image of that kind, or None."""
        image = self.source(kind)
        if image is not None:
            self.seen.remember(self.source, kind, image)
        return image


class Seen:
    """Remembers images, as they are stored, until the run takes them.

    Parameters
    ----------
    limit : int
        Bytes; what comes after that is forgotten.

    Attributes
    ----------
    before : int or None
        Memory of the process before there was anything to remember.
    """

    def __init__(self, limit: int) -> None:
        self.limit = self._room = limit
        self.before = resident()
        self._lock = threading.Lock()
        self._images: dict[tuple[int, str], tuple[PixelSource, np.ndarray[Any, Any]]] = {}

    def chip(self, chip: Chip) -> Chip:
        """Return a chip whose images are remembered when they are loaded; those that were given as arrays are there anyway."""
        base = stored(chip.load)
        if isinstance(base, ArraySource):
            return chip
        return dataclasses.replace(chip, load=over(chip.load, _Remembering(base, self)))

    def remember(self, source: PixelSource, kind: str, image: np.ndarray[Any, Any]) -> None:
        """Remember an image, if there is room.

        Parameters
        ----------
        source : callable
            What loads it.
        kind : str
            Kind of the image.
        image : ndarray
            As it is stored.
        """
        with self._lock:
            if kind in LOADED and image.nbytes <= self._room and (id(source), kind) not in self._images:
                self._room -= image.nbytes
                self._images[id(source), kind] = source, image

    def hand_on(self, context: RunContext) -> None:
        """Put what is remembered of the chips of a run into its store, unless other processes read what they need; and forget it.

        Parameters
        ----------
        context : RunContext
            The run.
        """
        for unit in () if context.apart else context.plan.chips:
            chip = context.plan.exposures[unit.exposure].chips[unit.chip]
            base = stored(chip.load)
            for kind in LOADED:
                found = self._images.pop((id(base), kind), None)
                if found is not None:
                    loads = over(chip.load, lambda _, image=found[1]: image)  # type: ignore[misc]
                    keep_input(context, PlaneKey(kind, unit), dataclasses.replace(chip, load=loads))
        self._images.clear()
