"""Plausible numbers of the cameras of the Hubble Space Telescope."""

from __future__ import annotations

from drizframe.headers import Limits

__all__ = ["HST"]

#: Exposure times from the shortest frame of an array to the deepest stack, gains and noises of all amplifiers, scales
#: from a finely drizzled product to a binned image, and the speed of the Earth and of the telescope around it.
HST = Limits(
    exptime=(1e-3, 1e7), gain=(1e-2, 1e3), readnoise=(0.0, 1e3), scale=(1e-3, 10.0), aberration=(0.999, 1.001)
)
