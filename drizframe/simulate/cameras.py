"""The cameras that come with the simulator; numbers of this project's own making, of realistic size."""

from __future__ import annotations

from drizframe.simulate.camera import Camera, ChipDesign, Psf, register_camera

__all__ = ["acs_hrc", "acs_wfc", "generic", "wfc3_ir", "wfc3_uvis"]

Coefficients = dict[tuple[int, int], float]


@register_camera
def acs_wfc() -> Camera:
    """ACS wide-field channel: two CCDs of 4096 x 2048 pixels of 0.05″, SIP, both kinds of tables.

    Returns
    -------
    camera : Camera
        For `simulate`.
    """
    lower_a: Coefficients = {
        (2, 0): 8.5e-6, (1, 1): -5.3e-6, (0, 2): 2.1e-6, (3, 0): -4.9e-10, (2, 1): -3.0e-11, (1, 2): -5.2e-10,
        (0, 3): 1.0e-11,
        (4, 0): 2.2e-14, (3, 1): 1.5e-15, (2, 2): 3.5e-14, (1, 3): -1.5e-14, (0, 4): 2.4e-14,
    }  # fmt: skip
    lower_b: Coefficients = {
        (2, 0): -1.8e-6, (1, 1): 6.2e-6, (0, 2): -7.1e-6, (3, 0): 1.0e-10, (2, 1): -5.2e-10, (1, 2): -7.0e-11,
        (0, 3): -4.2e-10,
        (4, 0): -1.7e-14, (3, 1): -2.5e-15, (2, 2): -3.7e-14, (1, 3): 6.0e-15, (0, 4): -1.7e-14,
    }  # fmt: skip
    upper_a: Coefficients = {
        **lower_a, (2, 0): 8.6e-6, (1, 1): -7.4e-6, (0, 2): 2.3e-6, (4, 0): 1.7e-14, (2, 2): 9.6e-14, (0,
        4): 1.2e-13
    }  # fmt: skip
    upper_b: Coefficients = {
        **lower_b, (2, 0): -2.9e-6, (1, 1): 6.4e-6, (0, 2): -9.7e-6, (4, 0): -1.6e-14, (2, 2): -1.0e-13, (0,
        4): -1.3e-13
    }  # fmt: skip
    shape, middle = (2048, 4096), (2048.0, 1024.0)
    return Camera(
        name="acs_wfc", instrument="ACS", detector="WFC", prefix="j", scale=0.05, aperture=(259.0, 250.0),
        parity=(1, -1),
        chips=(
            ChipDesign(
                number=2, shape=shape, reference=middle, position=(-2.1, -52.9), linear=(0.0498, 0.0020,
                0.0015, 0.0503),
                sip_a=lower_a, sip_b=lower_b, npol=(0.08, 0.06), d2im=(0.05, 0.06), anchor=(0.5, 1.0), cte=-1,
            ),
            ChipDesign(
                number=1, shape=shape, reference=middle, position=(2.1, 51.2), linear=(0.0492, 0.0023, 0.0021,
                0.0486),
                sip_a=upper_a, sip_b=upper_b, npol=(0.09, 0.07), d2im=(0.10, 0.11), anchor=(0.5, 0.0), cte=1,
            ),
        ),
        psf=Psf(fwhm=0.105), amplifiers="ABCD", gain=2.0, readnoise=5.0, dark=0.004, full_well=84000.0,
        ray_rate=2.5,
        filters={"FILTER1": "F606W", "FILTER2": "CLEAR2L"}, photometry=(7.9e-20, 5918.0, 672.0),
        distortion="simwfc",
    )  # fmt: skip


@register_camera
def acs_hrc() -> Camera:
    """ACS high-resolution channel: 1024 x 1024 pixels, strongly skewed (axes 16 degrees from square).

    Returns
    -------
    camera : Camera
        For `simulate`.
    """
    chip = ChipDesign(
        number=1, shape=(1024, 1024), reference=(512.0, 512.0), linear=(0.0277, 0.0040, 0.0035, 0.0248),
        sip_a={(2, 0): 1.2e-5, (1, 1): -4.0e-6, (0, 2): 1.0e-6, (3, 0): 3.0e-10, (2, 1): -1.0e-10, (1,
        2): 2.0e-10,
               (0, 3): -2.0e-10, (4, 0): 1.0e-13, (2, 2): -2.0e-13, (0, 4): 1.0e-13},
        sip_b={(2, 0): 2.0e-6, (1, 1): 9.0e-6, (0, 2): -6.0e-6, (3, 0): -2.0e-10, (2, 1): 1.0e-10, (1,
        2): -3.0e-10,
               (0, 3): 2.0e-10, (4, 0): -1.0e-13, (2, 2): 1.0e-13, (0, 4): 2.0e-13},
        npol=(0.05, 0.05), cte=-1,
    )  # fmt: skip
    return Camera(
        name="acs_hrc", instrument="ACS", detector="HRC", prefix="j", chips=(chip,), scale=0.025,
        aperture=(206.0, 472.0),
        parity=(-1, 1), psf=Psf(fwhm=0.06), amplifiers="C", gain=2.2, readnoise=4.7, dark=0.0025,
        full_well=155000.0,
        ray_rate=4.0, filters={"FILTER1": "F606W", "FILTER2": "CLEAR2S"}, photometry=(1.3e-19, 5888.0, 665.0),
        distortion="simhrc",
    )  # fmt: skip


