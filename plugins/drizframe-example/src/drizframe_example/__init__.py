"""A kernel, a combiner and a sky method for drizframe."""

import drizframe
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

__all__ = ["EACH", "HAT", "TRIMMED"]

#: The version of the contract with drizframe that this was written for.
drizframe_contract = 2


def hat_width(pixfrac):
    """Half the base of the triangles, in input pixels: the profile is 0 from there on."""
    return max(float(pixfrac), 0.01)


def hat(dx, dy, *, pixfrac):
    """Weight at offsets (dx, dy), arrays of one shape, in input pixels."""
    w = hat_width(pixfrac)
    return np.clip(1 - np.abs(dx) / w, 0, None) * np.clip(1 - np.abs(dy) / w, 0, None) / w**2


HAT = drizframe.Kernel(
    name="example.hat",
    summary="Triangle in x and y.",
    profile=hat,
    support=hat_width,
    traits={"non_negative"},
)


class TrimOptions(BaseModel):
    """Parameters of the combiner: section ``example``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    trim: int = Field(default=1, ge=0, description="Values to leave out at each end.")


def trimmed(stack, bad, *, weight, exptime, background, readnoise, n_total, options):
    """Mean of the good values of each pixel without the lowest and the highest; all of them where few are good."""
    trim = (options.plugin or TrimOptions()).trim
    bad = bad | ~np.isfinite(stack)
    values = np.sort(np.where(bad, np.inf, stack.astype(np.float64)), axis=0)
    count = (~bad).sum(axis=0)
    cut = np.where(count > 2 * trim, trim, 0)
    rank = np.arange(len(stack))[:, None, None]
    used = (rank >= cut) & (rank < count - cut)
    total = np.where(used, values, 0.0).sum(axis=0)
    return (total / np.maximum(used.sum(axis=0), 1)).astype(np.float32)


TRIMMED = drizframe.Combiner(
    name="example.trimmed",
    summary="Mean without the lowest and highest values.",
    reference=trimmed,
    options_model=TrimOptions,
)


def each(chips, statistic, *, overlaps, options):
    """Sky of every chip: the user's statistic of its own pixels."""
    sky = {}
    for chip in chips:
        value, count = statistic(chip.pixels())
        if count:
            sky[chip.key] = drizframe.SkyValue(
                subtracted=float(value), level=float(value), method="example.each"
            )
        else:
            options.warn(f"{chip.name}: no usable pixel, no sky is subtracted")
            sky[chip.key] = drizframe.SkyValue(subtracted=None, level=0.0, method="example.each")
    return sky


EACH = drizframe.SkyMethod(name="example.each", summary="Every chip its own value.", reference=each)


@drizframe.hookimpl
def drizframe_kernels():
    """Give drizframe the kernel."""
    yield HAT


@drizframe.hookimpl
def drizframe_combiners():
    """Give drizframe the combiner."""
    yield TRIMMED


@drizframe.hookimpl
def drizframe_sky_methods():
    """Give drizframe the sky method."""
    yield EACH
