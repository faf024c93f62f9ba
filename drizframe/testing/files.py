"""Checks of readers and writers."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from drizframe.errors import DrizframeError, OutputError
from drizframe.hooks import InstrumentOptions, Reader, Writer
from drizframe.model import Frame, Mosaic
from drizframe.testing.checking import check, implementations, untouched
from drizframe.testing.failure import CheckFailure, compare, require
from drizframe.testing.samples import ReaderSample, WriterSample
from drizframe.testing.strategies import tangent_plane

__all__: list[str] = []

Array = np.ndarray[Any, Any]


@contextmanager
def folder() -> Iterator[Path]:
    """Give a temporary folder."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def content(where: Path) -> dict[str, bytes]:
    """Return all files of a folder with their bytes."""
    return {str(p.relative_to(where)): p.read_bytes() for p in sorted(where.rglob("*")) if p.is_file()}


# -- readers -----------------------------------------------------------------------------------------------------------


def instruments() -> Callable[[Any], Any]:
    """Return what finds the stock instrument for a header."""
    from drizframe.hooks import PluginManager, Registry

    records: list[Any] = list(Registry(PluginManager(installed=False)).records("instrument"))
    records.sort(key=lambda r: r.name == "generic")

    def find(primary: Any) -> Any:
        return next(r for r in records if r.matches(primary))

    return find


def read(record: Reader, kind: str, path: Path) -> list[Any]:
    """Read a file, and load the pixels of all chips."""
    exposures = list(
        implementations(record)[kind](path, instruments=instruments(), options=InstrumentOptions())
    )
    for exposure in exposures:
        for chip in exposure.chips:
            chip.data()
    return exposures


@check("reader", sampled=True)
def check_reads_sample(record: Reader, sample: ReaderSample) -> None:
    """The reader recognises the sample's file and gives its pixels and exposure time."""
    assert record.matches is not None  # noqa: S101  (checked when the record was made)
    for kind in implementations(record):
        with folder() as where:
            path = sample.write(where)
            require(
                record.matches(path),
                f"{record!r} recognises its file",
                expected=True,
                got=False,
                where=f"matches({path.name!r})",
            )
            what, exposures = f"{record!r} ({kind}) reads what was written", read(record, kind, path)
            chips = [c for e in exposures for c in e.chips]
            require(
                len(chips) == len(sample.images),
                what,
                expected=f"{len(sample.images)} chips",
                got=f"{len(chips)} chips",
                where=path.name,
            )
            for chip, image in zip(chips, sample.images, strict=True):
                compare(
                    what,
                    chip.data(),
                    np.asarray(image, dtype=np.float32),
                    where=f"science image of chip {chip.extver}",
                )
                require(
                    chip.data().dtype.isnative,
                    what,
                    expected="native byte order",
                    got=str(chip.data().dtype),
                    where="science image",
                )
                compare(
                    what,
                    chip.exptime,
                    sample.exptime,
                    rtol=1e-9,
                    where=f"exposure time of chip {chip.extver}",
                )
            require(all(e.name for e in exposures), what, expected="a name", got="''", where="exposure.name")


@check("reader", sampled=True)
def check_leaves_files_alone(record: Reader, sample: ReaderSample) -> None:
    """No file is changed, made or deleted; a read-only file is read."""
    for kind in implementations(record):
        with folder() as where:
            path = sample.write(where)
            path.chmod(0o444)
            before = content(where)
            read(record, kind, path)
            after = content(where)
            what = f"{record!r} ({kind}) changes no file"
            require(
                set(after) == set(before),
                what,
                expected=sorted(before),
                got=sorted(after),
                where="files of the folder",
            )
            changed = [n for n in before if before[n] != after[n]]
            require(
                not changed, what, expected="the same bytes", got=f"{changed} changed", where=str(path.name)
            )


@check("reader", sampled=True)
def check_missing_file(record: Reader, sample: ReaderSample) -> None:
    """A missing file is an error that names it; it is not recognised by opening it."""
    assert record.matches is not None  # noqa: S101  (checked when the record was made)
    for kind in implementations(record):
        with folder() as where:
            path = sample.write(where)
            path.unlink()
            record.matches(path)
            what = f"{record!r} ({kind}) says that the file is missing"
            try:
                read(record, kind, path)
            except (DrizframeError, OSError) as error:
                require(
                    path.name in str(error),
                    what,
                    expected=f"a message with {path.name!r}",
                    got=str(error),
                    where="missing file",
                )
            except Exception as error:
                raise CheckFailure(
                    what, expected="MissingInputError", got=repr(error), where="missing file"
                ) from error
            else:
                raise CheckFailure(what, expected="MissingInputError", got="no error", where="missing file")


@check("reader", sampled=True)
def check_truncated_file(record: Reader, sample: ReaderSample) -> None:
    """A truncated file is an error that names it; if a part is read, its pixels are right and the history tells."""
    for kind in implementations(record):
        for fraction in (0.0, 0.1, 0.4, 0.7, 0.95):
            with folder() as where:
                path = sample.write(where)
                data = path.read_bytes()
                path.write_bytes(data[: int(fraction * len(data))])
                what = f"{record!r} ({kind}) does not take a truncated file for a whole one"
                at = f"file cut to {fraction:.0%}"
                try:
                    exposures = read(record, kind, path)
                except (DrizframeError, OSError) as error:
                    require(
                        path.name in str(error),
                        what,
                        expected=f"a message with {path.name!r}",
                        got=str(error),
                        where=at,
                    )
                    continue
                except Exception as error:
                    raise CheckFailure(
                        what, expected="UnreadableInputError", got=repr(error), where=at
                    ) from error
                chips = [c for e in exposures for c in e.chips]
                told = len(chips) == len(sample.images) or any(e.history for e in exposures)
                require(
                    told,
                    what,
                    expected="an error, or a note in Exposure.history",
                    got=f"{len(chips)} chips",
                    where=at,
                )
                for chip, image in zip(chips, sample.images, strict=False):
                    compare(
                        what,
                        chip.data(),
                        np.asarray(image, dtype=np.float32),
                        where=f"{at}, chip {chip.extver}",
                    )


