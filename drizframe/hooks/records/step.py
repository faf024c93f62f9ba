"""Steps: stages of a run, planes in and planes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from drizframe.errors import HookError
from drizframe.hooks.records.fields import check_fields, model_class, text, texts, whole
from drizframe.hooks.records.signatures import Calls, check_calls, check_function

if TYPE_CHECKING:
    from pydantic import BaseModel

    from drizframe.config import Parameters
    from drizframe.hooks.job import Job
    from drizframe.model.planes import Scope

__all__ = ["Step"]

_SCOPES = ("run", "exposure", "chip", "tile")
_GRIDS = ("exposure", "separate", "final")


#: What a step is given when it is asked something while planning: the last arguments may be left out.
_ASKED = (
    "parameters, exposures, registry, options",
    "parameters, exposures, registry",
    "parameters, exposures",
    "parameters",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Step:
    """One stage of a run: planes in, planes out.

    Parameters
    ----------
    name : str
        ``static_mask``, ``sky``, ``separate``, ``median``, ``blot``, ``cosmic_rays``, ``final`` or a plugin's
        own.
    summary : str
        One sentence.
    consumes, produces : tuple of str
        Names of planes (`drizframe.model.PLANES`); their topological order is the order of the steps.  A step
        that consumes and produces the same plane is a filter: it runs before all other consumers of that
        plane that it does not itself depend on.
    scope : {"run", "exposure", "chip", "tile"}
        `run` is called once for each of these.
    run : callable
        ``run(job) -> {plane name or PlaneKey: array or value}``; called in any thread, must not change what
        it reads.
    grid : {"", "exposure", "separate", "final"}
        For scope "tile": which grid is tiled: the footprint of each exposure, the separate frame, or the
        final frame.
    halo : int or callable
        Pixels around a tile that a result can depend on; ``halo(parameters, registry)`` if it depends.  A read beyond
        is refused.
    after : tuple of str
        Steps that must come earlier although no plane says so.
    enabled : callable or None
        ``enabled(parameters, exposures, registry, options) -> bool``, of which the last may be left out; `options` is the
        validated section of the step, or None. None: always.
    check : callable or None
        ``check(parameters, exposures, registry, options)``: called while planning, if the step is enabled; raises
        `ParameterError` for what could not run.
    options_model : type of pydantic.BaseModel, or None
        The step's own parameters; `Job.plugin_options` gives the validated section, whose name is that of the
        step up to the first dot.
    provider : str
        Distribution and version of the plugin that it is from; set by drizframe.
    """

    #: How its functions are called; the last arguments of `enabled` and `check` may be left out.
    CALLS: ClassVar[Calls] = {
        "run": "job",
        "enabled": _ASKED,
        "check": _ASKED,
    }

    name: str
    summary: str
    consumes: tuple[str, ...]
    produces: tuple[str, ...]
    scope: Scope
    run: Callable[[Job], Mapping[Any, Any]]
    grid: Literal["", "exposure", "separate", "final"] = ""
    halo: int | Callable[[Parameters, Any], int] = 0
    after: tuple[str, ...] = ()
    enabled: Callable[..., bool] | None = None
    check: Callable[..., None] | None = None
    options_model: type[BaseModel] | None = None
    provider: str = ""

    def __post_init__(self) -> None:
        """Refuse a step that could not be planned."""
        label = f"Step {self.name!r}"
        check_fields(
            label, self, name=text, summary=text, consumes=texts(tuple), produces=texts(tuple), after=texts(tuple),
            options_model=model_class,
        )  # fmt: skip
        check_calls(label, self, self.CALLS)
        halo: Any = self.halo
        if callable(halo):
            check_function(label, "halo", halo, ("parameters, registry",))
        else:
            check_fields(label, self, halo=whole(0, ", or a function halo(parameters, registry)"))
        self._check_scope()

    def __repr__(self) -> str:
        """Name the step; functions and defaults would only hide it."""
        return f"Step({self.name!r})"

    def _check_scope(self) -> None:
        if self.scope not in _SCOPES:
            msg = f"Step {self.name!r} has scope {self.scope!r}; choose one of {', '.join(_SCOPES)}."
            raise HookError(msg)
        if (self.scope == "tile") != bool(self.grid) or self.grid not in ("", *_GRIDS):
            msg = f"Step {self.name!r}: a grid (exposure, separate or final) goes with scope 'tile', and only with it."
            raise HookError(msg)
