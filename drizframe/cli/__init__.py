"""The command line: one module a command."""

from drizframe.cli.app import app, main

__all__ = ["app", "main"]