# -- writers -----------------------------------------------------------------------------------------------------------


def mosaic(shape: tuple[int, int] = (7, 9)) -> Mosaic:
    """Return a small mosaic with a gap."""
    rng = np.random.default_rng(4)
    sci, wht = rng.normal(3, 1, shape).astype(np.float32), rng.uniform(1, 9, shape).astype(np.float32)
    sci[0, 0], wht[0, 0] = np.nan, 0.0
    ctx = rng.integers(0, 8, (1, *shape)).astype(np.int32)
    return Mosaic(
        sci=sci,
        wht=wht,
        ctx=ctx,
        frame=Frame(wcs=tangent_plane(shape, 0.1), shape=shape, scale=0.1),
        exptime=300.0,
    )


def write(
    record: Writer, kind: str, path: Path, *, overwrite: bool = True, image: Mosaic | None = None
) -> list[Path]:
    """Run a writer."""
    return [
        Path(p)
        for p in implementations(record)[kind](
            mosaic() if image is None else image, path, overwrite=overwrite
        )
    ]


@check("writer", sampled=True)
def check_writes_and_reads_back(record: Writer, sample: WriterSample) -> None:
    """What is read back is what was written."""
    for kind in implementations(record):
        with folder() as where:
            image = mosaic()
            found = sample.read(write(record, kind, where / "root_drz", image=image))
            what = f"{record!r} ({kind}): what is read back is what was written"
            require("sci" in found, what, expected="a science image", got=sorted(found), where="parts")
            for part, got in found.items():
                want = np.asarray(getattr(image, part))
                compare(
                    what,
                    np.asarray(got).reshape(want.shape) if np.size(got) == want.size else got,
                    want,
                    where=part,
                )


@check("writer")
def check_files_are_listed(record: Writer) -> None:
    """The files that it returns, and no others, are there; the mosaic is not changed."""
    for kind in implementations(record):
        with folder() as where:
            image = mosaic()
            with untouched(f"{record!r} ({kind})", sci=image.sci, wht=image.wht, ctx=image.ctx):
                paths = write(record, kind, where / "root_drz", image=image)
            got, want = sorted(content(where)), sorted(str(p.relative_to(where)) for p in paths)
            what = f"{record!r} ({kind}) returns the files that it wrote"
            require(bool(paths), what, expected="one file at least", got="none", where="result")
            require(got == want, what, expected=want, got=got, where="files in the folder")
            require(
                all(p.stat().st_size for p in paths),
                what,
                expected="files with content",
                got="an empty file",
                where="size",
            )


@check("writer")
def check_overwrite(record: Writer) -> None:
    """With ``overwrite=False`` existing files stay as they are and the error names them; else they are replaced."""
    for kind in implementations(record):
        with folder() as where:
            paths = write(record, kind, where / "root_drz")
            paths[0].write_bytes(b"mine")
            before = content(where)
            what = f"{record!r} ({kind}) keeps existing files if overwrite is False"
            try:
                write(record, kind, where / "root_drz", overwrite=False)
            except OSError as error:
                require(
                    paths[0].name in str(error),
                    what,
                    expected=f"a message with {paths[0].name!r}",
                    got=str(error),
                    where="error",
                )
            except Exception as error:
                raise CheckFailure(
                    what, expected=OutputError.__name__, got=repr(error), where="error"
                ) from error
            else:
                raise CheckFailure(what, expected=OutputError.__name__, got="no error", where="second call")
            require(
                content(where) == before,
                what,
                expected="the same files",
                got=sorted(content(where)),
                where="folder",
            )
            write(record, kind, where / "root_drz")
            require(
                paths[0].read_bytes() != b"mine",
                f"{record!r} ({kind}) replaces files",
                expected="a new file",
                got="the old",
                where=paths[0].name,
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
    for kind in implementations(record):
        what = f"{record!r} ({kind}) leaves no file half-written"
        for earlier in (False, True):
            with folder() as where:
                sizes = [p.stat().st_size for p in write(record, kind, where / "try_drz", image=larger)]
                for path in where.iterdir():
                    path.unlink()
                if earlier:
                    write(record, kind, where / "root_drz", image=large)
                before = content(where)
                at = (
                    f"no room after {max(sizes) // 2} bytes, {'over' if earlier else 'without'} earlier files"
                )
                error: Exception | None = None
                with small_disk(max(sizes) // 2) as limited:
                    if limited:
                        try:
                            write(record, kind, where / "root_drz", image=larger)
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
    for kind in implementations(record):
        with folder() as where:
            names = [p.name for p in write(record, kind, where / "root_drz")]
        for name in names:
            with folder() as where:
                (where / name).mkdir()  # a folder of that name cannot be replaced by a file
                (where / name / "inside").write_bytes(b"mine")
                what = f"{record!r} ({kind}) leaves nothing behind when it fails"
                at = f"{name!r} is a folder, so that file cannot be written"
                try:
                    write(record, kind, where / "root_drz")
                except OSError:
                    pass
                except Exception as error:
                    raise CheckFailure(
                        what, expected=OutputError.__name__, got=repr(error), where=at
                    ) from error
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
