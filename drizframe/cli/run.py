"""``drizframe run``: combine exposures."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from traceback import format_exception
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drizframe.config.toml import SetText, merged, read_toml
from drizframe.errors import DrizframeError, ParameterError, PluginError, printable

if TYPE_CHECKING:
    from drizframe.api import Result

__all__ = ["command", "parse_settings", "summary"]


def parse_settings(settings: list[str]) -> dict[str, Any]:
    """Turn ``name=value`` texts into parameters; ``section.name=value`` goes to a plugin's section.

    Values of sections may be of TOML: ``mine.list=[1,2]``, ``mine.flag=true``, ``mine.table={a=3}`` or ``mine.table.a=3``.

    Raises
    ------
    ParameterError
        If a text has no ``=``, or gives all sections at once.
    """
    values: dict[str, Any] = {}
    plugins: dict[str, Any] = {}
    for text in settings:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not name:
            msg = f"--set {text!r} is not name=value. Example: --set final_scale=0.04"
            raise ParameterError(msg)
        if name == "plugins" or name.startswith("plugins."):
            msg = f"--set {text!r}: give parameters of plugins one by one. Example: --set lacosmic.sigclip=4"
            raise ParameterError(msg)
        if "." in name:
            _put(plugins, name.split("."), value, text)
        else:
            values[name] = value
    if plugins:
        values["plugins"] = plugins
    return values


def _put(plugins: dict[str, Any], path: list[str], value: str, text: str) -> None:
    """Put a value at its place in the sections."""
    if not all(path):
        msg = f"--set {text!r}: a plugin's parameter is section.name=value. Example: --set lacosmic.sigclip=4"
        raise ParameterError(msg)
    table = plugins
    for part in path[:-1]:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            msg = f"--set {text!r}: {part!r} has a value already. Give the whole table, or each of its names."
            raise ParameterError(msg)
    if isinstance(table.get(path[-1]), dict):
        msg = f"--set {text!r}: names of {path[-1]!r} were given already. Give the whole table, or each of its names."
        raise ParameterError(msg)
    table[path[-1]] = SetText(value)


def _refuse_settings(files: list[str]) -> None:
    """Refuse a parameter where a file is wanted: its --set was forgotten."""
    from drizframe.config import Parameters

    for text in files:
        name = text.partition("=")[0].strip()
        if "=" in text and name in Parameters.model_fields:
            msg = f"{text!r} is a parameter, not a file. Write --set {text}"
            raise ParameterError(msg)


def command(
    files: Annotated[
        list[str], typer.Argument(help="Files, quoted wildcards, @lists or association tables.")
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", help="Root of the product names; final if it is not given.")
    ] = "",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", help="A parameter, name=value; of a plugin, section.name=value."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="A TOML file of parameters; --set wins.")
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview/--no-preview", help="Also write a PNG of the mosaic.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite", help="Replace files that are no products of these inputs and this output."
        ),
    ] = False,
    traceback: Annotated[
        bool,
        typer.Option("--traceback", help="Where an error of a plugin arose: print the Python traceback too."),
    ] = False,
) -> None:
    """Combine exposures and write the products."""
    from drizframe import api
    from drizframe.report.progress import ProgressBar

    _refuse_settings(files)
    values = parse_settings(settings or [])
    if config is not None:
        values = merged(read_toml(config), values)
    if overwrite:
        values["overwrite_products"] = True
    inputs: Any = files[0] if len(files) == 1 else files
    root = output or "final"
    with _traced(traceback):
        if quiet:
            result = api.run(inputs, root, **values)
        else:
            with ProgressBar() as bar:
                result = api.run(inputs, root, listeners=[bar], **values)
    if preview and result.mosaic is not None:
        from drizframe.report.preview import write_preview

        result.products.append(write_preview(result.mosaic, Path(f"{root}_preview.png")))
    summary(result)


@contextlib.contextmanager
def _traced(wanted: bool) -> Iterator[None]:
    """Print the traceback of an error, if it is wanted; else say, of an error that a plugin raised, that it can be had."""
    try:
        yield
    except DrizframeError as error:
        if wanted:
            sys.stderr.write("".join(format_exception(error)))
        elif isinstance(error, PluginError) and error.__cause__ is not None:
            error.args = (
                f"{str(error).rstrip('.')}. The option --traceback shows where it arose.",
                *error.args[1:],
            )
        raise


def summary(result: Result) -> None:
    """Print what was done and where to look; warnings were printed when they came."""
    from drizframe.cli.tables import console

    out = console()
    told = {f"warning: {text}" for text in result.warnings}
    for line in result.describe():
        if line not in told:
            out.print(printable(line, keep=""), markup=False, soft_wrap=True)
    if told:
        out.print(f"warnings: {len(result.warnings)}, see above", markup=False)
