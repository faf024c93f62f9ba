"""Names that come out of files: of a header, a table, a journal.  They name something in a folder, never a way out of it."""

from __future__ import annotations

import os

from drizframe.errors import InputError

__all__ = ["base_name", "is_base_name"]

#: Bytes of a name that leave room, within the 255 of file systems, for what is added to it.
_LONGEST = 180


def _leads_away(text: str) -> str | None:
    """Say why a text is no name of a file in a folder; None if it is one."""
    if not text or text in (".", ".."):
        return "it names no file"
    if "/" in text or "\\" in text or "\0" in text or os.path.splitdrive(text)[0]:
        return "it leads to another folder"
    return None


def _fault(text: str) -> str | None:
    """Say why a text is not taken as the name of a file; None if it is."""
    away = _leads_away(text)
    if away:
        return away
    if not text.isprintable():
        return "it has characters that cannot be printed"
    if text[0] in "~-" or "$" in text:
        return "a shell or a program would read it as something else"
    if text != text.strip():
        return "it begins or ends with a blank"
    if len(os.fsencode(text)) > _LONGEST:
        return f"it is longer than {_LONGEST} bytes"
    return None


def is_base_name(text: str, *, any_characters: bool = False) -> bool:
    """Tell whether a text is a plain name of a file, without any folder.

    Parameters
    ----------
    text : str
        What a file says.
    any_characters : bool
        Whether it may have any characters and length that a file may have: for names of files that are there.
    """
    return (_leads_away(text) if any_characters else _fault(text)) is None


def base_name(value: object, where: str) -> str:
    """Return a name that a file gives, after a check that it is a plain name of a file.

    Every name from a header, a table or a journal that becomes a part of a path comes through here.

    Parameters
    ----------
    value : object
        The value as it was read; blanks around it do not count.
    where : str
        What gives it, for the message: file, extension and keyword.

    Returns
    -------
    str
        The name.

    Raises
    ------
    InputError
        If it has a folder, leads out of its folder, cannot be printed, or would be expanded by a shell.
    """
    text = str(value).strip(" ")
    fault = _fault(text)
    if fault is None:
        return text
    shown = text if len(text) <= 100 else text[:100] + "…"
    msg = (
        f"{where} is {shown!r}, which is not taken as the name of a file: {fault}. Only a plain name is, of a file in "
        "the same folder. Correct it, if you trust the file."
    )
    raise InputError(msg)
