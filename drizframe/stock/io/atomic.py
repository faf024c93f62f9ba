"""Writing files so that they are either whole or not there."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drizframe.errors import OutputError

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
    """Give temporary names in the folders of some files; rename them all at the end, or leave nothing.

    Parameters
    ----------
    *targets : pathlib.Path
        Files to write; existing ones are replaced.

    Yields
    ------
    tuple of pathlib.Path
        Where to write them.

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
    mark = uuid.uuid4().hex[:12]
    temporary = tuple(t.with_name(f".{t.name}.{mark}.part") for t in targets)
    try:
        yield temporary
        for part, target in zip(temporary, targets, strict=True):
            part.replace(target)
    except OutputError:
        raise
    except OSError as error:
        free = shutil.disk_usage(targets[0].parent).free
        names = ", ".join(str(t) for t in targets)
        msg = f"{names} cannot be written: {error} ({free / 2**20:.0f} MiB are free)."
        raise OutputError(msg) from error
    finally:
        for part in temporary:
            part.unlink(missing_ok=True)
