"""Mosaics to FITS: one file with extensions, or one file for each image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.hooks import GatheringSink, Writer, hookimpl
from drizframe.stock.io.images import primary_hdu
from drizframe.stock.io.text import header_text
from drizframe.stock.products.drizzle_keywords import rename_products
from drizframe.stock.products.headers import frame_headers, simple_header
from drizframe.stock.products.names import plane_paths
from drizframe.stock.products.planes import check_rules, mosaic_headers, write_planes
from drizframe.stock.products.tables import header_table

if TYPE_CHECKING:
    from astropy.io.fits import Header

__all__ = ["MEF", "SIMPLE", "OneFile", "SimpleFiles"]

Image = np.ndarray[Any, Any]

#: Extensions that one file has even where there is no such layer, after which others come: users of the reference
#: program know them by number.
_ALWAYS = ("sci", "wht", "ctx")


class _Sink(GatheringSink):
    """What both forms share: headers, table, and images as files hold them."""

    def headers(self) -> Mapping[str, Header]:
        """Return the headers of the product; those of its frame where it has none."""
        product = self.product
        made = frame_headers(product.frame, product.unit, product.exptime, product.layers)
        return {**made, **product.headers}

    def table(self) -> Any:
        """Return the table of input keywords as an extension, or None."""
        table = self.product.table
        if table is None or (isinstance(table, Mapping) and not table):
            return None
        return header_table(table) if isinstance(table, Mapping) else table

    def image(self, name: str) -> Image | None:
        """Return a layer; one of a single plane has two axes."""
        image = self.images.get(name)
        return image[0] if image is not None and image.ndim == 3 and image.shape[0] == 1 else image


class SimpleFiles(_Sink):
    """``<path>_sci.fits``, ``<path>_wht.fits``, and one for each further layer."""

    def close(self) -> list[Path]:
        """Write the files."""
        from astropy.io import fits

        product, headers, table = self.product, self.headers(), self.table()
        primary = headers["primary"].copy()
        rename_products(primary, product.path.name)
        for name, target in zip(product.layers, product.targets, strict=True):
            part = product.stage(target)
            header = simple_header(primary, headers[name], product.layers[name].extension)
            header["FILENAME"] = (header_text(target.name), "name of file")
            hdus = fits.HDUList([primary_hdu(self.image(name), header)])
            if name == "sci" and table is not None:
                hdus.append(table)
            hdus.writeto(part, output_verify="silentfix", checksum=True)
        return list(product.targets)


class OneFile(_Sink):
    """One file with extensions ``SCI``, ``WHT``, ``CTX`` (without data, if there is no context), others, and ``HDRTAB``."""

    def close(self) -> list[Path]:
        """Write the file."""
        from astropy.io import fits

        product, headers, table = self.product, self.headers(), self.table()
        (target,) = product.targets
        part = product.stage(target)
        extensions = []
        for name in dict.fromkeys([*_ALWAYS, *product.layers]):
            header = headers[name].copy()
            header.remove("EXTNAME", ignore_missing=True)
            hdu = fits.ImageHDU(data=self.image(name), header=header, name=name.upper())
            hdu.header["EXTVER"] = 1
            extensions.append(hdu)
        if table is not None:
            extensions.append(table)
        primary = headers["primary"].copy()
        rename_products(primary, target.name.removesuffix(".fits"))
        primary["EXTEND"], primary["NEXTEND"] = True, len(extensions)
        primary["FILENAME"] = (header_text(target.name), "name of file")
        fits.HDUList([primary_hdu(None, primary), *extensions]).writeto(
            part, output_verify="silentfix", checksum=True
        )
        return [target]


def _writer(name: str, summary: str, **more: Any) -> Writer:
    return Writer(
        name=name, summary=summary, traits=frozenset({"picklable"}), headers=mosaic_headers, planes=write_planes,
        plane_files=plane_paths, check=check_rules, **more,
    )  # fmt: skip


SIMPLE = _writer(
    "fits-simple",
    "FITS, one file for each image (_sci, _wht, _ctx).",
    open=SimpleFiles,
    endings=("_{layer}.fits",),
    form="parts",
)
MEF = _writer(
    "fits-mef", "FITS, one file with several extensions.", open=OneFile, endings=(".fits",), form="one"
)


@hookimpl
def drizframe_writers() -> Iterator[Writer]:
    """Offer both forms."""
    yield SIMPLE
    yield MEF
