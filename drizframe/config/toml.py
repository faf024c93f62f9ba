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

from drizframe.errors import MissingInputError, ParameterError, UnreadableInputError

__all__ = ["merged", "read_toml"]


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
    try:
        text = Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        msg = f"The parameter file {str(path)!r} does not exist."
        raise MissingInputError(msg) from None
    except (OSError, UnicodeDecodeError) as error:
        msg = f"The parameter file {str(path)!r} cannot be read: {error}."
        raise UnreadableInputError(msg) from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"The parameter file {str(path)!r} is no TOML: {error}. Write lines such as: final_scale = 0.04"
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
    """Return both sets of parameters; the second wins, also within the sections of plugins."""
    both = {**first, **then}
    sections = {**first.get("plugins", {})}
    for name, values in then.get("plugins", {}).items():
        sections[name] = {**sections.get(name, {}), **values}
    if sections:
        both["plugins"] = sections
    return both
