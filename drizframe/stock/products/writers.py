"""Mosaics to FITS: one file with extensions, or one file for each image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.hooks import Product, ProductLayer, Writer, hookimpl
from drizframe.stock.io.block_file import BlockFile, stand_in
from drizframe.stock.io.images import primary_hdu
from drizframe.stock.io.text import header_text
from drizframe.stock.products.drizzle_keywords import rename_products
from drizframe.stock.products.headers import frame_headers, simple_header
from drizframe.stock.products.names import plane_paths
from drizframe.stock.products.planes import check_rules, mosaic_headers, write_planes
from drizframe.stock.products.tables import header_table

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from drizframe.model import Window

__all__ = ["MEF", "SIMPLE", "OneFile", "SimpleFiles"]

Image = np.ndarray[Any, Any]

#: Extensions that one file has even where there is no such layer, after which others come: users of the reference
#: program know them by number.
_ALWAYS = ("sci", "wht", "ctx")


class _Sink:
    """What both forms share: headers, table, and images that go into their files as they come."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.files: dict[str, tuple[BlockFile, int]] = {}

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
        """Return what stands in for the pixels of a layer; one of a single plane has two axes."""
        layer = self.product.layers.get(name)
        return None if layer is None else stand_in(_axes(layer), layer.dtype)

    def write(self, plane: str, window: Window, array: Image) -> None:
        """Write a part of a layer into its file."""
        layer = self.product.layer(plane)
        file, number = self.files[plane]
        file.write(number, window, array[0] if array.ndim > len(_axes(layer)) else array)

    def close(self) -> list[Path]:
        """Finish the files."""
        for file in dict.fromkeys(file for file, _ in self.files.values()):
            file.close()
        return list(self.product.targets)

    def abort(self) -> None:
        """Forget the files."""
        self.files.clear()


def _axes(layer: ProductLayer) -> tuple[int, ...]:
    """Return the axes of a layer in a file."""
    return layer.shape[1:] if len(layer.shape) == 3 and layer.shape[0] == 1 else layer.shape


class SimpleFiles(_Sink):
    """``<path>_sci.fits``, ``<path>_wht.fits``, and one for each further layer."""

    def __init__(self, product: Product) -> None:
        super().__init__(product)
        headers, table = self.headers(), self.table()
        primary = headers["primary"].copy()
        rename_products(primary, product.path.name)
        for (name, layer), target in zip(product.layers.items(), product.targets, strict=True):
            header = simple_header(primary, headers[name], layer.extension)
            header["FILENAME"] = (header_text(target.name), "name of file")
            hdus = [primary_hdu(self.image(name), header)]
            if name == "sci" and table is not None:
                hdus.append(table)
            self.files[name] = BlockFile(product.stage(target), hdus, {0: layer.fill}), 0


class OneFile(_Sink):
    """One file with extensions ``SCI``, ``WHT``, ``CTX`` (without data, if there is no context), others, and ``HDRTAB``."""

    def __init__(self, product: Product) -> None:
        from astropy.io import fits

        super().__init__(product)
        headers, table = self.headers(), self.table()
        (target,) = product.targets
        names = list(dict.fromkeys([*_ALWAYS, *product.layers]))
        extensions = []
        for name in names:
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
        fills = {k: product.layers[n].fill for k, n in enumerate(names, start=1) if n in product.layers}
        file = BlockFile(product.stage(target), [primary_hdu(None, primary), *extensions], fills)
        self.files = {n: (file, k) for k, n in enumerate(names, start=1) if n in product.layers}


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
