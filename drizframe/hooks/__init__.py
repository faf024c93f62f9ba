"""The whole contract with plugins: markers, specs, records, manager, registry."""

from drizframe.hooks.answers import image_of, number_of, pair_of, whole_of
from drizframe.hooks.events import Event
from drizframe.hooks.guard import FAULTS, ask, blame, guarded, owner_of
from drizframe.hooks.manager import PluginInfo, PluginManager
from drizframe.hooks.markers import CONTRACT, PROJECT, hookimpl, hookspec
from drizframe.hooks.options import (
    CombineOptions,
    CosmicRayOptions,
    InstrumentOptions,
    SkyOptions,
    StatisticOptions,
    WeightOptions,
)
from drizframe.hooks.points import POINT_SIGNATURE, PointFunction
from drizframe.hooks.products import INTERMEDIATE, RunProducts
from drizframe.hooks.records import (
    TRAITS,
    Combiner,
    Command,
    Component,
    CosmicRayDetector,
    Executor,
    Instrument,
    Interpolator,
    Kernel,
    Overlap,
    Reader,
    SkyChip,
    SkyMethod,
    SkyStatistic,
    Weighting,
    Writer,
)
from drizframe.hooks.registry import Entry, Registry, choose
from drizframe.hooks.specs import COMPONENT_HOOKS, STAGES
from drizframe.hooks.step import Job, Step
from drizframe.hooks.tools import Detector, Limits, exposure_from_headers, generic_exposure, header_number

__all__ = [
    "COMPONENT_HOOKS",
    "CONTRACT",
    "FAULTS",
    "INTERMEDIATE",
    "POINT_SIGNATURE",
    "PROJECT",
    "STAGES",
    "TRAITS",
    "CombineOptions",
    "Combiner",
    "Command",
    "Component",
    "CosmicRayDetector",
    "CosmicRayOptions",
    "Detector",
    "Entry",
    "Event",
    "Executor",
    "Instrument",
    "InstrumentOptions",
    "Interpolator",
    "Job",
    "Kernel",
    "Limits",
    "Overlap",
    "PluginInfo",
    "PluginManager",
    "PointFunction",
    "Reader",
    "Registry",
    "RunProducts",
    "SkyChip",
    "SkyMethod",
    "SkyOptions",
    "SkyStatistic",
    "StatisticOptions",
    "Step",
    "WeightOptions",
    "Weighting",
    "Writer",
    "ask",
    "blame",
    "choose",
    "exposure_from_headers",
    "generic_exposure",
    "guarded",
    "header_number",
    "hookimpl",
    "hookspec",
    "image_of",
    "number_of",
    "owner_of",
    "pair_of",
    "whole_of",
]
