"""Mutated files beside the inputs: reference image, inverse-variance map, flat field, user mask, association, lists."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from fuzz_corpus import SHAPE, base_files
from fuzz_driver import Wrong
from fuzz_files import SHORT, check_values
from fuzz_mutators import apply, draw

import drizframe
from drizframe.errors import DrizframeError

NAMES = ("k0_flt.fits", "k1_flt.fits")
#: Lines that a list, a catalogue or a file of values may hold.
LINES = (
    b"k0_flt.fits 1.0\n", b"k1_flt.fits 2.0 3.0\n", b"@list.txt\n", b"@b1_list.txt\n", b"\0\0", b"\xff\xfe", b"x" * 5000,
    b"# applied = yes\n", b"k0_flt.fits nan\n", b"[[[\n", b"../k0_flt.fits 1\n", b"\n" * 50, b"k1_flt.fits b1_ivm.fits\n",
    b"k0_flt.fits[sci,1], b1_mask.fits[0]\n",
)  # fmt: skip


@cache
def beside() -> dict[str, bytes]:
    """Return sound files of every kind by name."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        header = fits.Header.fromstring(
            "".join(f"{k:8}= {v:>20}".ljust(80) for k, v in {
                "CTYPE1": "'RA---TAN'", "CTYPE2": "'DEC--TAN'", "CRVAL1": "150.0", "CRVAL2": "2.0", "CRPIX1": "15.0", "CRPIX2": "15.0",
                "CD1_1": "-3E-5", "CD2_2": "3E-5", "CD1_2": "0.0", "CD2_1": "0.0",
            }.items())
        )  # fmt: skip
        fits.PrimaryHDU(np.zeros((30, 30), np.float32), header).writeto(folder / "b1_ref.fits")
        ones = np.ones(SHAPE, np.float32)
        fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(ones, name="IVM")]).writeto(folder / "b1_ivm.fits")
        fits.HDUList(
            [fits.PrimaryHDU(), fits.ImageHDU(ones, fits.Header({"CCDCHIP": 1}), name="SCI")]
        ).writeto(folder / "b1_pfl.fits")
        fits.PrimaryHDU(ones.astype(np.uint8)).writeto(folder / "b1_mask.fits")
        rows = [("K0", "EXP-DTH", True), ("K1", "EXP-DTH", True), ("O", "PROD-DTH", True)]
        table = np.array(rows, dtype=[("MEMNAME", "S14"), ("MEMTYPE", "S14"), ("MEMPRSNT", "?")])
        fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU(table)]).writeto(folder / "b1_asn.fits")
        return {p.name: p.read_bytes() for p in folder.iterdir()} | {
            "b1_list.txt": b"k0_flt.fits\nk1_flt.fits\n"
        }


def make(seed: int) -> dict[str, Any]:
    """Return the case of a seed: one of the files, and its changes."""
    rng = np.random.default_rng([seed, 1])
    name = str(rng.choice(sorted(beside())))
    if name.endswith(".txt"):
        chosen = [int(i) for i in rng.integers(len(LINES), size=int(rng.integers(1, 5)))]
        return {
            "seed": seed,
            "file": name,
            "lines": chosen,
            "as": str(rng.choice(["list", "skyfile", "skymask_cat"])),
        }
    data = beside()[name]
    return {
        "seed": seed,
        "file": name,
        "mutations": [draw(rng, data) for _ in range(int(rng.choice([1, 1, 2])))],
    }


def _call(case: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return inputs and parameters by which the file is used."""
    name = case["file"]
    inputs: Any = list(NAMES)
    uses: dict[str, Callable[[], tuple[Any, dict[str, Any]]]] = {
        "b1_ref.fits": lambda: (inputs, {"final_wcs": True, "final_refimage": name}),
        "b1_ivm.fits": lambda: ("@ivm.txt", {"final_wht_type": "IVM"}),
        "b1_pfl.fits": lambda: (inputs, {"final_wht_type": "IVM"}),
        "b1_mask.fits": lambda: (inputs, {"skymask_cat": "mask.cat"}),
        "b1_asn.fits": lambda: (name, {}),
        "b1_list.txt": lambda: (f"@{name}", {}) if case["as"] == "list" else (inputs, {case["as"]: name}),
    }
    return uses[name]()


def run(case: dict[str, Any], folder: Path) -> None:
    """Write the files, run, and see that promises are kept."""
    logging.disable(logging.CRITICAL)
    for name, data in (base_files("acs") | beside()).items():
        (folder / name).write_bytes(data)
    if case["file"].endswith(".txt"):
        (folder / case["file"]).write_bytes(b"".join(LINES[i] for i in case["lines"]))
    else:
        (folder / case["file"]).write_bytes(apply(beside()[case["file"]], case["mutations"]))
    (folder / "ivm.txt").write_text("".join(f"{n} b1_ivm.fits\n" for n in NAMES), encoding="ascii")
    (folder / "mask.cat").write_text("".join(f"{n}, b1_mask.fits\n" for n in NAMES), encoding="ascii")
    for name in NAMES:
        fits.setval(folder / name, "PFLTFILE", value="fuzz$b1_pfl.fits")
    os.environ["fuzz"] = f"{folder}/"  # noqa: SIM112  (as the headers have it)
    inputs, more = _call(case)
    try:
        result = drizframe.run(inputs, num_cores=1, **SHORT, **more)
    except DrizframeError as error:
        if not any(name in str(error) for name in ("b1", "k0", "k1", "list.txt")):
            msg = f"no file is named: {type(error).__name__}: {error}"
            raise Wrong(msg) from error
        raise
    check_values(result)
