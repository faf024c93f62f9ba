"""Write docs/reference/hooks from the specifications of the hooks, one page for each, and the pages of planes and traits.

python tools/make_hook_pages.py [folder]
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from pathlib import Path

import drizframe.hooks
from drizframe.engine.bound import declared_planes
from drizframe.hooks import COMPONENT_HOOKS, STAGES, TRAITS, Need, PluginManager, specs
from drizframe.model import INPUTS, Plane

FOLDER = Path(__file__).parents[1] / "docs" / "reference" / "hooks"
HEAD = "<!-- Written by tools/make_hook_pages.py from drizframe/hooks/specs.py; change that. -->\n"
PLANES_HEAD = HEAD.replace(
    "drizframe/hooks/specs.py; change that", "the planes that steps declare; change those"
)
TRAITS_HEAD = HEAD.replace("hooks/specs", "hooks/records")


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
    }.get(
        hook,
        "Called during a run, in the main process, in the order of pluggy (the plugin that was registered last comes first). A "
        "listener that fails is dropped for the rest of the run, and `Result.warnings` says so.",
    )


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
        "keyword; a function names only those it wants. Which plugin comes first, and what else the mark can say "
        "(`tryfirst`, `trylast`, `specname`, `wrapper`): [order and precedence](../../how-to/plugins.md#order-and-precedence)."
        "\n\n| hook | record | what for |\n| --- | --- | --- |\n"
    )
    after = (
        "Records name planes and traits: [planes](../planes.md), [traits](../traits.md). How to write each kind: "
        "[plugins](../../how-to/plugins.md).\n"
    )
    return f"{HEAD}\n{text}" + "\n".join(rows) + f"\n\n{after}"


def _names(names: list[str]) -> str:
    return ", ".join(f"`{n}`" for n in names)


def _place(plane: Plane) -> tuple[bool, int]:
    """Sort the planes of exposures first, then by what they belong to."""
    return plane not in INPUTS, ("chip", "exposure", "frame", "run").index(plane.on)


def _what(plane: Plane) -> str:
    """Return kind and type of a plane."""
    if plane.kind != "value":
        return f"{plane.kind}, {plane.dtype}"
    types = plane.value if isinstance(plane.value, tuple) else (plane.value,) if plane.value else ()
    return f"value, {' or '.join(f'`{t.__name__}`' for t in types)}" if types else "value"


def planes() -> str:
    """Return the page of the planes: what they are, and which steps make and read them."""
    steps = PluginManager(installed=False).steps()
    rows = []
    for name, plane in sorted(declared_planes(steps).items(), key=lambda item: _place(item[1])):
        makers = [s.name for s in steps if name in s.produces and name not in s.consumes]
        readers = [s.name for s in steps if name in s.consumes]
        where = f"frame `{plane.grid}`" if plane.on == "frame" else plane.on
        rows.append(
            f"| `{name}` | {where} | {_what(plane)} | {plane.meaning} | {_names(makers) or 'the exposures'} | {_names(readers)} |"
        )
    text = (
        "# Planes\n\nA plane is a named image, or a value, of a chip, an exposure, an output frame or the run. The step that makes it "
        "declares it with a `Plane` record; from that drizframe knows what shape and type the answer must have. A step names those "
        "it reads (`needs`) and makes (`makes`); their order is the order of the steps, and `job.read(name)` gives one. A plugin "
        "declares planes of its own; let their names begin with its name and a dot.\n\n"
        "| plane | of each | kind | what it holds | made by | read by |\n| --- | --- | --- | --- | --- | --- |\n"
    )
    return f"{PLANES_HEAD}\n{text}" + "\n".join(rows) + (
        "\n\n## The records\n\n"
        f"`drizframe.Plane`:\n\n```text\n{inspect.getdoc(Plane)}\n```\n\n"
        f"`drizframe.Need`, what a step reads:\n\n```text\n{inspect.getdoc(Need)}\n```\n\n"
        "A plane belongs to a unit: `drizframe.ChipUnit(exposure, chip)`, `ExposureUnit(exposure)`, `FrameUnit(name)`, all counted "
        "from 0. A step returns planes of its own unit by their names, and others as `PlaneKey(name, unit)`.\n\n"
        "How to write a step: [step](../how-to/step.md). The hook: "
        "[drizframe_extra_steps](hooks/drizframe_extra_steps.md).\n"
    )  # fmt: skip


def traits() -> str:
    """Return the page of the traits: what is promised, and which families have a check of it."""
    from drizframe.testing import all_checks

    rows = []
    for name, text in TRAITS.items():
        family, colon, meaning = text.partition(": ")
        checked = sorted(
            {f for c in all_checks() if name in c.traits for f in (c.families or {"every family"})}
        )
        named = family.replace("detector", "cosmic-ray detector") if colon else ", ".join(checked) or "any"
        check = ", ".join(sorted({f"`{c.name}`" for c in all_checks() if name in c.traits}))
        rows.append(f"| `{name}` | {named} | {meaning if colon else text} | {check} |")
    text = (
        '# Traits\n\nWhat a component promises, `traits={"linear"}` in its record. The conformance kit (`@conformance`, `drizframe '
        "validate`) tests each promise that is made, so promise only what holds. Those that begin with `needs_` are "
        "wishes: drizframe gives such a component what it needs.\n\n`rotation_invariant` means rotations by 90, 180 and 270 "
        "degrees, under which the pixel grid stays the same, not by any angle.\n\n"
        "| trait | families | what it says | tested by |\n| --- | --- | --- | --- |\n"
    )
    return f"{TRAITS_HEAD}\n{text}" + "\n".join(rows) + "\n\nThe hooks: [all of them](hooks/index.md).\n"


def pages() -> dict[str, str]:
    """Return every page by file name."""
    return {"index.md": index()} | {f"{hook}.md": page(hook) for hook in hooks()}


def lists() -> dict[str, str]:
    """Return the pages of names, which stand beside the folder of the hooks."""
    return {"planes.md": planes(), "traits.md": traits()}


def main() -> None:
    """Write the pages."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")
    for name, text in lists().items():
        (folder.parent / name).write_text(text, encoding="utf-8")
    print(f"{len(pages()) + len(lists())} pages in {folder}")


if __name__ == "__main__":
    main()
