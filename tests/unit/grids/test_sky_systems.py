"""Images that count in different systems of sky coordinates, and headers with two linear transformations."""

from __future__ import annotations

import copy
import itertools
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import astropy.units as u
import numpy as np
import pytest
from astropy import coordinates
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

import drizframe
from drizframe import Exposure
from drizframe.engine.plan import make_plan
from drizframe.errors import DrizframeWarning, WCSError
from drizframe.grids.checks import matrix_conflict
from drizframe.grids.frames import build_frames, default_frame
from drizframe.grids.mapping import WCSMap, transform
from drizframe.grids.overlaps import find_overlaps
from drizframe.grids.sky_systems import SkySystem, conversion, system_of

STAR = SkyCoord(266.4 * u.deg, -28.9 * u.deg, frame="icrs")
SIDE = 40
#: CTYPE axes, RADESYS, EQUINOX and what astropy calls the system.
SYSTEMS = {
    "icrs": (("RA", "DEC"), "ICRS", None, coordinates.ICRS()),
    "fk5": (("RA", "DEC"), "FK5", 2000.0, coordinates.FK5(equinox="J2000")),
    "fk5 of 1975": (("RA", "DEC"), "FK5", 1975.0, coordinates.FK5(equinox="J1975")),
    "fk4": (("RA", "DEC"), "FK4", 1950.0, coordinates.FK4(equinox="B1950")),
    "fk4 of 1900": (("RA", "DEC"), "FK4", 1900.0, coordinates.FK4(equinox="B1900")),
    "fk4 without e-terms": (("RA", "DEC"), "FK4-NO-E", 1950.0, coordinates.FK4NoETerms(equinox="B1950")),
    "by its equinox": (("RA", "DEC"), "", 1950.0, coordinates.FK4(equinox="B1950")),
    "galactic": (("GLON", "GLAT"), "", None, coordinates.Galactic()),
    "supergalactic": (("SLON", "SLAT"), "", None, coordinates.Supergalactic()),
    "ecliptic": (("ELON", "ELAT"), "", None, coordinates.BarycentricMeanEcliptic(equinox="J2000")),
    "ecliptic of 1975": (
        ("ELON", "ELAT"),
        "FK5",
        1975.0,
        coordinates.BarycentricMeanEcliptic(equinox="J1975"),
    ),
}
every_system = pytest.mark.parametrize("name", SYSTEMS)


def linear(
    axes=("RA", "DEC"), crval=(150.0, 2.0), radesys="", equinox=None, scale=0.2, rot=0.0, swapped=False
):
    w = WCS(naxis=2)
    ctype = [f"{a}{'-' * (5 - len(a))}TAN" for a in axes]
    c, s = (scale / 3600 * f(np.radians(rot)) for f in (np.cos, np.sin))
    cd = np.array([[-c, s], [s, c]])
    order = [1, 0] if swapped else [0, 1]
    w.wcs.ctype = [ctype[k] for k in order]
    w.wcs.crval = [crval[k] for k in order]
    w.wcs.cd = cd[order]
    w.wcs.crpix = [(SIDE + 1) / 2] * 2
    if radesys:
        w.wcs.radesys = radesys
    if equinox is not None:
        w.wcs.equinox = equinox
    w.pixel_shape = (SIDE, SIDE)
    w.wcs.set()
    return w


def around_star(name, *, shift=(0.0, 0.0), **others):
    axes, radesys, equinox, frame = SYSTEMS[name]
    place = STAR.transform_to(frame).spherical
    crval = (place.lon.deg + shift[0] / 3600 / np.cos(place.lat.rad), place.lat.deg + shift[1] / 3600)
    return linear(axes, crval, radesys, equinox, **others)


def exposure(name, label="e", flux=1000.0, **others):
    w = around_star(name, **others)
    place = STAR.transform_to(SYSTEMS[name][3]).spherical
    sky = (place.lon.deg, place.lat.deg)
    px, py = w.all_world2pix(*(sky[::-1] if others.get("swapped") else sky), 0)
    y, x = np.mgrid[:SIDE, :SIDE]
    data = flux * np.exp(-((x - px) ** 2 + (y - py) ** 2) / 4.5) / (4.5 * np.pi)
    return Exposure.from_arrays(data, w, name=label, exptime=10.0)


