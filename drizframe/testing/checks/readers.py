"""Checks of readers."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from drizframe.errors import DrizframeError
from drizframe.hooks import InstrumentOptions, Reader
from drizframe.testing.checking import check, implementations
from drizframe.testing.failure import CheckFailure, compare, require
from drizframe.testing.samples import ReaderSample

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
    records.sort(key=lambda r: r.fallback)

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
