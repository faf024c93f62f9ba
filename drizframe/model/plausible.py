"""Pixels that no sky fell on: images that hold one value, and regions of images that do."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["constant_value", "unused_pixels"]

Image = np.ndarray[Any, Any]
Bools = np.ndarray[Any, np.dtype[np.bool_]]

#: Regions smaller than this part of the good pixels do not matter for the sky.
SHARE = 0.01
#: As many pixels are looked at before the whole image is.
SAMPLE = 65536
#: So many of the most frequent values are tried.
VALUES = 3
#: Most of the pixels outside a region that may hold its value: chance makes no solid region of it (0.25^9).
CHANCE = 0.25
#: At least this part of the good pixels remains.
LEFT = 0.05
#: At most this part of the neighbours that remain hold equal values.
EQUAL = 0.5
#: Pixels that stand alone in a region: as many hold another value by a defect, more are events on a dark sky.
SPECKS = 2
#: Values at the outline of a region are like all others: their median lies within these parts of them, ...
CENTRAL = (0.15, 0.85)
#: ... and as far from the value of the region as all others are, to this part.
STEP = 0.25


def constant_value(image: Image, good: Bools) -> float | None:
    """Return the value that all good pixels hold; None if they vary, or if there are none.

    Parameters
    ----------
    image : ndarray, shape (ny, nx)
        Science image.
    good : ndarray of bool, shape (ny, nx)
        Finite pixels without a flag.
    """
    some = image[::16, ::16][good[::16, ::16]]
    if some.size and some.min() != some.max():
        return None
    values = image[good]
    if not values.size or values.min() != values.max():
        return None
    return float(values[0])


def unused_pixels(image: Image, good: Bools) -> tuple[Bools | None, tuple[float, ...]]:
    """Find regions that no sky fell on: borders, gaps and corners that were filled with one number.

    Parameters
    ----------
    image : ndarray, shape (ny, nx)
        Science image.
    good : ndarray of bool, shape (ny, nx)
        Finite pixels without a flag; only these count.

    Returns
    -------
    unused : ndarray of bool, shape (ny, nx), or None
        True where pixels are unused; None if all are used, as in nearly all images.
    values : tuple of float
        The numbers that they hold.

    Notes
    -----
    Images of a sky that varies hold no value often, so a sample of pixels tells of nearly all that there is nothing to look for.
    """
    step = max(1, int(np.sqrt(image.size / SAMPLE)))
    sample = image[::step, ::step][good[::step, ::step]]
    values, counts = np.unique(sample, return_counts=True)
    frequent = [
        k for k in np.argsort(-counts, kind="stable")[:VALUES] if counts[k] >= 0.5 * SHARE * sample.size
    ]
    found: Bools | None = None
    filled = []
    for value in values[frequent]:
        region = _region(image, good if found is None else good & ~found, value)
        if region is not None:
            found = region if found is None else found | region
            filled.append(float(value))
    return found, tuple(filled)


def _region(image: Image, good: Bools, value: Any) -> Bools | None:
    """Return the pixels that hold `value` because no sky fell on them; None if it may be a measured one.

    Notes
    -----
    Whole numbers and counted photons hold one value often, too, so its share says nothing.  A region counts if

    - it begins at the border, is solid (built of 3 by 3 pixels that all hold the value), and large enough to matter;
    - outside of it the value is rare: by chance no such region would come about;
    - what remains is solid as well, and large.  Events on a dark sky stand alone among zeros;
    - what remains varies from pixel to pixel, as a sky does, and does not fade into the value, as stars do into a sky without
      noise: pixels at its outline hold values like all others.
    """
    same = good & (image == value)
    total = int(good.sum())
    if (
        np.count_nonzero(same[1:] & same[:-1]) < 0.5 * SHARE * total
    ):  # scattered; borders may be one pixel wide
        return None
    region = _from_border(_opened(same | ~good)) & same
    size, rest = int(region.sum()), good & ~region
    left = total - size
    if size < SHARE * total or left < LEFT * total or (same & rest).sum() > CHANCE * left:
        return None
    if _specks(rest, region) > SPECKS + 1e-5 * size or not _noisy(image, rest):
        return None
    return region if _distinct(image, rest & ~same, region, value) else None


def _from_border(mask: Bools) -> Bools:
    """Return the pieces of a mask that touch the border of the image."""
    from scipy import ndimage

    pieces, _ = ndimage.label(mask)
    border = np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]])
    touching: Bools = np.isin(pieces, np.unique(border[border > 0]))
    return touching


def _noisy(image: Image, rest: Bools) -> bool:
    """Whether most neighbours in a row hold different values."""
    both = rest[:, 1:] & rest[:, :-1]
    equal = image[:, 1:][both] == image[:, :-1][both]
    return bool(equal.size and equal.mean() <= EQUAL)


def _opened(mask: Bools) -> Bools:
    """Return the union of all 3 by 3 squares within a mask; outside of the image all is within."""
    from scipy import ndimage

    square = np.ones((3, 3), dtype=bool)
    padded = np.pad(mask, 2, constant_values=True)
    core = ndimage.binary_erosion(padded, square, border_value=1)
    opened: Bools = ndimage.binary_dilation(core, square)[2:-2, 2:-2]
    return opened & mask


def _specks(rest: Bools, region: Bools) -> int:
    """Count the pieces of what remains that have no 3 by 3 pixels in one piece and lie within the region."""
    from scipy import ndimage

    solid = _opened(~region)
    pieces, number = ndimage.label(rest, structure=np.ones((3, 3)))
    if not number:
        return 0
    with_core = np.unique(pieces[solid & rest])
    return int(number) - int(np.count_nonzero(with_core))


def _distinct(image: Image, rest: Bools, region: Bools, value: Any) -> bool:
    """Whether the values at the outline of a region are like all that remain, and not like that of the region."""
    from scipy import ndimage

    outline = rest & ndimage.binary_dilation(region, np.ones((3, 3), dtype=bool))
    if not outline.any():
        return False
    near, every = image[outline].astype(np.float64), image[rest].astype(np.float64)
    middle = np.median(near)
    rank = 0.5 * (np.mean(every < middle) + np.mean(every <= middle))
    steps = np.median(np.abs(near - value)), np.median(np.abs(every - value))
    return bool(CENTRAL[0] <= rank <= CENTRAL[1] and steps[0] >= STEP * steps[1])
