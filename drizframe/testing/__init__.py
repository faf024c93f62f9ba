"""The conformance kit: whether a component keeps what its family and its traits promise.

::

    from drizframe.testing import conformance
    from mypackage import HAT

    @conformance(HAT, expected_failures={"check_conserves_flux": "hat is not normalised"})
    def test_hat(check):
        check()

makes one test of every check.  On the command line the same is ``drizframe validate mypackage:HAT``.
Readers, writers and instruments want a sample (`ReaderSample`, `WriterSample`, `InstrumentSample`).

`FakeJob` is what a step is given, without a run: for an author's own tests of the numbers.
"""

from __future__ import annotations

try:
    import hypothesis
    import pytest
except ImportError as error:
    msg = (
        f"drizframe.testing needs hypothesis and pytest, and {error.name!r} is not installed. "
        f"Install them with: pip install 'drizframe[testing]'"
    )
    raise ImportError(msg, name=error.name) from error

from drizframe.testing import common, strategies
from drizframe.testing.bases import InstrumentConformance, ReaderConformance, WriterConformance
from drizframe.testing.checking import Check, Outcome, all_checks, checks_for, examples, run_checks
from drizframe.testing.checks import (
    combiner_stacks,
    combiners,
    detectors,
    executors,
    instruments,
    interpolators,
    kernel_sums,
    kernel_twins,
    kernels,
    pixel_lists,
    profiles,
    readers,
    sky,
    sky_statistics,
    special_positions,
    steps,
    weightings,
    writers,
)
from drizframe.testing.conformance import conformance
from drizframe.testing.failure import CheckFailure, compare, require
from drizframe.testing.jobs import FakeJob
from drizframe.testing.samples import (
    InstrumentSample,
    ReaderSample,
    StepSample,
    WriterSample,
    sample_exposures,
    stock_sample,
)
from drizframe.testing.strategies import (
    Stack,
    affine_maps,
    chips,
    exposures,
    frames,
    headers,
    images,
    masks,
    pixmaps,
    shapes,
    stacks,
    weights,
)

#: Rooms of checks; importing them registers what they hold.
_ROOMS = (
    common,
    combiners,
    combiner_stacks,
    detectors,
    executors,
    instruments,
    interpolators,
    kernels,
    kernel_twins,
    kernel_sums,
    pixel_lists,
    profiles,
    readers,
    sky,
    sky_statistics,
    special_positions,
    steps,
    weightings,
    writers,
)
_NEEDED = (hypothesis, pytest)

__all__ = [
    "Check",
    "CheckFailure",
    "FakeJob",
    "InstrumentConformance",
    "InstrumentSample",
    "Outcome",
    "ReaderConformance",
    "ReaderSample",
    "Stack",
    "StepSample",
    "WriterConformance",
    "WriterSample",
    "affine_maps",
    "all_checks",
    "checks_for",
    "chips",
    "compare",
    "conformance",
    "examples",
    "exposures",
    "frames",
    "headers",
    "images",
    "masks",
    "pixmaps",
    "require",
    "run_checks",
    "sample_exposures",
    "shapes",
    "stacks",
    "stock_sample",
    "strategies",
    "weights",
]

#: The check functions are public too: ``from drizframe.testing import check_conserves_flux`` where a name is of one family only.
_BY_NAME = {c.function.__name__: c.function for c in all_checks()}
globals().update(_BY_NAME)
__all__ += sorted(_BY_NAME)  # noqa: PLE0605  (names that are known when the rooms are imported)
