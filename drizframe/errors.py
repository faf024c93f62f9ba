"""Every exception that drizframe raises on purpose.

For developers, which one to raise:

* the user gave a wrong value or name: `ParameterError` (`UnknownParameterError`, `UnknownComponentError` for
names);
* a file is missing, damaged or lacks something: `InputError` and its leaves;
* arrays do not fit together: `ShapeError`;
* the run cannot go on although every input was valid by itself: `RunError`;
* a plugin misbehaves: `PluginError` and its leaves.

A message says what is wrong, what came, what is allowed and what to do; values by ``!r``.  Facts that a
program could want are attributes as well.

The tree::

    DrizframeError
    ├── ParameterError (ValueError)
    │   ├── UnknownParameterError (also TypeError)
    │   ├── UnknownComponentError (also LookupError)
    │   ├── ArrayTypeError (also TypeError)
    │   └── UnsupportedError (also NotImplementedError)
    ├── InputError (also ValueError)
    │   ├── MissingInputError (also FileNotFoundError)
    │   ├── UnreadableInputError (also OSError)
    │   └── WCSError
    ├── ShapeError (ValueError)
    ├── OutputError (OSError)
    ├── RunError (RuntimeError)
    │   ├── NothingToCombineError
    │   └── OutOfMemoryError (also MemoryError)
    ├── BackendError (RuntimeError)
    ├── AbsentNameError (AttributeError), AbsentModuleError (ModuleNotFoundError)
    └── PluginError (RuntimeError)
        ├── ConflictError
        └── HookError
            └── RecordError

Warnings, each of which can be silenced by itself (``warnings.simplefilter("ignore", SkyWarning)``, ``-W
ignore::drizframe.errors.SkyWarning``); the result of a run has them all the same::

    DrizframeWarning (UserWarning)
    ├── InputWarning      exposures, their headers, and the files that they name
    ├── ParameterWarning  a parameter without effect, or taken otherwise than it was given
    ├── FrameWarning      frames, maps and overlaps
    ├── SkyWarning        the sky may be wrong
    ├── MaskWarning       too many or too few pixels may be left out
    ├── OutputWarning     products, the headers in them, and edits of inputs
    └── PluginWarning     a plugin cannot be used, or two want the same
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "AbsentModuleError",
    "AbsentNameError",
    "ArrayTypeError",
    "BackendError",
    "ConflictError",
    "DrizframeError",
    "DrizframeWarning",
    "FrameWarning",
    "HookError",
    "InputError",
    "InputWarning",
    "MaskWarning",
    "MissingInputError",
    "NothingToCombineError",
    "OutOfMemoryError",
    "OutputError",
    "OutputWarning",
    "ParameterError",
    "ParameterWarning",
    "PluginError",
    "PluginWarning",
    "RecordError",
    "RunError",
    "ShapeError",
    "SkyWarning",
    "UnknownComponentError",
    "UnknownParameterError",
    "UnreadableInputError",
    "UnsupportedError",
    "WCSError",
    "nearest",
    "printable",
    "told",
]


def printable(text: str, keep: str = "\n") -> str:
    r"""Return a text in which characters that cannot be printed are escapes: a terminal may act on them.

    Names of files, and what is in them, can hold any character.

    Parameters
    ----------
    text : str
        A message.
    keep : str
        Characters that stay; by default the ends of lines.

    Returns
    -------
    text : str
        The text, with escapes as in Python.

    Examples
    --------
    >>> printable("a\x1b[2J_flt.fits")
    'a\\x1b[2J_flt.fits'
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in keep else c.encode("unicode_escape").decode("ascii") for c in text
    )


#: Where wcslib met an error in its own source.
_IN_WCSLIB = re.compile(r"ERROR \d+ in \w+\(\) at line \d+ of file \S+?: ")


def told(error: BaseException) -> str:
    r"""Return what an exception says, for use within a sentence: one line without a full stop.

    Parameters
    ----------
    error : BaseException
        Of any library.  If it says nothing, its kind is told.

    Returns
    -------
    text : str
        What it says.

    Examples
    --------
    >>> told(ValueError("ERROR 6 in wcs_units() at line 3322 of file cextern/wcslib/C/wcs.c: Invalid\nsymbol in 'x'."))
    "Invalid symbol in 'x'"
    >>> told(AssertionError())
    'AssertionError'
    """
    text = _IN_WCSLIB.sub("", " ".join(str(error).split()))
    return text.rstrip(" .;:") or type(error).__name__


class DrizframeError(Exception):
    """Root of all errors raised by drizframe."""

    def __str__(self) -> str:
        """Return the message; characters that cannot be printed are escapes."""
        return printable(super().__str__())


class ParameterError(DrizframeError, ValueError):
    """A parameter has a value that is not allowed."""


