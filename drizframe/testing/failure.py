"""How a check says no: expected, got, where, and the inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["CheckFailure", "compare", "require"]

#: Elements of an array that a message shows.
SHOWN = 40


class CheckFailure(AssertionError):  # noqa: N818  (a failure of a test, no error of a program)
    """A component does not keep what its family or its traits promise.

    Parameters
    ----------
    what : str
        What is promised, in one sentence.
    expected, got : object
        What should have come, and what came.
    where : str
        Which element, call or file.
    inputs : mapping
        What the component was given.
    """

    def __init__(
        self, what: str, *, expected: Any, got: Any, where: str = "", inputs: Mapping[str, Any] | None = None
    ) -> None:
        self.what, self.expected, self.got, self.where = what, expected, got, where
        self.inputs = dict(inputs or {})
        super().__init__(what)

    def __str__(self) -> str:
        lines = [self.what, f"  expected: {shown(self.expected)}", f"  got:      {shown(self.got)}"]
        if self.where:
            lines.append(f"  where:    {self.where}")
        lines += [f"  input {name} = {shown(value)}" for name, value in self.inputs.items()]
        return "\n".join(lines)


def shown(value: Any) -> str:
    """Return a text for a message; long arrays are cut."""
    if isinstance(value, str):
        return value
    if not isinstance(value, np.ndarray):
        return repr(value)
    text = np.array2string(value, threshold=SHOWN, precision=17, separator=", ").replace("\n", "")
    return f"{value.dtype}{value.shape} {' '.join(text.split())}"


def require(condition: bool, what: str, **facts: Any) -> None:
    """Raise `CheckFailure` unless a condition holds.

    Parameters
    ----------
    condition : bool
        What must be true.
    what : str
        What is promised.
    **facts
        `expected`, `got`, `where`, `inputs` of the failure.
    """
    if not condition:
        raise CheckFailure(what, **facts)


def compare(
    what: str,
    got: Any,
    expected: Any,
    *,
    rtol: float = 0.0,
    atol: float = 0.0,
    zeros: bool = False,
    where: str = "",
    inputs: Mapping[str, Any] | None = None,
) -> None:
    """Raise `CheckFailure` unless two arrays agree.

    Parameters
    ----------
    what : str
        What is promised.
    got, expected : array-like
        What came and what should have come; NaN equals NaN.
    rtol, atol : float
        An element may differ by ``atol + rtol * |expected|``.
    zeros : bool
        Elements that are exactly 0 must be so in both, whatever the tolerance.
    where : str
        Added before the index.
    inputs : mapping
        What the component was given.
    """
    a, b = np.asarray(got), np.asarray(expected)
    place = f"{where}, " if where else ""
    if a.shape != b.shape:
        raise CheckFailure(
            what, expected=f"shape {b.shape}", got=f"shape {a.shape}", where=where, inputs=inputs
        )
    with np.errstate(all="ignore"):
        x, y = a.astype(np.float64), b.astype(np.float64)
        same = (x == y) | (np.isnan(x) & np.isnan(y)) | (np.abs(x - y) <= atol + rtol * np.abs(y))
        if zeros:
            same &= (x == 0.0) == (y == 0.0)
        if same.all():
            return
        off = np.abs(x - y)[~same]
    index = tuple(int(i) for i in np.argwhere(~same)[0])
    count = f"{int((~same).sum())} of {same.size} elements differ, by up to {np.nanmax(off, initial=0.0):.6g}"
    raise CheckFailure(
        what,
        expected=b[index].item(),
        got=a[index].item(),
        where=f"{place}element {list(index)}; {count}",
        inputs=inputs,
    )
