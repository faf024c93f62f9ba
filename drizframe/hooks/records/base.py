"""What the records of all families of components share.

Every component has a NumPy `reference`, which is its specification, and may have a `fast` twin with the same
arguments and result.  All arrays that a component gets are read-only for it: it returns new ones.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from drizframe.errors import DrizframeWarning, RecordError
from drizframe.hooks.records.fields import check_fields, model_class, number, text, texts
from drizframe.hooks.records.signatures import Calls, check_calls

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["NAME", "TRAITS", "Component", "none", "one", "one_by_one", "warn_user"]


#: What a name may look like.
NAME = re.compile(r"^[a-z0-9_+.-]+$", re.IGNORECASE)


#: Promises that a component can make; the conformance kit tests each one that is made.
TRAITS: dict[str, str] = {
    "conserves_flux": "kernel: the weights of a pixel that lies wholly on the frame sum to its weight",
    "non_negative": "kernel: no weight is negative",
    "ignores_pixfrac": "kernel: pixfrac makes no difference",
    "linear": "the result is linear in the data",
    "order_free": "the result does not depend on the order of the exposures",
    "sparse": "combiner: exposures without a good value in a part of the frame can be left out of its stack, but for the last",
    "rotation_invariant": "the result turns with the input by 90 degrees",
    "needs_flat": "weighting: wants the flat field of the chip where there is no inverse-variance map",
    "needs_blot": "detector: needs a blotted median, so it cannot run on a single exposure",
    "needs_depth": "detector: wants to know how many exposures lie behind each pixel",
    "picklable": "the record survives pickling, so it can be used in other processes",
}


def none(options: Any) -> int:
    """Return 0; a function of the module, so that records that keep it can be pickled."""
    return 0


def one(options: Any) -> int:
    """Return 1; see `none`."""
    return 1


def one_by_one(function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    """Return the function of every item, in order."""
    return [function(item) for item in items]


def warn_user(message: str) -> None:
    """Issue a `DrizframeWarning`."""
    warnings.warn(message, DrizframeWarning, stacklevel=3)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Component:
    """What all components share.

    Parameters
    ----------
    name : str
        The name that users type, unique in its family.
    summary : str
        One sentence.
    reference : callable or None
        The NumPy implementation.
    fast : callable or None
        A compiled twin with the same arguments and result.
    supports : callable or None
        ``supports(**arguments) -> bool``: whether `fast` can take these arguments; None: always.
    traits : frozenset of str
        Promises, from `TRAITS`.
    tolerance : float
        Relative difference allowed between `fast` and `reference` in float64; 0: they do the same operations in the same
        order and give the same bits.
    options_model : type of pydantic.BaseModel, or None
        The plugin's own parameters, validated before `options.plugin` carries them.
    cite : str
        Where the formula comes from.
    """

    family: ClassVar[str] = ""
    takes_options: ClassVar[bool] = True
    #: Whether components of the family loop over pixels, so that ``backend="cython"`` wants a compiled half.
    loops: ClassVar[bool] = False
    #: How the functions of the record are called; `fast` and `supports` are given what `reference` is given.
    CALLS: ClassVar[Calls] = {}

    name: str
    summary: str
    reference: Callable[..., Any] | None = None
    fast: Callable[..., Any] | None = None
    supports: Callable[..., bool] | None = None
    traits: frozenset[str] = frozenset()
    tolerance: float = 1e-12
    options_model: type[BaseModel] | None = None
    cite: str = ""

    def __post_init__(self) -> None:
        """Refuse a record that could not work, naming it."""
        if not isinstance(self.name, str) or not NAME.match(self.name):
            msg = f"{type(self).__name__} has the name {self.name!r}; use letters, digits and _ + . -"
            raise RecordError(msg)
        self._check_types()
        if not self.summary:
            msg = f"{self.label} has no summary. Say in one sentence what it does."
            raise RecordError(msg)
        unknown = sorted(self.traits - set(TRAITS))
        if unknown:
            msg = f"{self.label} promises unknown traits {unknown}. Choose from {sorted(TRAITS)}."
            raise RecordError(msg)
        if self.options_model is not None and not self.takes_options:
            msg = f"{self.label} has an options_model, but a {self.family} is not given options. Make a record for each setting."
            raise RecordError(msg)
        self._check()
        calls = self._calls()
        if "reference" in calls:
            calls = {**calls, "fast": calls["reference"], "supports": calls["reference"]}
        check_calls(self.label, self, calls)

    def __repr__(self) -> str:
        """Name the record; functions and defaults would only hide it."""
        return f"{type(self).__name__}({self.name!r})"

    @property
    def label(self) -> str:
        """Family and name, for messages."""
        return f"{self.family or type(self).__name__} {self.name!r}"

    def checked(self, answer: Any, arguments: Sequence[Any]) -> Any:
        """Return what the component answered to these positional arguments, if it is what the family promises.

        Raises
        ------
        PluginError
            If it is not; the component is named.
        """
        del arguments
        return answer

    def _check_types(self) -> None:
        check_fields(
            self.label, self, summary=text, cite=text, tolerance=number, traits=texts(frozenset), options_model=model_class
        )  # fmt: skip

    def _calls(self) -> Calls:
        """How the functions of this record are called, if that depends on its fields."""
        return self.CALLS

    def _check(self) -> None:
        if self.reference is None:
            msg = f"{self.label} has no reference. Give the NumPy function that computes it."
            raise RecordError(msg)
