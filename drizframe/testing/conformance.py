"""``@conformance``: one pytest item for each check of a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from drizframe.testing.checking import (
    PATIENCE,
    Check,
    at_least,
    checks_for,
    default_sample,
    describe,
    examples,
    expecting_failure,
    refuse_unknown,
)
from drizframe.testing.checks.own_options import missing_options, options_given
from drizframe.testing.failure import CheckFailure

__all__ = ["Bound", "conformance"]


class Bound:
    """A check of one record, to be called without arguments.

    Parameters
    ----------
    check : Check
        The check.
    record : Component or Step
        What is checked.
    sample : object
        For checks that need one.
    reason : str or None
        Why the check is expected to fail.
    options : mapping of str to object, optional
        Values of the record's `options_model`.
    """

    def __init__(
        self,
        check: Check,
        record: Any,
        sample: Any,
        reason: str | None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.check, self.record, self.sample, self.reason = check, record, sample, reason
        self.options = options

    def __repr__(self) -> str:
        return f"{self.check.name}({self.record!r})"

    def __call__(self, max_examples: int | None = None) -> None:
        """Run the check.

        Raises
        ------
        CheckFailure
            If the record fails, or passes although a failure was expected.
        """
        if missing := missing_options(self.record, self.options):
            pytest.skip(f"{self.check.name} of {self.record!r}: {missing}")
        sample = self.sample
        if self.check.sampled and sample is None:
            sample = default_sample(self.record, self.options)
        if self.check.sampled and sample is None:
            pytest.skip(f"{self.check.name} needs a sample: @conformance({self.record.name}, sample=…)")
        try:
            known = self.reason is not None
            with (
                examples(max_examples),
                expecting_failure(known),
                at_least(PATIENCE if known else 0),
                options_given(self.record, self.options),
            ):
                self.check.run(self.record, sample)
        except Exception as error:
            if self.reason is None:
                raise
            pytest.xfail(f"{self.reason} ({describe(error).splitlines()[0]})")
        if self.reason is not None:
            raise CheckFailure(
                f"{self.check.name} of {self.record!r} was expected to fail ({self.reason}), but it passes",
                expected="a failure",
                got="none",
                where="expected_failures; remove the entry",
            )


def conformance(
    *records: Any,
    expected_failures: Mapping[str, str] | None = None,
    sample: Any = None,
    options: Mapping[str, Any] | None = None,
) -> Callable[[Callable[..., Any]], Any]:
    """Parametrize a test with every check of some records.

    Parameters
    ----------
    *records : Component or Step
        What is checked.  Each check becomes one item with the id ``name-check_…``.
    expected_failures : mapping of str to str
        Checks that are known to fail, and why; such an item is reported as xfail, and as an error if it passes.
    sample : object
        For readers, writers, instruments and steps; see `drizframe.testing.samples`.  Steps have a small run by default.
    options : mapping of str to object
        Values of the records' `options_model`, where a field has no default or another value is to be checked.

    Returns
    -------
    decorator
        For a test function with the argument `check`, which it calls.

    Raises
    ------
    HookError
        If something is no record, or `expected_failures` names a check that no record gets.

    Examples
    --------
    ::

        @conformance(HAT, expected_failures={"check_conserves_flux": "hat is not normalised"})
        def test_hat(check):
            check()
    """
    expected = dict(expected_failures or {})
    items = []
    for record in records:
        suitable = checks_for(record)
        refuse_unknown(expected, suitable, record)
        items += [
            pytest.param(
                Bound(c, record, sample, expected.get(c.name), options), id=f"{record.name}-{c.name}"
            )
            for c in suitable
        ]

    def decorate(function: Callable[..., Any]) -> Any:
        return pytest.mark.conformance(pytest.mark.parametrize("check", items)(function))

    return decorate
