"""From what a user types as `output` to names of products."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from drizframe.config.inputs import root_name

__all__ = ["OutputNames", "output_names"]

#: Tags that are no part of the root.
_TAGS = frozenset({"_drz", "_drc"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputNames:
    """Names of the products.

    Parameters
    ----------
    root : str
        Text before the tag, with the folder if one was given; ``<root>_med.fits`` is the median image.
    tag : str
        ``"_drz"``, ``"_drc"``, that of the instrument, or empty; the reference program counts that of an instrument as a
        part of the root.
    """

    root: str
    tag: str

    @property
    def stem(self) -> str:
        """Root and tag: products are ``<stem>_sci.fits``, ``<stem>.fits`` …."""
        return self.root + self.tag


def output_names(
    output: str | None,
    paths: Sequence[str | PurePath],
    tag: str = "",
    asn_root: str | None = None,
    *,
    whole: bool = False,
) -> OutputNames:
    """Return root and tag of the products.

    Parameters
    ----------
    output : str or None
        The user's `output`; blank: from the table, the only input, or ``final``.
    paths : sequence of str or PurePath
        Input files.
    tag : str
        What products of the instrument have in their names; blank: ``"_drz"``, or ``"_drc"`` for CTE-corrected inputs.
    asn_root : str, optional
        Product name of an association table.
    whole : bool
        Whether all of the name is kept: a tag or ``.fits`` counts at its end only.  The reference program cuts
        the name after a tag wherever it stands, so that ``a_drz_v2`` and ``a_drz_v3`` are one.

    Returns
    -------
    OutputNames

    Examples
    --------
    >>> output_names("foo", ["a_flt.fits"]).stem
    'foo_drz'
    >>> output_names("foo.fits", ["a_flt.fits"]).stem
    'foo'
    """
    given = (output or "").strip()
    root = given or asn_root or (root_name(paths[0]) if len(paths) == 1 else "final")
    own = tag or ("_drc" if str(paths[0]).endswith("_flc.fits") else "_drz")
    folder, name = os.path.split(root)
    if whole:
        return _whole_names(folder, name, own)
    if ".fits" not in name.lower() and own not in name:
        name = root_name(name) + own + ".fits"
    found = re.search(r"_dr[zc]", name)
    if found:
        return OutputNames(root=os.path.join(folder, name[: found.start()]), tag=found[0])  # noqa: PTH118
    end = name.lower().find(".fits")
    if end >= 0:
        return OutputNames(root=os.path.join(folder, name[:end]), tag="")  # noqa: PTH118
    return OutputNames(root=os.path.join(folder, name), tag="_drz")  # noqa: PTH118


def _whole_names(folder: str, name: str, own: str) -> OutputNames:
    """Return root and tag where only the end of a name counts."""
    stem = re.sub(r"\.fits$", "", name, flags=re.IGNORECASE)
    tagged = re.fullmatch(r"(.+)(_dr[zc])", stem)
    if tagged:
        return OutputNames(root=os.path.join(folder, tagged[1]), tag=tagged[2])  # noqa: PTH118
    root = os.path.join(folder, stem)  # noqa: PTH118
    if stem != name:
        return OutputNames(root=root, tag="")
    return OutputNames(root=root if own in _TAGS else root.removesuffix(own), tag=own)
