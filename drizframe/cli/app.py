"""The application: it gathers the commands and turns errors into messages."""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable
from typing import Any

import typer

from drizframe.cli import demo, new_plugin, parameters, plugins, run, simulate, truth, validate
from drizframe.errors import DrizframeError, DrizframeWarning, HookError, PluginError, printable, told
from drizframe.system.interrupts import orderly

__all__ = ["app", "main"]

app = typer.Typer(
    name="drizframe", no_args_is_help=True, pretty_exceptions_enable=False,
    help="Combine dithered exposures into one clean image.", context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip
app.command("run", help="Combine exposures.")(run.command)
app.command("demo", help="Combine the bundled exposures and make a preview.")(demo.command)
app.command("simulate", help="Make exposures with known truth.")(simulate.command)
app.command("truth", help="Compare a run over simulated exposures with the truth.")(truth.command)
app.command("plugins", help="List plugins and who provides what.")(plugins.command)
app.command("parameters", help="List parameters with default and meaning.")(parameters.command)
app.command("new-plugin", help="Write a package with a working plugin.")(new_plugin.command)
app.command("validate", help="Check that a component keeps what it promises.")(validate.command)


def _version(value: bool) -> None:
    if value:
        from drizframe._version import __version__

        typer.echo(f"drizframe {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Options before the command."""
    del version


def attach_plugin_commands() -> None:
    """Add the subcommands of plugins."""
    from drizframe.api import manager

    known = {c.name for c in app.registered_commands}
    for plugin, command in manager().collect("drizframe_commands"):
        try:
            _check_command(command)
        except HookError as error:
            manager().report(plugin, error)
            continue
        if command.name in known:
            typer.echo(
                f"warning: the command {command.name!r} of plugin {plugin!r} ({manager().source_of(plugin)}) has the name "
                f"of another one; it is left out.",
                err=True,
            )
            continue
        known.add(command.name)
        whose = f"plugin {plugin!r} of {manager().source_of(plugin)}"
        app.command(command.name, help=command.summary)(_named(command, whose))


def _named(command: Any, whose: str) -> Callable[..., Any]:
    """Return the function of a command of a plugin; what it raises, besides what typer knows, names the plugin."""
    from drizframe.hooks.plugins.answers import place_of

    @functools.wraps(command.function)
    def called(*args: Any, **kwargs: Any) -> Any:
        try:
            return command.function(*args, **kwargs)
        except (DrizframeError, MemoryError, BrokenPipeError):
            raise
        except Exception as error:
            if any(base.__module__.partition(".")[0] in ("click", "typer") for base in type(error).__mro__):
                raise  # how a command ends, or says what is wrong with its arguments
            module = getattr(command.function, "__module__", "")
            msg = f"Command {command.name!r} of {whose} failed: {type(error).__name__}: {told(error)}{place_of(error, module)}."
            raise PluginError(msg) from error

    return called


def _check_command(command: Any) -> None:
    """Refuse what would stop all other commands: no record, or a function that typer does not understand."""
    from drizframe.hooks import Command
    from drizframe.hooks.guard import FAULTS

    if not isinstance(command, Command):
        msg = f"drizframe_commands yields {command!r}; it must yield Command records."
        raise HookError(msg)
    trial = typer.Typer()
    trial.command(command.name, help=command.summary)(command.function)
    try:
        typer.main.get_command(trial)
    except FAULTS as error:
        msg = f"Command {command.name!r} has a function that typer does not understand: {type(error).__name__}: {error}"
        raise HookError(msg) from error


def _shown_plainly(show: Callable[..., None]) -> Callable[..., None]:
    """Return what shows our warnings without the line of code that gave them, which tells a user nothing."""

    def shown(message: Any, category: type[Warning], *where: Any, **more: Any) -> None:
        if issubclass(category, DrizframeWarning) and more.get("file") is None:
            typer.secho(f"warning: {message}", fg="yellow", err=True)
        else:
            show(printable(str(message)), category, *where, **more)

    return shown


def _remove_scratch() -> None:
    """Delete scratch files, if the engine was loaded at all."""
    folders = sys.modules.get("drizframe.engine.scratch_folders")
    if folders is not None:
        folders.close_all()


def main() -> None:
    """Entry point of ``drizframe``: expected errors are one message and exit code 2; a signal ends it as it would."""
    warnings.showwarning = _shown_plainly(warnings.showwarning)
    try:
        with orderly(_remove_scratch, by_interrupt=True):
            attach_plugin_commands()
            app()
    except DrizframeError as error:
        typer.secho(f"{type(error).__name__}: {error}", fg="red", err=True)
        sys.exit(2)
