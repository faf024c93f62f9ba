"""Files of a simulation: exposures, truth, inverse-variance maps, user masks."""

from __future__ import annotations

import filecmp
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import OutputError, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astropy.io.fits import HDUList, Header

    from drizframe.simulate.simulation import SimulatedChip, SimulatedExposure, Simulation

__all__ = ["hdu_list", "write"]

#: Cards of a science header that ERR, DQ and the like repeat.
_SHARED = (
    "INHERIT", "EXPNAME", "CCDCHIP", "WCSAXES", "CRPIX1", "CRPIX2", "CRVAL1", "CRVAL2", "CTYPE1", "CTYPE2",
    "CUNIT1", "CUNIT2",
    "CD1_1", "CD1_2", "CD2_1", "CD2_2", "RADESYS", "ORIENTAT", "WCSNAME", "LTV1", "LTV2", "LTM1_1", "LTM2_2",
    "RA_APER",
    "DEC_APER", "PA_APER", "VAFACTOR",
)  # fmt: skip


def _side_header(science: Header, extname: str, unit: str) -> Header:
    """Return the header of an image beside the science image: the linear WCS without distortion."""
    from astropy.io.fits import Header

    header = Header()
    header["EXTNAME"], header["EXTVER"] = extname, science["EXTVER"]
    for key in _SHARED:
        if key in science:
            value = science[key]
            header[key] = (
                value.removesuffix("-SIP") if key.startswith("CTYPE") else value,
                science.comments[key],
            )
    header["BUNIT"] = (unit, "units")
    return header


def _images(chip: SimulatedChip, exptime: float, *, ramp: bool) -> list[Any]:
    """Return the HDUs of one chip."""
    from astropy.io import fits

    unit = chip.header["BUNIT"]
    hdus = [
        fits.ImageHDU(chip.sci, chip.header),
        fits.ImageHDU(chip.err, _side_header(chip.header, "ERR", unit)),
        fits.ImageHDU(chip.dq, _side_header(chip.header, "DQ", "UNITLESS")),
    ]
    if ramp:
        samples = np.full(chip.sci.shape, 11, dtype=np.int16)
        time = np.full(chip.sci.shape, exptime, dtype=np.float32)
        hdus.append(fits.ImageHDU(samples, _side_header(chip.header, "SAMP", "UNITLESS")))
        hdus.append(fits.ImageHDU(time, _side_header(chip.header, "TIME", "SECONDS")))
    return hdus


def hdu_list(exposure: SimulatedExposure) -> HDUList:
    """Return an exposure as HDUs in the order of a calibrated file: the images of every chip, then tables."""
    from astropy.io import fits

    hdus: list[Any] = [fits.PrimaryHDU(header=exposure.primary)]
    for chip in exposure.chips:
        hdus += _images(chip, exposure.pointing.exptime, ramp=exposure.camera.ramp)
    return fits.HDUList([*hdus, *exposure.tables])


def _inverse_variance(exposure: SimulatedExposure) -> HDUList:
    """Return maps of 1 / variance of the whole exposure in electrons⁻², 0 for flagged pixels."""
    from astropy.io import fits

    rate = exposure.camera.unit.endswith("/S")
    factor = exposure.pointing.exptime if rate else 1.0
    hdus: list[Any] = [fits.PrimaryHDU(header=exposure.primary)]
    for chip in exposure.chips:
        with np.errstate(divide="ignore"):
            weight = (chip.err.astype(np.float64) * factor) ** -2
        weight[(chip.dq != 0) | ~np.isfinite(weight)] = 0.0
        header = _side_header(chip.header, "IVM", "ELECTRONS**-2")
        hdus.append(fits.ImageHDU(weight.astype(np.float32), header))
    return fits.HDUList(hdus)


