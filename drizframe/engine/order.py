"""The order of steps: the topological order of the planes they consume and produce."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from drizframe.errors import ConflictError, HookError, nearest
from drizframe.hooks import STAGES, Step
from drizframe.hooks.markers import PROJECT
from drizframe.model import INPUTS, Plane

__all__ = ["check_names", "ordered"]


def check_names(
    steps: Sequence[Step],
    planes: Mapping[str, Plane],
    off: Sequence[str] = (),
    shipped: Iterable[str] = (),
) -> None:
    """Refuse planes and steps that nobody knows: a slip of the pen would put a step in a wrong place, silently.

    Parameters
    ----------
    steps : sequence of Step
        All steps of a run, also those that are switched off.
    planes : mapping of str to Plane
        All planes that are declared.
    off : sequence of str
        Stages that a plugin left out.
    shipped : iterable of str
        Planes that drizframe itself declares, which are for whoever wants them.

    Raises
    ------
    HookError
        For a plane that is read and that nobody makes; for one that is made, read by no step, called much like another, and
        has no name of its own with a dot in front; for a step in `after` that nobody knows.  The nearest one is suggested.
    """
    read = {p for s in steps for p in s.consumes}
    ours = set(shipped)
    taken = {n.partition(".")[0] for n in ours}
    names = {s.name for s in steps} | set(off) | set(STAGES.values())
    for step in steps:
        who = f"Step {_named(step)}"
        others = {n for n in planes if n not in step.produces}
        for plane in step.consumes:
            if plane not in planes:
                raise HookError(f"{who} reads plane {plane!r}, which no step makes." + _hint(plane, planes))
        for plane in step.produces:
            # planes of a name of one's own are for whoever wants them
            first, dot, _ = plane.partition(".")
            own = first == step.name.partition(".")[0] or (bool(dot) and first not in taken)
            wanted = (
                plane in read
                or own
                or plane in ours
                or bool(planes[plane].product)
                or planes[plane].stays
                or step.provider == PROJECT
            )
            if not wanted and nearest(plane, others):
                msg = (
                    f"{who} makes plane {plane!r}, which no step reads.{_hint(plane, others)} If it is a plane of your own, put a name "
                    f"of your own and a dot in front, 'mine.{plane}', or declare that it stays, Plane(stays=True)."
                )
                raise HookError(msg)
        for other in step.after:
            # of a plugin that is not here; what looks like a slip of the pen is refused
            elsewhere = "." in other and not nearest(other, names)
            if other not in names and not elsewhere:
                raise HookError(f"{who} comes after {other!r}, which is no step." + _hint(other, names))


def _hint(name: str, known: Iterable[str]) -> str:
    near = nearest(name, known)
    return f" Did you mean {near!r}?" if near else f" There are: {', '.join(sorted(known))}."


def _producers(steps: Sequence[Step]) -> dict[str, Step]:
    """Return the step that makes each plane (filters aside)."""
    makers: dict[str, Step] = {}
    for step in steps:
        for plane in step.produces:
            if plane in step.consumes:
                continue
            if plane in makers:
                a, b = makers[plane], step
                msg = f"Plane {plane!r} is made twice, by step {_named(a)} and step {_named(b)}. Turn one of them off."
                raise ConflictError(msg)
            if plane in {p.name for p in INPUTS}:
                msg = f"Step {_named(step)} makes {plane!r}, which comes with the exposures. Consume it too, to filter it."
                raise HookError(msg)
            makers[plane] = step
    return makers


def _named(step: Step) -> str:
    """Return name and provider of a step, for messages."""
    return f"{step.name!r} ({step.provider})" if step.provider else repr(step.name)


def _reaches(edges: dict[str, set[str]], start: str, goal: str) -> bool:
    """Whether `goal` comes (indirectly) after `start`."""
    seen, stack = set(), [start]
    while stack:
        node = stack.pop()
        if node == goal:
            return True
        if node not in seen:
            seen.add(node)
            stack.extend(edges[node])
    return False


def _edges(steps: Sequence[Step]) -> dict[str, set[str]]:
    """Return, for each step, the steps that must come after it."""
    makers, names = _producers(steps), {s.name for s in steps}
    edges: dict[str, set[str]] = {s.name: set() for s in steps}
    for step in steps:
        for plane in step.consumes:
            if plane in makers and makers[plane] is not step:
                edges[makers[plane].name].add(step.name)
        for other in step.after:
            if other in names:
                edges[other].add(step.name)
    filters = [(s, p) for s in steps for p in s.produces if p in s.consumes]
    for filtering, plane in filters:
        for user in steps:
            if user is filtering or plane not in user.consumes or plane in user.produces:
                continue
            if not _reaches(edges, user.name, filtering.name):
                edges[filtering.name].add(user.name)
    return edges


def _makes_images(step: Step) -> bool:
    return any(not isinstance(p, Plane) or p.kind != "value" for p in step.makes)


def ordered(steps: Sequence[Step]) -> list[Step]:
    """Sort steps so that every plane is made before it is used.

    Parameters
    ----------
    steps : sequence of Step
        The enabled steps of a run.

    Returns
    -------
    list of Step
        Among steps that are free, the natural order of the stages decides, then the given order.

    Raises
    ------
    ConflictError
        If two steps have one name or make one plane.
    HookError
        If the planes form a circle.
    """
    by_name: dict[str, Step] = {}
    for step in steps:
        if step.name in by_name:
            sources = " and ".join(s.provider or s.run.__module__ for s in (by_name[step.name], step))
            msg = f"Two steps are named {step.name!r}, of {sources}. Rename one, or turn it off."
            raise ConflictError(msg)
        by_name[step.name] = step
    edges = _edges(steps)
    waiting = {n: {a for a, later in edges.items() if n in later} for n in by_name}
    natural = {n: i for i, n in enumerate(STAGES.values())}
    given = {s.name: i for i, s in enumerate(steps)}
    done: list[Step] = []
    while waiting:
        free = [n for n, before in waiting.items() if not before]
        if not free:
            msg = f"The steps {', '.join(sorted(waiting))} wait for each other's planes. Change what one of them consumes."
            raise HookError(msg)
        # A helper step without a stage of its own runs as soon as it can.
        # Of those, one that makes no image comes first: what it reads can go.
        chosen = min(free, key=lambda n: (natural.get(n, -1), _makes_images(by_name[n]), given[n]))
        done.append(by_name[chosen])
        del waiting[chosen]
        for before in waiting.values():
            before.discard(chosen)
    return done
