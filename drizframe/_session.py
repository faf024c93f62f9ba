"""Carrying out a run, from inputs to files: what `drizframe.run` and the drop-in have in common."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from drizframe._crmasks import masks_of_run
from drizframe._fast import explain, remedy, resolved
from drizframe.config import Parameters
from drizframe.engine.bus import Bus
from drizframe.engine.context import RunContext
from drizframe.engine.hearing import hearing, listening
from drizframe.engine.inputs import load_exposures
from drizframe.engine.kept import filed, kept_planes, note_unmade, planes_of_result
from drizframe.engine.paths import ReadFiles, check_targets
from drizframe.engine.plan import Plan, check_components, make_plan
from drizframe.engine.precedence import precedence_notes
from drizframe.engine.products import (
    check_writable,
    describe_products,
    finished,
    make_mosaic,
    output_root,
    product_names,
    refuse_packed,
    with_headers,
    write_mosaic,
)
from drizframe.engine.provenance import provenance_of
from drizframe.engine.resuming import Resumption
from drizframe.engine.safekeeping import check_products, tidy, tidy_inputs
from drizframe.engine.scales import bring_together
from drizframe.engine.schedule import carry_out
from drizframe.engine.seen import Seen
from drizframe.engine.sending import check_executor
from drizframe.engine.store import Store
from drizframe.engine.switches import resolve_switches
from drizframe.engine.task_keys import TaskKeys
from drizframe.engine.writers import Chosen, choose_writer
from drizframe.errors import (
    BackendError,
    DrizframeWarning,
    FrameWarning,
    OutputWarning,
    ParameterWarning,
    PluginWarning,
)
from drizframe.hooks import Component, PluginManager, Registry, RunProducts
from drizframe.hooks.plugins.registry import compiled_available
from drizframe.model import Exposure, Mosaic, PlaneKey, Provenance
from drizframe.system.transaction import together

__all__ = ["Note", "Session", "run_session"]

#: A warning from before a run, and its kind.
Note = tuple[str, type[DrizframeWarning]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Session:
    """A finished run with its store still open, for those who want planes or edit inputs.

    Parameters
    ----------
    context : RunContext
        Plan, store and bus of the run.
    mosaic : Mosaic or None
        The final image with its headers.
    product : RunProducts
        What was told to the writer.
    chosen : Chosen
        The writer.
    provenance : Provenance
        What made it.
    written : tuple of pathlib.Path
        Files that were written.
    planes : mapping of str to object
        Planes that are in no file, by name; see `planes_of_result`.
    """

    context: RunContext
    mosaic: Mosaic | None
    product: RunProducts
    chosen: Chosen
    provenance: Provenance
    written: tuple[Path, ...] = ()
    planes: Mapping[str, Any] = field(default_factory=dict)


def _write(session: Session, stale: Sequence[Path]) -> tuple[Path, ...]:
    """Write everything, and remove what would stand beside it as if it were of this run: all of it, or none."""
    product, chosen = session.product, session.chosen
    with together(run=product.run) as act:
        for path in stale:
            act.remove(path)
        paths = chosen.write_planes(product)
        if session.mosaic is not None:
            paths += write_mosaic(
                session.mosaic, product.names, session.context.registry, chosen, product.run
            )
    return tuple(paths)


def _bus(plugins: PluginManager, listeners: Sequence[Any], notes: Sequence[Note]) -> Bus:
    """Return the bus of a run, which tells at once what was noted before it, and which plugins are missing."""
    bus = Bus(plugins, listeners)
    for text in plugins.missing():
        bus.tell(text)
    for text, kind in notes:
        bus.note(text, warn=kind)
    return bus


def _check_backend(parameters: Parameters) -> None:
    """Say so when compiled code is missing."""
    wanted = resolved(parameters.backend)
    if wanted == "reference" or compiled_available():
        return
    if wanted == "cython":
        raise BackendError(f"Compiled modules are asked for, and there are none. {remedy()}")
    _warn_once(
        f"The compiled modules of drizframe are not there; everything runs in NumPy, many times slower. "
        f"The reason: {explain()}"
    )


@cache
def _warn_once(message: str) -> None:
    warnings.warn(message, DrizframeWarning, stacklevel=4)


def _writer(
    output: str | None, settings: Parameters, components: Registry, *, beside_inputs: bool
) -> tuple[Chosen, Parameters]:
    """Return the writer of a run, and parameters that agree with it; refuse an output that it cannot write."""
    chosen = choose_writer(components, settings, output)
    if output is not None and not (beside_inputs or chosen.ending):
        refuse_packed(output)  # the drop-in cuts the name, as the reference does
    chosen.check(settings)
    if chosen.writer.form == "one":  # named by `writer`, it means the same
        settings = settings.model_copy(update={"build": True})
    return chosen, settings


def _planned(
    inputs: Any,
    settings: Parameters,
    components: Registry,
    bus: Bus,
    wcsmap: Any,
    seen: Seen,
    *,
    lenient: bool,
) -> tuple[Plan, str | None, list[Component]]:
    """Read the headers of inputs and plan the work; return the root of their association and who read them, too."""
    used: list[Component] = []
    with hearing(lambda text, kind: bus.note(text, warn=kind)):
        exposures, asn_root = load_exposures(inputs, settings, components, bus, used, seen)
        exposures, settings = bring_together(exposures, settings, bus)
    tidy_inputs(exposures, bus)
    settings, changes = resolve_switches(settings, exposures, components, lenient=lenient)
    for text, warn in changes:
        bus.note(text, warn=warn and ParameterWarning)
    with hearing(lambda text, kind: bus.note(text, warn=kind)):
        plan = make_plan(exposures, settings, components, wcsmap=wcsmap)
        check_executor(plan, components)
    for text, warn in plan.notes:
        bus.note(text, warn=warn and FrameWarning)
    for text in precedence_notes([s.step for s in plan.steps], components.manager):
        bus.note(text, warn=PluginWarning)
    return plan, asn_root, used


@listening()
def run_session(
    inputs: Any,
    output: str | Path | None,
    settings: Parameters,
    components: Registry,
    *,
    wcsmap: Any = None,
    listeners: Sequence[Any] = (),
    keep: frozenset[str] = frozenset(),
    beside_inputs: bool = False,
    notes: Sequence[Note] = (),
    also_written: Sequence[Path] = (),
    edited: Callable[[Sequence[Exposure], Parameters], Sequence[Path]] | None = None,
) -> Session:
    """Run, write what was asked for, and leave the store open; the caller closes it.

    Parameters
    ----------
    inputs, output, wcsmap, listeners
        See `drizframe.run`.
    settings : Parameters
        Of the run.
    components : Registry
        Where components come from.
    keep : frozenset of str
        Planes that are written, besides those of the parameter.
    beside_inputs : bool
        Whether files of an exposure go beside it, with the reference's names.
    notes : sequence of (str, type of warning)
        Warnings from before the run.
    also_written : sequence of pathlib.Path
        Further files that the caller writes.
    edited : callable, optional
        ``edited(exposures, parameters)``: inputs that the caller changes afterwards; it ends `resumption` when that is done.
    """
    _check_backend(settings)
    check_components(settings, components)
    if output is not None:
        output = output_root(output)
        check_writable(output)
    chosen, settings = _writer(output, settings, components, beside_inputs=beside_inputs)
    check_targets(also_written, ReadFiles.of_run(inputs, (), settings))  # before a line is added
    bus = _bus(components.manager, listeners, notes)
    tidy(settings, [] if output is None else [Path(output).parent], bus)
    seen = Seen(int(settings.max_memory * 2**20) // 2)
    plan, asn_root, used = _planned(inputs, settings, components, bus, wcsmap, seen, lenient=beside_inputs)
    exposures, settings = plan.exposures, plan.parameters
    store = Store(int(settings.max_memory * 2**20), settings.workdir)
    wanted = keep | kept_planes(plan) | ({"crclean", "crclean.dq"} if settings.driz_cr_corr else set())
    names = product_names(output, exposures, asn_root, whole=not beside_inputs, ending=chosen.ending)
    product = describe_products(plan, store, names, planes=filed(wanted), beside_inputs=beside_inputs)
    stale: list[Path] = []
    resumption: Resumption | None = None
    try:
        resumption = Resumption.open(exposures, output, settings, bus)
        if output is not None:
            files = ReadFiles.of_run(inputs, exposures, settings)
            changed = () if edited is None else edited(exposures, settings)
            planned, stale, told = check_products(
                product, plan, files, components, chosen, also=also_written, edited=changed
            )
            for text in told:
                bus.note(text, warn=OutputWarning)
            tidy(settings, [p.parent for p in (*planned, *changed)], bus)
        bus.run("begin_run", ", ".join(e.name for e in exposures))
        folders = [Path(output or "").parent, Path()] if beside_inputs else None
        for unit, mask in masks_of_run(exposures, settings, bus.note, folders).items():
            store.put(PlaneKey("mask.cr.given", unit), mask)
        if resumption is not None:
            read = ReadFiles.of_run(inputs, exposures, settings).paths.values()
            resumption.begin(
                lambda: TaskKeys(plan, components, sorted(read), store, wanted | {"median"}, wcsmap)
            )
        context = carry_out(
            plan, components, store, bus, keep=wanted | {"median"}, resumption=resumption, seen=seen
        )
        if resumption is not None:
            resumption.say()
        note_unmade(context, output)
        if store.spilled:
            bus.note(
                f"{store.spilled / 1e6:.3g} MB of planes went to scratch files; a max_memory above {settings.max_memory:g} MiB keeps them."
            )
        session = replace(
            _made(context, product, chosen, used, written=output is not None),
            planes=planes_of_result(context, output),
        )
        if output is not None:
            with hearing(lambda text, kind: bus.note(text, warn=kind)):
                session = replace(session, written=_write(session, stale))
        if resumption is not None and edited is None:
            resumption.end()
        bus.run("end_run", "done")
    except BaseException as error:
        store.close()
        if resumption is not None:
            resumption.stop()
        bus.run("end_run", f"stopped: {type(error).__name__}: {error}")
        raise
    return session


def _made(
    context: RunContext, product: RunProducts, chosen: Chosen, used: Sequence[Component], *, written: bool
) -> Session:
    """Put together what the run made, with its headers and its provenance."""
    made = provenance_of(context, [chosen.writer, *used])
    product = replace(finished(product, context.store), provenance=made)
    mosaic = with_headers(context, product, make_mosaic(context), chosen, now=written)
    mosaic = None if mosaic is None else replace(mosaic, provenance=made)
    return Session(context=context, mosaic=mosaic, product=product, chosen=chosen, provenance=made)
