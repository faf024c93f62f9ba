"""Mosaics to FITS: one file with extensions, or one file for each image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import OutputError
from drizframe.hooks import Writer, hookimpl
from drizframe.stock.io.atomic import staged
from drizframe.stock.io.images import primary_hdu
from drizframe.stock.io.names import mef_path, part_path
from drizframe.stock.io.text import header_text
from drizframe.stock.products.drizzle_keywords import rename_products
from drizframe.stock.products.headers import frame_headers, simple_header
from drizframe.stock.products.planes import check_rules, mosaic_headers, planned_paths, write_planes
from drizframe.stock.products.tables import header_table

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from drizframe.model import Mosaic

__all__ = ["MEF", "SIMPLE", "write_mef", "write_simple"]


def _context(mosaic: Mosaic) -> np.ndarray[Any, Any] | None:
    """Return the context image: two axes if it has one plane."""
    if mosaic.ctx is None:
        return None
    return mosaic.ctx[0] if mosaic.ctx.ndim == 3 and mosaic.ctx.shape[0] == 1 else mosaic.ctx


def _headers(mosaic: Mosaic) -> Mapping[str, Header]:
    """Return the headers of a mosaic; those of its frame where it has none."""
    made = frame_headers(mosaic.frame, mosaic.unit, mosaic.exptime)
    return {**made, **mosaic.headers}


def _table(mosaic: Mosaic) -> Any:
    """Return the table of input keywords as an extension, or None."""
    if mosaic.table is None or (isinstance(mosaic.table, Mapping) and not mosaic.table):
        return None
    return header_table(mosaic.table) if isinstance(mosaic.table, Mapping) else mosaic.table


def _refuse_existing(paths: list[Path], overwrite: bool) -> None:
    existing = [str(p) for p in paths if p.exists()]
    if existing and not overwrite:
        msg = f"{', '.join(existing)} exists already. Delete it, give another output, or set overwrite=True."
        raise OutputError(msg)


def write_simple(mosaic: Mosaic, path: Path | str, *, overwrite: bool = True) -> list[Path]:
    """Write ``<path>_sci.fits``, ``<path>_wht.fits``, and ``_ctx``, ``_var`` if there are such images.

    Parameters
    ----------
    mosaic : Mosaic
        What to write.
    path : pathlib.Path or str
        Root and tag of the names, such as ``final_drz``.
    overwrite : bool
        Whether existing files are replaced.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    OutputError
        If they cannot be written; then none of them is there.
    """
    from astropy.io import fits

    stem = Path(path)
    headers = _headers(mosaic)
    images = {"sci": mosaic.sci, "wht": mosaic.wht, "ctx": _context(mosaic), "var": mosaic.var}
    kinds = [k for k, v in images.items() if v is not None]
    targets = [part_path(stem, k) for k in kinds]
    _refuse_existing(targets, overwrite)
    table = _table(mosaic)
    primary = headers["primary"].copy()
    rename_products(primary, stem.name)
    with staged(*targets) as parts:
        for kind, target, part in zip(kinds, targets, parts, strict=True):
            header = simple_header(primary, headers[kind], kind.upper())
            header["FILENAME"] = (header_text(target.name), "name of file")
            hdus = fits.HDUList([primary_hdu(images[kind], header)])
            if kind == "sci" and table is not None:
                hdus.append(table)
            hdus.writeto(part, output_verify="silentfix", checksum=True)
    return targets


def write_mef(mosaic: Mosaic, path: Path | str, *, overwrite: bool = True) -> list[Path]:
    """Write one file with extensions ``SCI``, ``WHT``, ``CTX``, ``VAR`` if there is one, and ``HDRTAB``.

    Without a context image the extension ``CTX`` has no data.

    Parameters
    ----------
    mosaic : Mosaic
        What to write.
    path : pathlib.Path or str
        Root and tag of the name, such as ``final_drz``; ``.fits`` is added.
    overwrite : bool
        Whether an existing file is replaced.

    Returns
    -------
    list of pathlib.Path
        The file.

    Raises
    ------
    OutputError
        If it cannot be written; then it is not there.
    """
    from astropy.io import fits

    target = mef_path(Path(path))
    _refuse_existing([target], overwrite)
    headers = _headers(mosaic)
    images = {"sci": mosaic.sci, "wht": mosaic.wht, "ctx": _context(mosaic)}
    if mosaic.var is not None:
        images["var"] = mosaic.var
    extensions = []
    for kind, image in images.items():
        header = headers[kind].copy()
        header.remove("EXTNAME", ignore_missing=True)
        hdu = fits.ImageHDU(data=image, header=header, name=kind.upper())
        hdu.header["EXTVER"] = 1
        extensions.append(hdu)
    table = _table(mosaic)
    if table is not None:
        extensions.append(table)
    primary = headers["primary"].copy()
    rename_products(primary, target.name.removesuffix(".fits"))
    primary["EXTEND"], primary["NEXTEND"] = True, len(extensions)
    primary["FILENAME"] = (header_text(target.name), "name of file")
    with staged(target) as (part,):
        fits.HDUList([primary_hdu(None, primary), *extensions]).writeto(
            part, output_verify="silentfix", checksum=True
        )
    return [target]


SIMPLE = Writer(
    name="fits-simple",
    summary="FITS, one file for each image (_sci, _wht, _ctx).",
    reference=write_simple,
    traits=frozenset({"picklable"}),
    headers=mosaic_headers,
    planes=write_planes,
    check=check_rules,
    paths=planned_paths,
)
MEF = Writer(
    name="fits-mef",
    summary="FITS, one file with several extensions.",
    reference=write_mef,
    traits=frozenset({"picklable"}),
    headers=mosaic_headers,
    planes=write_planes,
    check=check_rules,
    paths=planned_paths,
)


@hookimpl
def drizframe_writers() -> Iterator[Writer]:
    """Offer both forms."""
    yield SIMPLE
    yield MEF
