"""Cards of input headers that a product can hold: within the standard, each keyword once.

What cannot be parsed is left out when a file is read; here are all other cards, and headers of other origin.
"""

from __future__ import annotations

import cmath
import copy
import re
import warnings
from typing import TYPE_CHECKING, Any

from drizframe.stock.io.cards import PLAIN

if TYPE_CHECKING:
    from astropy.io.fits import Card, Header

__all__ = ["drop_unsound", "sound_header"]

#: How a card begins.
_KEYWORD = re.compile(r"(?=.{8}= |.{8}$|(?:COMMENT|HISTORY) )[A-Z0-9_-]{1,8} *|HIERARCH | {8}")
_COMMENTARY = frozenset({"", "COMMENT", "HISTORY"})
#: Keywords that end or continue a header; as cards of their own they mean nothing.
_NO_KEYWORD = frozenset({"CONTINUE", "END"})


def sound_header(header: Header) -> tuple[Header, tuple[str, ...]]:
    """Return a copy of a header with those of its cards that a product can hold, and what was left out.

    Parameters
    ----------
    header : Header
        Header of an input; it is not changed.

    Returns
    -------
    Header
        Every card of it can be read and written.  Keywords are in upper case and unique; of several cards with
        one keyword the first counts, as everywhere else.
    tuple of str
        Words on each card that was left out, with its keyword; none for a repetition of the same value.
    """
    from astropy.io import fits

    kept: dict[str, Card] = {}
    cards: list[Card] = []
    faults: list[str] = []
    for card in header.cards:
        sound, fault = _sound(card)
        if sound is None:
            faults.append(f"the card {_name(card)} {fault}; it is left out of the products")
        elif sound.keyword in _COMMENTARY:
            cards.append(sound)
        elif sound.keyword not in kept:
            kept[sound.keyword] = sound
            cards.append(sound)
        elif not _same(kept[sound.keyword].value, sound.value):
            faults.append(
                f"the keyword {sound.keyword!r} is there with {kept[sound.keyword].value!r} and with "
                f"{sound.value!r}; the first counts, the other is left out of the products"
            )
    return fits.Header(cards), tuple(dict.fromkeys(faults))


def drop_unsound(header: Header) -> None:
    """Remove the cards that cannot be written from a header which is else kept as it is.

    Parameters
    ----------
    header : Header
        Header that is changed.
    """
    for i in reversed(range(len(header.cards))):
        if _sound(header.cards[i])[0] is None:
            del header[i]


def _same(one: Any, two: Any) -> bool:
    return type(one) is type(two) and bool(one == two)


def _name(card: Card) -> str:
    """Return the keyword of a card that may be damaged, for messages."""
    from astropy.io.fits import VerifyError

    try:
        return repr(str(card.keyword))
    except (VerifyError, ValueError):
        return "without a keyword"


def _sound(card: Card) -> tuple[Card | None, str]:
    """Return a card as the standard wants it, or None and what is wrong with it."""
    from astropy.io.fits import Card, VerifyError

    try:
        value = card.value  # before its image, which would turn what cannot be read into a text
        text = str(card.image)
        plain = len(text) <= Card.length and PLAIN.fullmatch(text.rstrip())
        sound = copy.copy(card) if plain else _mended(text, value)
    except VerifyError:
        return None, "cannot be read"
    except (ValueError, TypeError, AttributeError, KeyError, IndexError, OverflowError, Warning):
        return None, "is none that FITS allows"
    return (None, "is out of place") if sound.keyword in _NO_KEYWORD else (sound, "")


def _mended(text: str, value: Any) -> Card:
    """Return a card whose keyword is in upper case; any other fault is an error."""
    from astropy.io.fits import Card

    if isinstance(value, float | complex) and not cmath.isfinite(value):
        msg = "not a finite number"
        raise ValueError(msg)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fresh = Card.fromstring(text)
        fresh.verify("silentfix")
        warnings.simplefilter("error")
        written = Card.fromstring(fresh.image)
        written.verify("exception")
    if not _same(written.value, value):
        msg = f"{value!r} cannot be written"
        raise ValueError(msg)
    if not _KEYWORD.match(str(fresh.image)):
        msg = "no keyword"
        raise ValueError(msg)
    return written
