"""The inside of `drizframe.resample`."""
