"""``drizframe new-plugin``: a package for a plugin, with its tests, ready to install."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import keyword
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from drizframe.errors import OutputError, ParameterError, nearest

__all__ = ["KINDS", "Kind", "command", "write_plugin"]

#: Modules whose names a plugin cannot have.
_TAKEN = frozenset(
    {*sys.stdlib_module_names, *keyword.kwlist, "drizframe", "numpy", "astropy", "scipy", "pytest", "tests"}
)
#: Names that the templates use for other things than the record.
_USED = frozenset({"DETECTOR", "ENDING", "IMAGE", "SAMPLE", "WCS"})
#: Letters of a name; longer ones do not fit into the name of a file everywhere.
_LONGEST = 60
_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of plugin.

    Parameters
    ----------
    family : str
        What it is called.
    title : str
        Beginning of a description.
    word : str
        What stands behind the dot in the names of components; blank if they have no dot.
    parameter : str
        The parameter that names the component; blank if none does.
    model : bool
        Whether the template has a pydantic model.
    tested : bool
        Whether the conformance kit has checks for it.
    """

    family: str
    title: str
    word: str = ""
    parameter: str = ""
    model: bool = False
    tested: bool = True

    @property
    def tests(self) -> str:
        """Which template holds the test of a run."""
        return "test-component" if self.parameter else f"test-{self.family}"


KINDS: dict[str, Kind] = {
    "kernel": Kind("kernel", "A drizzle kernel", "kernel", "final_kernel"),
    "interpolator": Kind("interpolator", "An interpolator", "interpolator", "blot_interp"),
    "combiner": Kind("combiner", "A combiner of image stacks", "combiner", "combine_type"),
    "sky-method": Kind("sky method", "A sky method", "sky", "skymethod"),
    "weighting": Kind("weighting", "A weighting", "", "final_wht_type"),
    "cosmic-ray-detector": Kind(
        "cosmic-ray detector", "A cosmic-ray detector", "detector", "cr_detector", model=True
    ),
    "instrument": Kind("instrument", "An instrument", "instrument"),
    "reader": Kind("reader", "A reader of files", "reader"),
    "writer": Kind("writer", "A writer of files", "writer"),
    "step": Kind("step", "A processing step", "gradient", model=True),
    "listener": Kind("listener", "A listener of runs", tested=False),
    "command": Kind("command", "A command", tested=False),
}


def _template(name: str) -> Template:
    return Template((files("drizframe.cli") / "templates" / f"{name}.tmpl").read_text(encoding="utf-8"))


#: What the conformance kit wants besides the record: names to import, the sample, and the argument.
_SAMPLES = {
    "step": ("conformance, stock_sample", "", ", sample=stock_sample($record)"),
    "instrument": (
        "InstrumentSample, conformance",
        """
#: Headers of one exposure, and what they say.
SAMPLE = InstrumentSample(
    primary={"INSTRUME": "$upper", "EXPTIME": 100.0, "GAIN": 2.0, "RDNOISE": 5.0},
    science={1: {"EXTNAME": "SCI", "EXTVER": 1, "BUNIT": "COUNTS"}},
    facts={"gain": 2.0, "readnoise": 5.0, "exptime": 100.0},
)
""",
        ", sample=SAMPLE",
    ),
    "reader": (
        "ReaderSample, conformance",
        """
IMAGE = np.random.default_rng(1).normal(20.0, 1.0, (12, 16)).astype(np.float32)


def made(folder):
    \"\"\"Write a file whose image and exposure time are known.\"\"\"
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [150.0, 2.0]
    wcs.wcs.crpix, wcs.wcs.cdelt = [8.5, 6.5], [-1e-5, 1e-5]
    write(folder / "one.$short", IMAGE, wcs, 100.0)
    return folder / "one.$short"


SAMPLE = ReaderSample(write=made, images=[IMAGE], exptime=100.0)
""",
        ", sample=SAMPLE",
    ),
    "writer": (
        "WriterSample, conformance",
        """
#: How the layers of a file are read back.
SAMPLE = WriterSample(read=lambda paths: read(paths[0]))
""",
        ", sample=SAMPLE",
    ),
}
#: What the test imports of the package besides the record.
_NEEDED = {"reader": ", write", "writer": ", read"}

#: What the module of a package holds, for its README.
_RECORD = (
    "a function, the record that describes it, and the hook function that hands\nthe record to drizframe"
)
_PARTS = {"listener": "the hook function that drizframe calls when a step of a run has ended"}


def _words(name: str, kind: str) -> dict[str, str]:
    """Return what the templates fill in."""
    what = KINDS[kind]
    module = name.replace("-", "_")
    short = module.removeprefix("drizframe_") or module
    component = f"{short}.{what.word}" if what.word else short.upper() if what.tested else short
    record = f"{short.upper()}_{what.word.upper()}" if short.upper() in _USED else short.upper()
    usages = {
        "reader": f"    drizframe run *.{short}",
        "writer": f"    drizframe run *_flt.fits -o new.{short}",
    }
    usages["command"] = f"    drizframe {short} *_flt.fits"
    usage = usages.get(kind, "    drizframe run *.fits")
    if what.parameter:
        usage = f"    drizframe run *_flt.fits --set {what.parameter}={component}"
    helpers, sample, given = _SAMPLES.get(kind, ("conformance", "", ""))
    fill = {"upper": short.upper(), "record": record, "short": short}
    sample, given = (Template(t).substitute(fill) for t in (sample, given))
    validated = f" --sample tests/test_{module}.py:SAMPLE" if "SAMPLE =" in sample else ""
    return {
        "needed": _NEEDED.get(kind, ""), "helpers": helpers, "sample": sample, "given": given,
        "name": name, "module": module, "short": short, "component": component, "record": record,
        "dependencies": ", ".join(f'"{name}"' for name in _dependencies(kind)),
        "ident": short, "upper": short.upper(), "family": what.family, "title": what.title, "parameter": what.parameter,
        "usage": usage, "parts": _PARTS.get(kind, _RECORD),
        "validate": f"    drizframe validate {module}:{record}{validated}\n" if what.tested else "",
        "promises": f"; what drizframe promises of every\n{what.family} is tested by `@conformance`" if what.tested else "",
    }  # fmt: skip


