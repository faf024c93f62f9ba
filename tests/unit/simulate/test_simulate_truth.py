"""Comparison of a run with the truth."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
from astropy.io import fits
from typer.testing import CliRunner

import drizframe
from drizframe.cli.app import app
from drizframe.errors import InputError, ParameterError
from drizframe.simulate import Psf, dither, random_scene, simulate, truth_table
from drizframe.simulate.truth_stars import aperture_fraction


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three exposures with their truth, and products with all masks in a folder of their own."""
    truth, out = tmp_path_factory.mktemp("truth"), tmp_path_factory.mktemp("out")
    scene = random_scene(4, size=14.0, stars=12, galaxies=0, faint=40.0, bright=200.0)
    pointings = dither(3, step=0.4, exptime=(400.0, 300.0, 500.0), sky=(0.5, 0.4, 0.6), seed=1)
    files = simulate("generic", scene, pointings, seed=3, shape=(120, 130), cosmic_rays=20.0).write(truth)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        drizframe.run([str(f) for f in files], out / "ref", keep="all", num_cores=1)
    return truth, out


def test_sky_stars_and_cosmic_rays_are_compared(made):
    truth, out = made
    report = truth_table(out, truth)
    assert [(s.exposure, s.chip) for s in report.sky] == [(f"gsim0{k}aaq", 1) for k in (1, 2, 3)]
    assert [s.true for s in report.sky] == pytest.approx([200.0, 120.0, 300.0])
    assert max(abs(s.error) for s in report.sky) < 0.2
    assert report.stars.n >= 5
    assert report.stars.flux == pytest.approx(1, abs=0.02)
    assert max(abs(report.stars.dx), abs(report.stars.dy), report.stars.scatter) < 0.05
    assert len(report.rays) == 3
    assert report.total.completeness > 0.85
    assert report.total.purity > 0.95
    assert report.total.true == sum(r.true for r in report.rays)


def test_counts_are_those_of_the_masks(made):
    truth, out = made
    report = truth_table(out / "ref", truth, significance=10.0, near=0)
    first = report.rays[0]
    with np.load(truth / "truth_gsim01aaq.npz") as arrays:
        electrons, other = arrays["cr1"], arrays["bad1"] | arrays["saturated1"]
    mask = fits.getdata(out / "gsim01aaq_sci1_crmask.fits") == 0
    true = (electrons >= 10 * report.sky[0].noise) & ~other
    assert (first.true, first.found) == (true.sum(), (true & mask).sum())
    assert (first.flagged, first.near) == ((mask & ~other).sum(), (mask & ~other & (electrons > 0)).sum())


@pytest.mark.parametrize("how", [{"final_scale": 0.06}, {"final_units": "counts"}, {"build": True}])
def test_flux_does_not_depend_on_scale_unit_and_kind_of_file(made, tmp_path, how):
    truth, _ = made
    files = [str(f) for f in sorted(truth.glob("*_flt.fits"))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        drizframe.run(files, tmp_path / "other", num_cores=1, **how)
    report = truth_table(tmp_path / "other", truth)
    assert report.stars.flux == pytest.approx(1, abs=0.02)
    assert report.rays == ()
    assert len(report.sky) == 3


def test_sky_comes_from_the_exposures_where_the_products_have_no_table(made, tmp_path):
    truth, _ = made
    path = tmp_path / "gsim02aaq_flt.fits"
    path.write_bytes((truth / path.name).read_bytes())
    fits.setval(path, "MDRIZSKY", value=121.0, extname="SCI", extver=1)
    report = truth_table(tmp_path, truth)
    assert [(s.exposure, s.measured) for s in report.sky] == [("gsim02aaq", 121.0)]
    assert report.stars is None
    assert report.to_dict()["cosmic_rays"] == []


def test_command_prints_tables_or_json(made):
    truth, out = made
    done = CliRunner().invoke(app, ["truth", str(out), str(truth), "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found == truth_table(out, truth).to_dict()
    assert found["cosmic_rays"][-1]["exposure"] == "total"
    done = CliRunner().invoke(app, ["truth", str(out), str(truth)])
    assert done.exit_code == 0
    assert all(word in done.output for word in ("Sky", "Stars", "Cosmic rays", "total"))


def test_what_is_missing_or_wrong_is_said(made, tmp_path):
    truth, out = made
    with pytest.raises(InputError, match="no truth of a simulation"):
        truth_table(out, tmp_path)
    with pytest.raises(InputError, match="There is no run"):
        truth_table(tmp_path / "nothing", truth)
    with pytest.raises(InputError, match="holds nothing to compare"):
        truth_table(tmp_path, truth)
    with pytest.raises(ParameterError, match="significance"):
        truth_table(out, truth, significance=0)
    for name in ("a_drz_sci.fits", "b_drz.fits"):
        (tmp_path / name).touch()
    with pytest.raises(InputError, match="holds 2 mosaics"):
        truth_table(tmp_path, truth)


def test_masks_of_other_exposures_are_refused(made, tmp_path):
    truth, _ = made
    fits.writeto(tmp_path / "gsim01aaq_sci1_crmask.fits", np.ones((5, 6), dtype=np.uint8))
    with pytest.raises(InputError, match="shape"):
        truth_table(tmp_path, truth)


def test_truth_without_bad_pixels_and_positions_is_enough(made, tmp_path):
    truth, out = made
    facts = json.loads((truth / "truth.json").read_text())
    facts["galaxies"] = [[150.1, 2.3, 5.0, 3.0]]
    (tmp_path / "truth.json").write_text(json.dumps(facts))
    for name in ("gsim01aaq", "gsim02aaq", "gsim03aaq"):
        with np.load(truth / f"truth_{name}.npz") as arrays:
            np.savez(tmp_path / f"truth_{name}.npz", cr1=arrays["cr1"])
    report = truth_table(out, tmp_path)
    assert report.total.true >= truth_table(out, truth).total.true
    assert report.stars == truth_table(out, truth).stars


def test_fraction_in_an_aperture_is_that_of_the_profile():
    """A Gaussian smeared by small squares is a Gaussian, its variance larger by side²/12 for each."""
    psf = Psf(fwhm=0.2, beta=None)
    variance = psf.width**2 + 2 * 0.05**2 / 12
    expected = 1 - np.exp(-(0.25**2) / (2 * variance))
    assert aperture_fraction(psf, 0.25, (0.05, 0.05)) == pytest.approx(expected, abs=2e-3)
