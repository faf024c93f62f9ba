"""The table of input keywords as a FITS extension."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["NULL", "header_table"]

#: Stands for a whole number that is missing (``TNULL``).
NULL = -(2**63)
#: Whole numbers that a column can hold; others are kept as text.
_LARGEST = 2**63 - 1
#: Columns that a table can have.
_MOST_COLUMNS = 999


def _column(name: str, values: Sequence[Any]) -> Any:
    """Return a column whose type is that of the values which are there; missing ones are null."""
    from astropy.io.fits import Column

    present = [v for v in values if v is not None]
    complete = len(present) == len(values)
    if not present:
        return Column(name=name, format="D", array=np.full(len(values), np.nan))
    if all(isinstance(v, bool) for v in present):
        if complete:
            return Column(name=name, format="L", array=np.array(values))
        values = [None if v is None else "FT"[v] for v in values]
    elif any(isinstance(v, int) and abs(v) > _LARGEST for v in present):
        pass
    elif all(isinstance(v, int) and not isinstance(v, bool) for v in present):
        array = np.array([NULL if v is None else v for v in values], dtype=np.int64)
        return Column(name=name, format="K", array=array, null=None if complete else NULL)
    elif all(isinstance(v, int | float) and not isinstance(v, bool) for v in present):
        return Column(
            name=name, format="D", array=np.array([np.nan if v is None else float(v) for v in values])
        )
    text = ["" if v is None else str(v).rstrip() for v in values]
    return Column(name=name, format=f"{max(1, *(len(t) for t in text))}A", array=np.array(text))


def header_table(columns: Mapping[str, Sequence[Any]]) -> Any:
    """Return the extension ``HDRTAB``.

    Parameters
    ----------
    columns : mapping of str to sequence
        Values of each keyword, one for each chip; None: missing.

    Returns
    -------
    astropy.io.fits.BinTableHDU
        Whole numbers keep their type (``TNULL`` marks missing ones), missing texts are empty, missing
        decimals are NaN.  Beyond 999 columns, which a table cannot have, the rest is left out.
    """
    from astropy.io.fits import BinTableHDU

    chosen = {re.sub(r"^[^0-9A-Za-z_]", "_", k): v for k, v in list(columns.items())[:_MOST_COLUMNS]}
    return BinTableHDU.from_columns([_column(k, v) for k, v in chosen.items()], name="HDRTAB")