QUIET = {"static": False, "skysub": False, "driz_separate": False, "median": False, "blot": False,
         "driz_cr": False, "num_cores": 1}  # fmt: skip


def by_hand(source, target, one, two, x, y):
    """The map of astropy: pixels, sky, the other system's sky, pixels."""
    sky = SkyCoord(*source.all_pix2world(x, y, 0), unit="deg", frame=one).transform_to(two).spherical
    return np.stack(target.wcs_world2pix(sky.lon.deg, sky.lat.deg, 0))


@pytest.mark.parametrize(("one", "two"), list(itertools.permutations(SYSTEMS, 2)))
def test_pixels_map_as_astropy_converts_the_sky(one, two):
    source, target = around_star(one, rot=30.0), around_star(two)
    x, y = np.array([0.0, 10.5, 39.0]), np.array([3.0, 20.0, 38.25])
    wanted = by_hand(source, target, SYSTEMS[one][3], SYSTEMS[two][3], x, y)
    np.testing.assert_allclose(np.stack(transform(source, target)(x, y)), wanted, rtol=0, atol=1e-7)


@every_system
def test_a_wcs_tells_its_system(name):
    system = system_of(around_star(name).wcs)
    assert system.frame().is_equivalent_frame(SYSTEMS[name][3])
    assert conversion(system, system_of(around_star(name, rot=5.0).wcs)) is None


def test_equatorial_axes_without_radesys_follow_the_standard():
    assert system_of(linear().wcs) == SkySystem("RA", "ICRS")
    assert system_of(linear(equinox=1983.5).wcs) == SkySystem("RA", "FK4", 1983.5)
    assert system_of(linear(equinox=2000.0).wcs) == SkySystem("RA", "FK5", 2000.0)
    assert system_of(linear(radesys="FK5").wcs) == SkySystem("RA", "FK5", 2000.0)
    assert system_of(linear(radesys="ICRS", equinox=1950.0).wcs) == SkySystem("RA", "ICRS")


@every_system
def test_the_default_frame_has_the_system_of_the_first_input(name):
    frame = default_frame([exposure(name), exposure("icrs", "f")])
    assert system_of(frame.wcs.wcs) == system_of(around_star(name).wcs)
    assert max(frame.shape) < 1.6 * SIDE  # turned at most


@every_system
def test_exposures_of_two_systems_meet_on_the_sky(name):
    exposures = [exposure(name, "a"), exposure("icrs", "b", shift=(0.1, -0.05), rot=10.0)]
    for order in (exposures, exposures[::-1]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DrizframeWarning)
            result = drizframe.run(order, **QUIET)
        sci = np.nan_to_num(result.sci)
        assert sci.sum() == pytest.approx(1000.0, rel=2e-3)
        y, x = np.indices(sci.shape)
        place = STAR.transform_to(system_of(result.wcs.wcs).frame()).spherical
        star = [float(v) for v in result.wcs.all_world2pix(place.lon.deg, place.lat.deg, 0)]
        assert ((sci * x).sum() / sci.sum(), (sci * y).sum() / sci.sum()) == pytest.approx(
            tuple(star), abs=0.03
        )
        assert sci.max() == pytest.approx(1000.0 / (4.5 * np.pi), rel=0.2)  # one star, not two


def test_mixed_systems_are_told_with_the_names():
    with pytest.warns(
        DrizframeWarning, match=r"old are equatorial \(FK4, equinox 1950\).*converted to equatorial \(ICRS\)"
    ):
        result = drizframe.run([exposure("icrs", "new"), exposure("fk4", "old")], **QUIET)
    assert any("old" in text and "FK4" in text for text in result.warnings)


def test_a_frame_of_another_system_that_was_asked_for_is_no_warning():
    result = drizframe.run([exposure("icrs")], final_refimage=around_star("galactic"), **QUIET)
    assert not result.warnings
    assert result.wcs.wcs.ctype[0] == "GLON-TAN"
    assert np.nansum(result.sci) == pytest.approx(1000.0, rel=2e-3)


