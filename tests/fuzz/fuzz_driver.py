"""Hostile inputs by the thousand: cases made from seeds, run in processes with limits, and sorted by what came.

    python tests/fuzz/fuzz_driver.py files calls --count 5000 --workers 2 --save failures
    python tests/fuzz/fuzz_driver.py --replay failures/files-123.json

A subject is a module ``fuzz_<subject>`` with two functions:

``make(seed) -> dict``
    The case of a seed, as plain JSON.  It says all: a kept case means the same after mutators have changed.
``run(case, folder)``
    Runs it in an empty folder.  Returns, or raises an error of drizframe: both are right.  Raises `Wrong` where what
    came back breaks a promise.  Any other exception is a fault, and so are a process that dies, a case that takes more
    than `SECONDS` of CPU time, and one that wants more than `MEMORY` beyond what the process had.

Cases that once failed are kept in ``known/<subject>.json`` and run first.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

__all__ = ["FAULTS", "MEMORY", "SECONDS", "Outcome", "Wrong", "known", "main", "run_cases"]

HERE = Path(__file__).parent
#: CPU seconds of one case.
SECONDS = 60.0
#: Wall-clock seconds after which a case that uses no CPU time is taken to hang.
WALL = 300.0
#: Bytes that one case may have.
MEMORY = 2 * 2**30
#: Cases of one process.
BATCH = 200
#: Outcomes that fail.
FAULTS = ("bare", "wrong", "memory", "hang", "crash")


class Wrong(Exception):  # noqa: N818  (a verdict)
    """What came back breaks a promise: NaN where there is weight, a file that was changed, a name that is missing."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one case: ``ok``, ``refused`` (an error of drizframe), or one of `FAULTS`."""

    subject: str
    case: dict[str, Any]
    kind: str
    text: str = ""
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        return self.kind in FAULTS

    def __str__(self) -> str:
        short = json.dumps(self.case)
        short = short if len(short) < 400 else short[:400] + " ..."
        return f"{self.kind:8} {self.subject} {short}\n         {self.text.strip()}"


def known(subject: str) -> list[dict[str, Any]]:
    """Return the kept cases of a subject."""
    path = HERE / "known" / f"{subject}.json"
    cases: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    return cases


def _environment() -> dict[str, str]:
    """One thread for each library: their stacks would count as memory."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**os.environ, **threads, "MALLOC_ARENA_MAX": "2"}


class _Worker:
    """A process that runs cases one after the other and tells what came of each."""

    def __init__(self, subject: str, folder: Path, seconds: float, memory: int) -> None:
        command = [
            sys.executable,
            str(HERE / "fuzz_worker.py"),
            subject,
            str(folder),
            str(seconds),
            str(memory),
        ]
        self.errors = (folder / "stderr").open("w+b")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
            env=_environment(), start_new_session=True,
        )  # fmt: skip
        self.lines: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put("")

    def ask(self, case: dict[str, Any], wall: float) -> tuple[str, str]:
        """Return kind and text of the outcome; afterwards the process may be gone."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(case) + "\n")
            self.process.stdin.flush()
            answer = self.lines.get(timeout=wall)
        except BrokenPipeError:
            answer = ""
        except queue.Empty:
            self.end()
            return "hang", f"no answer after {wall:g} s"
        if answer:
            kind, text = json.loads(answer)
            return kind, text
        code = self.process.wait()
        self.errors.seek(0)
        said = self.errors.read().decode(errors="replace").strip().splitlines()
        said = [line for line in said if line.strip()][-12:]
        if code == -signal.SIGPROF:
            return "hang", "too much CPU time; " + " | ".join(said)
        return "crash", f"the process ended with status {code}: " + " | ".join(said)

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def end(self) -> None:
        """End the process and close what belongs to it."""
        if self.alive:
            self.process.kill()
        self.process.wait()
        self.reader.join()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue  # what was still buffered for a process that is gone


