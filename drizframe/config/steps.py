"""Parameters of the steps, and of the instrument (steps 1 to 7a and I): a class for each step."""

from __future__ import annotations

import copy
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, create_model

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


class FrameParameters(BaseModel):
    """An output frame of the user's; steps 3a and 7a have one each, with a prefix."""

    refimage: Any = parameter("", "Image (or WCS) whose frame is used.", step="")
    rot: FloatOrNone = parameter(
        None, "Position angle of the y axis, from the north of the frame's system.", step="", unit="degree"
    )
    scale: FloatOrNone = parameter(None, "Pixel scale.", step="", unit="arcsec", gt=0)
    outnx: IntOrNone = parameter(None, "Columns.", step="", unit="pixel", ge=1)
    outny: IntOrNone = parameter(None, "Rows.", step="", unit="pixel", ge=1)
    ra: FloatOrNone = parameter(
        None,
        "Right ascension of the reference pixel (longitude, in the frame's sky system).",
        step="",
        unit="degree",
    )
    dec: FloatOrNone = parameter(
        None, "Declination (latitude) of the same.", step="", unit="degree", ge=-90, le=90
    )
    crpix1: FloatOrNone = parameter(None, "Reference pixel, x.", step="", unit="pixel")
    crpix2: FloatOrNone = parameter(None, "Reference pixel, y.", step="", unit="pixel")


def frame_parameters(prefix: str, step: str) -> type[BaseModel]:
    """Return the parameters of a frame under their names in a step."""
    fields: dict[str, Any] = {}
    for name, field in FrameParameters.model_fields.items():
        own = copy.copy(field)
        own.json_schema_extra = {**field.json_schema_extra, "step": step}  # type: ignore[dict-item]
        fields[prefix + name] = (field.annotation, own)
    return create_model(f"Frame{step}Parameters", __doc__=f"Step {step}.", **fields)


SeparateFrameParameters = frame_parameters("driz_sep_", "3a")
FinalFrameParameters = frame_parameters("final_", "7a")


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
        None, "Rows of a median task are capped to this size.", result=False, step="4", unit="MiB", gt=0
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


class InstrumentParameters(BaseModel):
    """Overrides of what headers say."""

    gain: NumberText = parameter(None, "Gain.", step="I", unit="electron/count")
    gainkeyword: Text = parameter("", "Keyword(s) with the gain.", step="I")
    rdnoise: NumberText = parameter(None, "Read noise.", step="I", unit="electron")
    rnkeyword: Text = parameter("", "Keyword(s) with the read noise.", step="I")
    exptime: NumberText = parameter(None, "Exposure time.", step="I", unit="s")
    expkeyword: Text = parameter("", "Keyword with the exposure time.", step="I")
