"""Headers in the keyword layout of the instruments."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.simulate.camera import Camera
from drizframe.simulate.geometry import ChipPlace, alternate_cards, wcs_cards
from drizframe.simulate.pointing import Pointing

if TYPE_CHECKING:
    from astropy.io.fits import Header

__all__ = ["image_statistics", "plain_cards", "primary_header", "root_name", "science_header"]

Card = tuple[str, Any, str]

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def root_name(camera: Camera, number: int) -> str:
    """Return the nine characters that name exposure `number` (from 1): ``jsim01aaq``; base 36 above 99."""
    first, second = divmod(number, 10) if number < 100 else divmod(number - 100 + 360, 36)
    return f"{camera.prefix}sim{DIGITS[first]}{DIGITS[second]}aaq"


def _title(text: str) -> list[Card]:
    """Return the cards that open a section of a header."""
    return [("", "", ""), ("", f"              / {text}", ""), ("", "", "")]


def _moment(mjd: float) -> tuple[str, str]:
    """Return date and time of a modified Julian date, to the second."""
    moment = dt.datetime(1858, 11, 17, tzinfo=dt.UTC) + dt.timedelta(seconds=round(mjd * 86400))
    return moment.strftime("%Y-%m-%d"), moment.strftime("%H:%M:%S")


def _observation(camera: Camera, pointing: Pointing, root: str) -> list[Card]:
    """Return what was observed, when and by whom."""
    day, clock = _moment(pointing.start)
    end = pointing.start + pointing.exptime / 86400
    kind = "IR" if camera.ramp else "CCD"
    return [
        *_title("DATA DESCRIPTION KEYWORDS"),
        ("ROOTNAME", root, "rootname of the observation set"),
        ("IMAGETYP", "EXT", "type of exposure identifier"),
        ("PRIMESI", camera.instrument, "instrument designated as prime"),
        *_title("TARGET INFORMATION"),
        ("TARGNAME", "SIMULATED-FIELD", "proposer's target name"),
        ("RA_TARG", pointing.ra, "right ascension of the target (deg)"),
        ("DEC_TARG", pointing.dec, "declination of the target (deg)"),
        *_title("PROPOSAL INFORMATION"),
        ("PROPOSID", 99999, "PEP proposal identifier"),
        ("LINENUM", "01.001", "proposal logsheet line number"),
        ("PR_INV_L", "Simulator", "last name of principal investigator"),
        ("PR_INV_F", "A", "first name of principal investigator"),
        ("PR_INV_M", "", "middle name of principal investigator"),
        *_title("EXPOSURE INFORMATION"),
        ("SUNANGLE", 90.0, "angle between sun and V1 axis"),
        ("MOONANGL", 80.0, "angle between moon and V1 axis"),
        ("SUN_ALT", -10.0, "altitude of the sun above Earth's limb"),
        ("FGSLOCK", "FINE", "commanded FGS lock"),
        ("GYROMODE", "T", "observation scheduled with only two gyros"),
        ("REFFRAME", "ICRS", "guide star catalog version"),
        ("MTFLAG", "", "moving target flag; T if it is a moving target"),
        ("DATE-OBS", day, "UT date of start of observation"),
        ("TIME-OBS", clock, "UT time of start of observation"),
        ("EXPSTART", pointing.start, "exposure start time (Modified Julian Date)"),
        ("EXPEND", end, "exposure end time (Modified Julian Date)"),
        ("EXPTIME", pointing.exptime, "exposure duration (seconds)"),
        ("EXPFLAG", "NORMAL", "exposure interruption indicator"),
        ("QUALITY", "", ""),
        *_title("POINTING INFORMATION"),
        ("PA_V3", pointing.roll, "position angle of V3-axis of HST (deg)"),
        *_title("TARGET OFFSETS (POSTARGS)"),
        ("POSTARG1", 0.0, "POSTARG in axis 1 direction"),
        ("POSTARG2", 0.0, "POSTARG in axis 2 direction"),
        *_title("DIAGNOSTIC KEYWORDS"),
        ("OPUS_VER", "SIMULATED", "software system version number"),
        ("CAL_VER", f"SIMULATED {kind}", "calibration code version"),
    ]


def _configuration(camera: Camera, *, subarray: bool) -> list[Card]:
    """Return how the instrument was set up and calibrated."""
    reference = f"{camera.prefix}ref$"
    tables = any(any(c.npol) for c in camera.chips)
    shift = any(any(c.d2im) for c in camera.chips)
    name = camera.distortion
    switches = ("DQICORR", "BLEVCORR", "DARKCORR", "FLATCORR", "PHOTCORR", "DRIZCORR")
    cards: list[Card] = [
        *_title("SCIENCE INSTRUMENT CONFIGURATION"),
        ("OBSTYPE", "IMAGING", "observation type - imaging or spectroscopic"),
        ("OBSMODE", "MULTIACCUM" if camera.ramp else "ACCUM", "operating mode"),
        ("SUBARRAY", subarray, "data from a subarray (T) or full frame (F)"),
        ("DETECTOR", camera.detector, "detector in use"),
        *((key, value, "element selected from filter wheel") for key, value in camera.filters.items()),
        ("APERTURE", camera.detector, "aperture name"),
        ("PROPAPER", camera.detector, "proposed aperture name"),
        *_title("CALIBRATION SWITCHES: PERFORM, OMIT, COMPLETE"),
        *((key, "PERFORM" if key == "DRIZCORR" else "COMPLETE", "calibration switch") for key in switches),
        ("CRCORR", "OMIT", "combine observations to reject cosmic rays"),
        *_title("CALIBRATION REFERENCE FILES"),
        ("PFLTFILE", f"{reference}{name}_pfl.fits", "pixel to pixel flat field file name"),
        ("DFLTFILE", "N/A", "delta flat field file name"),
        ("LFLTFILE", "N/A", "low order flat"),
        ("IDCTAB", f"{reference}{name}_idc.fits", "image distortion correction table"),
        ("DGEOFILE", "N/A", "distortion correction image"),
        ("NPOLFILE", f"{reference}{name}_npl.fits" if tables else "N/A", "non-polynomial offsets"),
        ("D2IMFILE", f"{reference}{name}_d2i.fits" if shift else "N/A", "detector to image corrections"),
        ("MDRIZTAB", "N/A", "drizzle parameter table"),
    ]
    return cards


def _read_out(camera: Camera) -> list[Card]:
    """Return the electronics: gain and read noise of the four amplifiers, 0 for those not in use."""
    used = [amp in camera.amplifiers for amp in "ABCD"]
    cards: list[Card] = [
        *_title("CCD READOUT PARAMETERS" if not camera.ramp else "IR READOUT PARAMETERS"),
        ("CCDAMP", camera.amplifiers, "CCD amplifier readout configuration"),
        ("CCDGAIN", camera.gain, "commanded gain of CCD"),
    ]
    for amp, on in zip("ABCD", used, strict=True):
        cards.append((f"ATODGN{amp}", camera.gain if on else 0.0, f"calibrated gain for amplifier {amp}"))
    for amp, on in zip("ABCD", used, strict=True):
        cards.append(
            (f"READNSE{amp}", camera.readnoise if on else 0.0, f"calibrated read noise for amplifier {amp}")
        )
    if camera.ramp:
        cards += [
            ("SAMP_SEQ", "SPARS50", "MultiAccum exposure time sequence name"),
            ("NSAMP", 11, "number of samples"),
        ]
    return [
        *cards,
        *_title("ASSOCIATION KEYWORDS"),
        ("ASN_ID", "NONE", "unique identifier assigned to association"),
        ("ASN_TAB", "NONE", "name of the association table"),
        ("ASN_MTYP", "", "role of the member in the association"),
    ]


def plain_cards(camera: Camera, pointing: Pointing, root: str) -> list[Card]:
    """Return the primary cards of a camera that belongs to no observatory."""
    day, clock = _moment(pointing.start)
    return [
        ("INSTRUME", camera.instrument, "instrument"), ("DETECTOR", camera.detector, "detector"),
        ("ROOTNAME", root, "name of the exposure"), ("OBJECT", "simulated field", "target"),
        *((key, value, "filter") for key, value in camera.filters.items()),
        ("DATE-OBS", day, "UT date of start"), ("TIME-OBS", clock, "UT time of start"),
        ("EXPSTART", pointing.start, "start (Modified Julian Date)"),
        ("EXPEND", pointing.start + pointing.exptime / 86400, "end (Modified Julian Date)"),
        ("EXPTIME", pointing.exptime, "exposure time (s)"), ("GAIN", camera.gain, "electrons per count"),
        ("RDNOISE", camera.readnoise, "read noise (electrons)"),
    ]  # fmt: skip


def _fill(header: Header, cards: list[Card]) -> Header:
    """Append cards to a header in their order; names without a keyword become blank cards."""
    for keyword, value, comment in cards:
        header.append((keyword, value, comment) if keyword else ("", value), end=True)
    return header


def primary_header(
    camera: Camera, pointing: Pointing, root: str, *, filename: str, extensions: int, subarray: bool
) -> Header:
    """Make the primary header of an exposure.

    Parameters
    ----------
    camera : Camera
        The instrument.
    pointing : Pointing
        Where and when.
    root : str
        Root name.
    filename : str
        Name of the file.
    extensions : int
        Number of extensions.
    subarray : bool
        Whether the chips are cut.
    """
    from astropy.io.fits import Header

    header = _fill(
        Header(),
        [
            ("SIMPLE", True, "conforms to FITS standard"), ("BITPIX", 8, "array data type"), ("NAXIS", 0,
            "no data"),
            ("EXTEND", True, "there are extensions"), ("ORIGIN", "drizframe simulate",
            "FITS file originator"),
            ("NEXTEND", extensions, "number of standard extensions"),
            ("DATE", f"{_moment(pointing.start)[0]}T00:00:00", "date this file was written (simulated)"),
            ("FILENAME", filename, "name of file"), ("FILETYPE", "SCI", "type of data found in data file"),
        ],
    )  # fmt: skip
    if not camera.distortion:
        return _fill(header, plain_cards(camera, pointing, root))
    _fill(
        header,
        [
            ("", "", ""), ("TELESCOP", "HST", "telescope used to acquire data"),
            ("INSTRUME", camera.instrument, "identifier for instrument used to acquire data"),
            ("EQUINOX", 2000.0, "equinox of celestial coord. system"),
        ],
    )  # fmt: skip
    _fill(header, _observation(camera, pointing, root))
    _fill(header, _configuration(camera, subarray=subarray))
    _fill(header, _read_out(camera))
    model = f"{root}_{camera.distortion}"
    return _fill(
        header, [("DISTNAME", model, "distortion model"), ("SIPNAME", model, "polynomial distortion model")]
    )


def _distortion_model(camera: Camera, index: int, place: ChipPlace) -> list[Card]:
    """Return the keywords that repeat facts of the distortion model."""
    design = camera.chips[index]
    cx11, cx10, cy11, cy10 = design.linear
    return [
        ("OCX10", cx10, "original linear term from IDCTAB"), ("OCX11", cx11,
        "original linear term from IDCTAB"),
        ("OCY10", cy10, "original linear term from IDCTAB"), ("OCY11", cy11,
        "original linear term from IDCTAB"),
        ("IDCSCALE", camera.scale, "pixel scale from the IDCTAB reference file"),
        ("IDCTHETA", camera.theta, "orientation of detector's Y-axis w.r.t. V3 axis"),
        ("IDCXREF", design.reference[0], "reference pixel location in X"),
        ("IDCYREF", design.reference[1], "reference pixel location in Y"),
        ("IDCV2REF", place.v2v3[0], "reference pixel's V2 position"),
        ("IDCV3REF", place.v2v3[1], "reference pixel's V3 position"),
    ]  # fmt: skip


def science_header(
    camera: Camera, index: int, pointing: Pointing, place: ChipPlace, tables: list[Card],
    *, root: str, window: tuple[int, int, int, int],
) -> Header:  # fmt: skip
    """Make the header of one science image.

    Parameters
    ----------
    camera : Camera
        The instrument.
    index : int
        Which chip.
    pointing : Pointing
        Where and when.
    place : ChipPlace
        Linear WCS of the chip.
    tables : list of tuple
        Cards that point to its lookup tables.
    root : str
        Root name of the exposure.
    window : tuple of int
        The part ``(y0, y1, x0, x1)`` of the chip that is read.
    """
    from astropy.io.fits import Header

    design = camera.chips[index]
    y0, y1, x0, x1 = window
    header = _fill(
        Header(),
        [
            ("XTENSION", "IMAGE", "image extension"), ("BITPIX", -32, "array data type"),
            ("NAXIS", 2, "number of array dimensions"), ("NAXIS1", x1 - x0, ""), ("NAXIS2", y1 - y0, ""),
            ("PCOUNT", 0, "number of parameters"), ("GCOUNT", 1, "number of groups"),
            ("EXTNAME", "SCI", "extension name"), ("EXTVER", index + 1, "extension version"),
            ("INHERIT", True, "inherit the primary header"), ("EXPNAME", root, "exposure identifier"),
            ("BUNIT", camera.unit, "brightness units"),
        ],
    )  # fmt: skip
    hst = bool(camera.distortion)
    if hst:
        _fill(header, _title("World Coordinate System and Related Parameters"))
        _fill(header, [("CCDCHIP", design.number, "CCD chip")])
    _fill(header, wcs_cards(design, place))
    _fill(
        header,
        [
            ("RADESYS", "ICRS", "reference frame"),
            ("ORIENTAT", place.orientation, "position angle of y axis (deg)"),
        ],
    )
    if not hst:
        return _fill(header, tables)
    _fill(
        header,
        [
            ("WCSNAME", f"IDC_{camera.distortion}", "coordinate system title"),
            ("LTV1", place.ltv[0], "offset in X to subsection start"),
            ("LTV2", place.ltv[1], "offset in Y to subsection start"),
            ("LTM1_1", 1.0, "reciprocal of sampling rate in X"), ("LTM2_2", 1.0,
            "reciprocal of sampling rate in Y"),
            ("RA_APER", pointing.ra, "RA of aperture reference position"),
            ("DEC_APER", pointing.dec, "declination of aperture reference position"),
            ("PA_APER", place.orientation, "position angle of reference aperture (deg)"),
            ("VAFACTOR", pointing.vafactor, "velocity aberration plate scale factor"),
            ("CENTERA1", (x0 + x1) // 2 + 1, "subarray axis1 center pt in unbinned dect. pix"),
            ("CENTERA2", (y0 + y1) // 2 + 1, "subarray axis2 center pt in unbinned dect. pix"),
            ("SIZAXIS1", x1 - x0, "subarray axis1 size in unbinned detector pixels"),
            ("SIZAXIS2", y1 - y0, "subarray axis2 size in unbinned detector pixels"),
            ("BINAXIS1", 1, "axis1 data bin size in unbinned detector pixels"),
            ("BINAXIS2", 1, "axis2 data bin size in unbinned detector pixels"),
        ],
    )  # fmt: skip
    _fill(header, _distortion_model(camera, index, place))
    _fill(header, tables)
    name = f"IDC_{camera.distortion}-GSC240"
    _fill(header, alternate_cards(design, place, "O", "OPUS", pointing.error))
    _fill(header, alternate_cards(design, place, "A", name, pointing.error))
    return _photometry(header, camera, pointing)


def _photometry(header: Header, camera: Camera, pointing: Pointing) -> Header:
    """Append photometric keywords and the counters that calibration writes."""
    flam, plam, bw = camera.photometry
    band = " ".join(camera.filters.values())
    return _fill(
        header,
        [
            *_title("PHOTOMETRY KEYWORDS"),
            ("PHOTMODE", f"{camera.instrument} {camera.detector} {band}", "observation mode"),
            ("PHOTFLAM", flam, "inverse sensitivity, ergs/cm2/Ang/electron"),
            ("PHOTZPT", -21.1, "ST magnitude zero point"),
            ("PHOTPLAM", plam, "pivot wavelength (Angstroms)"), ("PHOTBW", bw,
            "RMS bandwidth of filter plus detector"),
            *_title("IMAGE STATISTICS AND DATA QUALITY FLAGS"),
            ("NCOMBINE", 1, "image sets combined during CR rejection"),
            ("NGOODPIX", 0, "number of good pixels"), ("SDQFLAGS", 31743, "serious data quality flags"),
            ("GOODMIN", 0.0, "minimum value of good pixels"), ("GOODMAX", 0.0,
            "maximum value of good pixels"),
            ("GOODMEAN", 0.0, "mean value of good pixels"),
            ("MEANDARK", camera.dark * pointing.exptime, "average of the dark values subtracted"),
            ("MEANBLEV", 0.0, "average of all bias levels subtracted"),
            ("MEANFLSH", 0.0, "mean number of counts in post flash exposure"),
        ],
    )  # fmt: skip


def image_statistics(header: Header, sci: Any, dq: Any) -> None:
    """Write the number, minimum, maximum and mean of the good pixels into a science header."""
    if "NGOODPIX" not in header:
        return
    good = sci[(dq == 0) & np.isfinite(sci)]
    header["NGOODPIX"] = int(good.size)
    if good.size:
        header["GOODMIN"], header["GOODMAX"] = float(good.min()), float(good.max())
        header["GOODMEAN"] = float(good.mean(dtype=np.float64))
