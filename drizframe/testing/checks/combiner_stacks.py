"""Checks of combiners on particular stacks: nothing good in a pixel, many exposures, parts of a run."""

from __future__ import annotations

import dataclasses

import numpy as np

from drizframe.hooks import Combiner
from drizframe.testing.checking import check, implementations
from drizframe.testing.checks.combiners import MANY, functions, inputs_of, noise, options_of
from drizframe.testing.failure import compare, require

__all__: list[str] = []


@check("combiner")
def check_all_bad(record: Combiner) -> None:
    """A pixel without a good value becomes 0, whatever is masked there and for however many exposures."""
    least = record.minimum(options_of(record))
    for n in (least, 1, 2, 5, *MANY):
        made = noise(47, (max(n, least), 4, 5))
        bad, infinite = np.zeros(made.stack.shape, dtype=bool), made.stack.copy()
        bad[:, 1, 2] = True
        infinite[:, 2, 1] = np.nan
        infinite[0, 3, 3] = infinite[-1, 3, 3] = np.inf
        bad[1:-1, 3, 3] = True
        empty = bad.all(axis=0) | ~(np.isfinite(infinite) & ~bad).any(axis=0)
        # nothing was drizzled there: the weight is 0 as well
        weight = np.where(bad | ~np.isfinite(infinite), np.float32(0), made.weight)
        s = dataclasses.replace(made, stack=infinite, bad=bad, weight=weight)
        for kind, function in functions(record).items():
            got = function(s)
            compare(
                f"{record!r} ({kind}) gives 0 where no value is good, and numbers elsewhere",
                np.where(empty | ~np.isfinite(got), got, 0.0),
                np.zeros(got.shape),
                where=f"{max(n, least)} exposures, pixel",
                inputs=inputs_of(s),
            )


@check("combiner", name="check_same_again")
def check_combiner_same_again(record: Combiner) -> None:
    """The same call gives the same bits, for any number of exposures of the run."""
    least = record.minimum(options_of(record))
    for n in (least, 5, 11):
        s = noise(53, (max(n, least), 6, 5))
        for kind, function in implementations(record).items():
            for total in (len(s.stack), len(s.stack) + 1, 3 * len(s.stack)):
                facts = {**s.facts(), "n_total": total}
                first, second = (
                    np.asarray(function(s.stack, s.bad, options=options_of(record), **facts)) for _ in (0, 1)
                )
                what = f"{record!r} ({kind}) gives the same each time"
                where = f"{len(s.stack)} images of a run of {total}, pixel"
                compare(what, second, first, where=where, inputs=inputs_of(s))
                require(
                    bool(np.isfinite(first).all()),
                    f"{record!r} ({kind}) gives finite values",
                    expected="finite values",
                    got=first,
                    where=where,
                    inputs=inputs_of(s),
                )
