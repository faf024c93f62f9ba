"""Parameters, bits, and where they come from."""

from drizframe.config.bits import good_mask, parse_bits
from drizframe.config.parameters import ALIASES, Parameters, make_parameters

__all__ = ["ALIASES", "Parameters", "good_mask", "make_parameters", "parse_bits"]
