"""Compare two folders of products, ours and the reference's, row by row.

`compare(ours, reference)` looks at every product that the reference made:

* images: a pixel counts where the reference is finite and has weight (where there is no weight map: is not 0).
  The unit of difference is the robust scatter of these pixels, but never less than a thousandth of the pixel's value;
* sums of science times weight over the whole image;
* masks and context images, pixel by pixel;
* the sky positions of corners and centre of the frame;
* units, exposure sums and the numbered drizzle keywords;
* the inputs as the run left them: flags, sky keywords, names of all files, copies of the originals.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

#: Of the pixels of an image, how many may be off by more than so many units: (units, fraction, number always allowed).
IMAGE_LIMITS = ((0.02, 1e-3, 4), (2.0, 5e-5, 3))
#: Pixels of a mask that may differ: fraction of the masked ones, number always allowed. One pixel on a threshold may
#: change the box of nine that the cosmic-ray test looks at.
MASK_LIMITS = (3e-3, 9)
#: Pixels of a context image that may differ: fraction, number always allowed.
CONTEXT_LIMITS = (5e-4, 4)
#: Largest difference of sums: single images, final image (it also carries pixels near a cosmic-ray threshold).
SUM_LIMIT, FINAL_SUM_LIMIT = 5e-6, 5e-5
#: Largest difference of frames in pixels, and of sky values, relative.
FRAME_LIMIT, SKY_LIMIT = 5e-4, 2e-5

FINAL = ("_drz", "_drc", "_drw")
IMAGES = ("_sci.fits", "_wht.fits", "_med.fits", "_blt.fits", "_single_mask.fits", "_final_mask.fits")
MASKS = ("_crmask.fits", "_staticMask.fits", "_dqmask.fits")
TIMES = ("EXPTIME", "TEXPTIME", "EXPSTART", "EXPEND", "NDRIZIM", "ASN_MTYP", "DRIZCORR")
DRIZZLE = (
    "DATA",
    "DEXP",
    "OUDA",
    "OUWE",
    "OUCO",
    "MASK",
    "WTSC",
    "KERN",
    "PIXF",
    "COEF",
    "OUUN",
    "FVAL",
    "WKEY",
)


@dataclass(frozen=True)
class Row:
    """One thing that was compared."""

    name: str
    ok: bool
    text: str

    def __str__(self) -> str:
        return f"{'ok ' if self.ok else 'OFF'} {self.name}: {self.text}"


Image = np.ndarray[Any, Any]


def _first_image(path: Path) -> tuple[Image, fits.Header, fits.Header]:
    """Pixels and header of the first image of a file, and its primary header."""
    with fits.open(path) as hdus:
        hdu = next(h for h in hdus if h.is_image and h.data is not None)
        return np.array(hdu.data), hdu.header.copy(), hdus[0].header.copy()


def image_row(name: str, ours: Image, theirs: Image, weight: Image | None = None) -> Row:
    """Compare two images in units of the scatter."""
    if ours.shape != theirs.shape:
        return Row(name, False, f"shape {ours.shape}, reference {theirs.shape}")
    a, b = ours.astype(np.float64), theirs.astype(np.float64)
    covered = np.isfinite(b) & ((b != 0) if weight is None else (weight > 0))
    total = int(covered.sum())
    if not total:
        return Row(name, not np.nan_to_num(a).any(), "the reference is empty")
    outside = int((np.nan_to_num(a[~covered]) != np.nan_to_num(b[~covered])).sum()) if weight is None else 0
    both = covered & np.isfinite(a)
    scatter = 1.4826 * np.median(np.abs(b[covered] - np.median(b[covered])))
    off = np.abs(a - b)[both] / np.maximum(scatter, 1e-3 * np.abs(b[both]) + 1e-12)
    counts = [int((off > units).sum()) for units, _, _ in IMAGE_LIMITS]
    allowed = [max(least, fraction * total) for _, fraction, least in IMAGE_LIMITS]
    ok = all(n <= m for n, m in zip(counts, allowed, strict=True)) and outside <= allowed[0]
    beyond = ", ".join(f"{n} by > {u} units" for n, (u, _, _) in zip(counts, IMAGE_LIMITS, strict=True))
    worst = float(off.max()) if off.size else 0.0
    return Row(
        name,
        ok,
        f"of {total} pixels {beyond}, {outside} outside; worst {worst:.2g}",
    )


def holes_row(name: str, ours: Image, theirs: Image) -> Row:
    """Compare where images are finite."""
    if ours.shape != theirs.shape:
        return Row(f"{name} holes", False, f"shape {ours.shape}, reference {theirs.shape}")
    count = int((np.isfinite(ours) != np.isfinite(theirs)).sum())
    _, fraction, least = IMAGE_LIMITS[0]
    return Row(f"{name} holes", count <= max(least, fraction * ours.size), f"{count} finite in one only")


def sum_row(name: str, ours: tuple[Image, Image], theirs: tuple[Image, Image], limit: float) -> Row:
    """Compare the sums of science times weight."""

    def total(pair: tuple[Image, Image], size: bool = False) -> float:
        sci, wht = (p.astype(np.float64) for p in pair)
        product = np.where(wht > 0, np.nan_to_num(np.abs(sci) if size else sci), 0.0) * np.nan_to_num(wht)
        return float(product.sum())

    scale = total(theirs, size=True) or 1.0
    difference = abs(total(ours) - total(theirs)) / scale
    return Row(f"{name} sum", difference <= limit, f"SCI x WHT differs by {difference:.1e}")


def mask_row(name: str, ours: Image, theirs: Image) -> Row:
    """Compare two masks (0 is bad)."""
    if ours.shape != theirs.shape:
        return Row(name, False, f"shape {ours.shape}, reference {theirs.shape}")
    differ, bad = int(((ours == 0) != (theirs == 0)).sum()), int((theirs == 0).sum())
    fraction, least = MASK_LIMITS
    return Row(name, differ <= max(least, fraction * bad), f"{differ} pixels differ, {bad} are masked")


def context_row(name: str, ours: Image, theirs: Image, weight: Image | None) -> Row:
    """Compare two context images, where the weight is more than rounding."""
    if ours.shape != theirs.shape:
        return Row(name, False, f"shape {ours.shape}, reference {theirs.shape}")
    different = ours != theirs
    if weight is not None:
        different &= weight > 1e-9 * np.nanmax(weight)
    fraction, least = CONTEXT_LIMITS
    count = int(different.sum())
    return Row(name, count <= max(least, fraction * ours.size), f"{count} of {ours.size} pixels differ")


def frame_row(name: str, ours: fits.Header, theirs: fits.Header) -> Row:
    """Compare where corners and centre lie on the sky, and the orthogonal matrix."""
    a, b = WCS(ours), WCS(theirs)
    nx, ny = theirs["NAXIS1"], theirs["NAXIS2"]
    points = np.array([[1, 1], [nx, 1], [1, ny], [nx, ny], [(nx + 1) / 2, (ny + 1) / 2]], dtype=float)
    shift = float(np.abs(a.wcs_world2pix(b.wcs_pix2world(points, 1), 1) - points).max())
    pole = float(np.abs(np.asarray(a.wcs.crpix) - np.asarray(b.wcs.crpix)).max())
    ok = shift < FRAME_LIMIT and pole < FRAME_LIMIT
    return Row(f"{name} frame", ok, f"corners off by {shift:.1e} pixel, CRPIX by {pole:.1e}")


def _equal(ours: Any, theirs: Any) -> bool:
    if isinstance(theirs, bool) or isinstance(ours, bool):
        return bool(ours == theirs)
    if isinstance(theirs, int | float) and isinstance(ours, int | float):
        return bool(np.isclose(ours, theirs, rtol=1e-6, atol=1e-8))
    return str(ours).strip().lower() == str(theirs).strip().lower()


def unit_row(name: str, ours: fits.Header, theirs: fits.Header) -> Row:
    """Compare the units; where the reference tells none, ours must."""
    a, b = ours.get("BUNIT"), theirs.get("BUNIT")
    return Row(f"{name} unit", bool(a) if b is None else _equal(a, b), f"{a!r}, reference {b!r}")


def keyword_row(name: str, ours: fits.Header, theirs: fits.Header) -> Row:
    """Compare exposure sums and drizzle keywords."""

    def wanted(key: str) -> bool:
        numbered = key[:1] == "D" and key[1:4].isdigit() and key[4:] in DRIZZLE
        return key in TIMES or numbered

    keys = [k for k in theirs if wanted(k)]
    wrong = [f"{k}={ours.get(k)!r} not {theirs[k]!r}" for k in keys if not _equal(ours.get(k), theirs[k])]
    text = f"{len(keys) - len(wrong)} of {len(keys)}" + ("; " + "; ".join(wrong[:4]) if wrong else "")
    return Row(f"{name} keywords", not wrong, text)


def _extension_rows(name: str, ours: Path, theirs: Path) -> Iterator[Row]:
    """Compare a product with several extensions."""
    with fits.open(ours) as a, fits.open(theirs) as b:
        names = [h.name for h in b]
        yield Row(
            f"{name} extensions", [h.name for h in a] == names, f"{[h.name for h in a]}, reference {names}"
        )
        weight = b["WHT"].data
        for part in ("SCI", "WHT", "CTX"):
            if part not in b or b[part].data is None:
                continue
            if part not in a or a[part].data is None:
                yield Row(f"{name}[{part}]", False, "missing")
            elif part == "CTX":
                yield context_row(f"{name}[CTX]", a[part].data, b[part].data, weight)
            else:
                yield image_row(
                    f"{name}[{part}]", a[part].data, b[part].data, weight if part == "SCI" else None
                )
                yield holes_row(f"{name}[{part}]", a[part].data, b[part].data)
        yield sum_row(name, (a["SCI"].data, a["WHT"].data), (b["SCI"].data, weight), FINAL_SUM_LIMIT)
        yield frame_row(name, a["SCI"].header, b["SCI"].header)
        yield keyword_row(name, a[0].header, b[0].header)
        yield unit_row(name, a["SCI"].header, b["SCI"].header)


def _companion(path: Path) -> Path:
    return path.with_name(path.name.removesuffix("_sci.fits").removesuffix("_ctx.fits") + "_wht.fits")


def _is_final(name: str, root: str = "") -> bool:
    """Whether a name is that of a final product; `root` without a tag, as `output` may give it, makes some too."""
    plain = root and name in {f"{root}{end}.fits" for end in ("", "_sci", "_wht", "_ctx")}
    return bool(plain) or any(tag in name for tag in FINAL)


def _image_rows(name: str, ours: Path, theirs: Path, root: str) -> Iterator[Row]:
    """Compare a product of one image."""
    (a, header_a, primary_a), (b, header_b, primary_b) = _first_image(ours), _first_image(theirs)
    if name.endswith(MASKS) or "_skymatch_mask_" in name:
        yield mask_row(name, a, b)
        return
    weighted = name.endswith(("_sci.fits", "_ctx.fits")) and _companion(theirs).is_file()
    weight = _first_image(_companion(theirs))[0] if weighted else None
    if name.endswith("_ctx.fits"):
        yield context_row(name, a, b, weight)
    else:
        yield image_row(name, a, b, weight)
        yield holes_row(name, a, b)
    final = _is_final(name, root)
    if (
        weight is not None
        and name.endswith("_sci.fits")
        and a.shape == b.shape
        and _companion(ours).is_file()
    ):
        pair = (a, _first_image(_companion(ours))[0])
        yield sum_row(name, pair, (b, weight), FINAL_SUM_LIMIT if final else SUM_LIMIT)
    if final or ("_single_" in name and name.endswith(("_sci.fits", "_wht.fits"))):
        yield frame_row(name, header_a, header_b)
        yield keyword_row(name, primary_a, primary_b)
    if name.endswith("_sci.fits"):
        yield unit_row(name, header_a, header_b)


def _crclean_rows(name: str, ours: Path, theirs: Path) -> Iterator[Row]:
    """Compare a cleaned exposure, chip by chip."""
    with fits.open(ours) as a, fits.open(theirs) as b:
        for hdu in b:
            if hdu.name == "SCI":
                yield image_row(f"{name}[SCI,{hdu.ver}]", a["SCI", hdu.ver].data, hdu.data)
            elif hdu.name == "DQ" and hdu.data is not None:
                # The reference puts every chip's flags into the first one (trap 07-19).
                chips = sum(h.name == "SCI" for h in b)
                if chips == 1:
                    yield mask_row(f"{name}[DQ,{hdu.ver}]", a["DQ", hdu.ver].data == 0, hdu.data == 0)


def input_row(name: str, ours: Path, theirs: Path) -> Row:
    """Compare an exposure as the run left it."""
    with fits.open(ours) as a, fits.open(theirs) as b:
        names = [(h.name, h.ver) for h in b]
        if [(h.name, h.ver) for h in a] != names:
            return Row(name, False, f"extensions {[(h.name, h.ver) for h in a]}, reference {names}")
        differ = flagged = changed = 0
        sky = 0.0
        for x, y in zip(a, b, strict=True):
            if y.name == "DQ" and y.data is not None:
                differ += int((x.data != y.data).sum())
                flagged += int((y.data != 0).sum())
            elif y.is_image and y.data is not None:
                changed += not np.array_equal(x.data, y.data, equal_nan=y.data.dtype.kind == "f")
            if "MDRIZSKY" in y.header:
                value = x.header.get("MDRIZSKY")
                size = max(1e-3, abs(y.header["MDRIZSKY"]))
                sky = max(sky, np.inf if value is None else abs(value - y.header["MDRIZSKY"]) / size)
            elif "MDRIZSKY" in x.header:
                sky = np.inf
    fraction, least = MASK_LIMITS
    ok = differ <= max(least, fraction * flagged) and sky <= SKY_LIMIT and not changed
    return Row(
        name,
        ok,
        f"{differ} DQ pixels differ of {flagged} flagged; MDRIZSKY off by {sky:.1e}; {changed} images differ",
    )


def _is_product(name: str) -> bool:
    final = name.removesuffix(".fits").endswith(FINAL)
    known = (*IMAGES, *MASKS, "_ctx.fits", "_crclean.fits")
    return name.endswith(known) or "_skymatch_mask_" in name or final


def compare(
    ours: Path, theirs: Path, *, inputs: bool = True, root: str = "", final: bool = True
) -> list[Row]:
    """Compare everything in the reference's folder with ours.

    `inputs`: also the inputs as the run left them. `root`: root of the final products if their names have no tag.
    `final`: whether there must be final products.
    """
    rows: list[Row] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in sorted(theirs.glob("*.fits")):
            other = ours / path.name
            product, edited = (
                _is_product(path.name),
                inputs and path.name.endswith(("_flt.fits", "_flc.fits")),
            )
            if not (product or edited):
                continue
            if not other.is_file():
                rows.append(Row(path.name, False, "missing"))
            elif edited:
                rows.append(input_row(path.name, other, path))
            elif path.name.endswith("_crclean.fits"):
                rows += _crclean_rows(path.name, other, path)
            elif path.name.removesuffix(".fits").endswith(FINAL):
                rows += _extension_rows(path.name, other, path)
            else:
                rows += _image_rows(path.name, other, path, root)
        archive = theirs / "OrIg_files"
        for path in sorted(archive.glob("*.fits")) if inputs else ():
            other = ours / "OrIg_files" / path.name
            same = other.is_file() and other.read_bytes() == path.read_bytes()
            rows.append(Row(f"OrIg_files/{path.name}", same, "the same" if same else "missing or different"))
    if final and not any(_is_final(r.name, root) or _is_final(r.name.split()[0], root) for r in rows):
        rows.append(Row("products", False, "the reference made no final image"))
    return rows