class UnknownParameterError(ParameterError, TypeError):
    """There is no parameter of that name.

    Parameters
    ----------
    name : str
        The name that was given.
    known : iterable of str
        The names that there are.

    Attributes
    ----------
    name : str
        The name that was given.
    suggestion : str or None
        The nearest valid name.
    """

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        self.suggestion = nearest(name, known)
        hint = f" Did you mean {self.suggestion!r}?" if self.suggestion else ""
        super().__init__(
            f"There is no parameter named {name!r}.{hint} "
            f"`drizframe parameters` lists all names with their meaning."
        )


class UnknownComponentError(ParameterError, LookupError):
    """No plugin provides a component of that family and name.

    Parameters
    ----------
    family : str
        Family of what was looked for.
    name : object
        What was given for its name.
    choices : iterable of str
        The names that there are.
    note : str
        A further sentence for the message.

    Attributes
    ----------
    family, name : str
        What was looked for.
    choices : tuple of str
        The names that the registry holds.
    """

    def __init__(self, family: str, name: object, choices: Iterable[str], note: str = "") -> None:
        self.family = family
        self.name = name
        self.choices = tuple(sorted(choices))
        near = nearest(name, self.choices) if isinstance(name, str) else None
        extra = (f" Did you mean {near!r}?" if near else "") + (f" {note}" if note else "")
        super().__init__(
            f"No {family} named {name!r}. Choose one of: {', '.join(self.choices) or '(none)'}.{extra}"
        )


class ArrayTypeError(ParameterError, TypeError):
    """An array holds numbers of a type that cannot be used."""


class UnsupportedError(ParameterError, NotImplementedError):
    """A documented value or file form that this version cannot honour."""


class InputError(DrizframeError, ValueError):
    """An input is wrong or lacks something that is needed."""


class MissingInputError(InputError, FileNotFoundError):
    """A file that was named does not exist."""


class UnreadableInputError(InputError, OSError):
    """A file exists but cannot be read: truncated, damaged or not of the expected format."""


class WCSError(InputError):
    """A chip has no usable celestial coordinate system."""


class ShapeError(DrizframeError, ValueError):
    """Arrays that belong together differ in shape."""


class OutputError(DrizframeError, OSError):
    """A product cannot be written."""


class RunError(DrizframeError, RuntimeError):
    """The run cannot go on."""


class NothingToCombineError(RunError):
    """No usable exposure is left."""


class OutOfMemoryError(RunError, MemoryError):
    """There is not enough memory for what was asked."""


class BackendError(DrizframeError, RuntimeError):
    """The compiled code that was asked for is not there."""


class AbsentNameError(DrizframeError, AttributeError):
    """drizframe does not have a name that the reference has; the message says where to go."""


class AbsentModuleError(DrizframeError, ModuleNotFoundError):
    """drizframe does not have a module that the reference has; the message says where to go.

    Notes
    -----
    Its attribute `name` is None: an import statement takes one with the name of what it looks for as its own, and replaces it
    by a message without the advice.
    """


class PluginError(DrizframeError, RuntimeError):
    """A plugin misbehaves.

    Parameters
    ----------
    message : str
        What is wrong.
    component : object, optional
        The record of the component that misbehaves; a run adds who provides it.
    """

    def __init__(self, message: str = "", component: object = None) -> None:
        super().__init__(message)
        self.component = component


class ConflictError(PluginError):
    """One name is provided by two plugins."""


class HookError(PluginError):
    """A plugin implements a hook that does not exist, or with arguments that it does not have."""


class RecordError(HookError):
    """A field of a record of a plugin (`Kernel`, `Step`, `Plane` …) cannot be."""


class DrizframeWarning(UserWarning):
    """The run goes on, but the user should know."""

    def __str__(self) -> str:
        """Return the message; characters that cannot be printed are escapes."""
        return printable(super().__str__())


class InputWarning(DrizframeWarning):
    """An exposure, its headers or a file that they name is unusual, or is left out."""


class ParameterWarning(DrizframeWarning):
    """A parameter has no effect, or is taken otherwise than it was given."""


class FrameWarning(DrizframeWarning):
    """A frame, a map onto it, or how exposures lie on it may not be what is wanted."""


class SkyWarning(DrizframeWarning):
    """The sky may be wrong."""


class MaskWarning(DrizframeWarning):
    """Too many or too few pixels may be left out."""


class OutputWarning(DrizframeWarning):
    """A product, a header in it, or an edit of an input is not all that it could be."""


class PluginWarning(DrizframeWarning):
    """A plugin, or a part of it, cannot be used; or two of them want the same."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the name in `known` that is closest to `name`, or None if none is near.

    Parameters
    ----------
    name : str
        What was given.
    known : iterable of str
        The valid names.

    Returns
    -------
    name : str or None
        None if none is near.
    """
    found = difflib.get_close_matches(name.lower(), list(known), n=1, cutoff=0.6)
    return found[0] if found else None
