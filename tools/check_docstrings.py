"""Hold the docstrings of what is public to numpydoc: parameters and what is returned stand in them, all and no others.

    python tools/check_docstrings.py

Public are the functions and classes in the ``__all__`` of the modules in `PUBLIC`; but of the checks of components, which all
take what they check, the promise is enough. The hook of pre-commit reads sources, and so sees neither the fields of
dataclasses nor signatures that decorators make; here they are imported.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from typing import Any

from numpydoc.docscrape import get_doc_object
from numpydoc.validate import Validator, validate

#: Modules that users, and authors of plugins, import from.
PUBLIC = (
    "drizframe", "drizframe.astrodrizzle", "drizframe.data", "drizframe.errors", "drizframe.headers",
    "drizframe.hooks", "drizframe.model", "drizframe.resample", "drizframe.simulate", "drizframe.testing", "drizframe.utils",
)  # fmt: skip
#: Undocumented, unknown or misplaced parameters, those without a description, and no section for what is returned.
CODES = {"PR01", "PR02", "PR03", "PR04", "RT01"}


class Docstring(Validator):
    """As numpydoc sees it; a strategy that Hypothesis has made of a function has no source, and returns something."""

    def __init__(self, obj_name: str) -> None:
        super().__init__(get_doc_object(self._load_obj(obj_name)))

    @property
    def method_source(self) -> str:
        """The source of a function."""
        try:
            return str(super().method_source)
        except OSError:
            return "def strategy():\n    return 1"


def ours(thing: Any) -> bool:
    """Whether something is a function or a class of drizframe."""
    return (inspect.isclass(thing) or inspect.isroutine(thing)) and str(thing.__module__).startswith(
        "drizframe"
    )


def public() -> dict[str, Any]:
    """Return everything public once, by its full name."""
    found: dict[int, tuple[str, Any]] = {}
    for module_name in PUBLIC:
        module = importlib.import_module(module_name)
        for name in module.__all__:
            thing = getattr(module, name)
            if ours(thing) and not name.startswith("check_"):
                found.setdefault(id(thing), (f"{module_name}.{name}", thing))
    return dict(found.values())


def documented(cls: type) -> set[str]:
    """Return the parameters that the bases of a class document, and those whose descriptions are fields of pydantic's."""
    names = {
        name
        for base in cls.__mro__[1:]
        if ours(base)
        for name in Validator(get_doc_object(base)).doc_parameters
    }
    fields = getattr(cls, "model_fields", {})
    return names | {name for name, field in fields.items() if field.description}


def faults(name: str, thing: Any) -> Iterator[tuple[str, str]]:
    """Yield code and text of what is wrong with a docstring."""
    if getattr(thing, "_is_protocol", False):
        return  # nobody calls it
    known = documented(thing) if inspect.isclass(thing) else set()
    for code, text in validate(name, validator_cls=Docstring)["errors"]:
        undocumented = set(re.findall(r"'(\*{0,2}\w+)'", text)) - known
        if code != "PR01":
            yield from [(code, text)] if code in CODES else []
        elif undocumented:
            yield code, f"Parameters {sorted(undocumented)} not documented"


def main() -> int:
    """Print what is wrong; 1 if anything is."""
    count, things = 0, public()
    for name, thing in things.items():
        for code, text in faults(name, thing):
            print(f"{inspect.getmodule(thing).__name__}: {name}: {code} {text}")
            count += 1
    print(f"{len(things)} docstrings, {count} faults")
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main())
