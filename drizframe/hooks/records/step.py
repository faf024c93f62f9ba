"""Steps: stages of a run that declare what they need and what they make."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeVar

from drizframe.errors import RecordError, nearest
from drizframe.hooks.records.fields import check_fields, model_class, number, text, texts, whole
from drizframe.hooks.records.signatures import Calls, check_calls, check_function
from drizframe.model.planes import Plane

if TYPE_CHECKING:
    from pydantic import BaseModel

    from drizframe.config import Parameters
    from drizframe.hooks.plugins.registry import Registry
    from drizframe.model import Exposure

__all__ = ["Asked", "Need", "Step"]

T = TypeVar("T")

_OF = ("own", "touching", "under", "all")
_OVER = ("run", "exposure", "chip", "band", "tile")
#: What a step of contract 1 declared: old name -> what to write now.
_CONTRACT_1 = {
    "consumes": "needs=(...), names of planes or Need records",
    "produces": "makes=(...), Plane records, or names of planes that a filter changes",
    "scope": "over='run', 'exposure', 'chip', 'band' or 'tile'",
    "halo": "Need(plane, border=...) for the planes that are read around a tile",
}
#: What a step is given when it is asked something while planning: the last arguments may be left out.
_ASKED = (
    "parameters, exposures, registry, options",
    "parameters, exposures, registry",
    "parameters, exposures",
    "parameters",
)


def _refusing_contract_1(cls: type[T]) -> type[T]:
    """Have a record say what to write now, when it is made with fields of contract 1."""
    made: Any = cls.__init__

    @functools.wraps(made)
    def init(self: Any, *args: Any, **fields: Any) -> None:
        old = [name for name in _CONTRACT_1 if name in fields]
        if old:
            given = ", ".join(f"{name}={fields[name]!r:.60}" for name in old)
            now = "; ".join(f"for {name}: {_CONTRACT_1[name]}" for name in old)
            msg = f"Step {fields.get('name')!r} was written for an earlier drizframe: it has {given}. Write {now}."
            raise RecordError(msg)
        made(self, *args, **fields)

    cls.__init__ = init  # type: ignore[method-assign]
    return cls


class Asked(Protocol):
    """What a border may depend on: resolved once, while planning."""

    parameters: Parameters
    exposures: Sequence[Exposure]
    registry: Registry
    options: Any

    def options_of(self, component: Any) -> Any:
        """Return the validated parameter section of a component; None if it has none."""


@dataclass(frozen=True, slots=True, kw_only=False, eq=False)
class Need:
    """A plane that a step reads.

    Parameters
    ----------
    plane : str
        Its name.
    of : {"own", "touching", "under", "all"}
        Whose: of the unit that the step works on, of the exposure that this chip belongs to, or of the chips of this
        exposure; of the chips and exposures that touch this tile; of the frame under this chip; of every unit of the run.  A
        read of any other is refused, and `Job.each` leaves it out.  Touching are chips that `TileJob.touching` named for
        a kernel, those that lie at most two pixels beside the tile, and exposures with such a chip; of images on the grid
        of the tile, which are 0 where an exposure has no pixels, all can be read.
    border : int or callable
        Pixels around the tile or band that a result can depend on; ``border(asked) -> int`` if it depends on
        parameters (`Asked`).  A read beyond it is refused.
    optional : bool
        Whether the step can do without: `Job.read` gives None then.  Otherwise a plane that was not made is an error
        that names it.
    """

    plane: str
    of: Literal["own", "touching", "under", "all"] = "own"
    border: int | Callable[[Asked], int] = 0
    optional: bool = False

    def __post_init__(self) -> None:
        """Refuse a need that could not be served."""
        label = f"Need({self.plane!r})"
        check_fields(label, self, plane=text)
        if self.of not in _OF:
            msg = f"{label} has of = {self.of!r}; choose from {', '.join(_OF)}."
            raise RecordError(msg)
        border: Any = self.border
        if callable(border):
            check_function(label, "border", border, ("asked",))
        else:
            check_fields(label, self, border=whole(0, ", or a function border(asked)"))


@_refusing_contract_1
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
    needs : tuple of Need or str
        Planes that it reads; a name stands for ``Need(name)``.  The topological order of the planes is the order of the
        steps.
    makes : tuple of Plane or str
        Planes that it makes.  A step that needs and makes the same plane is a filter: it runs before all other steps that
        need that plane and that it does not itself depend on.  A name stands for a plane that is declared elsewhere: one
        that comes with the exposures, or that another step makes (a filter), or that the stage makes which this replaces.
    over : {"run", "exposure", "chip", "band", "tile"}
        `run` is called once for each of these.  A band is some rows of a chip: for steps that work pixel by pixel, or
        with a border.
    run : callable
        ``run(job) -> {plane name or PlaneKey: array or value}``; called in any thread, must not change what
        it reads.
    grid : str
        For tiles: which grid is tiled: ``"exposure"``, the footprint of each exposure on the separate frame;
        ``"separate"`` or ``"final"``, that frame.
    after : tuple of str
        Steps that must come earlier although no plane says so; one of a plugin that is not installed is left out.
    enabled : callable or None
        ``enabled(parameters, exposures, registry, options) -> bool``, of which the last may be left out; `options` is the
        validated section of the step, or None. None: always.
    check : callable or None
        ``check(parameters, exposures, registry, options)``: called while planning, if the step is enabled; raises
        `ParameterError` for what could not run.
    options_model : type of pydantic.BaseModel, or None
        The step's own parameters; `Job.plugin_options` gives the validated section, whose name is that of the
        step up to the first dot.
    work : float or callable
        Bytes a pixel that a task holds beside what it reads and returns; ``work(asked, shape) -> bytes`` if that depends on
        parameters (`Asked`), or does not grow with the shape of its unit, tile or band (rows, columns; of a step over the run:
        those of the largest chip).  From this `max_memory` is shared out.
    rows : int
        Rows of a chip, exposure or frame that a step, which is not over tiles or bands, reads at a time (`Job.read` with a
        window); 0: all.
    version : int
        Goes up when the same inputs give other results.
    parameters : tuple of str, or None
        Parameters of the documented steps (those with a number as step code), and of those that name components, on which its
        results depend, with ``*`` at the end for all that begin so: a resumed run does not do it again when another one was
        changed.  Its own section, and parameters of the run, need not be named.  None: any.
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
    needs: tuple[Need | str, ...]
    makes: tuple[Plane | str, ...]
    over: Literal["run", "exposure", "chip", "band", "tile"]
    run: Callable[[Any], Mapping[Any, Any]]
    grid: str = ""
    after: tuple[str, ...] = ()
    enabled: Callable[..., bool] | None = None
    check: Callable[..., None] | None = None
    options_model: type[BaseModel] | None = None
    work: float | Callable[[Asked, tuple[int, int]], float] = 0.0
    rows: int = 0
    version: int = 1
    parameters: tuple[str, ...] | None = None
    provider: str = ""

    def __post_init__(self) -> None:
        """Refuse a step that could not be planned."""
        label = f"Step {self.name!r}"
        check_fields(
            label, self, name=text, summary=text, after=texts(tuple), grid=text, rows=whole(0), version=whole(1),
            options_model=model_class,
        )  # fmt: skip
        if self.parameters is not None:
            check_fields(label, self, parameters=texts(tuple))
            _check_parameters(label, self.parameters)
        object.__setattr__(self, "needs", tuple(_needs(label, self.needs)))
        object.__setattr__(self, "makes", tuple(_makes(label, self.makes)))
        check_calls(label, self, self.CALLS)
        if self.over not in _OVER:
            msg = f"{label} has over = {self.over!r}; choose one of {', '.join(_OVER)}."
            raise RecordError(msg)
        if (self.over == "tile") != bool(self.grid):
            msg = f"{label}: a grid (exposure, separate or final) goes with over='tile', and only with it."
            raise RecordError(msg)
        for need in self.needs:
            _check_need(label, self.over, need)
        if callable(self.work):
            check_function(label, "work", self.work, ("asked, shape",))
        else:
            check_fields(label, self, work=number)

    def __repr__(self) -> str:
        """Name the step; functions and defaults would only hide it."""
        return f"Step({self.name!r})"

    @property
    def consumes(self) -> tuple[str, ...]:
        """Names of the planes that it needs."""
        return tuple(n.plane for n in self.needs if isinstance(n, Need))

    @property
    def produces(self) -> tuple[str, ...]:
        """Names of the planes that it makes."""
        return tuple(p.name if isinstance(p, Plane) else p for p in self.makes)


def _check_parameters(label: str, names: tuple[str, ...]) -> None:
    """Refuse a name that no parameter has: a resumed run would take results of before a change."""
    from drizframe.config import Parameters

    known = Parameters.model_fields
    for name in names:
        found = any(n.startswith(name[:-1]) for n in known) if name.endswith("*") else name in known
        if not found:
            near = nearest(name.rstrip("*"), known)
            hint = f" Did you mean {near!r}?" if near else ""
            msg = f"{label} depends on parameters = {name!r}, which is no parameter.{hint} `drizframe parameters` lists them."
            raise RecordError(msg)


def _needs(label: str, given: Any) -> Iterable[Need]:
    """Return needs; names stand for those of the own unit."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        msg = f"{label} has needs = {given!r}; give names of planes or Need records, in a tuple."
        raise RecordError(msg)
    seen = set()
    for item in given:
        if not isinstance(item, str | Need):
            msg = f"{label} needs {item!r}; give the name of a plane, or a Need."
            raise RecordError(msg)
        need = Need(item, optional=True) if isinstance(item, str) else item
        if need.plane in seen:
            msg = f"{label} needs {need.plane!r} twice. Say it once, with the wider of both: of='all' holds the others."
            raise RecordError(msg)
        seen.add(need.plane)
        yield need


def _check_need(label: str, over: str, need: Any) -> None:
    """Refuse a need that means nothing for what the step works over."""
    if need.of == "touching" and over != "tile":
        msg = f"{label} works over {over!r} and needs {need.plane!r} of what touches a tile; give of='own' or of='all'."
        raise RecordError(msg)
    if need.of == "under" and over not in ("chip", "band"):
        msg = f"{label} works over {over!r} and needs {need.plane!r} of the frame under a chip; give of='own' or of='all'."
        raise RecordError(msg)
    if need.border != 0 and over not in ("tile", "band"):
        msg = f"{label} works over {over!r} and needs {need.plane!r} with a border; only tiles and bands have one. Leave it out."
        raise RecordError(msg)


def _makes(label: str, given: Any) -> Iterable[Plane | str]:
    """Refuse what is no plane."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        msg = f"{label} has makes = {given!r}; give Plane records, or names of planes, in a tuple."
        raise RecordError(msg)
    for item in given:
        if not isinstance(item, str | Plane):
            msg = f"{label} makes {item!r}; give a Plane, or the name of one that is declared elsewhere."
            raise RecordError(msg)
        yield item
