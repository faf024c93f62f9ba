"""List circles of imports between the modules of a package.

    python tools/list_circles.py [--lazy] [--most 2] drizframe

Of imports that run when a module is imported: not those under ``if TYPE_CHECKING``, and not those inside functions, which
``--lazy`` adds (written ``~>``). Modules that reach each other are one knot; of each knot the shortest circle through every
module of it is listed. Exit code 1 if there are more circles than ``--most`` says.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path

#: Module -> modules that it imports, and whether each is imported only inside functions.
Graph = dict[str, dict[str, bool]]


def modules(package: Path) -> dict[str, Path]:
    """Return the modules of a package, by name."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _for_types(test: ast.expr) -> bool:
    return getattr(test, "id", getattr(test, "attr", "")) == "TYPE_CHECKING"


def statements(tree: ast.AST, lazy: bool = False) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    """Yield the imports below a node, and whether they wait for a call; not those for types alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, lazy
        elif isinstance(node, ast.If) and _for_types(node.test):
            yield from (found for other in node.orelse for found in statements(ast.Module([other], []), lazy))
        else:
            inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from statements(node, lazy or inside)


def targets(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[str]:
    """Yield what an import may mean: modules, and modules or names in them; `package` is where relative ones begin."""
    if isinstance(node, ast.Import):
        yield from (a.name for a in node.names)
        return
    base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
    module = ".".join([*base, *([node.module] if node.module else [])])
    for alias in node.names:
        yield f"{module}.{alias.name}"


def graph_of(package: Path, lazy: bool) -> Graph:
    """Return which module imports which."""
    known = modules(package)
    graph: Graph = {}
    for name, path in known.items():
        graph[name] = {}
        home = name if path.name == "__init__.py" else name.rpartition(".")[0]
        for node, waits in statements(ast.parse(path.read_text(encoding="utf-8"))):
            for target in targets(node, home):
                found = target if target in known else target.rpartition(".")[0]
                if found in known and found != name and (lazy or not waits):
                    graph[name][found] = graph[name].get(found, True) and waits
    return graph


def circle_through(graph: Graph, start: str) -> tuple[str, ...]:
    """Return the shortest circle through a module; empty if there is none."""
    before: dict[str, str] = {}
    todo = deque([start])
    while todo:
        here = todo.popleft()
        for there in sorted(graph[here]):
            if there == start:
                circle = [here]
                while circle[-1] != start:
                    circle.append(before[circle[-1]])
                return tuple(reversed(circle))
            if there not in before:
                before[there] = here
                todo.append(there)
    return ()


def circles(graph: Graph) -> list[tuple[str, ...]]:
    """Return the shortest circle through each module that lies on one, each circle once, beginning with its first name."""
    found = set()
    for start in graph:
        if circle := circle_through(graph, start):
            k = circle.index(min(circle))
            found.add(circle[k:] + circle[:k])
    return sorted(found, key=lambda c: (len(c), c))


def drawn(circle: tuple[str, ...], graph: Graph) -> str:
    """Return a circle as a line of text."""
    text = circle[0]
    for here, there in zip(circle, [*circle[1:], circle[0]], strict=True):
        text += f" {'~>' if graph[here][there] else '->'} {there}"
    return text


def main(arguments: list[str] | None = None) -> int:
    """Print the circles; 1 if there are too many."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("package", type=Path, help="folder of the package")
    parser.add_argument("--lazy", action="store_true", help="also imports inside functions")
    parser.add_argument("--most", type=int, default=None, help="how many there may be")
    given = parser.parse_args(arguments)
    package = given.package.resolve()
    if not (package / "__init__.py").is_file():
        parser.error(f"{str(given.package)!r} is no package: it has no __init__.py")
    graph = graph_of(package, given.lazy)
    found = circles(graph)
    for circle in found:
        print(drawn(circle, graph))
    told = "" if given.most is None else f" (at most {given.most})"
    print(f"{len(found)} circles between {len(graph)} modules{told}")
    return int(given.most is not None and len(found) > given.most)


if __name__ == "__main__":
    sys.exit(main())