def test_axes_in_either_order_are_converted():
    result = drizframe.run(
        [exposure("icrs", swapped=True)], final_refimage=around_star("galactic", swapped=True), **QUIET
    )
    assert np.nansum(result.sci) == pytest.approx(1000.0, rel=2e-3)


@pytest.mark.parametrize(
    "strange",
    [
        linear(radesys="GAPPT"), linear(radesys="NOTHING"), linear(("HLON", "HLAT")), linear(("MALN", "MALT")),
        linear(("ELON", "ELAT"), radesys="FK4", equinox=1950.0),
    ],
    ids=["apparent places", "unknown", "helioecliptic", "planet", "ecliptic of FK4"],
)  # fmt: skip
def test_what_cannot_be_converted_is_refused_by_name(strange):
    exposures = [
        Exposure.from_arrays(np.zeros((SIDE, SIDE)), w, name=n, unit="electrons/s")
        for n, w in (("good", linear()), ("odd", strange))
    ]
    for order in (exposures, exposures[::-1]):
        with pytest.raises(
            WCSError, match=r"^Chip 1 of 'odd' counts .*, chip 1 of 'good' in .*cannot be converted"
        ):
            drizframe.run(order, **QUIET)
    with pytest.raises(WCSError, match=r"odd.*cannot be converted"):
        drizframe.run(exposures[1:], final_refimage=linear(), **QUIET)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DrizframeWarning)
        alone = drizframe.run(exposures[1:], **QUIET)
    assert max(alone.sci.shape) <= SIDE
    assert system_of(alone.wcs.wcs) == system_of(strange.wcs)


def test_an_unknown_radesys_is_told():
    with pytest.warns(DrizframeWarning, match=r"e \[sci,1\]: RADESYS is 'NOTHING', which is not known"):
        drizframe.run(
            [
                Exposure.from_arrays(
                    np.zeros((SIDE, SIDE)), linear(radesys="NOTHING"), name="e", unit="electrons/s"
                )
            ],
            **QUIET,
        )


def test_sky_matching_finds_the_same_overlaps_in_any_system():
    first = exposure("icrs", "a")
    plain = find_overlaps([first, exposure("icrs", "b", shift=(2.0, 1.0))])[0]
    shifted = around_star("icrs", shift=(2.0, 1.0))
    centre = SkyCoord(*shifted.wcs.crval, unit="deg", frame="icrs").transform_to(SYSTEMS["fk4"][3]).spherical
    old = linear(("RA", "DEC"), (centre.lon.deg, centre.lat.deg), "FK4", 1950.0)
    mixed = find_overlaps(
        [first, Exposure.from_arrays(np.zeros((SIDE, SIDE)), old, name="c", unit="electrons/s")]
    )[0]
    # the old north is turned by a quarter of a degree
    assert mixed.area == pytest.approx(plain.area, rel=0.01)
    assert mixed.first_region.size == pytest.approx(plain.first_region.size, rel=0.02)


def test_galactic_exposures_run_through_all_steps():
    exposures = [exposure("galactic", f"e{k}", shift=(0.1 * k, -0.07 * k)) for k in range(3)]
    result = drizframe.run(exposures, skymethod="globalmin+match", num_cores=1)
    assert np.nansum(result.sci) == pytest.approx(1000.0, rel=5e-3)


def test_position_and_rotation_of_a_frame_count_in_its_own_system():
    place = STAR.galactic
    lon, lat = round(float(place.l.deg), 4), round(float(place.b.deg), 4)
    size = {"final_rot": 0.0, "final_outnx": 80, "final_outny": 80}
    result = drizframe.run([exposure("galactic")], final_ra=lon, final_dec=lat, **size, **QUIET)
    assert tuple(result.wcs.wcs.crval) == (lon, lat)
    assert result.wcs.wcs.ctype[0] == "GLON-TAN"


def test_maps_between_systems_pickle_and_are_safe_in_threads():
    function = transform(around_star("fk4"), around_star("ecliptic"))
    x, y = (v.ravel() for v in np.meshgrid(np.arange(40.0), np.arange(40.0)))
    alone = np.stack(function(x, y))
    np.testing.assert_array_equal(np.stack(pickle.loads(pickle.dumps(function))(x, y)), alone)  # noqa: S301
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: np.stack(function(x, y)), range(16)):
            np.testing.assert_array_equal(found, alone)


