"""Parameters of the static mask, the sky and the separate images (steps 1 to 3a)."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from drizframe.config.types import (
    Bits,
    Component,
    FillValue,
    Flag,
    FloatOrNone,
    IntOrNone,
    Number,
    Text,
    WeightScale,
    Whole,
    parameter,
)


class StaticMaskParameters(BaseModel):
    """Step 1."""

    static: Flag = parameter(True, "Make a static mask of pixels far below the sky.", step="1")
    static_sig: Number = parameter(4.0, "Depth of such a pixel.", step="1", unit="sigma", ge=0)


class SkyParameters(BaseModel):
    """Step 2."""

    skysub: Flag = parameter(True, "Compute the sky and subtract it.", step="2")
    skymethod: Component = parameter("localmin", "Method: how the chips' values make the sky.", step="2")
    skywidth: Number = parameter(0.3, "Bin of the histogram (mode).", step="2", unit="sigma", gt=0)
    skystat: Component = parameter("median", "Statistic of the sky pixels.", step="2")
    skylower: FloatOrNone = parameter(None, "Lowest usable value.", step="2", unit="input unit")
    skyupper: FloatOrNone = parameter(None, "Highest usable value.", step="2", unit="input unit")
    skyclip: Whole = parameter(5, "Clipping iterations.", step="2", ge=0)
    skylsigma: Number = parameter(4.0, "Lower clip.", step="2", unit="sigma", gt=0)
    skyusigma: Number = parameter(4.0, "Upper clip.", step="2", unit="sigma", gt=0)
    skymask_cat: Text = parameter("", "Catalogue of user masks.", step="2")
    use_static: Flag = parameter(True, "Leave out pixels of the static mask.", step="2")
    sky_bits: Bits = parameter(0, "Data-quality bits that are good for the sky.", step="2")
    skyfile: Text = parameter("", "File with sky values to subtract.", step="2")
    skyuser: Text = parameter(
        "", "Keyword or '@file' with sky that was subtracted already (skysub off).", step="2"
    )


class SeparateParameters(BaseModel):
    """Steps 3 and 3a."""

    driz_separate: Flag = parameter(True, "Drizzle every exposure by itself.", step="3")
    driz_sep_kernel: Component = parameter("turbo", "Kernel.", step="3")
    driz_sep_wt_scl: WeightScale = parameter("exptime", "Weight: 'exptime', 'expsq' or a factor.", step="3")
    driz_sep_pixfrac: Number = parameter(
        1.0, "Side of the drop over that of the pixel.", step="3", ge=0, le=2
    )
    driz_sep_fillval: FillValue = parameter(None, "Value of pixels without weight.", step="3")
    driz_sep_bits: Bits = parameter(0, "Data-quality bits that are good.", step="3")
    driz_sep_compress: Flag = parameter(False, "Write the single images compressed.", step="3")
    driz_sep_wcs: Flag = parameter(
        False,
        "Use the frame given by the parameters of step 3a; giving any of them switches it on.",
        step="3a",
    )
    driz_sep_refimage: Any = parameter("", "Image (or WCS) whose frame is used.", step="3a")
    driz_sep_rot: FloatOrNone = parameter(
        None, "Position angle of the y axis, from the north of the frame's system.", step="3a", unit="degree"
    )
    driz_sep_scale: FloatOrNone = parameter(None, "Pixel scale.", step="3a", unit="arcsec", gt=0)
    driz_sep_outnx: IntOrNone = parameter(None, "Columns.", step="3a", unit="pixel", ge=1)
    driz_sep_outny: IntOrNone = parameter(None, "Rows.", step="3a", unit="pixel", ge=1)
    driz_sep_ra: FloatOrNone = parameter(
        None,
        "Right ascension of the reference pixel (longitude, in the frame's sky system).",
        step="3a",
        unit="degree",
    )
    driz_sep_dec: FloatOrNone = parameter(
        None, "Declination (latitude) of the same.", step="3a", unit="degree", ge=-90, le=90
    )
    driz_sep_crpix1: FloatOrNone = parameter(None, "Reference pixel, x.", step="3a", unit="pixel")
    driz_sep_crpix2: FloatOrNone = parameter(None, "Reference pixel, y.", step="3a", unit="pixel")
