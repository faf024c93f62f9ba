"""The drop-in for ``drizzlepac.astrodrizzle``: its files, its names, and its edits of the input files."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from drizframe._crmasks import rays_of
from drizframe._session import Note, Session, run_session
from drizframe.api import Result, registry, result_of
from drizframe.compat.archive import restore_inputs
from drizframe.compat.configuration import DEFAULTS, flat_parameters
from drizframe.compat.edits import commit_edits, edited_paths, plan_edits
from drizframe.compat.elsewhere import absent_name
from drizframe.config import Parameters, make_parameters
from drizframe.config.inputs import expand_inputs, root_name
from drizframe.config.interfaces import for_drop_in
from drizframe.config.types import is_blank
from drizframe.engine.hearing import hearing, listening
from drizframe.engine.inputs import splits
from drizframe.engine.paths import ReadFiles, check_targets
from drizframe.engine.products import output_root
from drizframe.engine.resuming import finishing
from drizframe.engine.scratch_folders import close_all
from drizframe.errors import DrizframeError, OutputWarning, ParameterWarning, UnsupportedError
from drizframe.hooks import INTERMEDIATE
from drizframe.model import Exposure, PlaneKey
from drizframe.report.logfile import LogFile, log_file
from drizframe.stock.io.locks import InputLocks
from drizframe.stock.io.recovery import settle_folders
from drizframe.stock.io.source import restamped
from drizframe.stock.products.planes import intermediate_files
from drizframe.system.interrupts import orderly

__all__ = ["AstroDrizzle", "help"]

#: Lets ``from drizframe.astrodrizzle import ablot`` ask for a module, so that the answer says where to go.
__path__: list[str] = []


def __getattr__(name: str) -> Any:
    raise absent_name("drizframe.astrodrizzle", name)


def AstroDrizzle(  # noqa: N802  (the reference's name)
    input: Any = None,  # noqa: A002
    mdriztab: bool = False,
    editpars: bool = False,
    configobj: Any = None,
    wcsmap: Any = None,
    **input_dict: Any,
) -> Result:
    """Combine exposures as ``drizzlepac.astrodrizzle.AstroDrizzle`` does.

    Writes the same products and intermediate files, and, when all else has succeeded, edits the inputs as the
    reference does: copies in ``OrIg_files``, cleared and set data-quality bits, ``MDRIZSKY``, and one file
    for each exposure of a STIS file that holds several.

    Parameters
    ----------
    input : str or list of str
        Files, a wildcard, a comma list, an ``@file`` or an association table; ``*flt.fits`` by default.
    mdriztab : bool
        Take parameters from the MDRIZTAB reference table.
    editpars : bool
        The reference's editor; there is none.
    configobj : str, path or mapping
        A ``.cfg`` file or a mapping with parameters; keywords win.  ``"defaults"``: the documented defaults, as without it.
    wcsmap : class
        Replaces the map from chips to frames.
    **input_dict
        Parameters by their documented names, and ``output``.

    Returns
    -------
    Result
        What `drizframe.run` returns (the reference returns nothing).

    Raises
    ------
    DrizframeError
        As `drizframe.run`.  On any error the inputs are as they were.
    """
    if mdriztab:
        msg = "mdriztab=True cannot be honoured by this version. Give the parameters by name."
        raise UnsupportedError(msg)
    if editpars:
        warnings.warn("There is no editor; editpars has no effect.", ParameterWarning, stacklevel=2)
    with orderly(close_all):
        return _run(input, configobj, wcsmap, input_dict)


def _run(given_input: Any, configobj: Any, wcsmap: Any, input_dict: dict[str, Any]) -> Result:
    """Carry it out; see `AstroDrizzle`."""
    given, other_input, other_output = flat_parameters(configobj)
    own_output = input_dict.pop("output", "")
    output = other_output if own_output is None or own_output == "" else output_root(own_output)
    notes: list[Note] = []
    with listening(), hearing(lambda *note: notes.append(note)):
        values, told = for_drop_in(DEFAULTS, given, input_dict)
        settings = make_parameters(values)
    notes += [(text, ParameterWarning) for text in told]
    chosen = given_input if not is_blank(given_input) else "*flt.fits" if other_input is None else other_input
    paths = _found(chosen, notes)
    with InputLocks(paths):
        notes += [(text, OutputWarning) for text in settle_folders(p.resolve().parent for p in paths)]
        if settings.restore and not settings.overwrite:
            restore_inputs(paths, Path())
        log = _log_file(settings, output, chosen, configobj)
        session = run_session(
            chosen, output, settings, registry(), wcsmap=wcsmap, listeners=[] if log is None else [log],
            keep=_planes(settings), beside_inputs=True, notes=notes,
            also_written=[] if log is None else [log.path], edited=_edited,
        )  # fmt: skip
        with finishing(session.context.resumption):
            result = result_of(session, lambda: _commit(session, clean=settings.clean))
    return dataclasses.replace(
        result, exposures=restamped(result.exposures), warnings=tuple(session.context.bus.warnings)
    )


def _found(chosen: Any, notes: list[Note]) -> Sequence[Path]:
    """Return the inputs, after what an interrupted run left in this folder is finished."""
    told = settle_folders([Path()])
    try:
        paths = expand_inputs(chosen, splits(registry())).paths
    except DrizframeError:
        for note in told:
            warnings.warn(note, OutputWarning, stacklevel=3)
        raise
    notes += [(text, OutputWarning) for text in told]
    return paths


def _edited(exposures: Sequence[Exposure], settings: Parameters) -> list[Path]:
    """Return the inputs that will be edited."""
    return edited_paths(exposures, Path(), archive=settings.preserve or settings.overwrite)


def _log_file(settings: Parameters, output: str, chosen: Any, configobj: Any) -> LogFile | None:
    """Open the log file that ``runfile`` names, unless that is the file of parameters."""
    if not settings.runfile:
        return None
    first = chosen[0] if isinstance(chosen, list | tuple) and chosen else chosen
    log = log_file(
        settings.runfile,
        output or (root_name(str(first)) if isinstance(first, str | Path) else "astrodrizzle"),
    )
    check_targets([log.path], ReadFiles.of_run([configobj], (), settings))
    return log


def _planes(settings: Parameters) -> frozenset[str]:
    """Return the intermediate files that stay.

    None with ``clean`` or ``in_memory``, but for the cleaned exposures.
    """
    if settings.clean or settings.in_memory:
        return frozenset({"crclean", "crclean.dq"})
    return frozenset({*INTERMEDIATE, "crclean.dq", "final.scale"})


def _commit(session: Session, *, clean: bool) -> None:
    """Edit the input files, last of all; delete intermediate files, if none are wanted."""
    context, parameters = session.context, session.context.plan.parameters
    exposures: tuple[Exposure, ...] = context.plan.exposures
    store = context.store
    doubtful = store.get(PlaneKey("cosmic_ray_alarm.texts")) and not parameters.force_edits
    if doubtful:
        context.bus.note(
            "No data-quality flag of the inputs was changed, because the cosmic rays cannot be right. force_edits=True writes them "
            "all the same.",
            warn=OutputWarning,
        )
    plan, notes = plan_edits(
        exposures,
        folder=Path(),
        sky={u: v.level for u, v in store.by_chip("sky").items()},
        masks=rays_of(store, exposures) if parameters.driz_combine and not doubtful else {},
        resetbits=None if doubtful else parameters.resetbits,
        crbit=parameters.crbit,
        preserve=parameters.preserve,
        overwrite=parameters.overwrite,
    )
    for note in notes:
        context.bus.note(note, warn=OutputWarning)
    for note in commit_edits(plan):
        context.bus.note(note, warn=OutputWarning)
    if clean:
        _clean(session)


def _clean(session: Session) -> None:
    """Delete the intermediate files of this run's names, those of earlier runs too; what the user gave stays."""
    inputs = {e.path.resolve() for e in session.context.plan.exposures if e.path is not None}
    for path in intermediate_files(session.product):
        if path.resolve() not in inputs:
            path.unlink(missing_ok=True)


def help(file: str | None = None) -> None:  # noqa: A001  (the reference's name)
    """Print all parameters with default and meaning, or write them to a file.

    Parameters
    ----------
    file : str, optional
        The file; one that exists is replaced.
    """
    lines = [str(AstroDrizzle.__doc__), "Parameters:", ""]
    for name, field in sorted(Parameters.model_fields.items()):
        lines.append(f"{name} = {DEFAULTS.get(name, field.default)!r}\n    {field.description}")
    text = "\n".join(lines) + "\n"
    if file is None:
        print(text)  # noqa: T201  (this is what it is for)
    else:
        Path(file).write_text(text, encoding="utf-8")
