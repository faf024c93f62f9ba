"""Writing files so that they are either whole or not there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from drizframe.errors import OutputError, told
from drizframe.system.temporary import beside, create
from drizframe.system.transaction import Transaction, current

__all__ = ["check_folder", "staged"]


def check_folder(folder: Path) -> None:
    """Raise `OutputError` unless files can be written into a folder.

    Parameters
    ----------
    folder : pathlib.Path
    """
    if not folder.is_dir():
        msg = f"The folder {str(folder)!r} does not exist. Make it, or give another output."
        raise OutputError(msg)
    if not os.access(folder, os.W_OK | os.X_OK):
        msg = f"The folder {str(folder)!r} is not writable. Change its permissions, or give another output."
        raise OutputError(msg)


@contextmanager
def staged(*targets: Path) -> Iterator[tuple[Path, ...]]:
    """Make temporary files in the folders of some files; rename them all at the end, or leave nothing.

    Within a block of `together` they are renamed at its end.

    Parameters
    ----------
    *targets : pathlib.Path
        Files to write; existing ones are replaced.

    Yields
    ------
    tuple of pathlib.Path
        Where to write them; there are empty files.

    Raises
    ------
    OutputError
        If a folder is missing or not writable, or the disk is full.
    """
    for target in targets:
        check_folder(target.parent)
        if target.is_dir():
            msg = (
                f"{str(target)!r} is a folder; a product of that name cannot be written. Give another output."
            )
            raise OutputError(msg)
    temporary = tuple(beside(t) for t in targets)
    names = ", ".join(str(t) for t in targets)
    outer = current()
    transaction = outer or Transaction(names)
    handed_over = False
    try:
        for part in temporary:
            create(part)
        yield temporary
        for part, target in zip(temporary, targets, strict=True):
            transaction.add(part, target)
        handed_over = outer is not None
        if outer is None:
            transaction.commit()
    except OutputError:
        raise
    except OSError as error:
        free = shutil.disk_usage(targets[0].parent).free
        msg = f"{names} cannot be written: {told(error)} ({free / 2**20:.0f} MiB are free)."
        raise OutputError(msg) from error
    finally:
        for part in () if handed_over else temporary:
            with suppress(OSError):  # what stays, a later run removes
                part.unlink(missing_ok=True)
