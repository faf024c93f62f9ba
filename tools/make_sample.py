"""Cut the bundled sample out of an HST/STIS exposure pair.

    python tools/make_sample.py o4k19a010_flt.fits.xz drizframe/data/stis_sample

Every extension is cut to the same region. Headers stay as they are, except the reference pixel (CRPIX, LTV),
the statistics of good pixels (NGOODPIX, GOODMIN, ..., SNRMEAN) and two lines of HISTORY.
"""

from __future__ import annotations

import argparse
import gzip
import io
import lzma
from pathlib import Path

import numpy as np
from astropy.io import fits

REGION = (600, 900, 220, 520)  # x0, x1, y0, y1; half-open, pixels count from 0


def read(source: Path) -> fits.HDUList:
    """Open a FITS file, unpacking ``.xz``, with all its pixels in memory."""
    content = source.read_bytes()
    if source.suffix == ".xz":
        content = lzma.decompress(content)
    return fits.open(io.BytesIO(content), lazy_load_hdus=False, memmap=False)


def cut(hdu: fits.ImageHDU, region: tuple[int, int, int, int]) -> fits.ImageHDU:
    """One extension cut to a region."""
    x0, x1, y0, y1 = region
    header = hdu.header.copy()
    for axis, start in ((1, x0), (2, y0)):
        header[f"CRPIX{axis}"] -= start
        header[f"LTV{axis}"] -= start
    return fits.ImageHDU(hdu.data[y0:y1, x0:x1].copy(), header)


def renew_statistics(sci: fits.ImageHDU, err: fits.ImageHDU, dq: fits.ImageHDU) -> None:
    """Set the keywords that describe the good pixels: those without a serious flag."""
    good = (dq.data & sci.header["SDQFLAGS"]) == 0
    values, errors = sci.data[good].astype(np.float64), err.data[good].astype(np.float64)
    ratio = values / errors
    for hdu, stem, numbers in ((sci, "GOOD", values), (sci, "SNR", ratio), (err, "GOOD", errors)):
        hdu.header["NGOODPIX"] = int(good.sum())
        for tail, statistic in (("MIN", np.min), ("MAX", np.max), ("MEAN", np.mean)):
            hdu.header[stem + tail] = float(f"{statistic(numbers):.7E}")


def make(source: Path, folder: Path, region: tuple[int, int, int, int]) -> Path:
    """Write the sample and return its path; equal input gives equal bytes."""
    x0, x1, y0, y1 = region
    with read(source) as whole:
        primary = whole[0].copy()
        primary.header.add_history(f"drizframe sample: columns {x0 + 1}-{x1}, rows {y0 + 1}-{y1} of the")
        primary.header.add_history("1024 x 1024 original (counted from 1); tools/make_sample.py")
        parts = [primary, *(cut(hdu, region) for hdu in whole[1:])]
    for first in range(1, len(parts), 3):
        renew_statistics(*parts[first : first + 3])
    content = io.BytesIO()
    fits.HDUList(parts).writeto(content, output_verify="exception")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{source.name.removesuffix('.xz')}.gz"
    with target.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write(content.getvalue())
    return target


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path, help="the exposure, .fits or .fits.xz")
    parser.add_argument("folder", type=Path, help="where the sample goes")
    parser.add_argument("--region", type=int, nargs=4, default=REGION, metavar=("X0", "X1", "Y0", "Y1"))
    options = parser.parse_args()
    target = make(options.source, options.folder, tuple(options.region))
    print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
