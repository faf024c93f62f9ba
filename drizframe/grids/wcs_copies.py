"""WCS objects as plain numbers that go to another process and come out with the same bits.

Pickles of `astropy.wcs.WCS` go through the text of a header, which rounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import WCSError
from drizframe.grids.wcs import WcsState

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from astropy.wcs import WCS

__all__ = ["WcsCopy"]

#: What a WCS says beside the numbers of its transform, in as far as drizframe looks at it.
_TEXTS = ("name", "radesys", "dateobs", "specsys")
_NUMBERS = ("equinox", "mjdobs")


@dataclass(frozen=True, slots=True, eq=False)
class WcsCopy:
    """A WCS of two celestial axes.

    Parameters
    ----------
    state : WcsState
        The numbers of its transform; without its `master`.
    facts : mapping of str to str or float
        What else its header says.
    shape : tuple of int, or None
        Columns and rows, if they are known.
    text : str
        Header of a WCS that the numbers do not describe (TPV, TPD); blank for all others.
    """

    state: WcsState
    facts: dict[str, Any]
    shape: tuple[int, int] | None
    text: str = ""

    @classmethod
    def of(cls, wcs: WCS, where: str = "the image", header: Header | None = None) -> WcsCopy:
        """Take the numbers of a WCS.

        Parameters
        ----------
        wcs : astropy.wcs.WCS
            It stays as it is.
        where : str
            Name of the image, for messages.
        header : astropy.io.fits.Header, optional
            Of the image, which may hold more digits of what the numbers do not describe.

        Raises
        ------
        WCSError
            If the copy would not have the same bits.
        """
        state, prm = WcsState.of(wcs, where), wcs.wcs
        facts: dict[str, Any] = {n: str(getattr(prm, n)) for n in _TEXTS}
        facts |= {n: float(v) for n in _NUMBERS if np.isfinite(v := getattr(prm, n))}
        shape = wcs.pixel_shape
        plain = cls(replace(state, master=None), facts, None if shape is None else (shape[0], shape[1]))
        for text in [""] if state.master is None else _texts(wcs, header):
            copy = replace(plain, text=text)
            if _same(copy.build(), wcs):
                return copy
        msg = (
            f"The WCS of {where} (CTYPE {', '.join(state.ctype)}) cannot be sent to another process without rounding it. "
            "Choose an executor that works in this process, such as 'threads'."
        )
        raise WCSError(msg)

    def build(self) -> WCS:
        """Return a WCS that maps every pixel to the same bits."""
        from astropy.io.fits import Header
        from astropy.wcs import WCS

        if self.text:
            wcs = WCS(Header.fromstring(self.text))
        else:
            wcs = self.state.build()
            for name, value in self.facts.items():
                if value != "":
                    setattr(wcs.wcs, name, value)
            wcs.wcs.set()
        if self.shape is not None:
            wcs.pixel_shape = self.shape
        return wcs


def _texts(wcs: WCS, header: Header | None) -> Iterator[str]:
    """Yield headers that may describe a WCS exactly."""
    if header is not None:
        cards = (c for c in header.cards if c.keyword not in ("COMMENT", "HISTORY", ""))
        yield "".join(f"{c.image:80}" for c in cards)
    yield str(wcs.to_header_string(relax=True))


def _same(one: WCS, two: WCS) -> bool:
    """Whether two WCS have the same system, and map some pixels to the same bits."""
    a, b = WcsState.of(one), WcsState.of(two)
    x, y = np.meshgrid([-500.0, -3.0, 0.0, 70.0, 1000.0], [-800.0, 0.0, 5.0, 300.0])
    pixels = np.column_stack([x.ravel(), y.ravel()]) + a.crpix
    return a.system == b.system and np.array_equal(
        a.build().all_pix2world(pixels, 1), b.build().all_pix2world(pixels, 1), equal_nan=True
    )
