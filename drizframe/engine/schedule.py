"""Carrying out a plan."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

from drizframe.engine.budget import Budget
from drizframe.engine.bus import Bus
from drizframe.engine.chains import Chain, chains_of, tasks_of, windows_of
from drizframe.engine.context import RunContext
from drizframe.engine.keeping import commit, fill, keep, prepare
from drizframe.engine.loading import check_inputs
from drizframe.engine.plan import Plan
from drizframe.engine.pool import results_of
from drizframe.engine.remote import Workers
from drizframe.engine.resuming import Resumption, Work, receipts
from drizframe.engine.seen import Seen
from drizframe.engine.store import Store
from drizframe.engine.uses import Uses
from drizframe.engine.worker import Receipt, Task, execute, failed_step
from drizframe.errors import DrizframeError, MaskWarning, PluginError
from drizframe.hooks import FAULTS, Registry
from drizframe.hooks.guard import culprit_of
from drizframe.model import FrameUnit, PlaneKey, Window
from drizframe.system.memory import Watch, give_back

__all__ = ["carry_out"]


def _tasks(context: RunContext, chain: Chain) -> list[Task]:
    """List the calls of a step, or of the steps of a chain together."""
    plan, step = context.plan, chain.steps[0]
    if len(chain.steps) > 1:
        return [Task(context, step, unit, window, chain) for unit, window in tasks_of(plan, chain)]
    if step.over == "band":
        return [Task(context, step, u, w) for u in plan.chips for w in plan.bands(u)]
    if step.over != "tile":
        return [Task(context, step, unit) for unit in plan.unit_list(step.over)]
    if step.grid == "exposure":
        return [
            Task(context, step, u, w)
            for u in plan.unit_list("exposure")
            for w in plan.tiles(plan.footprint(u))
        ]
    frame = plan.frames[step.grid]
    rows = None
    if step.grid == "separate" and plan.parameters.combine_bufsize is not None:
        pixels = min(frame.shape[1], plan.parameters.tile_size)
        rows = max(1, int(plan.parameters.combine_bufsize * 2**20 / (4 * pixels)))
    return [Task(context, step, FrameUnit(step.grid), w) for w in plan.tiles(frame.shape, rows)]


def _say(context: RunContext, step: str) -> None:
    """Emit the notes that tasks of a step left, in the main thread; the same text once."""
    with context.lock:
        found = sorted((note for note in context.notes if note[2] == step), key=lambda note: note[3])
        context.notes = [note for note in context.notes if note[2] != step]
    for text, warn in dict.fromkeys(note[:2] for note in found):
        context.bus.note(text, warn=warn, step=step)


@dataclass(slots=True)
class _Told:
    """What listeners hear of a chain: its first step while the work goes on, the others when all of it is done or one fails.

    So they hear of one step after the other, whether steps are done together or not.
    """

    context: RunContext
    chain: Chain
    totals: Sequence[int]
    pixels: list[list[int]]
    seconds: list[float]
    start: float = field(default_factory=time.perf_counter)

    @classmethod
    def begin(cls, context: RunContext, chain: Chain, tasks: Sequence[Task]) -> _Told:
        """The first step starts."""
        totals = [
            sum(len(windows_of(context.plan, step, t.unit, t.window)) for t in tasks)
            if len(chain.steps) > 1
            else len(tasks)
            for step in chain.steps
        ]
        context.bus.start(chain.steps[0].name, totals[0])
        return cls(context, chain, totals, [[] for _ in totals], [0.0] * len(totals))

    def task(self, receipt: Receipt, pixels: int) -> None:
        """A task has ended."""
        if not receipt.links:
            self._progress(0, [pixels])
            return
        for k, link in enumerate(receipt.links):
            self.seconds[k] += link.seconds
            if k:
                self.pixels[k] += link.pixels
            else:
                self._progress(0, link.pixels)

    def _progress(self, number: int, pixels: Sequence[int]) -> None:
        seen = self.pixels[number]
        for some in pixels:
            seen.append(some)
            self.context.bus.progress(self.chain.steps[number].name, len(seen), self.totals[number], some)

    def end(self, failed: str = "") -> None:
        """All is done, or a step failed: those before it are done as far as they went."""
        bus, steps = self.context.bus, self.chain.steps
        share = (time.perf_counter() - self.start) / (sum(self.seconds) or 1.0)
        for number, step in enumerate(steps):
            if number:
                bus.start(step.name, self.totals[number])
            if len(steps) > 1:
                bus.took(share * self.seconds[number])
            if number:
                waiting, self.pixels[number] = self.pixels[number], []
                self._progress(number, waiting)
            _say(self.context, step.name)
            if step.name == failed:
                bus.finish(step.name, "aborted")
                return
            bus.finish(step.name, "ok", self.totals[number], len(self.pixels[number]))


def _run_chain(
    context: RunContext, chain: Chain, uses: Uses, budget: Budget, apart: Workers | None = None
) -> None:
    step, tasks = chain.steps[0], _tasks(context, chain)
    uses.begin(chain.first, (task.unit for task in tasks), chain.stop)
    away = apart if apart is not None and len(tasks) > 1 and apart.take(step) else None
    share = budget.of(chain.first) if away is None else budget.apart(chain.first)
    context.workers = share.workers
    held = 0 if apart is None else apart.held
    context.store.expect(max(0, share.kept - held) if away is None else 0, uses.when)
    prepare(context, step)
    told = _Told.begin(context, chain, tasks)
    executor = context.registry.get("executor", context.plan.parameters.executor)

    def work(some: Sequence[Task]) -> Generator[Any, None, None]:
        if away is not None and some:
            return away.receipts(chain, some, share)
        return results_of(executor, execute, some, share.workers, share.ahead)

    try:
        _work(context, chain, tasks, told, uses, work)
    except BaseException as error:
        told.end(failed_step(error) or step.name)
        raise
    told.end()


def _work(
    context: RunContext, chain: Chain, tasks: Sequence[Task], told: _Told, uses: Uses, work: Work
) -> None:
    """Carry out the tasks of a step or chain; keep what they return as long as it is needed."""
    executor, store = context.registry.get("executor", context.plan.parameters.executor), context.store
    parts: dict[PlaneKey, set[Window]] = {}
    alone = len(chain.steps) == 1

    with contextlib.closing(receipts(context, chain.steps[0], tasks, work)) as results:
        for task in tasks:
            receipt = next(results)  # no zip, which would hold it until the next one is there
            if not isinstance(receipt, Receipt):
                msg = f"{executor.label} gave {type(receipt).__name__} as a result; it must hand on what the task returns."
                raise PluginError(msg, executor)
            pixels = keep(store, task, receipt.planes, staged=alone)
            if task.window is not None:
                for key in (*receipt.planes, *(k for link in receipt.links for k in link.made)):
                    parts.setdefault(key, set()).add(task.window)
            if uses.done(task.unit):
                for key in uses.over(task.unit):
                    store.drop(key)
            if context.watch is not None:
                context.watch.look()
            told.task(receipt, pixels)
            del receipt  # now, or its images are in memory beside those of the next
    fill(store, tasks, parts)
    if alone:
        commit(store, chain.steps[0])
    for key in uses.left(store.images()):
        store.drop(key)
    if context.watch is not None:
        give_back()


def carry_out(
    plan: Plan,
    registry: Registry,
    store: Store,
    bus: Bus,
    *,
    keep: frozenset[str] = frozenset(),
    resumption: Resumption | None = None,
    seen: Seen | None = None,
) -> RunContext:
    """Run every step of a plan.

    Parameters
    ----------
    plan : Plan
        What to do.
    registry : Registry
        Where components come from.
    store : Store
        Gets the planes.
    bus : Bus
        Carries events to listeners.
    keep : frozenset of str
        Names of planes that stay in the store after the last step that needs them, besides those that are parts of the
        product or declared to stay.
    resumption : Resumption, optional
        What an earlier run did, and where this one is recorded.
    seen : Seen, optional
        Images that were read before.

    Returns
    -------
    RunContext
        The store holds the planes; `backends` says which implementation of each component ran.
    """
    context = RunContext(
        plan=plan, registry=registry, store=store, bus=bus, keep=keep, resumption=resumption,
        apart=not registry.get("executor", plan.parameters.executor).shares_memory,
    )  # fmt: skip
    if seen is not None:
        seen.hand_on(context)
    wanted = keep | {p.name for p in plan.planes.values() if p.stays or p.product}
    for stage in plan.off:
        bus.finish(stage, "off")
    if plan.lonely:
        names = ", ".join(plan.lonely)
        bus.note(
            f"No other exposure overlaps {names}: cosmic rays cannot be told from stars there.",
            warn=MaskWarning,
        )
    if context.large:
        context.watch = Watch(store.limit, None if seen is None else seen.before)
    uses, budget = Uses(plan, frozenset(wanted)), Budget(plan, store.limit)
    with contextlib.ExitStack() as stack:
        executor = registry.get("executor", plan.parameters.executor)
        apart = None if executor.shares_memory else stack.enter_context(Workers(context, executor))

        def fits(chain: Chain) -> bool:
            if resumption is not None:  # what an earlier run recorded is of one step
                return False
            one_place = apart is None or len({apart.take(step) for step in chain.steps}) == 1
            return one_place and budget.takes(chain)

        for chain in chains_of(plan, wanted, fits):
            _run_blaming(context, chain, uses, budget, apart)
    check_inputs(plan)
    return context


def _run_blaming(
    context: RunContext, chain: Chain, uses: Uses, budget: Budget, apart: Workers | None
) -> None:
    """Run a step or chain; an error names who is to blame."""
    plan, registry = context.plan, context.registry
    try:
        _run_chain(context, chain, uses, budget, apart)
    except FAULTS as error:
        culprit = culprit_of(error, registry, plan.parameters)
        if culprit and not isinstance(error, DrizframeError):
            name = failed_step(error) or chain.steps[0].name
            msg = f"{culprit} failed in step {name!r}: {type(error).__name__}: {error}"
            raise PluginError(msg) from error
        raise
