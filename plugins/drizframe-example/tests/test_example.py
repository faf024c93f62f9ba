"""The components keep their promises, and a run uses them."""

import drizframe
import numpy as np
from drizframe.testing import conformance
from drizframe_example import EACH, HAT, TRIMMED


@conformance(HAT)
def test_hat(check):
    check()


@conformance(TRIMMED)
def test_trimmed(check):
    check()


@conformance(EACH)
def test_each(check):
    check()


def test_they_are_installed():
    for family, record in (("kernel", HAT), ("combiner", TRIMMED), ("sky method", EACH)):
        assert drizframe.registry().get(family, record.name) is record


def test_trimmed_leaves_out_the_extremes():
    stack = np.array([1, 2, 3, 100], np.float32).reshape(4, 1, 1)
    unused = {"weight": None, "exptime": None, "background": None, "readnoise": None, "n_total": 4}
    options = drizframe.hooks.CombineOptions()
    assert TRIMMED.reference(stack, np.zeros(stack.shape, bool), **unused, options=options) == 2.5
