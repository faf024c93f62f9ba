"""Names of the reference that drizframe does not have, and where their users go."""

from __future__ import annotations

from drizframe.errors import AbsentModuleError, AbsentNameError

__all__ = ["ELSEWHERE", "absent_name", "refuse_module"]

_ALIGN = (
    "drizframe takes the WCS of its inputs as it is. Align them before: with drizzlepac's own tweakreg on the files, or with the "
    "package tweakwcs, whose corrected WCS drizframe.Exposure.from_arrays takes."
)
_POSITIONS = (
    "Use the WCS with all distortion of a chip, drizframe.run(files).exposures[0].chips[0].wcs, or that of the mosaic, "
    "Result.wcs; both are astropy.wcs.WCS."
)
_ARRAYS = "Arrays are drizzled by drizframe.resample.Drizzle, with the map of drizframe.utils.calc_pixmap."
_STEP = "It is a step of drizframe.run and of drizframe.astrodrizzle.AstroDrizzle"
_HAP = "It belongs to the pipelines of the archive. Call drizframe.run, or the command line `drizframe run`, on each visit."
_INSTRUMENTS = (
    "Instruments are components: drizframe.registry().records('instrument'), and docs/how-to/instrument.md."
)

#: Module of the reference -> what its user does instead.
ELSEWHERE: dict[str, str] = {
    "ablot": "Images are blotted by drizframe.resample.blot_image, with the map of drizframe.utils.calc_pixmap.",
    "acsData": _INSTRUMENTS,
    "adrizzle": _ARRAYS,
    "align": _ALIGN,
    "buildmask": f"{_STEP}; masks are built from flags by drizframe.config.good_mask.",
    "buildwcs": "The frame of the mosaic is chosen by the parameters final_refimage, final_scale, final_rot and the like, and is "
    "Result.wcs; others are made by astropy.wcs.WCS.",
    "catalogs": _ALIGN,
    "cdriz": f"{_ARRAYS} Images are blotted by drizframe.resample.blot_image.",
    "createMedian": f"{_STEP}: drizframe.run(files, driz_combine=False).median is the image. The ways to combine are "
    "drizframe.registry().records('combiner').",
    "drizCR": f"{_STEP}: Result.cosmic_rays holds the masks. The detectors are "
    "drizframe.registry().records('cosmic-ray detector').",
    "findobj": _ALIGN,
    "hapcatalog": _HAP,
    "hapmultisequencer": _HAP,
    "hapsequencer": _HAP,
    "haputils": _HAP,
    "imageObject": "Exposures and their chips are drizframe.Exposure and drizframe.Chip; drizframe.run(files).exposures holds them.",
    "imagefindpars": _ALIGN,
    "imgclasses": _ALIGN,
    "irData": _INSTRUMENTS,
    "linearfit": _ALIGN,
    "make_custom_mosaic": _HAP,
    "mapreg": "Regions are moved to pixels of another image by the package regions: SkyRegion.to_pixel(wcs), with the WCS of a chip, "
    "drizframe.run(files).exposures[0].chips[0].wcs.",
    "mdriz": "Call drizframe.astrodrizzle.AstroDrizzle.",
    "mdzhandler": "Parameters are not read from MDRIZTAB; give them by name.",
    "minmed": "The combiner is drizframe.registry().get('combiner', 'minmed').",
    "nicmosData": _INSTRUMENTS,
    "outputimage": "Products are written by Result.write; the writers are drizframe.registry().records('writer').",
    "photeq": "drizframe does not bring exposures to one zero point. Run drizzlepac's photeq on the files before, or multiply SCI and "
    "ERR by the ratio of their PHOTFLAM.",
    "pixreplace": "Pixels of a file are replaced with astropy.io.fits: data[numpy.isnan(data)] = value. final_fillval and "
    "final_maskval choose what a mosaic has where it has no data.",
    "pixtopix": "Use drizframe.utils.calc_pixmap(wcs_from, wcs_to): the position of every pixel of one image on another.",
    "pixtosky": _POSITIONS + " Call its pixel_to_world.",
    "processInput": "drizframe.run and drizframe.astrodrizzle.AstroDrizzle take the same inputs; "
    "drizframe.run(files).exposures holds what was read.",
    "quickDeriv": "The derivative is part of the cosmic-ray detector, drizframe.registry().get('cosmic-ray detector', 'deriv').",
    "refimagefindpars": _ALIGN,
    "regfilter": "Regions are read and filtered by the package regions.",
    "resetbits": "Bits are cleared by the parameter resetbits of drizframe.run (in memory) and of "
    "drizframe.astrodrizzle.AstroDrizzle (in the files).",
    "run_hapsequencer": _HAP,
    "runastrodriz": _HAP,
    "runmultihap": _HAP,
    "runsinglehap": _HAP,
    "sky": f"{_STEP}: Result.sky holds the values; skyfile and skyuser give your own. The methods are "
    "drizframe.registry().records('sky method').",
    "skytopix": _POSITIONS + " Call its world_to_pixel.",
    "staticMask": f"{_STEP}: static=True, static_sig; the masks are written with keep='mask.static'.",
    "stisData": _INSTRUMENTS,
    "teal": "There is no editor. Give parameters by name, as a TOML file (`drizframe run --config`), or a .cfg file as configobj of "
    "drizframe.astrodrizzle.AstroDrizzle; `drizframe parameters` lists them.",
    "tweakback": _ALIGN,
    "tweakreg": _ALIGN,
    "tweakutils": _ALIGN,
    "updatehdr": "drizframe never changes the WCS of a file. Do it with drizzlepac's updatehdr or stwcs before, or hand over a "
    "corrected WCS with drizframe.Exposure.from_arrays.",
    "updatenpol": "Distortion files are named by the headers. Run drizzlepac's updatenpol or stwcs.updatewcs on the files before.",
    "util": "It holds helpers of the reference. drizframe's own are in drizframe.utils.",
    "wcs_functions": "Use astropy.wcs. The frame that a run chose is Result.wcs; positions of pixels of one image on another are "
    "drizframe.utils.calc_pixmap.",
    "wfc3Data": _INSTRUMENTS,
    "wfpc2Data": _INSTRUMENTS,
}

#: Where they are looked for.
_PARENTS = frozenset(
    {"drizframe", "drizframe.astrodrizzle", "drizframe.compat", "drizframe.compat.astrodrizzle"}
)


def _sentence(where: str, name: str) -> str:
    return f"{where} has no {name!r}, which drizzlepac has. {ELSEWHERE[name]}"


def absent_name(where: str, name: str) -> AttributeError:
    """Return the error for an attribute that a module does not have.

    Parameters
    ----------
    where : str
        Name of the module.
    name : str
        The attribute.
    """
    if name in ELSEWHERE:
        return AbsentNameError(_sentence(where, name), name=name)
    return AttributeError(f"module {where!r} has no attribute {name!r}", name=name)


def refuse_module(fullname: str) -> None:
    """Raise for a module of the reference that somebody imports from drizframe; for any other name do nothing.

    Parameters
    ----------
    fullname : str
        Dotted name that no finder of modules knows.

    Raises
    ------
    AbsentModuleError
        With the sentence that says where to go.
    """
    parent, _, name = fullname.rpartition(".")
    if parent in _PARENTS and name in ELSEWHERE:
        raise AbsentModuleError(_sentence(parent, name))
