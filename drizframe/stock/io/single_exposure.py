"""One exposure of a file that may hold several, as extensions of a file of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from drizframe.model.sources import stored
from drizframe.stock.io.cards import readable
from drizframe.stock.io.source import FitsSource
from drizframe.stock.io.text import header_text

if TYPE_CHECKING:
    from astropy.io.fits import HDUList

    from drizframe.model import Exposure

__all__ = ["single_exposure", "split_parts"]


def split_parts(source: Any) -> list[str]:
    """Return the images that a file of one exposure gets, in order."""
    return [k for k in ("sci", "err", "dq") if isinstance(source, FitsSource) and k in source.places]


def _whole(hdu: Any) -> Any:
    return hdu.copy()


def single_exposure(hdus: HDUList, exposure: Exposure, copied: Callable[[Any], Any] = _whole) -> HDUList:
    """Return the extensions of one exposure: all of its file, or one image set of a file with several.

    Parameters
    ----------
    hdus : HDUList
        The open file.
    exposure : Exposure
        As it was read from it.
    copied : callable
        ``copied(hdu) -> hdu``: copies an extension; by default, with its data.

    Returns
    -------
    HDUList
        Independent of `hdus`.
    """
    from astropy.io import fits

    for index, hdu in enumerate(hdus):
        readable(hdu.header, f"{exposure.path}[{index}]", "other")  # of what is left out, the reader has told
    if not exposure.extra.get("split"):
        return fits.HDUList([copied(h) for h in hdus])
    primary = fits.PrimaryHDU(header=exposure.primary)
    primary.header["FILENAME"] = header_text(exposure.extra["file"])
    parts: list[Any] = [primary]
    for chip in exposure.chips:
        source = stored(chip.load)
        places = source.places if isinstance(source, FitsSource) else {}
        for kind in split_parts(source):
            part = copied(hdus[places[kind][1]])
            part.header["EXTVER"] = chip.extver
            part.ver = chip.extver
            parts.append(part)
    primary.header["NEXTEND"] = len(parts) - 1
    return fits.HDUList(parts)
