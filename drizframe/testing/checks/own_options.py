"""The parameters of the plugin itself, where a record has an `options_model`: its defaults, or what the author gives."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from drizframe.errors import HookError

__all__ = ["given", "missing_options", "options_given", "own_options"]

#: What authors gave, by the identity of the record; no context variable, because checks make calls in threads.
_GIVEN: dict[int, Mapping[str, Any]] = {}


@contextlib.contextmanager
def options_given(record: Any, options: Mapping[str, Any] | None) -> Iterator[None]:
    """Let checks of a record use these values of its `options_model`."""
    before = _GIVEN.get(id(record))
    if options is not None:
        _GIVEN[id(record)] = options
    try:
        yield
    finally:
        if before is None:
            _GIVEN.pop(id(record), None)
        else:
            _GIVEN[id(record)] = before


def given(record: Any) -> Mapping[str, Any]:
    """Return what the author of a record gave."""
    return _GIVEN.get(id(record), {})


def own_options(record: Any) -> Any:
    """Return an instance of the record's `options_model`; None if it has none."""
    model = record.options_model
    return None if model is None else model(**given(record))


def missing_options(record: Any, options: Mapping[str, Any] | None) -> str:
    """Return why no check can run: fields without default that the author did not give; "" if nothing is missing.

    Raises
    ------
    HookError
        If the options that were given are wrong, or if the record takes none.
    """
    model = getattr(record, "options_model", None)
    if model is None:
        if options:
            msg = (
                f"{record!r} has no options_model, but options={dict(options)!r} were given. Leave them out."
            )
            raise HookError(msg)
        return ""
    try:
        model(**(options or {}))
    except ValidationError as error:
        names = [".".join(map(str, e["loc"])) for e in error.errors() if e["type"] == "missing"]
        if options is None and names:
            return (
                f"its {', '.join(names)} must be given and has no default: "
                f"conformance(RECORD, options={{{names[0]!r}: …}}), or run_checks(RECORD, options=…)"
            )
        if options is None:
            return ""  # defaults that the model itself refuses: a fault that the checks show
        msg = f"The options for {record!r} are wrong: {error}"
        raise HookError(msg) from error
    return ""
