"""Write docs/reference/hooks from the specifications of the hooks: one page for each.

python tools/make_hook_pages.py [folder]
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from pathlib import Path

import drizframe.hooks
from drizframe.hooks import COMPONENT_HOOKS, STAGES, specs

FOLDER = Path(__file__).parents[1] / "docs" / "reference" / "hooks"
HEAD = "<!-- Written by tools/make_hook_pages.py from drizframe/hooks/specs.py; change that. -->\n"


def hooks() -> list[str]:
    """Return the names of all hooks, in the order of the specification."""
    return [n for n in vars(specs) if n.startswith("drizframe_")]


def parts(hook: str) -> tuple[str, str, str]:
    """Return what a hook is for, the heading of its example, and the example, from its docstring."""
    text = inspect.getdoc(getattr(specs, hook)) or ""
    before, _, after = text.partition("\nExample")
    heading, _, code = after.partition("::\n")
    return before.strip(), f"Example{heading}".strip(), textwrap.dedent(code).strip()


def record_of(hook: str) -> str:
    """Return the name of the record that a hook gives or is given."""
    signature = inspect.signature(getattr(specs, hook))
    text = str(signature.return_annotation).strip("'")
    if "event" in signature.parameters:
        return "Event"
    return text.removeprefix("Iterable[").removesuffix("]").removesuffix(" | None")


def kind(hook: str) -> str:
    """Say when a hook is called."""
    if hook in COMPONENT_HOOKS:
        return "Called once, when the registry of components is built. Its names must not be taken by another plugin."
    if hook in STAGES:
        return f"Called while a run is planned, in the main process. The step must be named `{STAGES[hook]}`."
    return {
        "drizframe_extra_steps": "Called while a run is planned, in the main process.",
        "drizframe_commands": "Called when the command line starts.",
    }.get(hook, "Called during a run, in the main process. A listener that fails is logged and dropped.")


def page(hook: str) -> str:
    """Return the page of a hook."""
    purpose, heading, code = parts(hook)
    record = record_of(hook)
    fields = inspect.getdoc(getattr(drizframe.hooks, record)) or ""
    signature = f"def {hook}{inspect.signature(getattr(specs, hook))}".replace("'", "")
    return "\n".join(
        [
            HEAD,
            f"# `{hook}`\n",
            f"{purpose}\n",
            f"{kind(hook)}\n",
            f"```text\n{signature}\n```\n",
            f"## The record: `drizframe.{record}`\n",
            f"```text\n{fields}\n```\n",
            f"## {heading}\n",
            f"```python\n{code}\n```\n",
        ]
    )


def index() -> str:
    """Return the list of all hooks."""
    rows = [f"| [`{h}`]({h}.md) | `{record_of(h)}` | {parts(h)[0].splitlines()[0]} |" for h in hooks()]
    text = (
        "# Hooks\n\nA plugin is a module whose functions have these names and the mark `@drizframe.hookimpl`. Arguments go by "
        "keyword; a function names only those it wants.\n\n| hook | record | what for |\n| --- | --- | --- |\n"
    )
    return f"{HEAD}\n{text}" + "\n".join(rows) + "\n"


def pages() -> dict[str, str]:
    """Return every page by file name."""
    return {"index.md": index()} | {f"{hook}.md": page(hook) for hook in hooks()}


def main() -> None:
    """Write the pages."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")
    print(f"{len(pages())} pages in {folder}")


if __name__ == "__main__":
    main()
