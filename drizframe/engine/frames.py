"""The name that `drizframe.grids.frames` had: importing it gives that module."""

import sys

from drizframe.grids import frames

sys.modules[__name__] = frames
