"""Calls of AstroDrizzle as public programs make them, on small visits: names, types and mixtures of values are theirs."""

from __future__ import annotations

from cases import FORCED, IVM_LISTS, case

#: Only the last step, as programs ask for it that have flagged cosmic rays themselves.
FINAL_ONLY = {"static": False, "driz_separate": False, "median": False, "blot": False, "driz_cr": False}

CLIENTS = [
    case(
        "first-look", "ir_flat", also=("*_pfl.fits",),
        clean=False, context=False, preserve=False, skysub=True, skymethod="localmin", resetbits=4096,
        driz_separate=True, driz_sep_wcs=True, driz_sep_bits=576, median=True, blot=True, driz_cr=True,
        driz_cr_snr="8.0 5.0", driz_cr_scale="2.5 0.7", driz_combine=True, final_wht_type="IVM",
        final_bits=576, final_pixfrac=0.8, final_kernel="square", final_wcs=True, final_rot=0, coeffs=True,
    ),
    case(
        "overlaps", "ir_flat", also=("*_pfl.fits",),
        skysub=False, skyuser="MDRIZSKY", preserve=False, resetbits=0, context=False, **FINAL_ONLY,
        gain="1.0", rdnoise="0.0", coeffs=True, final_wht_type="IVM", final_bits=576, final_kernel="square",
        final_pixfrac=0.8, final_wcs=True, final_scale=0.1, final_rot=0, final_ra=150.1, final_dec=2.2,
        final_outnx=330, final_outny=320,
    ),
    case(
        "skyfile-of-zeros", "acs_flat", also=("*_pfl.fits", "zeros.txt"), ours=FORCED,
        skyfile="zeros.txt", skysub=True, final_wht_type="IVM", driz_cr_corr=True, build=False,
        driz_cr_snr="3.5 3.0", preserve=False, final_bits="64,32", driz_sep_bits="64,32",
    ),
    case(
        "match-minmed", "square_uvis",
        skymethod="match", combine_type="minmed", final_scale=0.04, final_pixfrac=1.0, final_bits="96",
        driz_sep_bits="96", skystat="median", driz_cr_snr="3.5 3.0",
    ),
    case(
        "sampling", "uvis",
        build=True, driz_cr_corr=True, final_wcs=True, final_scale=0.03, final_pixfrac=0.6, final_rot=0.0,
        final_bits="64,32", driz_sep_bits="64,32", skymethod="globalmin",
        combine_type="median",
    ),
    case(
        "everything-given", "acs",
        runfile="", wcskey="", proc_unit="native", coeffs=True, context=True, group="", build=False,
        crbit=4096, stepsize=10, resetbits=4096, num_cores=1, in_memory=False, rules_file="", restore=False,
        preserve=False, overwrite=False, clean=False, static=True, static_sig=4.0, skysub=True,
        skymethod="globalmin", skystat="mode", skylower=None, skyupper=None, skyclip=5, skylsigma=4.0,
        skyusigma=4.0, skymask_cat="", use_static=True, sky_bits=0, skyuser="", skyfile="",
        driz_separate=True, driz_sep_kernel="turbo", driz_sep_wt_scl="exptime", driz_sep_pixfrac=1.0,
        driz_sep_fillval=None, driz_sep_bits=0, driz_sep_wcs=False, median=True, median_newmasks=True,
        combine_type="minmed", combine_maskpt=0.2, combine_nsigma="4 3", combine_nlow=0, combine_nhigh=0,
        combine_lthresh=None, combine_hthresh=None, combine_grow=1, combine_bufsize=None, blot=True,
        blot_interp="poly5", blot_sinscl=1.0, blot_addsky=True, blot_skyval=0.0, driz_cr=True,
        driz_cr_corr=True, driz_cr_snr="3.5 3.0", driz_cr_grow=1, driz_cr_ctegrow=0,
        driz_cr_scale="1.5 0.7", driz_combine=True, final_wht_type="EXP", final_kernel="square",
        final_wt_scl="exptime", final_pixfrac=0.8, final_fillval=None, final_bits=0, final_units="cps",
        final_wcs=True, final_refimage=None, final_rot=0.0, final_scale=0.05, final_outnx=None,
        final_outny=None, final_ra=None, final_dec=None, gain=None, gnkeyword=None, rdnoise=None,
        rnkeyword=None, exptime=None, expkeyword=None,
    ),
    case(
        "pipeline-two-exposures", "acs_pair",
        build=True, skymethod="globalmin+match", skywidth=0.3, skystat="mode", sky_bits=16,
        driz_sep_bits="16, 64", combine_type="minmed", combine_nlow=0, combine_nhigh=0, combine_nsigma="4 3",
        driz_cr_corr=False, driz_cr_snr="3.5 3.0", driz_cr_scale="1.5 1.2", final_wht_type="EXP",
        final_bits=65535, final_pixfrac=1.0, final_units="cps", preserve=False, clean=False,
        emulate="swapped_footprints",
    ),
    case(
        "list-with-weights", "hrc", inputs="@ivm.lst", also=IVM_LISTS,
        driz_sep_bits=8, final_bits=8, final_wht_type="IVM", final_pixfrac=0.8, combine_type="median",
        driz_cr_snr="4.0 3.0", driz_cr_grow=1, updatewcs=False,
    ),
    case(
        "numbers-for-switches", "hrc",
        static=1, skysub=1, driz_separate=1, median=1, blot=1, driz_cr=1, driz_combine=0, in_memory=1,
        build=0, context=0, preserve=0, driz_cr_corr=0,
    ),
    case(
        "one-frame-for-both-steps", "ir_frame", also=("grid.fits",),
        driz_sep_wcs=True, driz_sep_refimage="grid.fits[1]", final_wcs=True, final_refimage="grid.fits[1]",
        driz_sep_kernel="square", final_kernel="square", final_pixfrac=1.0, combine_type="median",
        blot_interp="poly5", final_units="cps", build=False,
    ),
    case(
        "frame-without-extension", "ir_frame", also=("grid.fits",),
        configobj=None, final_wcs=True, final_refimage="grid.fits", final_outnx=310, final_outny=290,
        final_pixfrac=0.9,
    ),
    case(
        "words-for-switches", "ir", ours=FORCED,
        build=False, skysub="Yes", driz_separate="yes", median="YES", driz_cr="True", blot_addsky=False,
        final_wcs="yes", final_scale=0.1, final_pixfrac=0.8, resetbits="4096", skystat="median",
    ),
    case(
        "name-with-an-ending", "ir",
        output="coadd_x.fits", combine_type="median", skymethod="globalmin+match",
        emulate="swapped_footprints", final_bits="512,64",
    ),
    case(
        "fine-gaussian", "acs",
        final_kernel="gaussian", final_pixfrac=0.8, final_scale=0.035, final_rot=None, final_bits=96,
        driz_sep_bits=96, skymethod="localmin",
    ),
    case("full-turn", "hrc", final_rot=360.0, final_kernel="gaussian", driz_sep_kernel="gaussian"),
]  # fmt: skip
