"""The whole contract with plugins: markers, specs, records, manager, registry."""

from drizframe.hooks.guard import FAULTS, ask, blame, guarded, owner_of
from drizframe.hooks.job import BandJob, ChipJob, ExposureJob, Job, TileJob
from drizframe.hooks.markers import CONTRACT, PROJECT, hookimpl, hookspec
from drizframe.hooks.plugins.manager import PluginInfo, PluginManager
from drizframe.hooks.plugins.registry import Entry, Registry, choose
from drizframe.hooks.records import (
    TRAITS,
    CombineOptions,
    Combiner,
    Command,
    Component,
    CosmicRayDetector,
    CosmicRayOptions,
    Executor,
    Instrument,
    InstrumentOptions,
    Interpolator,
    Kernel,
    Reader,
    SkyChip,
    SkyMethod,
    SkyOptions,
    SkyStatistic,
    StatisticOptions,
    Weighting,
    WeightOptions,
    Writer,
)
from drizframe.hooks.records.answers import image_of, number_of, pair_of, whole_of
from drizframe.hooks.records.event import Event
from drizframe.hooks.records.options import options_from
from drizframe.hooks.records.point_type import POINT_SIGNATURE, PointFunction
from drizframe.hooks.records.run_products import INTERMEDIATE, RunProducts
from drizframe.hooks.records.step import Asked, Need, Step
from drizframe.hooks.specs import COMPONENT_HOOKS, STAGES

__all__ = [
    "COMPONENT_HOOKS",
    "CONTRACT",
    "FAULTS",
    "INTERMEDIATE",
    "POINT_SIGNATURE",
    "PROJECT",
    "STAGES",
    "TRAITS",
    "Asked",
    "BandJob",
    "ChipJob",
    "CombineOptions",
    "Combiner",
    "Command",
    "Component",
    "CosmicRayDetector",
    "CosmicRayOptions",
    "Entry",
    "Event",
    "Executor",
    "ExposureJob",
    "Instrument",
    "InstrumentOptions",
    "Interpolator",
    "Job",
    "Kernel",
    "Need",
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
    "TileJob",
    "WeightOptions",
    "Weighting",
    "Writer",
    "ask",
    "blame",
    "choose",
    "guarded",
    "hookimpl",
    "hookspec",
    "image_of",
    "number_of",
    "options_from",
    "owner_of",
    "pair_of",
    "whole_of",
]
