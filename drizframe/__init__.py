"""drizframe: combine dithered exposures into one clean image, with every part a plugin."""

from __future__ import annotations

import importlib
import sys
import threading
from typing import TYPE_CHECKING, Any

from drizframe._version import __version__

#: Public name -> module that defines it; imported on first use (PEP 562).
_HOME = {
    "Combiner": "drizframe.hooks",
    "Component": "drizframe.hooks",
    "CosmicRayDetector": "drizframe.hooks",
    "Executor": "drizframe.hooks",
    "Instrument": "drizframe.hooks",
    "Interpolator": "drizframe.hooks",
    "Kernel": "drizframe.hooks",
    "PointFunction": "drizframe.hooks",
    "Reader": "drizframe.hooks",
    "SkyMethod": "drizframe.hooks",
    "SkyStatistic": "drizframe.hooks",
    "Need": "drizframe.hooks",
    "Step": "drizframe.hooks",
    "Weighting": "drizframe.hooks",
    "Writer": "drizframe.hooks",
    "hookimpl": "drizframe.hooks",
    "Command": "drizframe.hooks",
    "Event": "drizframe.hooks",
    "get_include": "drizframe._fast",
    "generic_exposure": "drizframe.headers",
    "Chip": "drizframe.model",
    "ChipUnit": "drizframe.model",
    "Exposure": "drizframe.model",
    "ExposureUnit": "drizframe.model",
    "Frame": "drizframe.model",
    "FrameUnit": "drizframe.model",
    "Mosaic": "drizframe.model",
    "PixelMap": "drizframe.model",
    "Plane": "drizframe.model",
    "PlaneKey": "drizframe.model",
    "SkyValue": "drizframe.model",
    "Unit": "drizframe.model",
    "Window": "drizframe.model",
    "Parameters": "drizframe.config",
    "Result": "drizframe.api",
    "register": "drizframe.api",
    "registry": "drizframe.api",
    "run": "drizframe.api",
    "unregister": "drizframe.api",
}
_MODULES = frozenset(
    {
        "astrodrizzle",
        "config",
        "errors",
        "headers",
        "hooks",
        "model",
        "resample",
        "simulate",
        "testing",
        "utils",
    }
)

__all__ = [
    "Chip",
    "ChipUnit",
    "Combiner",
    "Command",
    "Component",
    "CosmicRayDetector",
    "Event",
    "Executor",
    "Exposure",
    "ExposureUnit",
    "Frame",
    "FrameUnit",
    "Instrument",
    "Interpolator",
    "Kernel",
    "Mosaic",
    "Need",
    "Parameters",
    "PixelMap",
    "Plane",
    "PlaneKey",
    "PointFunction",
    "Reader",
    "Result",
    "SkyMethod",
    "SkyStatistic",
    "SkyValue",
    "Step",
    "Unit",
    "Weighting",
    "Window",
    "Writer",
    "__version__",
    "generic_exposure",
    "get_include",
    "hookimpl",
    "register",
    "registry",
    "run",
    "unregister",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"drizframe.{name}")
    if name.startswith("__"):
        msg = f"module 'drizframe' has no attribute {name!r}"
        raise AttributeError(msg)
    raise importlib.import_module("drizframe.compat.elsewhere").absent_name("drizframe", name)


class _Elsewhere:
    """Asked for a module after all other finders: those of the reference that are not here say where to go."""

    busy = threading.local()

    @classmethod
    def find_spec(cls, fullname: str, *_: Any) -> None:
        """Raise for a name of the reference; know no module."""
        if not fullname.startswith("drizframe.") or cls.busy.__dict__.get("asking"):
            return  # asked for what is to be loaded here: it is missing, while the package is being replaced
        cls.busy.asking = True
        try:
            elsewhere = importlib.import_module("drizframe.compat.elsewhere")
        except ModuleNotFoundError:
            return
        finally:
            cls.busy.asking = False
        elsewhere.refuse_module(fullname)


if not any(getattr(finder, "__name__", "") == _Elsewhere.__name__ for finder in sys.meta_path):
    sys.meta_path.append(_Elsewhere)


def __dir__() -> list[str]:
    return sorted(__all__)


if TYPE_CHECKING:
    from drizframe._fast import get_include
    from drizframe.api import Result, register, registry, run, unregister
    from drizframe.config import Parameters
    from drizframe.headers import generic_exposure
    from drizframe.hooks import (
        Combiner,
        Command,
        Component,
        CosmicRayDetector,
        Event,
        Executor,
        Instrument,
        Interpolator,
        Kernel,
        Need,
        PointFunction,
        Reader,
        SkyMethod,
        SkyStatistic,
        Step,
        Weighting,
        Writer,
        hookimpl,
    )
    from drizframe.model import (
        Chip,
        ChipUnit,
        Exposure,
        ExposureUnit,
        Frame,
        FrameUnit,
        Mosaic,
        PixelMap,
        Plane,
        PlaneKey,
        SkyValue,
        Unit,
        Window,
    )