def test_the_shipped_wcsmap_leads_back_through_another_system():
    both = WCSMap(around_star("fk4"), around_star("galactic"))
    x, y = np.array([3.0, 20.0]), np.array([7.5, 30.0])
    np.testing.assert_allclose(np.stack(both.backward(*both.forward(x, y))), [x, y], atol=1e-6)


# -- two linear transformations in one header


def header(**cards):
    h = linear().to_header()
    for key in ("PC1_1", "PC1_2", "PC2_1", "PC2_2", "CDELT1", "CDELT2"):
        h.remove(key, ignore_missing=True)
    h.update(cards)
    return h


CD = {"CD1_1": -1e-4, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 1e-4}
DELTAS = {"CDELT1": -1e-4, "CDELT2": 1e-4}
PC = {"PC1_1": 1.0, "PC1_2": 0.0, "PC2_1": 0.0, "PC2_2": 1.0}


def wcs_of(h):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        w = WCS(h, fix=False)
        w.wcs.set()
    return w


@pytest.mark.parametrize(
    "cards",
    [
        CD, {**PC, **DELTAS}, {"CROTA2": 30.0, **DELTAS}, {**CD, **DELTAS}, {**CD, **PC, **DELTAS},
        {**CD, "CD1_1": -1.00001e-4, **PC, **DELTAS}, {**CD, "CROTA2": 0.0, **DELTAS}, {**CD, "CROTA2": 0.5},
        {**PC, **DELTAS, "CROTA2": 0.0},
    ],
)  # fmt: skip
def test_transformations_that_agree_or_are_alone_say_nothing(cards):
    assert matrix_conflict(wcs_of(header(**cards))) == ""


@pytest.mark.parametrize(
    ("cards", "words"),
    [
        ({**CD, **PC, "CDELT1": -2e-4, "CDELT2": 2e-4}, ("PCi_j", "CDi_j", "0.72", "0.36")),
        ({**CD, "PC1_1": 0.0, "PC1_2": 1.0, "PC2_1": -1.0, "PC2_2": 0.0, **DELTAS}, ("PCi_j", "CDi_j")),
        ({**CD, "CROTA2": 30.0, **DELTAS}, ("CDi_j", "CROTA2")),
        ({**PC, **DELTAS, "CROTA2": 30.0}, ("PCi_j", "CROTA2")),
    ],
)  # fmt: skip
def test_transformations_that_disagree_are_told(cards, words):
    text = matrix_conflict(wcs_of(header(**cards)))
    assert all(word in text for word in words), text


def write(path, h):
    h = copy.copy(h)
    h["EXPTIME"], h["BUNIT"] = 10.0, "electron/s"
    fits.PrimaryHDU(np.ones((SIDE, SIDE), np.float32), h).writeto(path)
    return str(path)


def test_a_file_whose_matrices_disagree_is_named(tmp_path):
    bad = header(**CD, **PC, CDELT1=-2e-4, CDELT2=2e-4)
    path = write(tmp_path / "two.fits", bad)
    with pytest.warns(DrizframeWarning, match=r"two\.fits .*PCi_j.*CDi_j"):
        result = drizframe.run(path, **QUIET)
    assert any("two.fits" in text for text in result.warnings)
    with pytest.warns(DrizframeWarning, match=r"final_refimage.*PCi_j.*CDi_j"):
        result = drizframe.run(write(tmp_path / "one.fits", header(**CD)), final_refimage=path, **QUIET)
    assert any("final_refimage" in text for text in result.warnings)


def test_every_frame_of_a_run_can_be_of_another_system():
    exposures = [exposure("icrs")]
    parameters = drizframe.config.make_parameters(
        {"driz_sep_refimage": around_star("fk4"), "final_refimage": around_star("ecliptic"), "blot": False}
    )
    frames = build_frames(exposures, parameters)
    assert system_of(frames["separate"].wcs.wcs).radesys == "FK4"
    assert system_of(frames["final"].wcs.wcs).axis == "ELON"
    plan = make_plan(exposures, parameters, drizframe.api.registry())
    assert sum("converted to" in text and not warning for text, warning in plan.notes) == 2
