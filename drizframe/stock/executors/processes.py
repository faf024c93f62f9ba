"""The executor ``processes``.

Several tasks at a time in processes of their own, started afresh (spawn): loops that hold the interpreter's lock run beside each
other, and each worker has what installed packages provide.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable
from concurrent.futures import Executor as Pool
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import connection

from drizframe.errors import RunError
from drizframe.hooks import Executor, hookimpl
from drizframe.system.memory import give_back_at_once

__all__ = ["PROCESSES", "processes"]


def _begin(threads: int) -> None:
    """Prepare a worker: Ctrl-C is the business of the run, and no worker outlives it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # compiled code of plugins that starts threads of its own leaves the other workers their cores
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    give_back_at_once()
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    """End this process when that of the run has ended, in whatever way."""
    connection.wait([sentinel])
    os._exit(1)


def processes(workers: int) -> Pool:
    """Return a pool of processes.

    Parameters
    ----------
    workers : int
        Processes; OMP_NUM_THREADS, if it is not set, shares the cores among them.

    Raises
    ------
    RunError
        In a process that has just been started and still reads the program, or that may start none.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        msg = (
            "This is a worker process that reads the program again, and comes upon a run. Call drizframe under "
            "`if __name__ == '__main__':`."
        )
        raise RunError(msg)
    if multiprocessing.current_process().daemon:
        msg = (
            "This is a daemonic process, such as a worker of multiprocessing.Pool, and these cannot start processes. Choose "
            "executor='threads' here."
        )
        raise RunError(msg)
    return ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(max(1, (os.cpu_count() or 1) // workers),),
    )


PROCESSES = Executor(
    name="processes",
    summary="Several tasks at a time in processes.",
    open=processes,
    shares_memory=False,
    traits=frozenset({"picklable"}),
)


@hookimpl
def drizframe_executors() -> Iterable[Executor]:
    """Provide the executor."""
    yield PROCESSES
