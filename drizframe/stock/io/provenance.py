"""What made a product, in its header: keywords for plugins and their steps, all the rest as ``HISTORY``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from drizframe.stock.io.text import header_text

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from drizframe.model.provenance import Provenance

__all__ = ["put_provenance"]

_OURS = re.compile(r"NPLUGINS|PLUG\d{3,4}|NXSTEPS|XSTP\d{3,4}")


def put_provenance(header: Header, made: Provenance | None) -> None:
    """Write into a header what made the file, in place of what made an input.

    Parameters
    ----------
    header : Header
        Header that is changed.
    made : Provenance or None
        None: nothing is known.
    """
    for key in [k for k in dict.fromkeys(header) if _OURS.fullmatch(k)]:
        header.remove(key, ignore_missing=True, remove_all=True)
    if made is None:
        return
    header["NPLUGINS"] = (len(made.used), "plugins that took part")
    for number, plugin in enumerate(made.used, start=1):
        header[f"PLUG{number:03d}"] = header_text(plugin.source)
    foreign = made.foreign_steps
    header["NXSTEPS"] = (len(foreign), "steps that are not drizframe's alone")
    for number, step in enumerate(foreign, start=1):
        header[f"XSTP{number:03d}"] = header_text(f"{step.name}: {step.provider}")
    header["HISTORY"] = "Made by:"
    for line in made.lines():
        header["HISTORY"] = header_text(f"    {line}")
