"""Which checks a component gets, and the few tools that they share."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import HypothesisException

from drizframe.errors import DrizframeWarning, HookError
from drizframe.hooks import TRAITS, Component, Step
from drizframe.testing.checks.own_options import missing_options, options_given
from drizframe.testing.checks.threads import same_from_threads
from drizframe.testing.failure import CheckFailure
from drizframe.testing.results import describe, origin, plain

__all__ = [
    "Check",
    "Outcome",
    "all_checks",
    "check",
    "checks_for",
    "describe",
    "examples",
    "expecting_failure",
    "forall",
    "implementations",
    "plain",
    "run_checks",
    "same_from_threads",
]

#: Every check, by name, in the order of definition.
_CHECKS: list[Check] = []
_EXAMPLES: ContextVar[int | None] = ContextVar("drizframe_examples", default=None)
#: Examples that are drawn at least to find a failure that is expected.
PATIENCE = 200
#: What is said of a check that needs a sample and has none.
NO_SAMPLE = "needs a sample: docs/how-to/test.md, section Samples"
_SHRINKS: ContextVar[bool] = ContextVar("drizframe_shrinks", default=True)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Check:
    """One promise and the function that tests it.

    Parameters
    ----------
    name : str
        ``check_…``.
    function : callable
        ``function(record)``, or ``function(record, sample)`` if `sampled`.
    families : frozenset of str
        Families that it is for; empty: all.
    traits : frozenset of str
        Only for records that promise all of these.
    applies : callable or None
        ``applies(record) -> bool``: a further condition.
    sampled : bool
        Whether it needs a sample that the author gives.
    """

    name: str
    function: Callable[..., None]
    families: frozenset[str]
    traits: frozenset[str]
    applies: Callable[[Any], bool] | None = None
    sampled: bool = False

    @property
    def summary(self) -> str:
        """What is promised."""
        return (self.function.__doc__ or self.name).strip().splitlines()[0]

    def suits(self, record: Any) -> bool:
        """Whether the check is for a record."""
        family_ok = not self.families or family_of(record) in self.families
        traits_ok = self.traits <= traits_of(record)
        return family_ok and traits_ok and (self.applies is None or self.applies(record))

    def run(self, record: Any, sample: Any = None) -> None:
        """Run the check; what `drizframe` warns about in it is no failure.

        Raises
        ------
        CheckFailure
            If the check finds a fault, or if the component raises an error where it should not.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DrizframeWarning)
            try:
                self.function(record, sample) if self.sampled else self.function(record)
            except (CheckFailure, HypothesisException):
                raise
            except Exception as error:
                raise CheckFailure(
                    f"{record!r} raises no error: {self.summary}",
                    expected="no error",
                    got=describe(error),
                    where=f"{self.name}; {origin(error)}",
                ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a check.

    Parameters
    ----------
    check : str
        Its name.
    state : {"passed", "failed", "expected", "unexpected pass", "no sample"}
        `expected`: failed, as announced.
    seconds : float
        Time.
    text : str
        Why.
    """

    check: str
    state: str
    seconds: float = 0.0
    text: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.state in {"passed", "expected", "no sample"}

    @property
    def ran(self) -> bool:
        """Whether the component was tried at all."""
        return self.state != "no sample"


def family_of(record: Any) -> str:
    """Return the family of a component, ``"step"`` for a step.

    Raises
    ------
    HookError
        If it is neither.
    """
    if isinstance(record, Step):
        return "step"
    if isinstance(record, Component):
        return record.family
    msg = f"{record!r} is neither a component nor a Step, so no check is for it. Give a record such as drizframe.Kernel(…)."
    raise HookError(msg)


def traits_of(record: Any) -> frozenset[str]:
    """Return the traits of a component; a step has none."""
    return frozenset(getattr(record, "traits", ()))


def check(
    *families: str,
    traits: Sequence[str] = (),
    applies: Callable[[Any], bool] | None = None,
    sampled: bool = False,
    name: str = "",
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a check function; its name begins with ``check_``."""
    unknown = set(traits) - set(TRAITS)
    if unknown:
        msg = f"A check is for unknown traits {sorted(unknown)}. Choose from {sorted(TRAITS)}."
        raise HookError(msg)

    def register(function: Callable[..., None]) -> Callable[..., None]:
        _CHECKS.append(
            Check(
                name=name or function.__name__,
                function=function,
                families=frozenset(families),
                traits=frozenset(traits),
                applies=applies,
                sampled=sampled,
            )
        )
        return function

    return register


def all_checks() -> tuple[Check, ...]:
    """Return every check.

    Returns
    -------
    checks : tuple of Check
        In the order of their definition.
    """
    return tuple(_CHECKS)


def checks_for(record: Any) -> tuple[Check, ...]:
    """Return the checks for a record, by its family and its traits.

    Parameters
    ----------
    record : Component or Step
        What is to be checked.

    Returns
    -------
    checks : tuple of Check
        In the order of their definition.
    """
    family_of(record)
    return tuple(c for c in _CHECKS if c.suits(record))


def run_checks(
    record: Any,
    *,
    sample: Any = None,
    expected_failures: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Iterator[Outcome]:
    """Run all checks of a record, one after the other.

    Parameters
    ----------
    record : Component or Step
        What to check.
    sample : object
        For checks that need one; see `drizframe.testing.samples`.  Steps have a small run by default.
    expected_failures : mapping of str to str
        Checks that are known to fail, and why; one that passes is an error.
    options : mapping of str to object
        Values of the record's `options_model`; by default its defaults.

    Yields
    ------
    Outcome
        Of each check.
    """
    expected = dict(expected_failures or {})
    suitable = checks_for(record)
    refuse_unknown(expected, suitable, record)
    missing = missing_options(record, options)
    if sample is None and not missing:
        sample = default_sample(record, options)
    for c in suitable:
        if missing or (c.sampled and sample is None):
            text = missing or NO_SAMPLE
            yield Outcome(check=c.name, state="no sample", text=text)
            continue
        start = time.perf_counter()
        try:
            known = c.name in expected
            with (
                expecting_failure(known),
                at_least(PATIENCE if known else 0),
                options_given(record, options),
            ):
                c.run(record, sample)
        except Exception as error:
            state, text = (
                ("expected", expected[c.name]) if c.name in expected else ("failed", describe(error))
            )
        else:
            state, text = "passed", ""
            if c.name in expected:
                state, text = "unexpected pass", f"was expected to fail: {expected[c.name]}"
        yield Outcome(check=c.name, state=state, seconds=time.perf_counter() - start, text=text)


def default_sample(record: Any, options: Mapping[str, Any] | None = None) -> Any:
    """Return the small run for a step that works in it; None for what needs a sample of its author."""
    if not isinstance(record, Step):
        return None
    from drizframe.testing.checks.steps import planned
    from drizframe.testing.samples import stock_sample

    sample = stock_sample(record)
    with options_given(record, options):
        return sample if planned(record, sample) else None


def refuse_unknown(expected: Mapping[str, str], suitable: Sequence[Check], record: Any) -> None:
    """Raise `HookError` for an expected failure of a check that the record does not get."""
    unknown = sorted(set(expected) - {c.name for c in suitable})
    if unknown:
        msg = (
            f"expected_failures of {record.name!r} names {', '.join(unknown)}, which it does not get. "
            f"Its checks are: {', '.join(c.name for c in suitable)}."
        )
        raise HookError(msg)


@contextlib.contextmanager
def examples(count: int | None) -> Iterator[None]:
    """Let checks draw at most so many examples; None: as many as the settings profile of Hypothesis says.

    Parameters
    ----------
    count : int or None
        The most inputs that are drawn for a check.
    """
    token = _EXAMPLES.set(count)
    try:
        yield
    finally:
        _EXAMPLES.reset(token)


@contextlib.contextmanager
def at_least(count: int) -> Iterator[None]:
    """Draw at least so many examples, where `examples` wants fewer: a failure that is expected must be found."""
    limit = _EXAMPLES.get()
    with examples(limit if limit is None else max(limit, count)):
        yield


@contextlib.contextmanager
def expecting_failure(expected: bool) -> Iterator[None]:
    """Do not look for the simplest failing input where a failure is expected, here or further out."""
    token = _SHRINKS.set(_SHRINKS.get() and not expected)
    try:
        yield
    finally:
        _SHRINKS.reset(token)


def forall(body: Callable[..., None], **strategies: Any) -> None:
    """Call a function with drawn arguments; the number of examples comes from `examples`, else from Hypothesis' profile."""
    quiet = [
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
        HealthCheck.nested_given,
    ]
    wanted: dict[str, Any] = {"deadline": None, "suppress_health_check": quiet, "report_multiple_bugs": False}
    limit = _EXAMPLES.get()
    if limit is not None:
        wanted |= {"max_examples": limit, "database": None}
    # to find out which parts of an input do not matter takes many calls; our messages show the whole input
    skipped = {Phase.explain} if _SHRINKS.get() else {Phase.explain, Phase.shrink}
    wanted["phases"] = tuple(p for p in settings().phases if p not in skipped)
    settings(**wanted)(given(**strategies)(body))()


def implementations(record: Component) -> dict[str, Callable[..., Any]]:
    """Return what a component can run, by ``"reference"`` and ``"fast"``."""
    found: dict[str, Callable[..., Any]] = {}
    if record.reference is not None and callable(record.reference):
        found["reference"] = record.reference
    if record.fast is not None:
        found["fast"] = record.fast
    return found


# -- tools -----------------------------------------------------------------------------------------------------------


def frozen_copy(array: np.ndarray[Any, Any] | None) -> Any:
    """Return a read-only copy."""
    if array is None:
        return None
    copy = np.array(array)
    copy.flags.writeable = False
    return copy


def strided(array: np.ndarray[Any, Any] | None) -> Any:
    """Return a read-only view with the same values and odd strides."""
    if array is None:
        return None
    wide = np.zeros(tuple(2 * n for n in array.shape), dtype=array.dtype)
    view = wide[tuple(slice(None, None, 2) for _ in array.shape)]
    view[...] = array
    view.flags.writeable = False
    return view


@contextlib.contextmanager
def untouched(what: str, **arrays: Any) -> Iterator[None]:
    """Raise `CheckFailure` if any array is changed inside of the block."""
    before = {n: np.array(a, copy=True) for n, a in arrays.items() if a is not None}
    yield
    for name, old in before.items():
        new = arrays[name]
        differ = ~((new == old) | ((new != new) & (old != old)))  # noqa: PLR0124  (NaN)
        if differ.any():
            index = tuple(int(i) for i in np.argwhere(differ)[0])
            raise CheckFailure(
                f"{what} must not change its inputs",
                expected=old[index].item(),
                got=new[index].item(),
                where=f"argument {name!r}, element {list(index)}; {int(differ.sum())} elements changed",
                inputs={name: old},
            )
