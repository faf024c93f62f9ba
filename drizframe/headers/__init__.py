"""From keywords to exposures: for the instruments of anybody."""

from drizframe.headers.assembly import exposure_from_headers, header_number, keyword_mean
from drizframe.headers.detector import FLIPPED_X, FLIPPED_Y, Detector, detector_name
from drizframe.headers.generic import generic_exposure, unit_of
from drizframe.headers.limits import Limits

__all__ = [
    "FLIPPED_X",
    "FLIPPED_Y",
    "Detector",
    "Limits",
    "detector_name",
    "exposure_from_headers",
    "generic_exposure",
    "header_number",
    "keyword_mean",
    "unit_of",
]
