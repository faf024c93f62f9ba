"""Where the reference takes parameters from besides keywords: a ``.cfg`` file or a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drizframe.config.texts import read_text
from drizframe.errors import ParameterError, UnreadableInputError, told

__all__ = ["DEFAULTS", "flat_parameters"]

#: Defaults of the program that its documentation contradicts; numbers of its users rest on them (trap 03-1).  It
#: replaces whatever has the name of a product.
DEFAULTS: dict[str, Any] = {"skywidth": 0.1, "overwrite_products": True}

#: Entries of such files that are no parameters.
_NOT_PARAMETERS = frozenset({"_task_name_", "_RULES_", "input", "output"})


def _flattened(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scalars of a tree of sections."""
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            if name != "_RULES_":
                flat.update(_flattened(value))
        else:
            flat[name] = value
    return flat


def _from_file(path: Path) -> dict[str, Any]:
    from configobj import ConfigObj, ConfigObjError

    lines = read_text(path, "The parameter file").splitlines()
    try:
        tree = ConfigObj(lines, interpolation=False, list_values=False, raise_errors=True)
    except (ConfigObjError, RecursionError) as error:
        msg = f"The parameter file {str(path)!r} cannot be read: {told(error)}. Lines are 'name = value', sections [NAME]."
        raise UnreadableInputError(msg) from None
    flat = _flattened(tree)
    task = str(flat.get("_task_name_", "astrodrizzle")).strip("'\" ")
    if task != "astrodrizzle":
        msg = f"The parameter file {str(path)!r} belongs to task {task!r}, not to astrodrizzle."
        raise ParameterError(msg)
    return {k: _unquoted(v) for k, v in flat.items()}


def _unquoted(value: Any) -> Any:
    """Strip the comment and the quotes that a line may carry."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text[:1] in "'\"" and text[:1]:
        end = text.find(text[0], 1)
        return text[1:end] if end > 0 else text[1:]
    return text.split("#", maxsplit=1)[0].strip()


def flat_parameters(configobj: Any) -> tuple[dict[str, Any], Any, str]:
    """Return parameters by name, and input and output if they are given too.

    Parameters
    ----------
    configobj : None, str, path or mapping
        A ``.cfg`` file, or a mapping of parameters or of sections of parameters; it is not changed.  ``"defaults"`` stands for
        the documented defaults, as None does: settings that an editor left in a home folder are never read (trap 03-9).

    Returns
    -------
    parameters : dict
        By flat name.
    input : Any
        Its ``input`` entry, or None.
    output : str
        Its ``output`` entry, or an empty text.

    Raises
    ------
    MissingInputError
        If the file does not exist.
    UnreadableInputError
        If it is no such file.
    ParameterError
        If it belongs to another task, or `configobj` is something else.
    """
    if configobj is None or (isinstance(configobj, str) and configobj.strip().lower() == "defaults"):
        return {}, None, ""
    if isinstance(configobj, Mapping):
        flat = _flattened(configobj)
    elif isinstance(configobj, str | Path):
        flat = _from_file(Path(configobj))
    else:
        msg = f"configobj is {type(configobj).__name__}; give the name of a .cfg file, a mapping, or None."
        raise ParameterError(msg)
    parameters = {k: v for k, v in flat.items() if k not in _NOT_PARAMETERS}
    return parameters, flat.get("input") or None, str(flat.get("output") or "")
