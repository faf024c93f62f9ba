"""``drizframe validate``: does a component keep what its family and its traits promise."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drizframe.errors import ParameterError, UnknownComponentError, nearest, told

if TYPE_CHECKING:
    from drizframe.testing import Outcome

__all__ = ["command", "find"]

COLOURS = {
    "passed": "green",
    "failed": "red",
    "expected": "yellow",
    "unexpected pass": "red",
    "no sample": "yellow",
}


def command(
    target: Annotated[str, typer.Argument(help="NAME, FAMILY/NAME, module:object, or 'all'.")],
    family: Annotated[str, typer.Option("--family", "-f", help="Family of NAME, such as kernel.")] = "",
    examples: Annotated[
        int, typer.Option("--examples", "-n", min=1, help="Random inputs for each check.")
    ] = 50,
    expect: Annotated[
        list[str] | None, typer.Option("--expect", help="check_name=reason: a check that is known to fail.")
    ] = None,
    sample: Annotated[
        str,
        typer.Option(
            "--sample",
            help="module:object or file.py:object, the sample for readers, writers, instruments, steps.",
        ),
    ] = "",
) -> None:
    """Run all checks of a component and print a report; the exit code is 1 if one fails, or if none could be run."""
    from drizframe.cli.tables import console as made_console

    console = made_console()
    given = load(sample) if sample else None
    good = True
    for record in find(target, family):
        outcomes = report(console, record, examples, parse(expect or []), given)
        good &= all(o.ok for o in outcomes) and (target == "all" or any(o.ran for o in outcomes))
    if not good:
        raise typer.Exit(1)


def parse(texts: list[str]) -> dict[str, str]:
    """Turn ``check_name=reason`` texts into a mapping.

    Raises
    ------
    ParameterError
        If a text has no reason.
    """
    found = {}
    for text in texts:
        name, _, reason = text.partition("=")
        if not reason.strip():
            msg = f"--expect {text!r} gives no reason. Write check_name=reason."
            raise ParameterError(msg)
        found[name.strip()] = reason.strip()
    return found


def find(target: str, family: str = "") -> list[Any]:
    """Return the records that a text names.

    Parameters
    ----------
    target : str
        Name of a component or step, family and name, ``module:object``, or ``all``.
    family : str
        Narrows a name that several families have.

    Raises
    ------
    UnknownComponentError
        If there is no such component.
    ParameterError
        If a module or its object is not there, or the object is no record.
    """
    if ":" in target:
        return _records(target, load(target))
    entries = list(known())
    if "/" in target and not family:
        family, _, target = target.partition("/")
    families = {f for f, _ in entries}
    if family and family not in families:
        near = nearest(family, families)
        hint = f" Did you mean {near!r}?" if near else ""
        msg = f"There is no family {family!r}.{hint} Choose one of: {', '.join(sorted(families))}."
        raise ParameterError(msg)
    if target == "all":
        return [r for f, r in entries if not family or f == family]
    found = [r for f, r in entries if r.name == target and (not family or f == family)]
    if not found:
        names = {r.name for f, r in entries if not family or f == family}
        raise UnknownComponentError(family or "component", target, names, _unusable(target))
    return found


def _records(target: str, loaded: Any) -> list[Any]:
    """Return what was loaded as a list of records; refuse everything else."""
    from drizframe.hooks import Component, Step

    records = list(loaded) if isinstance(loaded, list | tuple) else [loaded]
    wrong = [r for r in records if not isinstance(r, Component | Step)]
    if wrong or not records:
        came = f"holds {wrong[0]!r}" if wrong and wrong != [loaded] else f"is {loaded!r}"
        msg = f"{target!r} {came}, which is no record. Name a component such as drizframe.Kernel(…), a Step, or a list of them."
        raise ParameterError(msg)
    return records


def _unusable(target: str) -> str:
    """Return which plugins are switched off or cannot be used, for the end of a message."""
    from drizframe import api

    failed = [f"\n* {p.name} of {p.source} failed: {p.error}" for p in api.manager().failures]
    off = api.manager().switched_off(target)
    broken = (
        f"Some plugins cannot be used, so what they give is not there:{''.join(failed)}" if failed else ""
    )
    return f"{off} {broken}".strip()


def _with_steps_beside(record: Any, sample: Any) -> Any:
    """Let the other steps of the same plugin run in the sample of a step: it may need their planes."""
    from drizframe import api
    from drizframe.hooks import STAGES, Step
    from drizframe.hooks.markers import is_ours

    if not isinstance(record, Step) or sample is None or is_ours(record.provider):
        return sample
    others = [s for s in api.manager().steps() if s.provider == record.provider and s.name != record.name]
    return dataclasses.replace(sample, steps=[s for s in others if s.name not in STAGES.values()])


def known() -> Iterator[tuple[str, Any]]:
    """Yield family and record of every component and step; what plugins fail to give is left out."""
    from drizframe import api

    for entry in api.registry():
        yield entry.record.family, entry.record
    for step in api.manager().steps():
        yield "step", step


def load(text: str) -> Any:
    """Import ``module:object``, where the current folder is looked at too, or ``path/to/file.py:object``.

    Raises
    ------
    ParameterError
        If it cannot be imported.
    """
    from drizframe.hooks.guard import FAULTS
    from drizframe.hooks.plugins.answers import place_of

    module, _, name = text.rpartition(":")
    if not module or not name:
        msg = f"{text!r} is no module:object. Write for example mypackage.kernels:HAT, or tests/test_mine.py:SAMPLE."
        raise ParameterError(msg)
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = _of_file(Path(module)) if module.endswith(".py") else importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except FAULTS as error:
        where = place_of(error, Path(module).stem if module.endswith(".py") else module)
        msg = (
            f"{text!r} cannot be loaded: {type(error).__name__}: {told(error)}{where}. "
            f"Write module:object, such as mypackage.kernels:HAT, or file.py:object, such as tests/test_mine.py:SAMPLE."
        )
        raise ParameterError(msg) from error
    return found


def _of_file(path: Path) -> Any:
    """Import a file as pytest does: what lies beside it can be imported too."""
    if not path.is_file():
        msg = f"there is no file {str(path)!r}"
        raise FileNotFoundError(msg)
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec: Any = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[path.stem]
        raise
    return module


def report(console: Any, record: Any, examples: int, expected: dict[str, str], sample: Any) -> list[Outcome]:
    """Run the checks of a record and print a table; return what became of them."""
    from rich.table import Table

    from drizframe import testing
    from drizframe.testing.checking import family_of
    from drizframe.testing.known import known_failures

    family = family_of(record)
    mine = {c.name for c in testing.checks_for(record)}
    unknown = sorted(set(expected) - {c.name for c in testing.all_checks()})
    if unknown:
        msg = f"--expect names {', '.join(unknown)}, which is no check. {record!r} gets: {', '.join(sorted(mine))}."
        raise ParameterError(msg)
    # with several records, an announced failure is for those that get the check
    announced = {**known_failures(record), **{k: v for k, v in expected.items() if k in mine}}
    given = sample or _with_steps_beside(record, testing.stock_sample(record))
    with testing.examples(examples):
        outcomes = list(testing.run_checks(record, sample=given, expected_failures=announced))
    table = Table("check", "result", "seconds", "note", title=f"{family} {record.name!r}")
    for o in outcomes:
        note = o.text.splitlines()[0] if o.text else ""
        table.add_row(o.check, f"[{COLOURS[o.state]}]{o.state}[/]", f"{o.seconds:.2f}", note)
    console.print(table)
    for o in outcomes:
        if not o.ok:
            console.print(f"\n{o.check}", style="bold red")
            console.print(o.text, markup=False, soft_wrap=True)
    console.print(summary(outcomes))
    console.print(_with_processes(record), markup=False, soft_wrap=True)
    if not any(o.ran for o in outcomes):
        console.print(_nothing_ran(family, record, outcomes), style="bold red", markup=False, soft_wrap=True)
    return outcomes


def _with_processes(record: Any) -> str:
    """Say whether worker processes can use a record."""
    from drizframe import api
    from drizframe.engine.sending import why_at_home

    why = why_at_home(record, api.registry())
    if not why:
        return "Works with executor='processes'."
    return f"Does not work with executor='processes' as it is. {why}"


def _nothing_ran(family: str, record: Any, outcomes: list[Outcome]) -> str:
    """Say that a record was not checked at all, and what would change that."""
    from drizframe.testing.checking import NO_SAMPLE

    what = f"No check ran: {family} {record.name!r} is not validated."
    if not outcomes:
        return f"{what} There is no check for it."
    if not outcomes[0].text.startswith(NO_SAMPLE):  # parameters without a default, which the text names
        return f"{what} {outcomes[0].text}"
    return (
        f"{what} Give --sample module:NAME, or --sample tests/test_mine.py:NAME: an object that says how a {family} is tried. "
        f"docs/how-to/test.md, section Samples, has one for each family."
    )


def summary(outcomes: list[Outcome]) -> str:
    """Return how many checks came out how."""
    states = list(dict.fromkeys(o.state for o in outcomes))
    return ", ".join(f"{sum(o.state == s for o in outcomes)} {s}" for s in states)