def _dependencies(kind: str) -> Iterator[str]:
    """Yield what a package needs besides Python."""
    yield from (
        ("drizframe", "typer")
        if kind == "command"
        else ("drizframe",)
        if kind == "listener"
        else ("drizframe", "numpy")
    )
    if KINDS[kind].model:
        yield "pydantic"
    if kind == "reader":
        yield "astropy"


def _installed(name: str, module: str) -> str:
    """Return what is installed under the name of a distribution or module; blank if nothing is."""
    try:
        return f"The distribution {importlib.metadata.distribution(name).name!r}"
    except importlib.metadata.PackageNotFoundError:
        pass
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return ""
    return f"The module {module!r}" if spec is not None and spec.origin is not None else ""


def _check(name: str, kind: str, folder: Path) -> None:
    """Refuse a name or folder that would not work."""
    if kind not in KINDS:
        near = nearest(kind, KINDS)
        hint = f" Did you mean {near!r}?" if near else ""
        msg = f"There is no kind {kind!r}.{hint} Choose one of: {', '.join(KINDS)}."
        raise ParameterError(msg)
    if not _NAME.fullmatch(name):
        msg = f"{name!r} is no name for a plugin: use small letters, digits and single - or _, such as drizframe-hat."
        raise ParameterError(msg)
    if len(name) > _LONGEST:
        msg = f"The name {name[:20] + '…'!r} has {len(name)} letters; at most {_LONGEST} are allowed. Choose a shorter one."
        raise ParameterError(msg)
    words = _words(name, kind)
    if _TAKEN & {words["module"], words["short"]}:
        msg = (
            f"A plugin named {name!r} would hide the module {words['short']!r} of Python or of drizframe's. "
            f"Choose another name."
        )
        raise ParameterError(msg)
    if owner := _installed(name, words["module"]):
        msg = f"{owner} is installed already, and a plugin named {name!r} would hide it. Choose another name."
        raise ParameterError(msg)
    if KINDS[kind].parameter or kind in ("instrument", "reader", "writer"):
        from drizframe import api
        from drizframe.hooks.markers import is_ours

        family = KINDS[kind].family
        taken = {
            e.record.name.lower(): e
            for e in api.registry()
            if e.record.family == family and is_ours(e.provider)
        }
        if words["component"].lower() in taken:
            msg = f"drizframe has a {family} named {words['component']!r} already. Choose another name."
            raise ParameterError(msg)
    if kind == "command":
        from drizframe.cli.app import app

        if words["ident"] in {c.name for c in app.registered_commands}:
            msg = f"drizframe has a command {words['ident']!r} already. Choose another name."
            raise ParameterError(msg)
    if folder.exists():
        msg = f"{str(folder)!r} exists already. Choose another name, or remove it."
        raise OutputError(msg)


def write_plugin(name: str, kind: str, parent: Path = Path()) -> list[Path]:
    """Write a package folder for a plugin.

    Parameters
    ----------
    name : str
        Name of the distribution and the folder, such as ``drizframe-hat``.
    kind : str
        One of `KINDS`.
    parent : pathlib.Path
        Where the folder is made.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    ParameterError
        If the kind does not exist, or the name could not be installed or imported.
    OutputError
        If the folder exists or cannot be written.
    """
    folder = Path(parent) / name
    _check(name, kind, folder)
    words = _words(name, kind)
    words["test"] = _template(KINDS[kind].tests).substitute(words).rstrip("\n")
    texts = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        f"src/{words['module']}/__init__.py": kind,
        f"tests/test_{words['module']}.py": "test" if KINDS[kind].tested else KINDS[kind].tests,
    }
    written = []
    try:
        for path, template in texts.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_template(template).substitute(words), encoding="utf-8")
            written.append(target)
    except OSError as error:
        msg = f"The folder {str(folder)!r} cannot be written: {error.strerror}. Choose another place."
        raise OutputError(msg) from None
    return written


def command(
    name: Annotated[str, typer.Argument(help="Name of the package and its folder, such as drizframe-hat.")],
    kind: Annotated[str, typer.Option("--kind", "-k", help=f"One of: {', '.join(KINDS)}.")],
    folder: Annotated[Path, typer.Option("--in", help="Where the folder is made.")] = Path(),
) -> None:
    """Write a package with a working plugin, its tests and a README."""
    written = write_plugin(name, kind, folder)
    for path in written:
        typer.echo(f"wrote {path}")
    root = written[0].parent
    typer.echo(f"Next: pip install -e '{root}[test]' && pytest {root / 'tests'}")
