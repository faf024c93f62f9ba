"""Parameters from a TOML file: names with values, and a table for each plugin's section.

final_scale = 0.04
final_kernel = "mine.hat"

[plugins.lacosmic]
sigclip = 4
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drizframe.config.texts import read_text
from drizframe.errors import ParameterError, told

__all__ = ["SetText", "merged", "read_toml"]


class SetText(str):
    """The text of a value on the command line; `value` is what it means in TOML."""

    __slots__ = ()

    @property
    def value(self) -> Any:
        """The value if the text is one of TOML (a number, true, a date, a list, a table …), None for none, else the text."""
        if self.casefold() == "none":
            return None
        try:
            found = tomllib.loads(f"value = {self}")
        except tomllib.TOMLDecodeError:
            return str(self)
        return found["value"] if len(found) == 1 else str(self)


def read_toml(path: str | Path) -> dict[str, Any]:
    """Read parameters from a TOML file.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    dict
        Parameters by name, as `drizframe.run` takes them; ``plugins`` holds the sections of plugins.

    Raises
    ------
    MissingInputError
        If the file does not exist.
    UnreadableInputError
        If it cannot be read.
    ParameterError
        If it is no TOML, or holds a table other than ``[plugins.NAME]``.
    """
    text = read_text(path, "The parameter file")
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        msg = f"The parameter file {str(path)!r} is no TOML: {told(error)}. Write lines such as: final_scale = 0.04"
        raise ParameterError(msg) from None
    for name, value in values.items():
        if isinstance(value, Mapping) and name != "plugins":
            msg = (
                f"The parameter file {str(path)!r} has a table [{name}]. Write parameters before all tables, and those of a "
                f"plugin in [plugins.{name}]."
            )
            raise ParameterError(msg)
    sections = values.get("plugins", {})
    if not isinstance(sections, Mapping) or not all(isinstance(s, Mapping) for s in sections.values()):
        msg = f"The parameter file {str(path)!r} gives plugins = {sections!r}. Write a table [plugins.NAME] for each plugin."
        raise ParameterError(msg)
    return values


def merged(first: Mapping[str, Any], then: Mapping[str, Any]) -> dict[str, Any]:
    """Return both sets of parameters; the second wins, also within the sections of plugins and their tables."""
    both = {**first, **then}
    if "plugins" in first and "plugins" in then:
        both["plugins"] = _deep(first["plugins"], then["plugins"])
    return both


def _deep(first: Any, then: Any) -> Any:
    """Return both tables; the second wins, name by name."""
    if not isinstance(first, Mapping) or not isinstance(then, Mapping):
        return then
    return {**first, **{k: _deep(first.get(k), v) for k, v in then.items()}}
