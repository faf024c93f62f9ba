"""``drizframe simulate``: exposures with known truth, as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["command"]


def _shape(text: str | None) -> tuple[int, int] | None:
    """Read ``ROWSxCOLUMNS`` (or one number for a square)."""
    if text is None:
        return None
    parts = text.lower().split("x")
    try:
        sides = [int(p) for p in parts]
    except ValueError:
        sides = []
    if len(sides) not in {1, 2}:
        msg = f"{text!r} is no shape; give ROWSxCOLUMNS such as 300x400, or one number for a square."
        raise typer.BadParameter(msg)
    return sides[0], sides[-1]


def command(
    out: Annotated[Path, typer.Argument(help="Folder for the files; made if it is not there.")],
    camera: Annotated[
        str, typer.Option("--camera", "-c", help="acs_wfc, acs_hrc, wfc3_uvis, wfc3_ir or generic.")
    ] = "acs_wfc",
    n: Annotated[int, typer.Option("--number", "-n", min=1, help="Number of exposures.")] = 4,
    seed: Annotated[int, typer.Option(min=0, help="Seed: the same gives the same files.")] = 1,
    exptime: Annotated[
        list[float] | None, typer.Option(help="Seconds; repeat for a cycle. [default: 500]")
    ] = None,
    shape: Annotated[
        str | None, typer.Option(help="Cut every chip to ROWSxCOLUMNS. [default: full chips]")
    ] = None,
    stars: Annotated[int, typer.Option(min=0, help="Stars in the field of the camera.")] = 200,
    galaxies: Annotated[int, typer.Option(min=0, help="Galaxies in the field of the camera.")] = 20,
    ra: Annotated[float, typer.Option(help="Right ascension of the field, degrees.")] = 150.1,
    dec: Annotated[float, typer.Option(min=-90, max=90, help="Declination of the field, degrees.")] = 2.2,
    roll: Annotated[float, typer.Option(help="PA_V3 of the first exposure, degrees.")] = 0.0,
    roll_step: Annotated[float, typer.Option(help="Roll from one exposure to the next, degrees.")] = 0.0,
    dither: Annotated[float, typer.Option(min=0, help="Size of the dither pattern, arcsec.")] = 0.5,
    sky: Annotated[
        list[float] | None, typer.Option(help="Electrons/s/pixel; repeat for a cycle. [default: 0.1]")
    ] = None,
    noise: Annotated[bool, typer.Option(help="Photon and read noise.")] = True,
    cosmic_rays: Annotated[
        float | None,
        typer.Option(
            min=0, help="Tracks per second and million pixels; 0: none. [default: the camera's rate]"
        ),
    ] = None,
    bad_pixels: Annotated[float, typer.Option(min=0, max=1, help="Fraction of bad pixels.")] = 2e-4,
    bad_columns: Annotated[int, typer.Option(min=0, help="Bad columns a chip.")] = 0,
    nan_fraction: Annotated[float, typer.Option(min=0, max=1, help="Fraction of pixels that are NaN.")] = 0.0,
    pointing_error: Annotated[
        float, typer.Option(min=0, help="Error of the alternate WCSs (O, A), arcsec; the primary is right.")
    ] = 0.0,
    ivm: Annotated[bool, typer.Option("--ivm", help="Also write inverse-variance maps and ivm.lst.")] = False,
    masks: Annotated[bool, typer.Option("--masks", help="Also write user masks and skymask.cat.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier simulation that is not the same.")
    ] = False,
) -> None:
    """Simulate dithered exposures with known truth and write them as FITS files.

    Beside the files OUT/<root>_flt.fits stand OUT/truth.json (stars, galaxies, pointings, sky) and
    OUT/truth_<root>.npz (cosmic rays, bad pixels, positions of the stars).
    """
    from drizframe import simulate as sim

    instrument = sim.camera_named(camera)
    cut = _shape(shape)
    levels = tuple(sky or (0.1,))
    scene = sim.random_scene(
        seed, ra=ra, dec=dec, size=instrument.extent(cut), stars=stars, galaxies=galaxies, sky=levels[0]
    )
    pointings = sim.dither(
        n,
        ra=ra,
        dec=dec,
        roll=roll,
        step=dither,
        roll_step=roll_step,
        exptime=tuple(exptime or (500.0,)),
        sky=levels,
        error=pointing_error,
        seed=seed,
    )
    visit = sim.simulate(
        instrument,
        scene,
        pointings,
        seed=seed,
        noise=noise,
        cosmic_rays=True if cosmic_rays is None else cosmic_rays,
        bad_pixels=bad_pixels,
        bad_columns=bad_columns,
        nan_fraction=nan_fraction,
        shape=cut,
    )
    paths = visit.write(out, ivm=ivm, masks=masks, overwrite=overwrite)
    for path in paths:
        typer.echo(str(path))
