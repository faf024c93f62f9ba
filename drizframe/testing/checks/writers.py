"""Checks of writers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from drizframe.engine.sinks import write_product
from drizframe.errors import OutputError, PluginError
from drizframe.hooks import Writer
from drizframe.model import Frame, Layer, Mosaic, Window
from drizframe.testing.checking import check, untouched
from drizframe.testing.checks.readers import content, folder
from drizframe.testing.failure import CheckFailure, compare, require
from drizframe.testing.samples import WriterSample
from drizframe.testing.strategies import tangent_plane

__all__: list[str] = []


class PlantedError(Exception):
    """What a check raises in the middle of the work of a writer."""


def mosaic(shape: tuple[int, int] = (7, 9)) -> Mosaic:
    """Return a small mosaic with a gap."""
    rng = np.random.default_rng(4)
    sci, wht = rng.normal(3, 1, shape).astype(np.float32), rng.uniform(1, 9, shape).astype(np.float32)
    sci[0, 0], wht[0, 0] = np.nan, 0.0
    ctx = rng.integers(0, 8, (1, *shape)).astype(np.int32)
    frame = Frame(wcs=tangent_plane(shape, 0.1), shape=shape, scale=0.1)
    return Mosaic.of(frame, images={"sci": sci, "wht": wht, "ctx": ctx}, exptime=300.0)


def tiles(layer: Layer) -> list[Window]:
    """Return windows of unequal size that cover a layer, in no order."""
    ny, nx = layer.image.shape[-2:]
    rows, columns = [0, 1, max(ny // 2, 1), ny], [0, max(nx // 3, 1), nx]
    found = [Window(y0, y1, x0, x1) for y0, y1 in pairwise(rows) for x0, x1 in pairwise(columns)]
    return [w for w in found[1::2] + found[::2] if not w.empty]


def failing(layer: Layer) -> Iterator[Window]:
    """Yield some windows of a layer, then fail."""
    yield from tiles(layer)[:2]
    msg = "planted"
    raise PlantedError(msg)


def write(record: Writer, path: Path, image: Mosaic | None = None, **more: Any) -> list[Path]:
    """Run a writer; refuse what is no sink, or returns other files than it was given."""
    try:
        return write_product(record, mosaic() if image is None else image, path, **more)
    except PluginError as error:
        what = f"{record!r} keeps the contract of sinks"
        raise CheckFailure(what, expected="see drizframe.hooks.Sink", got=str(error), where="sink") from error


@check("writer", sampled=True)
def check_writes_and_reads_back(record: Writer, sample: WriterSample) -> None:
    """What is read back is what was written, whether it came at once or in windows in any order."""
    for how, more in (("at once", {}), ("in windows", {"windows": tiles})):
        with folder() as where:
            image = mosaic()
            found = sample.read(write(record, where / "root_drz", image, **more))
            what = f"{record!r}: what is read back is what was written"
            require("sci" in found, what, expected="a science image", got=sorted(found), where="parts")
            for part, got in found.items():
                want = image.layers[part].image
                compare(
                    what,
                    np.asarray(got).reshape(want.shape) if np.size(got) == want.size else got,
                    want,
                    where=f"{part}, {how}",
                )


@check("writer")
def check_files_are_listed(record: Writer) -> None:
    """The files that it returns are those that its endings announce, and no others are there; the mosaic is not changed."""
    with folder() as where:
        image = mosaic()
        what = f"{record!r} returns the files that it wrote"
        images = {name: layer.image for name, layer in image.layers.items()}
        with untouched(repr(record), **images):
            paths = write(record, where / "root_drz", image)
        inside = [f for p in paths for f in ([p] if p.is_file() else p.rglob("*")) if f.is_file()]
        got, want = sorted(content(where)), sorted(str(p.relative_to(where)) for p in inside)
        require(got == want, what, expected=want, got=got, where="files in the folder")
        require(
            all(any(f.stat().st_size for f in ([p] if p.is_file() else p.rglob("*"))) for p in paths),
            what,
            expected="files with content",
            got="an empty file",
            where="size",
        )
        announced = list(record.targets(where / "root_drz", image.layers))
        require(
            set(paths) == set(announced), what, expected=[p.name for p in announced],
            got=[p.name for p in paths], where="endings",
        )  # fmt: skip


@check("writer")
def check_replaces_at_the_end(record: Writer) -> None:
    """Earlier files are replaced, but not before all is written: if the run stops, they are as they were, and nothing is left."""
    with folder() as where:
        write(record, where / "root_drz")
        before = content(where)
        what = f"{record!r} leaves earlier files alone until the end"
        try:
            write(record, where / "root_drz", mosaic((11, 8)), windows=failing)
        except PlantedError:
            pass
        except CheckFailure:
            raise
        except Exception as error:
            raise CheckFailure(what, expected="the first error", got=repr(error), where="abort()") from error
        after = content(where)
        require(after == before, what, expected=sorted(before), got=sorted(after), where="a run that stopped")
        left = sorted(p.name for p in where.iterdir() if p.name.startswith("."))
        require(not left, what, expected="nothing else", got=left, where="a run that stopped")
        write(record, where / "root_drz", mosaic((11, 8)))
        require(
            content(where) != before,
            f"{record!r} replaces files",
            expected="new files",
            got="the old",
            where="a second run",
        )


@contextmanager
def small_disk(size: int) -> Iterator[bool]:
    """Let no file of this process grow beyond a size; False where the system cannot do that."""
    try:
        import resource
    except ImportError:  # Windows
        yield False
        return
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield True
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@check("writer")
def check_failed_write(record: Writer) -> None:
    """If the disk is full in the middle of a file an error says so, and the files that were there are still whole."""
    large, larger = mosaic((60, 70)), mosaic((90, 80))
    what = f"{record!r} leaves no file half-written"
    for earlier in (False, True):
        with folder() as where:
            write(record, where / "try_drz", larger)
            size = max(map(len, content(where).values())) // 2
        with folder() as where:
            if earlier:
                write(record, where / "root_drz", large)
            before = content(where)
            at = f"no room after {size} bytes, {'over' if earlier else 'without'} earlier files"
            error: Exception | None = None
            with small_disk(size) as limited:
                if limited:
                    try:
                        write(record, where / "root_drz", larger)
                    except CheckFailure:
                        raise
                    except Exception as caught:
                        error = caught
            if not limited:
                return
            got = "no error" if error is None else repr(error)
            require(isinstance(error, OSError), what, expected=OutputError.__name__, got=got, where=at)
            after = content(where)
            require(set(after) == set(before), what, expected=sorted(before), got=sorted(after), where=at)
            changed = [n for n in before if before[n] != after[n]]
            require(not changed, what, expected="the same bytes", got=f"{changed} changed", where=at)


@check("writer")
def check_nothing_left_on_failure(record: Writer) -> None:
    """If one file cannot be written an error says so, and none of them is left, whole or in part."""
    targets = record.targets(Path("root_drz"), mosaic().layers)
    for name in (p.name for p, is_folder in targets.items() if not is_folder):
        with folder() as where:
            (where / name).mkdir()  # a folder of that name cannot be replaced by a file
            (where / name / "inside").write_bytes(b"mine")
            what = f"{record!r} leaves nothing behind when it fails"
            at = f"{name!r} is a folder, so that file cannot be written"
            try:
                write(record, where / "root_drz")
            except (OSError, CheckFailure) as error:
                if isinstance(error, CheckFailure):
                    raise
            except Exception as error:
                raise CheckFailure(what, expected=OutputError.__name__, got=repr(error), where=at) from error
            else:
                raise CheckFailure(what, expected=OutputError.__name__, got="no error", where=at)
            left = sorted(content(where))
            require(
                left == [str(Path(name) / "inside")],
                what,
                expected="no file of the writer",
                got=left,
                where=at,
            )
