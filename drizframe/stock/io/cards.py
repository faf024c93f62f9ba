"""Cards that cannot be parsed: an error where the keyword is needed, else left out with a warning."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Literal

from drizframe.errors import UnreadableInputError
from drizframe.fits.stamps import Stamp

if TYPE_CHECKING:
    from astropy.io.fits import Header

__all__ = ["PLAIN", "readable", "readable_again", "remember_readable"]

#: Keywords without which an image cannot be read.
_STRUCTURE = (
    r"Z?(SIMPLE|XTENSION|BITPIX|NAXIS\d*|PCOUNT|GCOUNT|EXTNAME|EXTVER|BSCALE|BZERO|BLANK|IMAGE|CMPTYPE|TILE\d|NAME\d"
    r"|VAL\d)|NPIX[12]|PIXVALUE|(TFORM|TTYPE|TSCAL|TZERO|TNULL)\d+|TFIELDS|THEAP"
)
#: Keywords without which a science image would be combined wrongly, silently.
_SCIENCE = (
    r"WCSAXES|(CTYPE|CRVAL|CRPIX|CDELT|CUNIT|CROTA)[12]|(CD|PC|PV)[12]_\d+|LONPOLE|LATPOLE|RADESYS|RADECSYS|REFFRAME"
    r"|[AB]P?_(ORDER|\d_\d)|(CPDIS|DP|D2IM|D2IMDIS)[12]?|AXISCORR"
    r"|INSTRUME|DETECTOR|CAMERA|OBSTYPE|EXPTIME|BUNIT|UNITCORR|MTFLAG|CCDAMP|MODE|CCDCHIP|PA_V3"
    r"|IDC(SCALE|V2REF|V3REF|THETA)|LTV[12]|GAIN|RDNOISE|READNOIS|ATODG(AIN|N[ABCD])|READNSE[ABCD]?|DARKTIME"
)
Kind = Literal["science", "image", "other"]
#: Keywords that are needed: of the primary header and of a science image, of another image, of a table.
_NEEDED: dict[Kind, re.Pattern[str]] = {
    "science": re.compile(f"{_STRUCTURE}|{_SCIENCE}"), "image": re.compile(_STRUCTURE), "other": re.compile(r"(?!)"),
}  # fmt: skip
#: A card of 80 characters that needs no closer look: a keyword, and a text, a logical or a number.
PLAIN = re.compile(
    r"(?=.{8}= )[A-Z0-9_-]{1,8} *= *"
    r"(?:'(?:[ -&(-~]|'')*'|[TF]|[+-]?(?:\d+\.?\d*|\.\d+)(?:[ED][+-]?\d{1,2})?) *(?:/[ -~]*)?"
)
#: A card without a value.
_COMMENTARY = re.compile(r"(?:COMMENT |HISTORY | {8})[ -~]*")
#: What may stand before the value.
_KEYWORD = re.compile(r"[\x20-\x7e]*")


def _text(card: Any) -> str:
    """Return a card as it stands in the file; asking astropy for it would parse and repair it."""
    return str(getattr(card, "_image", None) or card.keyword).rstrip()


def _plain(card: Any) -> bool:
    """Whether a card as it stands in the file is so simple that it needs not be parsed to see that it can be."""
    text = getattr(card, "_image", None)
    if not isinstance(text, str) or len(text) > 80 or getattr(card, "_modified", True):
        return False
    text = text.rstrip()
    return bool(PLAIN.fullmatch(text) or _COMMENTARY.fullmatch(text))


def _usable(value: Any) -> bool:
    """Whether a value can be written again: no number that is not finite."""
    parts = (value.real, value.imag) if isinstance(value, complex) else (value,)
    return all(math.isfinite(p) for p in parts if isinstance(p, float))


#: Headers of which every card could be parsed, by file, extension, and what tells the file from a changed one.
_SOUND: dict[tuple[str, Stamp], None] = {}
#: How many are remembered.
_MANY = 1 << 14


def remember_readable(where: str, stamp: Stamp) -> None:
    """Remember that all cards of a header can be parsed.

    Parameters
    ----------
    where : str
        The file and extension.
    stamp : Stamp
        The file as it was.
    """
    if len(_SOUND) >= _MANY:
        _SOUND.clear()
    _SOUND[where, stamp] = None


def readable_again(header: Header, where: str, kind: Kind, stamp: Stamp | None) -> None:
    """Do as `readable`, for a header that was read before; one that was sound then is not parsed again.

    Parameters
    ----------
    header : Header
        Is changed.
    where : str
        The file and extension.
    kind : {"science", "image", "other"}
        What it heads.
    stamp : Stamp or None
        The file as it was, and is; None: nobody knows.
    """
    if stamp is None:
        readable(header, where, kind)
    elif (where, stamp) not in _SOUND and not readable(header, where, kind):
        remember_readable(where, stamp)


def readable(header: Header, where: str, kind: Kind) -> tuple[str, ...]:
    """Remove the cards of a header that cannot be parsed.

    Parameters
    ----------
    header : Header
        Is changed.
    where : str
        The file and extension, for messages.
    kind : {"science", "image", "other"}
        What it heads; it decides which keywords are needed.

    Returns
    -------
    tuple of str
        A warning for each card that was removed.

    Raises
    ------
    UnreadableInputError
        If a keyword is needed: of the structure, the WCS, the instrument, the exposure.
    """
    from astropy.io.fits import VerifyError

    notes = []
    cards = header.cards
    for i in reversed(range(len(cards))):
        card = cards[i]
        if _plain(card):
            continue
        try:
            good = _usable(card.value) and card.comment is not None and _KEYWORD.fullmatch(card.keyword)
        except (VerifyError, ValueError, TypeError, AttributeError, LookupError):
            good = None
        if good:
            continue
        text = _text(card)
        key = text[:8].rstrip()
        if _NEEDED[kind].fullmatch(key):
            msg = f"{where}: the card {text!r} cannot be used, and {key} is needed. Correct its value."
            raise UnreadableInputError(msg)
        notes.append(f"{where}: the card {text!r} cannot be parsed; it is left out")
        del header[i]
    return tuple(reversed(notes))
