"""Writing files so that they are either whole or not there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from drizframe.errors import OutputError
from drizframe.system.staging import Staging, check_folder, unwritable
from drizframe.system.transaction import Transaction, current

__all__ = ["check_folder", "staged"]


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
    outer = current()
    transaction = outer or Transaction(", ".join(str(t) for t in targets))
    staging = Staging()
    try:
        yield tuple(staging.file(t) for t in targets)
        staging.hand_over(transaction)
        if outer is None:
            transaction.commit()
    except OutputError:
        raise
    except OSError as error:
        raise unwritable(list(targets), error) from error
    finally:
        staging.discard()
        if outer is None:
            transaction.discard()
