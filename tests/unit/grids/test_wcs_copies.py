"""A WCS that goes to another process maps every pixel to the same bits."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from astropy.io.fits import Header
from astropy.wcs import WCS, DistortionLookupTable, Sip

from drizframe.errors import WCSError
from drizframe.grids.wcs_copies import WcsCopy

X, Y = (a.ravel() for a in np.meshgrid(np.linspace(-20, 600, 23), np.linspace(-7, 500, 19)))


def sent(copy):
    return pickle.loads(pickle.dumps(copy))  # noqa: S301  (our own bytes)


def plain(ctype=("RA---TAN", "DEC--TAN"), **facts):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = list(ctype)
    wcs.wcs.crval = [10.123456789012345, 20.123456789012345]
    wcs.wcs.crpix = [300.12345678901234, 250.98765432109876]
    wcs.wcs.cd = [[-1.1234567890123456e-5, 1e-7 / 3], [1e-7 / 7, 1.2345678901234567e-5]]
    for name, value in facts.items():
        setattr(wcs.wcs, name, value)
    wcs.wcs.set()
    return wcs


def sip():
    wcs = plain(("RA---TAN-SIP", "DEC--TAN-SIP"))
    a = np.zeros((4, 4))
    a[2, 0], a[1, 2] = 1e-6 / 3, 1e-9 / 7
    wcs.sip = Sip(a, a.T.copy(), None, None, wcs.wcs.crpix)
    return wcs


def tables():
    wcs = sip()
    rng = np.random.default_rng(1)
    table = rng.normal(0, 0.1, (8, 9)).astype(np.float32)
    wcs.cpdis1 = DistortionLookupTable(table, (1.0, 1.0), (1.0, 1.0), (80.0, 70.0))
    wcs.det2im2 = DistortionLookupTable(table[::-1].copy(), (1.0, 1.0), (1.0, 1.0), (80.0, 70.0))
    return wcs


KINDS = {
    "tangent": plain(),
    "FK5": plain(radesys="FK5", equinox=1975.0),
    "FK4": plain(radesys="FK4", equinox=1950.0, mjdobs=40000.0),
    "galactic": plain(("GLON-TAN", "GLAT-TAN")),
    "latitude first": plain(("DEC--TAN", "RA---TAN")),
    "zenithal": plain(("RA---ARC", "DEC--ARC"), lonpole=123.456789012345678),
    "SIP": sip(),
    "tables": tables(),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_copy_has_the_same_bits(name):
    wcs = KINDS[name]
    wcs.pixel_shape = (600, 500)
    other = sent(WcsCopy.of(wcs)).build()
    np.testing.assert_array_equal(wcs.all_pix2world(X, Y, 0), other.all_pix2world(X, Y, 0))
    assert (other.wcs.radesys, other.pixel_shape) == (wcs.wcs.radesys, (600, 500))


def tpv(digits):
    header = Header()
    header["CTYPE1"], header["CTYPE2"] = "RA---TPV", "DEC--TPV"
    header["CRVAL1"], header["CRVAL2"] = 10.25, 20.5
    header["CRPIX1"], header["CRPIX2"] = 300.5, 250.5
    header["CD1_1"], header["CD2_2"], header["CD1_2"], header["CD2_1"] = -1.1e-5, 1.1e-5, 0.0, 0.0
    header["PV1_1"], header["PV1_4"] = 1.01, digits
    header["PV2_1"] = 1.0
    return header


def test_a_polynomial_of_the_projection_goes_by_its_header():
    header = tpv(0.0123456789012345)
    copy = sent(WcsCopy.of(WCS(header), header=header)).build()
    np.testing.assert_array_equal(WCS(header).all_pix2world(X, Y, 0), copy.all_pix2world(X, Y, 0))


def test_what_would_be_rounded_is_refused():
    wcs = plain(("RA---TPV", "DEC--TPV"))
    wcs.wcs.set_pv([(1, 1, 1.01), (1, 4, 0.012345678901234567), (2, 1, 1 / 3)])
    wcs.wcs.set()
    with pytest.raises(WCSError, match=r"WCS of mine .*cannot be sent .*'threads'"):
        WcsCopy.of(wcs, "mine")
