"""Parameters of the median, blot, cosmic rays, the final image, and of the instrument (steps 4 to 7a, I)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator

from drizframe.config.types import (
    Bits,
    Component,
    FillValue,
    Flag,
    FloatOrNone,
    IntOrNone,
    Number,
    NumberText,
    Pair,
    Text,
    Units,
    UpperComponent,
    WeightScale,
    Whole,
    parameter,
)

CombineType = Annotated[
    Component, BeforeValidator(lambda v: {"average": "mean"}.get(v, v) if isinstance(v, str) else v)
]


class MedianParameters(BaseModel):
    """Step 4."""

    median: Flag = parameter(True, "Make the median image.", step="4")
    median_newmasks: Flag = parameter(True, "Leave out pixels of low weight.", step="4")
    combine_maskpt: Number = parameter(
        0.3, "Low weight, as a fraction of the mean positive weight.", step="4", ge=0
    )
    combine_type: CombineType = parameter("minmed", "How the stack is combined.", step="4")
    combine_nsigma: Pair = parameter((4.0, 3.0), "Two sigmas of minmed.", step="4", unit="sigma")
    combine_nlow: Whole = parameter(0, "Lowest values to reject.", step="4", ge=0)
    combine_nhigh: Whole = parameter(0, "Highest values to reject.", step="4", ge=0)
    combine_lthresh: FloatOrNone = parameter(None, "Lower threshold.", step="4", unit="electron/s")
    combine_hthresh: FloatOrNone = parameter(None, "Upper threshold.", step="4", unit="electron/s")
    combine_grow: Whole = parameter(1, "Growth of minmed.", step="4", unit="pixel", ge=0)
    combine_bufsize: FloatOrNone = parameter(
        None, "Rows of a median task are capped to this size.", step="4", unit="MiB", gt=0
    )


class BlotParameters(BaseModel):
    """Step 5."""

    blot: Flag = parameter(True, "Blot the median back onto the detectors.", step="5")
    blot_interp: Component = parameter("poly5", "Interpolator.", step="5")
    blot_sinscl: Number = parameter(1.0, "Scale of the sinc interpolator.", step="5", gt=0)
    blot_addsky: Flag = parameter(True, "Add the subtracted sky.", step="5")
    blot_skyval: Number = parameter(0.0, "Value to add otherwise.", step="5", unit="input unit")


class CosmicRayParameters(BaseModel):
    """Step 6."""

    driz_cr: Flag = parameter(True, "Find cosmic rays.", step="6")
    driz_cr_corr: Flag = parameter(False, "Write exposures with cosmic rays replaced.", step="6")
    driz_cr_snr: Pair = parameter((3.5, 3.0), "Two signal-to-noise limits.", step="6")
    driz_cr_grow: Whole = parameter(
        1, "Side of the box by which flags grow; 1: not at all.", step="6", unit="pixel", ge=0
    )
    driz_cr_ctegrow: Whole = parameter(0, "Length of the charge-transfer tail.", step="6", unit="pixel", ge=0)
    driz_cr_scale: Pair = parameter((1.2, 0.7), "Two factors of the derivative.", step="6")


class FinalParameters(BaseModel):
    """Steps 7 and 7a."""

    driz_combine: Flag = parameter(True, "Make the final image.", step="7")
    final_wht_type: UpperComponent = parameter("EXP", "Weighting.", step="7")
    final_kernel: Component = parameter("square", "Kernel.", step="7")
    final_wt_scl: WeightScale = parameter("exptime", "Weight: 'exptime', 'expsq' or a factor.", step="7")
    final_pixfrac: Number = parameter(1.0, "Side of the drop over that of the pixel.", step="7", ge=0, le=2)
    final_fillval: FillValue = parameter(None, "Value of pixels without weight.", step="7")
    final_maskval: FillValue = parameter(None, "Value where no data fell; None: NaN.", step="7")
    final_bits: Bits = parameter(0, "Data-quality bits that are good.", step="7")
    final_units: Units = parameter("cps", "'cps' or 'counts'.", step="7")
    final_wcs: Flag = parameter(
        False,
        "Use the frame given by the parameters of step 7a; giving any of them switches it on.",
        step="7a",
    )
    final_refimage: Any = parameter("", "Image (or WCS) whose frame is used.", step="7a")
    final_rot: FloatOrNone = parameter(
        None, "Position angle of the y axis, from the north of the frame's system.", step="7a", unit="degree"
    )
    final_scale: FloatOrNone = parameter(None, "Pixel scale.", step="7a", unit="arcsec", gt=0)
    final_outnx: IntOrNone = parameter(None, "Columns.", step="7a", unit="pixel", ge=1)
    final_outny: IntOrNone = parameter(None, "Rows.", step="7a", unit="pixel", ge=1)
    final_ra: FloatOrNone = parameter(
        None,
        "Right ascension of the reference pixel (longitude, in the frame's sky system).",
        step="7a",
        unit="degree",
    )
    final_dec: FloatOrNone = parameter(
        None, "Declination (latitude) of the same.", step="7a", unit="degree", ge=-90, le=90
    )
    final_crpix1: FloatOrNone = parameter(None, "Reference pixel, x.", step="7a", unit="pixel")
    final_crpix2: FloatOrNone = parameter(None, "Reference pixel, y.", step="7a", unit="pixel")


class InstrumentParameters(BaseModel):
    """Overrides of what headers say."""

    gain: NumberText = parameter(None, "Gain.", step="I", unit="electron/count")
    gainkeyword: Text = parameter("", "Keyword(s) with the gain.", step="I")
    rdnoise: NumberText = parameter(None, "Read noise.", step="I", unit="electron")
    rnkeyword: Text = parameter("", "Keyword(s) with the read noise.", step="I")
    exptime: NumberText = parameter(None, "Exposure time.", step="I", unit="s")
    expkeyword: Text = parameter("", "Keyword with the exposure time.", step="I")
