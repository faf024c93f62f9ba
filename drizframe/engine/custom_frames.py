"""The name that `drizframe.grids.custom_frames` had: importing it gives that module."""

import sys

from drizframe.grids import custom_frames

sys.modules[__name__] = custom_frames
