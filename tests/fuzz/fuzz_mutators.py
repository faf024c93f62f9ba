"""Changes of FITS files, as JSON: each is ``[name, arguments...]`` and can be made again.

Headers are changed card by card in the bytes, so that what no library would write can be written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["MUTATORS", "apply", "draw"]

BLOCK, CARD = 2880, 80
#: Values of a card as text: wrong types, wrong signs, numbers that cannot be.
VALUES = (
    "0", "-1", "1", "2", "3", "9", "10", "65536", "40000", "100000", "2147483647", "-2147483648", "9223372036854775808",
    "1E300", "-1E300", "1E30", "1E-30", "1E-300", "NaN", "inf", "-Infinity", "0.0", "-0.0", "1.5", "-32", "7.0", "T", "F",
    "'text'", "''", "'1.0'", "'nan'", "'../../x'", "'/etc/passwd'", "'NAXES: 65536'", "'EXTVER: 7'", "'AXIS.1: 9'", "(1.0, 2.0)",
    "12:34:56.7", "", "'unclosed", "1 2 3", "'" + "x" * 66 + "'", "'RA---XYZ'", "'DEC--TAN'", "'GLON-TAN'", "'SCI'",
    "'Lookup'", "'Polynomial'", "'TPD'",
)  # fmt: skip
#: Keywords that decide most, which get a larger share.
KEYS = (
    "WCSAXES", "NAXIS", "NAXIS1", "NAXIS2", "NAXIS3", "BITPIX", "PCOUNT", "GCOUNT", "EXTNAME", "EXTVER", "XTENSION",
    "SIMPLE", "BSCALE", "BZERO", "BLANK", "CTYPE1", "CTYPE2", "CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2", "CD1_1", "CD1_2",
    "CD2_1", "CD2_2", "CDELT1", "PC1_1", "CUNIT1", "CROTA2", "LONPOLE", "LATPOLE", "RADESYS", "EQUINOX", "MJD-OBS",
    "DATE-OBS", "A_ORDER", "B_ORDER", "AP_ORDER", "BP_ORDER", "A_2_1", "B_1_1", "A_9_9", "A_DMAX", "CPDIS1", "CPDIS2",
    "DP1", "DP2", "D2IMDIS1", "D2IMDIS2", "D2IM1", "D2IM2", "D2IMARR", "AXISCORR", "CPERR1", "PV1_1", "PV2_1", "PV2_5",
    "PV1_99", "PV9_1", "PS1_0", "NPIX1", "NPIX2", "PIXVALUE", "EXPTIME", "EXPSTART", "EXPEND", "PA_V3", "INSTRUME", "DETECTOR",
    "CCDCHIP", "CAMERA", "BUNIT", "IDCSCALE", "IDCV2REF", "IDCV3REF", "IDCTHETA", "LTV1", "LTV2", "ATODGNA", "READNSEB",
    "ATODGAIN", "READNSE", "GAIN", "RDNOISE", "NGOODPIX", "NEXTEND", "MEANDARK", "MDRIZSKY", "MTFLAG", "ROOTNAME", "EXPNAME",
    "FILENAME", "WCSNAME", "ORIENTAT", "VAFACTOR", "REFFRAME", "PFLTFILE", "ZCMPTYPE", "ZNAXIS1", "ZNAXIS2", "ZTILE1", "ZBITPIX",
    "ZNAXIS", "ZVAL1", "TFORM1", "TTYPE1", "TFIELDS", "THEAP", "DARKTIME", "CCDAMP", "MODE", "RESTFRQ", "CNAME1",
    "SPECSYS", "CHECKSUM", "DATASUM",
)  # fmt: skip
GARBAGE = ("GARBAGE", "A\x00B = 1", "\xe9\xff", "= 3", "END", "CONTINUE  'x'")
Mutator = Callable[..., bytes]
MUTATORS: dict[str, Mutator] = {}


def _mutator(function: Mutator) -> Mutator:
    MUTATORS[function.__name__] = function
    return function


def headers(data: bytes) -> list[tuple[int, int]]:
    """Return where headers begin and where their END card is, by looking at blocks."""
    found = []
    at = 0
    while at < len(data):
        if data[at : at + 9] in (b"SIMPLE  =", b"XTENSION="):
            end = at
            while end < len(data) and data[end : end + CARD].rstrip() != b"END":
                end += CARD
            if end >= len(data):
                break
            found.append((at, end))
            at = end - end % BLOCK + BLOCK
        else:
            at += BLOCK
    return found


def _cards(data: bytes, number: int) -> tuple[int, int, list[bytes]]:
    """Return begin and end (past its last block) of a header, and its cards without END."""
    places = headers(data)
    if not places:
        return 0, 0, []
    begin, end = places[number % len(places)]
    cards = [data[i : i + CARD] for i in range(begin, end, CARD)]
    return begin, end - end % BLOCK + BLOCK, cards


def _joined(data: bytes, begin: int, end: int, cards: list[bytes]) -> bytes:
    text = b"".join(cards) + b"END".ljust(CARD)
    return data[:begin] + text.ljust(-(-len(text) // BLOCK) * BLOCK) + data[end:]


def _key(card: bytes) -> str:
    return card[:8].decode("latin-1").rstrip()


@_mutator
def put(data: bytes, hdu: int, key: str, value: str) -> bytes:
    """Give a keyword another value, or add it."""
    begin, end, cards = _cards(data, hdu)
    card = f"{key:<8}= {value:>20}".encode("latin-1")[:CARD].ljust(CARD)
    places = [i for i, c in enumerate(cards) if _key(c) == key]
    if places:
        cards[places[0]] = card
    else:
        cards.append(card)
    return _joined(data, begin, end, cards) if end else data


@_mutator
def remove(data: bytes, hdu: int, key: str) -> bytes:
    begin, end, cards = _cards(data, hdu)
    return _joined(data, begin, end, [c for c in cards if _key(c) != key]) if end else data


@_mutator
def rename(data: bytes, hdu: int, key: str, new: str) -> bytes:
    begin, end, cards = _cards(data, hdu)
    cards = [new.encode("latin-1").ljust(8)[:8] + c[8:] if _key(c) == key else c for c in cards]
    return _joined(data, begin, end, cards) if end else data


@_mutator
def repeat(data: bytes, hdu: int, key: str, times: int) -> bytes:
    """Write a card several times."""
    begin, end, cards = _cards(data, hdu)
    return (
        _joined(data, begin, end, [c for card in cards for c in [card] * (times if _key(card) == key else 1)])
        if end
        else data
    )


@_mutator
def insert(data: bytes, hdu: int, place: int, text: str) -> bytes:
    """Put any text in place of a card."""
    begin, end, cards = _cards(data, hdu)
    cards.insert(place % (len(cards) + 1), text.encode("latin-1")[:CARD].ljust(CARD))
    return _joined(data, begin, end, cards) if end else data


@_mutator
def shuffle(data: bytes, hdu: int, seed: int) -> bytes:
    begin, end, cards = _cards(data, hdu)
    order = np.random.default_rng(seed).permutation(len(cards))
    return _joined(data, begin, end, [cards[i] for i in order]) if end else data


def _count(data: bytes) -> int:
    return max(1, len(data) // BLOCK)


@_mutator
def lose(data: bytes, block: int, count: int) -> bytes:
    at = block % _count(data) * BLOCK
    return data[:at] + data[at + count * BLOCK :]


@_mutator
def double(data: bytes, block: int, count: int) -> bytes:
    at = block % _count(data) * BLOCK
    return data[: at + count * BLOCK] + data[at:]


@_mutator
def swap(data: bytes, one: int, two: int) -> bytes:
    a, b = sorted((one % _count(data) * BLOCK, two % _count(data) * BLOCK))
    if a == b:
        return data
    return data[:a] + data[b : b + BLOCK] + data[a + BLOCK : b] + data[a : a + BLOCK] + data[b + BLOCK :]


@_mutator
def cut(data: bytes, at: int) -> bytes:
    return data[: at % (len(data) + 1)]


@_mutator
def flip(data: bytes, *bits: int) -> bytes:
    array = np.frombuffer(data or b"\0", np.uint8).copy()
    for bit in bits:
        array[bit // 8 % array.size] ^= 1 << bit % 8
    return array.tobytes()


@_mutator
def fill(data: bytes, block: int, value: int) -> bytes:
    at = block % _count(data) * BLOCK
    return data[:at] + bytes([value]) * min(BLOCK, len(data) - at) + data[at + BLOCK :]


@_mutator
def append(data: bytes, count: int, value: int) -> bytes:
    return data + bytes([value]) * count


@_mutator
def drop_hdu(data: bytes, number: int) -> bytes:
    """Leave an HDU out."""
    places = [b for b, _ in headers(data)]
    if len(places) < 2:
        return data
    places.append(len(data))
    i = number % (len(places) - 1)
    return data[: places[i]] + data[places[i + 1] :]


@_mutator
def move_hdu(data: bytes, number: int) -> bytes:
    """Put an HDU at the end."""
    places = [b for b, _ in headers(data)]
    if len(places) < 3:
        return data
    places.append(len(data))
    i = 1 + number % (len(places) - 2)
    return data[: places[i]] + data[places[i + 1] :] + data[places[i] : places[i + 1]]


def apply(data: bytes, mutations: list[list[Any]]) -> bytes:
    """Return the file with all changes made, in order."""
    for name, *arguments in mutations:
        data = MUTATORS[name](data, *arguments)
    return data


def draw(rng: np.random.Generator, data: bytes) -> list[Any]:
    """Return one change of a file."""
    hdu = int(rng.integers(max(1, len(headers(data)))))
    _, _, cards = _cards(data, hdu)
    own = [_key(c) for c in cards] or ["SIMPLE"]
    key = str(rng.choice(KEYS) if rng.random() < 0.5 else rng.choice(own))
    value = str(VALUES[rng.integers(len(VALUES))])
    if rng.random() < 0.1:
        value = repr(float(rng.normal() * 10.0 ** rng.integers(-12, 13)))
    big = 2**31
    kinds: list[tuple[float, Callable[[], list[Any]]]] = [
        (10, lambda: ["put", hdu, key, value]),
        (3, lambda: ["remove", hdu, key]),
        (1, lambda: ["rename", hdu, key, str(rng.choice([*KEYS, "junk", key.lower()]))]),
        (1, lambda: ["repeat", hdu, key, int(rng.choice([2, 3, 200]))]),
        (1, lambda: ["insert", hdu, int(rng.integers(big)), str(rng.choice(GARBAGE))]),
        (0.5, lambda: ["shuffle", hdu, int(rng.integers(1000))]),
        (1, lambda: ["lose", int(rng.integers(big)), int(rng.integers(1, 4))]),
        (1, lambda: ["double", int(rng.integers(big)), int(rng.integers(1, 4))]),
        (1, lambda: ["swap", int(rng.integers(big)), int(rng.integers(big))]),
        (1, lambda: ["cut", int(rng.integers(big))]),
        (2, lambda: ["flip", *(int(b) for b in rng.integers(len(data) * 8 + 1, size=int(rng.integers(1, 6))))]),
        (0.5, lambda: ["fill", int(rng.integers(big)), int(rng.choice([0, 32, 255]))]),
        (0.5, lambda: ["append", int(rng.choice([1, 80, 2880, 5000])), int(rng.choice([0, 32, 255]))]),
        (1, lambda: ["drop_hdu", int(rng.integers(big))]),
        (0.5, lambda: ["move_hdu", int(rng.integers(big))]),
    ]  # fmt: skip
    weights = np.array([w for w, _ in kinds])
    return kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))][1]()
