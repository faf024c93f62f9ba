"""``drizframe run``: combine exposures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drizframe.config.toml import merged, read_toml
from drizframe.errors import ParameterError

if TYPE_CHECKING:
    from drizframe.api import Result

__all__ = ["command", "parse_settings", "summary"]


def parse_settings(settings: list[str]) -> dict[str, Any]:
    """Turn ``name=value`` texts into parameters; ``section.name=value`` goes to a plugin's section.

    Raises
    ------
    ParameterError
        If a text has no ``=``.
    """
    values: dict[str, Any] = {}
    plugins: dict[str, dict[str, str]] = {}
    for text in settings:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            msg = f"--set {text!r} is not name=value. Example: --set final_scale=0.04"
            raise ParameterError(msg)
        section, dot, key = name.strip().partition(".")
        if dot and not (section and key):
            msg = f"--set {text!r}: a plugin's parameter is section.name=value. Example: --set lacosmic.sigclip=4"
            raise ParameterError(msg)
        if dot:
            plugins.setdefault(section, {})[key] = value.strip()
        else:
            values[section] = value.strip()
    if plugins:
        values["plugins"] = plugins
    return values


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
    output: Annotated[str, typer.Option("--output", "-o", help="Root of the product names.")] = "",
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
) -> None:
    """Combine exposures and write the products."""
    from drizframe import api
    from drizframe.report.progress import ProgressBar

    _refuse_settings(files)
    values = parse_settings(settings or [])
    if config is not None:
        values = merged(read_toml(config), values)
    inputs: Any = files[0] if len(files) == 1 else files
    root = output or "final"
    if quiet:
        result = api.run(inputs, root, **values)
    else:
        with ProgressBar() as bar:
            result = api.run(inputs, root, listeners=[bar], **values)
    if preview and result.mosaic is not None:
        from drizframe.report.preview import write_preview

        result.products.append(write_preview(result.mosaic, Path(f"{root}_preview.png")))
    summary(result)


def summary(result: Result) -> None:
    """Print what was done and where to look."""
    from rich.console import Console

    console = Console(highlight=False)
    for line in result.describe():
        console.print(line, markup=False, soft_wrap=True)