def _work(
    jobs: queue.SimpleQueue[tuple[str, dict[str, Any]] | None], done: queue.SimpleQueue[Outcome | None], folder: Path,
    seconds: float, memory: int, wall: float,
) -> None:  # fmt: skip
    """Take jobs until there is none."""
    worker: _Worker | None = None
    current, count = "", 0
    while (job := jobs.get()) is not None:
        subject, case = job
        if worker is not None and (not worker.alive or count >= BATCH or current != subject):
            worker.end()
            worker = None
        if worker is None:
            worker, current, count = _Worker(subject, folder, seconds, memory), subject, 0
        start = time.monotonic()
        kind, text = worker.ask(case, wall)
        count += 1
        done.put(Outcome(subject=subject, case=case, kind=kind, text=text, seconds=time.monotonic() - start))
    if worker is not None:
        worker.end()
    done.put(None)


def run_cases(
    jobs: Iterable[tuple[str, dict[str, Any]]], folder: Path, *, workers: int = 1, seconds: float = SECONDS,
    memory: int = MEMORY, wall: float = WALL,
) -> Iterator[Outcome]:  # fmt: skip
    """Run cases in processes; yield what came of each, in the order in which they end.

    Parameters
    ----------
    jobs : iterable of (str, dict)
        Subjects and cases.
    folder : pathlib.Path
        For their files.
    workers : int
        Processes at a time.
    seconds, memory, wall
        Limits of a case.
    """
    todo: queue.SimpleQueue[Any] = queue.SimpleQueue()
    done: queue.SimpleQueue[Outcome | None] = queue.SimpleQueue()
    for job in jobs:
        todo.put(job)
    threads = []
    for number in range(workers):
        todo.put(None)
        own = folder / f"worker{number}"
        own.mkdir(parents=True, exist_ok=True)
        threads.append(
            threading.Thread(target=_work, args=(todo, done, own, seconds, memory, wall), daemon=True)
        )
    for thread in threads:
        thread.start()
    ended = 0
    while ended < workers:
        outcome = done.get()
        if outcome is None:
            ended += 1
        else:
            yield outcome
    for thread in threads:
        thread.join()


def jobs_of(subjects: Sequence[str], seeds: range) -> list[tuple[str, dict[str, Any]]]:
    """Return the kept cases of subjects, then those of seeds."""
    import importlib

    jobs = []
    for subject in subjects:
        make = importlib.import_module(f"fuzz_{subject}").make
        jobs += [(subject, case) for case in known(subject)]
        jobs += [(subject, make(seed)) for seed in seeds]
    return jobs


def _save(outcome: Outcome, folder: Path, number: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{outcome.subject}-{outcome.case.get('seed', number)}.json"
    path.write_text(json.dumps(dataclasses.asdict(outcome), indent=1), encoding="utf-8")
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; return 1 if a case failed."""
    import tempfile

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("subjects", nargs="*", default=["files"], help="what to try (default: files)")
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--count", type=int, default=300, help="number of seeds of each subject")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="CPU time of a case")
    parser.add_argument("--save", type=Path, default=None, help="folder for cases that fail")
    parser.add_argument("--replay", type=Path, nargs="*", default=(), help="saved cases, in place of seeds")
    given = parser.parse_args(arguments)
    sys.path.insert(0, str(HERE))
    if given.replay:
        saved = [json.loads(p.read_text(encoding="utf-8")) for p in given.replay]
        jobs = [(s["subject"], s["case"]) for s in saved]
    else:
        jobs = jobs_of(given.subjects, range(given.first, given.first + given.count))
    counts: collections.Counter[str] = collections.Counter()
    start, slowest = time.monotonic(), 0.0
    with tempfile.TemporaryDirectory(prefix="drizframe-fuzz-") as scratch:
        for outcome in run_cases(jobs, Path(scratch), workers=given.workers, seconds=given.seconds):
            counts[outcome.kind] += 1
            slowest = max(slowest, outcome.seconds)
            if outcome.failed or given.replay:
                print(outcome, flush=True)
            if outcome.failed and given.save is not None:
                print("         saved as", _save(outcome, given.save, sum(counts.values())))
    told = ", ".join(f"{counts[k]} {k}" for k in ("ok", "refused", *FAULTS))
    print(
        f"{sum(counts.values())} cases in {time.monotonic() - start:.0f} s (slowest {slowest:.1f} s): {told}"
    )
    return int(any(counts[k] for k in FAULTS))


if __name__ == "__main__":
    sys.exit(main())