def _source_mask(chip: SimulatedChip) -> Any:
    """Return a user mask (uint8, 1 = use) without bad pixels and discs around the 20 brightest stars."""
    mask = (~chip.truth.bad).astype(np.uint8)
    y, x = np.ogrid[: mask.shape[0], : mask.shape[1]]
    for k in np.argsort(chip.truth.counts)[-20:]:
        mask[(x - chip.truth.x[k]) ** 2 + (y - chip.truth.y[k]) ** 2 <= 25] = 0
    return mask


def _arrays(exposure: SimulatedExposure) -> dict[str, Any]:
    """Return the arrays of truth of an exposure; names end in the chip's ``EXTVER``."""
    arrays: dict[str, Any] = {}
    for k, chip in enumerate(exposure.chips, start=1):
        truth = chip.truth
        arrays |= {
            f"cr{k}": truth.rays, f"bad{k}": truth.bad, f"saturated{k}": truth.saturated,
            f"star{k}": truth.star,
            f"x{k}": truth.x, f"y{k}": truth.y, f"area{k}": truth.area, f"counts{k}": truth.counts,
        }  # fmt: skip
    return arrays


def _facts(exposure: SimulatedExposure) -> dict[str, Any]:
    """Return the facts of an exposure for ``truth.json``."""
    p = exposure.pointing
    return {
        "file": f"{exposure.name}_flt.fits", "ra": p.ra, "dec": p.dec, "roll": p.roll, "exptime": p.exptime,
        "start": p.start, "error": list(p.error), "vafactor": p.vafactor, "sky": exposure.chips[0].truth.sky,
        "chips": [
            {
                "sky": c.truth.sky, "ncr": int(np.count_nonzero(c.truth.rays)),
                "nbad": int(c.truth.bad.sum()),
                "nsaturated": int(c.truth.saturated.sum()), "stars": int(c.truth.star.size),
                "median": float(np.nanmedian(c.sci)) if np.isfinite(c.sci).any() else None,
            }
            for c in exposure.chips
        ],
    }  # fmt: skip


def _save(hdus: HDUList, path: Path) -> Path:
    """Write a FITS file in place of an old one."""
    hdus.writeto(path, overwrite=True, output_verify="exception")
    return path