@register_camera
def wfc3_uvis() -> Camera:
    """WFC3 ultraviolet channel: two CCDs of 4096 x 2051 pixels of 0.04″, SIP, both kinds of tables.

    Returns
    -------
    camera : Camera
        For `simulate`.
    """
    lower_a: Coefficients = {
        (2, 0): 3.0e-6, (1, 1): -6.5e-6, (0, 2): 1.1e-6, (3, 0): 2.0e-11, (2, 1): -2.0e-11, (1, 2): 3.0e-11,
        (0, 3): -3.0e-11,
        (4, 0): 3.0e-15, (3, 1): -5.0e-15, (2, 2): 1.2e-14, (1, 3): -9.0e-15, (0, 4): 2.0e-14,
    }  # fmt: skip
    lower_b: Coefficients = {
        (2, 0): -5.5e-6, (1, 1): 1.9e-6, (0, 2): -6.2e-6, (3, 0): -1.5e-11, (2, 1): 2.5e-11, (1, 2): -2.0e-11,
        (0, 3): 4.0e-11,
        (4, 0): -4.0e-15, (3, 1): 4.0e-15, (2, 2): -8.0e-15, (1, 3): 7.0e-15, (0, 4): -1.5e-14,
    }  # fmt: skip
    upper_a: Coefficients = {**lower_a, (2, 0): 3.3e-6, (1, 1): -6.9e-6, (0, 2): 1.4e-6}
    upper_b: Coefficients = {**lower_b, (2, 0): -5.8e-6, (1, 1): 2.2e-6, (0, 2): -6.6e-6}
    shape, middle = (2051, 4096), (2048.0, 1026.0)
    return Camera(
        name="wfc3_uvis", instrument="WFC3", detector="UVIS", prefix="i", scale=0.0396, aperture=(-27.5,
        -33.3), theta=-44.7,
        parity=(-1, 1),
        chips=(
            ChipDesign(
                number=2, shape=shape, reference=middle, position=(-0.5, -41.1), linear=(0.0397, 0.0005,
                0.0026, 0.0394),
                sip_a=lower_a, sip_b=lower_b, npol=(0.06, 0.05), d2im=(0.04, 0.05), anchor=(0.5, 1.0), cte=-1,
            ),
            ChipDesign(
                number=1, shape=shape, reference=middle, position=(0.5, 41.4), linear=(0.0395, 0.0006, 0.0027,
                0.0392),
                sip_a=upper_a, sip_b=upper_b, npol=(0.05, 0.06), d2im=(0.05, 0.04), anchor=(0.5, 0.0), cte=1,
            ),
        ),
        psf=Psf(fwhm=0.08), amplifiers="ABCD", gain=1.55, readnoise=3.1, dark=0.0015, full_well=70000.0,
        ray_rate=2.5,
        filters={"FILTER": "F606W"}, photometry=(1.15e-19, 5887.0, 656.0), distortion="simuvis",
    )  # fmt: skip


@register_camera
def wfc3_ir() -> Camera:
    """WFC3 infrared channel: 1014 x 1014 pixels of 0.135″ x 0.121″, electrons per second, TIME and SAMP.

    Returns
    -------
    camera : Camera
        For `simulate`.
    """
    chip = ChipDesign(
        number=1, shape=(1014, 1014), reference=(507.0, 507.0), linear=(0.1355, 0.0003, -0.0002, 0.1210),
        sip_a={(2, 0): 5.0e-7, (1, 1): -8.0e-6, (0, 2): 2.0e-7, (3, 0): -1.5e-10, (2, 1): 5.0e-11, (1,
        2): -1.0e-10,
               (4, 0): 5.0e-14, (2, 2): -4.0e-14},
        sip_b={(2, 0): -6.5e-6, (1, 1): 3.0e-7, (0, 2): -7.5e-6, (3, 0): 2.0e-11, (2, 1): -1.0e-10, (0,
        3): 1.0e-10,
               (2, 2): 4.0e-14, (0, 4): -5.0e-14},
    )  # fmt: skip
    return Camera(
        name="wfc3_ir", instrument="WFC3", detector="IR", prefix="i", chips=(chip,), scale=0.1283,
        aperture=(-0.6, -2.1),
        theta=45.0, parity=(-1, 1), psf=Psf(fwhm=0.145), unit="ELECTRONS/S", amplifiers="ABCD", gain=2.4,
        readnoise=14.0,
        dark=0.045, full_well=78000.0, ray_rate=0.0, filters={"FILTER": "F160W"}, photometry=(1.93e-20,
        15370.0, 826.0),
        distortion="simir", ramp=True,
    )  # fmt: skip


@register_camera
def generic() -> Camera:
    """One chip of 1024 x 1024 pixels of 0.1″ with a mild SIP and plain FITS keywords only.

    Returns
    -------
    camera : Camera
        For `simulate`.
    """
    chip = ChipDesign(
        number=1, shape=(1024, 1024), reference=(512.5, 512.5), linear=(0.1, 0.0, 0.0, 0.1),
        sip_a={(2, 0): 2.0e-6, (1, 1): 1.0e-6, (1, 2): -1.0e-9}, sip_b={(0, 2): -2.0e-6, (1, 1): 1.5e-6, (2,
        1): 1.0e-9},
    )  # fmt: skip
    return Camera(
        name="generic", instrument="GENERIC", detector="CCD", prefix="g", chips=(chip,), scale=0.1,
        parity=(-1, 1),
        psf=Psf(fwhm=0.22, beta=None), readnoise=4.0, dark=0.001, ray_rate=2.0, filters={"FILTER": "CLEAR"},
    )  # fmt: skip
