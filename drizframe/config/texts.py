"""Reading the text files that a user names: lists, rules, parameters, sky values."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from drizframe.errors import MissingInputError, UnreadableInputError, told

__all__ = ["MAX_BYTES", "read_text"]

#: Largest text file that is read, in bytes.
MAX_BYTES = 10 * 2**20


def read_text(path: str | os.PathLike[str], what: str) -> str:
    """Return the text of a file of at most 10 MB.

    Parameters
    ----------
    path : str or path
        The file; ``~`` stands for the home folder.
    what : str
        What it is, for messages: ``"The parameter file"``.

    Returns
    -------
    str

    Raises
    ------
    MissingInputError
        If it does not exist.
    UnreadableInputError
        If it is a folder, a device or a pipe, too large, not text, or may not be read.
    """
    file = Path(path).expanduser()
    named = f"{what} {str(path)!r}"
    try:
        found = file.stat()
        if not stat.S_ISREG(found.st_mode):
            kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a device or a pipe"
            msg = f"{named} cannot be read: it is {kind}. Give the name of a text file."
            raise UnreadableInputError(msg)
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        msg = f"{named} does not exist (looked in {str(Path.cwd())!r}). Correct the name."
        raise MissingInputError(msg) from None
    except OSError as error:
        if isinstance(error, UnreadableInputError):
            raise
        msg = f"{named} cannot be read ({error.strerror or error}). Give the name of a text file."
        raise UnreadableInputError(msg) from error
    except ValueError as error:  # a name with a NUL
        msg = f"{named} cannot be read ({told(error)}). Give the name of a text file."
        raise UnreadableInputError(msg) from error
    if len(data) > MAX_BYTES:
        msg = f"{named} cannot be read: it has more than {MAX_BYTES // 2**20} MB. Give a text file, not an image."
        raise UnreadableInputError(msg)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{named} is not a text file ({error.reason} at byte {error.start}). Write it as UTF-8."
        raise UnreadableInputError(msg) from error
    if "\0" in text:
        msg = f"{named} is not a text file (it holds NUL bytes). Write it as UTF-8."
        raise UnreadableInputError(msg)
    return text
