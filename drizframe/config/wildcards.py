"""What a wildcard leaves out: files that are no exposures, and second versions of one exposure.

A folder of exposures also holds what programs of this kind wrote there, and what archives deliver with an exposure.  A
wildcard means the exposures; whoever wants another file names it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from drizframe.config.peek import first_cards, is_product

__all__ = ["IsSplit", "exposures_among", "nobody_splits"]

#: ``split(cards) -> bool``: whether files of the instrument with these keywords may hold several exposures.
IsSplit = Callable[[Mapping[str, str]], bool]

_FITS = r"(?:\.fits?|\.fts)(?:\.(?:gz|xz|fz))?$"


def _ending(*words: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(words)}){_FITS}", re.IGNORECASE)


#: What files are, by their names.
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("products", _ending(r"_dr[zcw](?:_(?:sci|wht|ctx|var))?", "_i2d")),
    (
        "images of single steps",
        _ending("_single_(?:sci|wht)", r"_sci\d+_blt", "_crclean"),
    ),
    (
        "masks",
        _ending(
            "_(?:single|final)_mask", "_crmask", "_staticmask", r"_skymatch_mask_sci\d+", r"_sci\d+_dqmask", r"_mask\d*",
            "_dqmask", "_bpm",
        ),
    ),
    ("weights and context images", _ending("[_.](?:wht|weights?|ivm|ctx|context)")),
    ("flags of a companion file", re.compile(r"_c1[fm]" + _FITS + r"|\.c1h$", re.IGNORECASE)),
    ("files that go with exposures", _ending("_(?:spt|shf|shm|jit|jif|trl|hlet|pdq|epc)")),
)  # fmt: skip

#: Versions of one exposure, the best first.
_VERSIONS = (
    "flc", "flt", "c0m", "c0f", "crf", "cal", "crc", "crj", "sfl", "rate", "ima", "rac", "raw", "uncal", "d0m", "d0f",
)  # fmt: skip
_VERSION = re.compile(rf"_(?P<version>{'|'.join(_VERSIONS)}){_FITS}", re.IGNORECASE)
_TABLE = _ending("_as[nc]")


def nobody_splits(cards: Mapping[str, str]) -> bool:
    """Say of every instrument that its files hold one exposure."""
    return False


def exposures_among(
    found: Sequence[Path], members: Callable[[Path], Iterable[Path]], split: IsSplit = nobody_splits
) -> tuple[list[Path], str]:
    """Return the exposures among the files that a wildcard matches.

    Parameters
    ----------
    found : sequence of pathlib.Path
        The matches.
    members : callable
        ``members(table)``: the files that an association table stands for.
    split : callable
        Whether files of an instrument may hold several exposures.

    Returns
    -------
    list of pathlib.Path
        Those that are taken, in the order in which they came.
    str
        Which are left out, and what they are; empty if none is.
    """
    out: dict[Path, str] = {}
    for path in found:
        kind = _kind(path)
        if kind:
            out[path] = kind
    rest = [p for p in found if p not in out]
    out |= _tables(rest, members)
    out |= _versions([p for p in rest if p not in out])
    out |= _split([p for p in rest if p not in out], split)
    return [p for p in found if p not in out], _told(out)


def _kind(path: Path) -> str:
    """Return what a file is if it is no exposure; empty for what may be one."""
    for kind, pattern in _KINDS:
        if pattern.search(path.name):
            return kind
    return "products" if is_product(first_cards(path)) else ""


def _tables(paths: Sequence[Path], members: Callable[[Path], Iterable[Path]]) -> dict[Path, str]:
    """Association tables whose members are matched too."""
    tables = [p for p in paths if _TABLE.search(p.name)]
    others = {p.absolute() for p in paths} - {t.absolute() for t in tables}
    return {
        t: "association tables of files that are matched too"
        for t in tables
        if others and any(m.absolute() in others for m in members(t))
    }


def _versions(paths: Sequence[Path]) -> dict[Path, str]:
    """Versions of an exposure of which a better one is there."""
    best: dict[tuple[Path, str], tuple[int, Path]] = {}
    ranks: dict[Path, tuple[tuple[Path, str], int]] = {}
    for path in paths:
        match = _VERSION.search(path.name)
        if match is None:
            continue
        key, rank = (path.parent, path.name[: match.start()]), _VERSIONS.index(match["version"].lower())
        ranks[path] = key, rank
        if key not in best or rank < best[key][0]:
            best[key] = rank, path
    return {
        p: f"other versions of exposures that are taken as _{_VERSIONS[best[key][0]]}"
        for p, (key, rank) in ranks.items()
        if rank > best[key][0]
    }


def _split(paths: Sequence[Path], split: IsSplit) -> dict[Path, str]:
    """Files of single exposures beside the file that they were taken from."""
    names: dict[Path, dict[str, str]] = {}
    for path in paths:
        cards = first_cards(path)
        if cards.get("ROOTNAME") and split(cards):
            names[path] = cards
    out = {}
    for path, cards in names.items():
        original = _original(path, cards, names)
        if original is not None:
            out[path] = f"single exposures of {original.name}"
    return out


def _original(path: Path, cards: dict[str, str], names: dict[Path, dict[str, str]]) -> Path | None:
    """Return the larger file of several exposures that a file was taken from: its name begins with the ROOTNAME of both."""
    root = cards.get("ROOTNAME", "").lower()
    if not root or path.name.lower().startswith(root + "_"):
        return None
    return next(
        (
            other
            for other, more in names.items()
            if other.name.lower().startswith(root + "_")
            and more.get("ROOTNAME", "").lower() == root
            and other.stat().st_size > path.stat().st_size
        ),
        None,
    )


def _told(out: dict[Path, str]) -> str:
    """Return a sentence for each kind, with the names."""
    kinds: dict[str, list[str]] = {}
    for path, kind in out.items():
        kinds.setdefault(kind, []).append(path.name)
    return "; ".join(f"{kind}: {', '.join(names)}" for kind, names in kinds.items())
