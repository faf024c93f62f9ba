"""What drizframe ships: the modules of its own plugins."""

from __future__ import annotations

__all__ = ["STOCK"]

#: Everything we ship, by dotted name, so that this room imports none of it.
STOCK: tuple[str, ...] = (
    *(f"drizframe.stock.kernels.{n}" for n in ("square", "point", "turbo", "gaussian", "lanczos")),
    *(
        f"drizframe.stock.interpolators.{n}"
        for n in ("nearest", "linear", "poly3", "poly5", "sinc", "lanczos")
    ),
    *(
        f"drizframe.stock.combine.{n}"
        for n in ("median", "mean", "sum", "minmed", "imedian", "imean", "iminmed")
    ),
    *(
        f"drizframe.stock.sky.{n}"
        for n in ("median", "mode", "mean", "localmin", "globalmin", "match", "globalmin_match")
    ),
    *(f"drizframe.stock.weights.{n}" for n in ("exp", "err", "ivm")),
    "drizframe.stock.cosmic_rays.deriv",
    *(f"drizframe.stock.instruments.{n}" for n in ("acs", "wfc3", "wfpc2", "stis", "nicmos", "generic")),
    "drizframe.stock.io.fits_reader",
    "drizframe.stock.products.writers",
    *(f"drizframe.stock.executors.{n}" for n in ("serial", "threads")),
    *(
        f"drizframe.stock.steps.{n}"
        for n in (
            "static_mask",
            "sky",
            "noise_level",
            "separate",
            "depth",
            "median",
            "blot",
            "cosmic_rays",
            "final",
            "alarms",
        )
    ),
)