def write(
    simulation: Simulation, folder: Path, *, ivm: bool = False, masks: bool = False, overwrite: bool = True
) -> list[Path]:
    """Write a simulation.

    Parameters
    ----------
    simulation : Simulation
        What to write; exposures are drawn one after the other.
    folder : pathlib.Path
        Where; made if it is not there.  An earlier simulation with the same names is replaced.
    ivm : bool
        Also write ``<root>_ivm.fits`` (extensions ``IVM``, electrons⁻²) and ``ivm.lst`` with two columns, to
        be given as ``@ivm.lst``.
    masks : bool
        Also write ``<root>_mask<N>.fits`` (1 = use) and the list ``skymask.cat`` for ``skymask_cat``.
    overwrite : bool
        Whether an earlier simulation with the same names is replaced if its files are others than these would be.

    Returns
    -------
    list of pathlib.Path
        The exposures ``<root>_flt.fits``.

    Raises
    ------
    OutputError
        If the folder cannot be made or written, or holds exposures that are not of an earlier simulation with the
        same names, or other ones while `overwrite` is False.

    Notes
    -----
    ``truth.json`` holds the scene (stars as ra, dec, electrons/s; galaxies as ra, dec, electrons/s, radius,
    ratio, angle, index), the seed and the facts of every exposure; ``truth_<root>.npz`` the arrays of every
    chip, N being its ``EXTVER``: ``crN`` (electrons of cosmic rays), ``badN``, ``saturatedN``, and for the
    stars on the chip ``starN`` (row in the list of stars), ``xN``, ``yN`` (0-based), ``areaN``, ``countsN``
    (electrons in the image).
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not overwrite and _earlier(folder):
            return _the_same(simulation, folder, ivm=ivm, masks=masks)
        _make_room(folder, simulation.names())
        return _write(simulation, folder, ivm=ivm, masks=masks)
    except OSError as error:
        msg = f"The simulation cannot be written to {str(folder)!r}: {told(error)}. Choose another folder."
        raise OutputError(msg) from error


def _the_same(simulation: Simulation, folder: Path, *, ivm: bool, masks: bool) -> list[Path]:
    """Return the exposures of an earlier simulation if it would be made again as it is; otherwise refuse."""
    with tempfile.TemporaryDirectory(prefix=".drizframe-simulate-", dir=folder.parent) as place:
        made = _write(simulation, Path(place), ivm=ivm, masks=masks)
        for new in sorted(Path(place).iterdir()):
            old = folder / new.name
            if not old.is_file() or not filecmp.cmp(new, old, shallow=False):
                msg = (
                    f"The folder {str(folder)!r} holds an earlier simulation, and {new.name} would be another file. Choose another "
                    "folder, or say that it may be replaced: --overwrite, write(..., overwrite=True)."
                )
                raise OutputError(msg)
        return [folder / path.name for path in made]


def _make_room(folder: Path, names: Sequence[str]) -> None:
    """Remove an earlier simulation of the same exposures; refuse a folder that holds others.

    Whoever combines the exposures of the folder would combine them all, and compare them with the truth of one.
    """
    from drizframe.config.wildcards import exposures_among

    found, _ = exposures_among(sorted(folder.glob("*.fits")), lambda _: ())
    earlier = _earlier(folder)
    others = [p.name for p in found if p.name.removesuffix("_flt.fits") not in names or p.name not in earlier]
    if others:
        shown = ", ".join(others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
        msg = f"The folder {str(folder)!r} holds other exposures: {shown}. Choose an empty folder, or remove them."
        raise OutputError(msg)
    if not earlier:
        return
    stale = [folder / n for n in ("truth.json", "ivm.lst", "skymask.cat")]
    for name in names:
        stale += [
            folder / f"{name}_ivm.fits",
            folder / f"truth_{name}.npz",
            *folder.glob(f"{name}_mask[0-9]*.fits"),
        ]
    for path in stale:
        path.unlink(missing_ok=True)


def _earlier(folder: Path) -> set[str]:
    """Return the files of exposures that an earlier simulation wrote into a folder."""
    try:
        record = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
        return {str(exposure["file"]) for exposure in record["exposures"]}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return set()


def _write(simulation: Simulation, folder: Path, *, ivm: bool, masks: bool) -> list[Path]:
    """Write everything; see `write`."""
    from astropy.io import fits

    paths: list[Path] = []
    facts: list[dict[str, Any]] = []
    pairs: list[str] = []
    catalogue: list[str] = []
    for exposure in simulation:
        paths.append(_save(hdu_list(exposure), folder / f"{exposure.name}_flt.fits"))
        np.savez_compressed(folder / f"truth_{exposure.name}.npz", **_arrays(exposure))
        facts.append(_facts(exposure))
        if ivm:
            weights = _save(_inverse_variance(exposure), folder / f"{exposure.name}_ivm.fits")
            pairs.append(f"{paths[-1].name} {weights.name}")
        if masks:
            names = [f"{exposure.name}_mask{k}.fits" for k in range(1, len(exposure.chips) + 1)]
            for name, chip in zip(names, exposure.chips, strict=True):
                _save(fits.HDUList([fits.PrimaryHDU(_source_mask(chip))]), folder / name)
            catalogue.append(", ".join([paths[-1].name, *names]))
    scene = simulation.scene
    galaxies = [
        getattr(scene.galaxies, n) for n in ("ra", "dec", "rate", "radius", "ratio", "angle", "index")
    ]
    truth = {
        "inst": simulation.camera.name, "seed": simulation.seed, "scale": simulation.camera.scale,
        "stars": np.column_stack([scene.stars.ra, scene.stars.dec, scene.stars.rate]).tolist(),
        "galaxies": np.column_stack(galaxies).tolist(), "exposures": facts,
    }  # fmt: skip
    (folder / "truth.json").write_text(json.dumps(truth), encoding="utf-8")
    for name, lines in (("ivm.lst", pairs), ("skymask.cat", catalogue)):
        if lines:
            (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return paths
