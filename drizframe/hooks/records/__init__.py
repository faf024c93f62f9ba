"""The frozen records that hooks yield: a module for each family, with its record, its options, and what a good answer is."""

from drizframe.hooks.guard import image_of, number_of, pair_of, whole_of
from drizframe.hooks.records.base import TRAITS, Component
from drizframe.hooks.records.combiner import CombineOptions, Combiner
from drizframe.hooks.records.command import Command
from drizframe.hooks.records.cosmic_ray_detector import CosmicRayDetector, CosmicRayOptions
from drizframe.hooks.records.event import Event
from drizframe.hooks.records.executor import Executor
from drizframe.hooks.records.files import Instrument, InstrumentOptions, Reader
from drizframe.hooks.records.interpolator import Interpolator
from drizframe.hooks.records.kernel import Kernel
from drizframe.hooks.records.point_type import POINT_SIGNATURE, PointFunction
from drizframe.hooks.records.product import GatheringSink, Product, ProductLayer, Sink
from drizframe.hooks.records.run_products import INTERMEDIATE, RunProducts
from drizframe.hooks.records.sky import SkyChip, SkyMethod, SkyOptions, SkyStatistic, StatisticOptions
from drizframe.hooks.records.step import Asked, Need, Step
from drizframe.hooks.records.weighting import Weighting, WeightOptions
from drizframe.hooks.records.writer import Writer

__all__ = [
    "INTERMEDIATE",
    "POINT_SIGNATURE",
    "TRAITS",
    "Asked",
    "CombineOptions",
    "Combiner",
    "Command",
    "Component",
    "CosmicRayDetector",
    "CosmicRayOptions",
    "Event",
    "Executor",
    "GatheringSink",
    "Instrument",
    "InstrumentOptions",
    "Interpolator",
    "Kernel",
    "Need",
    "PointFunction",
    "Product",
    "ProductLayer",
    "Reader",
    "RunProducts",
    "Sink",
    "SkyChip",
    "SkyMethod",
    "SkyOptions",
    "SkyStatistic",
    "StatisticOptions",
    "Step",
    "WeightOptions",
    "Weighting",
    "Writer",
    "image_of",
    "number_of",
    "pair_of",
    "whole_of",
]
