"""Parameters that mean something to one of the two interfaces only: what `drizframe.run` refuses, and what the drop-in forgives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drizframe.config.parameters import FRAME_SWITCHES, Parameters
from drizframe.config.types import _flag, is_blank
from drizframe.errors import ParameterError

__all__ = ["for_drop_in", "for_run"]

_NEVER = "drizframe.run never changes an input"

#: Values other than the default that drizframe.run cannot honour -> the reason.
_OF_DROP_IN = {
    "restore": f"{_NEVER}, so there is nothing to restore; give the copies in OrIg_files as inputs",
    "preserve": f"{_NEVER}, so no copy of it is made anyway",
    "overwrite": f"{_NEVER}, so no copy of it is made",
    "force_edits": f"{_NEVER}",
    "use_crmasks": "drizframe.run applies no masks but those of crmasks",
    "clean": "drizframe.run leaves no intermediate files but those that keep names",
    "in_memory": "drizframe.run writes no intermediate images but those that keep names; max_memory says how much is kept in memory",
}


def for_run(parameters: Parameters) -> Parameters:
    """Return the parameters as `drizframe.run` uses them: without a log file unless `runfile` was given.

    Parameters
    ----------
    parameters : Parameters
        As the user gave them.

    Raises
    ------
    ParameterError
        If parameters are given that only the drop-in can honour (all of them are named), or those of a frame that is off.
    """
    refused = [
        f"{name}={getattr(parameters, name)!r}: {reason}."
        for name, reason in _OF_DROP_IN.items()
        if getattr(parameters, name) != Parameters.model_fields[name].default
    ]
    if refused:
        msg = " ".join(refused) + " Leave it out, or call drizframe.astrodrizzle.AstroDrizzle."
        raise ParameterError(msg)
    for switch, names in FRAME_SWITCHES.items():
        unused = [n for n in names if not is_blank(getattr(parameters, n))]
        if unused and not getattr(parameters, switch):
            given = ", ".join(f"{n}={getattr(parameters, n)!r:.60}" for n in unused)
            msg = f"{switch}=False, but {given} is given. Leave {switch} out to use it, or leave it out."
            raise ParameterError(msg)
    if "runfile" in parameters.model_fields_set:
        return parameters
    return parameters.model_copy(update={"runfile": ""})


def for_drop_in(
    defaults: Mapping[str, Any], configured: Mapping[str, Any], keywords: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Return the parameters of the drop-in by name, as the reference takes them, and what the user should know.

    Parameters
    ----------
    defaults : mapping
        Defaults that differ from the documented ones.
    configured : mapping
        Of a ``.cfg`` file or a mapping.
    keywords : mapping
        Given by name; they win.

    Notes
    -----
    A keyword for a frame switches it on though the file has it off; a frame that is off by a keyword, or whose parameters the
    file alone has, is not used.  Fewer than one core means one, as in the reference.
    """
    values = {**defaults, **configured, **keywords}
    notes: list[str] = []
    for switch, names in FRAME_SWITCHES.items():
        if switch not in values or not _is_off(values[switch]):
            continue
        if switch not in keywords and any(not is_blank(keywords.get(n)) for n in names):
            values[switch] = True
            continue
        unused = [n for n in names if not is_blank(values.get(n))]
        if unused:
            notes.append(
                f"{switch} is off: {', '.join(f'{n}={values[n]!r}' for n in unused)} is not used. Leave {switch} out to use it."
            )
            values = {k: v for k, v in values.items() if k not in unused}
    cores = values.get("num_cores")
    if isinstance(cores, int) and not isinstance(cores, bool) and cores < 1:
        values["num_cores"] = 1
    return values, notes


def _is_off(value: Any) -> bool:
    """Whether a switch is off; what is no switch is refused later, by its name."""
    try:
        return _flag(value) is False
    except ValueError:
        return False
