"""Files of a simulation: layout, WCS with all tables, truth."""

from __future__ import annotations

import json

import numpy as np
import pytest
import typer
from astropy.io import fits
from astropy.wcs import WCS
from typer.testing import CliRunner

from drizframe.cli.simulate import command
from drizframe.errors import OutputError
from drizframe.simulate import CAMERAS, Pointing, Scene, camera_named, dither, random_scene, simulate
from drizframe.simulate.headers import root_name
from drizframe.simulate.sphere import axes_matrix, roll_at, to_tangent

SHAPE = (90, 110)
OBSERVATORY = [name for name in CAMERAS if name != "generic"]


def visit(camera, n=2, **options):
    made = camera_named(camera)
    scene = random_scene(2, size=made.extent(SHAPE), stars=30, galaxies=1)
    pointings = dither(n, roll=25.0, roll_step=2.0, error=0.2, seed=3)
    return simulate(made, scene, pointings, **{"seed": 4, "shape": SHAPE, **options})


@pytest.mark.parametrize("name", CAMERAS)
def test_files_hold_the_exposures_and_their_wcs(tmp_path, name):
    sim = visit(name)
    paths = sim.write(tmp_path)
    assert [p.name for p in paths] == [f"{e.name}_flt.fits" for e in sim]
    drawn = sim[1]
    with fits.open(paths[1]) as hdus:
        assert hdus[0].header["EXPTIME"] == 500.0
        assert hdus[0].header["ROOTNAME"] == drawn.name
        assert hdus[0].header["NEXTEND"] == len(hdus) - 1
        for k, chip in enumerate(drawn.chips, start=1):
            np.testing.assert_array_equal(hdus["SCI", k].data, chip.sci)
            np.testing.assert_array_equal(hdus["ERR", k].data, chip.err)
            np.testing.assert_array_equal(hdus["DQ", k].data, chip.dq)
            wcs = WCS(hdus["SCI", k].header, fobj=hdus)
            x, y = np.random.default_rng(1).uniform(0, 90, (2, 30))
            np.testing.assert_allclose(
                wcs.all_pix2world(x, y, 0), chip.wcs.all_pix2world(x, y, 0), rtol=1e-14
            )
            assert (wcs.det2im1 is not None) == any(sim.camera.chips[k - 1].d2im)
            assert (wcs.cpdis1 is not None) == any(sim.camera.chips[k - 1].npol)


@pytest.mark.parametrize("name", OBSERVATORY)
def test_headers_have_the_keywords_that_processing_needs(tmp_path, name):
    sim = visit(name, n=1)
    (path,) = sim.write(tmp_path)
    with fits.open(path) as hdus:
        primary = hdus[0].header
        for key in (
            "EXTEND",
            "TELESCOP",
            "INSTRUME",
            "DETECTOR",
            "EXPSTART",
            "EXPEND",
            "PA_V3",
            "RA_TARG",
            "CCDAMP",
            "IDCTAB",
        ):
            assert key in primary
        amps = [primary[f"ATODGN{a}"] for a in "ABCD"]
        assert [a > 0 for a in amps] == [a in primary["CCDAMP"] for a in "ABCD"]
        assert primary["EXPEND"] - primary["EXPSTART"] == pytest.approx(500.0 / 86400)
        assert ("FILTER1" in primary) == (primary["INSTRUME"] == "ACS")
        for k, design in enumerate(sim.camera.chips, start=1):
            science = hdus["SCI", k].header
            for key in (
                "EXPNAME",
                "MEANDARK",
                "LTV1",
                "LTM1_1",
                "ORIENTAT",
                "VAFACTOR",
                "WCSNAME",
                "IDCSCALE",
                "OCX10",
                "PHOTFLAM",
            ):
                assert key in science
            assert science["CCDCHIP"] == design.number
            assert science["NGOODPIX"] == (hdus["DQ", k].data == 0).sum()
            assert science["SIZAXIS1"] == SHAPE[1]
        names = [h.name for h in hdus]
        assert names[1:4] == ["SCI", "ERR", "DQ"]
        assert ("TIME" in names) == sim.camera.ramp
        if sim.camera.ramp:
            assert (hdus["TIME"].data == 500.0).all()


@pytest.mark.parametrize("name", OBSERVATORY)
def test_the_linear_wcs_follows_roll_and_distortion_model(name):
    exposure = visit(name)[1]
    for chip in exposure.chips:
        h = chip.header
        angle = roll_at(27.0, h["CRVAL2"], h["IDCV2REF"], h["IDCV3REF"]) + h["IDCTHETA"]
        linear = np.array([[h["OCX11"], h["OCX10"]], [h["OCY11"], h["OCY10"]]])
        expected = axes_matrix(exposure.camera.parity, angle) @ linear / 3600
        np.testing.assert_allclose(chip.wcs.wcs.cd, expected, atol=1e-5 * np.abs(expected).max())
        assert h["ORIENTAT"] == pytest.approx(np.rad2deg(np.arctan2(h["CD1_2"], h["CD2_2"])))


@pytest.mark.parametrize("name", ["acs_wfc", "wfc3_uvis", "acs_hrc"])
def test_a_cut_out_sees_the_sky_of_the_full_chip(name):
    camera = camera_named(name)
    scene, pointings = Scene(), dither(1, roll=10.0)
    small = simulate(camera, scene, pointings, seed=1, shape=SHAPE)[0]
    from drizframe.simulate.geometry import lookup_tables, place_chip, wcs_cards

    count = len(camera.chips)
    places = [place_chip(camera, k, pointings[0], camera.window(k, None)) for k in range(count)]
    cards, tables = lookup_tables(camera, places)
    for k, chip in enumerate(small.chips):
        header = fits.Header()
        rows, columns = camera.chips[k].shape
        header["NAXIS"], header["NAXIS1"], header["NAXIS2"] = 2, columns, rows
        for card in [*wcs_cards(camera.chips[k], places[k]), *cards[k]]:
            header.append(card, end=True)
        full = WCS(header, fobj=fits.HDUList([fits.PrimaryHDU(), *tables]))
        x, y = np.random.default_rng(1).uniform(0, 90, (2, 20))
        ltv = chip.header["LTV1"], chip.header["LTV2"]
        np.testing.assert_allclose(
            chip.wcs.all_pix2world(x, y, 0), full.all_pix2world(x - ltv[0], y - ltv[1], 0), rtol=0, atol=1e-12
        )


def test_the_chips_of_a_pair_lie_side_by_side_at_the_gap():
    for name in ("acs_wfc", "wfc3_uvis"):
        lower, upper = simulate(name, Scene(), [Pointing()], seed=1, shape=SHAPE)[0].chips
        top = lower.wcs.all_pix2world([55.0], [89.5], 0)
        bottom = upper.wcs.all_pix2world([55.0], [-0.5], 0)
        gap = 3600 * np.hypot(*np.ravel(to_tangent(bottom[0], bottom[1], float(top[0][0]), float(top[1][0]))))
        assert 0.5 < gap < 5.0


def test_alternate_wcs_are_off_by_the_pointing_error(tmp_path):
    sim = visit("wfc3_uvis", n=1)
    (path,) = sim.write(tmp_path)
    with fits.open(path) as hdus:
        header = hdus["SCI", 1].header
        assert header["WCSNAMEO"] == "OPUS"
        assert header["WCSNAMEA"] == f"{header['WCSNAME']}-GSC240"
        for key in "OA":
            other = WCS(header, fobj=hdus, key=key)
            here = WCS(header, fobj=hdus).all_pix2world([[40.0, 30.0]], 0)[0]
            there = other.all_pix2world([[40.0, 30.0]], 0)[0]
            shift = 3600 * np.array(to_tangent(there[0], there[1], here[0], here[1]))
            np.testing.assert_allclose(shift, sim.pointings[0].error, atol=1e-4)


def test_truth_files_tell_what_went_in(tmp_path):
    sim = visit("acs_wfc")
    sim.write(tmp_path)
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert (truth["inst"], truth["seed"]) == ("acs_wfc", 4)
    np.testing.assert_allclose(np.array(truth["stars"])[:, 2], sim.scene.stars.rate)
    assert np.array(truth["galaxies"]).shape == (1, 7)
    assert [e["file"] for e in truth["exposures"]] == ["jsim01aaq_flt.fits", "jsim02aaq_flt.fits"]
    assert truth["exposures"][1]["roll"] == 27.0
    with np.load(tmp_path / "truth_jsim02aaq.npz") as arrays:
        for k, chip in enumerate(sim[1].chips, start=1):
            np.testing.assert_array_equal(arrays[f"cr{k}"], chip.truth.rays)
            np.testing.assert_array_equal(arrays[f"bad{k}"], chip.truth.bad)
            np.testing.assert_array_equal(arrays[f"star{k}"], chip.truth.star)
            np.testing.assert_array_equal(arrays[f"x{k}"], chip.truth.x)
            assert truth["exposures"][1]["chips"][k - 1]["ncr"] == (chip.truth.rays > 0).sum()


def test_weight_maps_and_masks_come_on_request(tmp_path):
    sim = visit("wfc3_ir", bad_pixels=0.01)
    sim.write(tmp_path, ivm=True, masks=True)
    assert (tmp_path / "ivm.lst").read_text().split() == [
        "isim01aaq_flt.fits", "isim01aaq_ivm.fits", "isim02aaq_flt.fits", "isim02aaq_ivm.fits"
    ]  # fmt: skip
    chip = sim[0].chips[0]
    with fits.open(tmp_path / "isim01aaq_ivm.fits") as hdus:
        weight = hdus["IVM", 1].data
    good = chip.dq == 0
    np.testing.assert_allclose(weight[good], (chip.err[good] * 500.0) ** -2, rtol=1e-5)
    assert (weight[~good] == 0).all()
    mask = fits.getdata(tmp_path / "isim01aaq_mask1.fits")
    assert not mask[chip.truth.bad].any()
    brightest = np.argmax(chip.truth.counts)
    assert mask[round(chip.truth.y[brightest]), round(chip.truth.x[brightest])] == 0
    assert mask.mean() > 0.5
    assert (tmp_path / "skymask.cat").read_text().splitlines()[
        0
    ] == "isim01aaq_flt.fits, isim01aaq_mask1.fits"


def test_files_are_written_again_with_the_same_bytes(tmp_path):
    one, two = (visit("generic", n=1).write(tmp_path / f)[0].read_bytes() for f in "ab")
    assert one == two


def test_root_names_have_nine_characters_and_differ():
    camera = camera_named("acs_wfc")
    names = [root_name(camera, k) for k in range(1, 500)]
    assert names[0] == "jsim01aaq"
    assert {len(n) for n in names} == {9}
    assert len(set(names)) == len(names)


def test_a_folder_that_cannot_be_made_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        visit("generic", n=1).write(tmp_path / "file" / "folder")


def run_command(*arguments):
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_the_command_writes_a_visit(tmp_path):
    done = run_command(
        tmp_path, "--camera", "wfc3_ir", "-n", 2, "--shape", "40x50", "--exptime", 100, "--exptime", 300,
        "--roll", 12, "--stars", 5, "--galaxies", 0, "--ivm",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert [fits.getheader(tmp_path / f"isim0{k}aaq_flt.fits")["EXPTIME"] for k in (1, 2)] == [100.0, 300.0]
    assert fits.getdata(tmp_path / "isim02aaq_flt.fits", "SCI").shape == (40, 50)
    assert (tmp_path / "ivm.lst").exists()
    assert len(json.loads((tmp_path / "truth.json").read_text())["stars"]) == 5


def test_the_command_explains_a_wrong_shape(tmp_path):
    done = run_command(tmp_path, "--shape", "40by50")
    assert done.exit_code == 2
    assert "300x400" in done.output


def test_a_folder_with_other_exposures_is_refused(tmp_path):
    visit("generic", n=2).write(tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(OutputError, match=r"holds other exposures: .*02"):
        visit("generic", n=1).write(tmp_path)
    with pytest.raises(OutputError, match=r"holds other exposures"):
        visit("wfc3_ir", n=2).write(tmp_path)
    assert sorted(tmp_path.iterdir()) == before


def test_exposures_that_no_simulation_wrote_are_not_replaced(tmp_path):
    (path,) = visit("generic", n=1).write(tmp_path / "there")
    (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(OutputError, match=r"holds other exposures"):
        visit("generic", n=1).write(tmp_path)


def test_the_same_visit_is_replaced_with_all_that_belonged_to_it(tmp_path):
    visit("generic", n=1).write(tmp_path, ivm=True, masks=True)
    fits.PrimaryHDU().writeto(tmp_path / "final_drz_sci.fits")
    (path,) = visit("generic", n=1).write(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {
        path.name, "truth.json", f"truth_{path.name.removesuffix('_flt.fits')}.npz", "final_drz_sci.fits",
    }  # fmt: skip


def simulated(*arguments):
    app = typer.Typer()
    app.command()(command)
    few = ["--number", "2", "--shape", "60x70", "--stars", "3", "--galaxies", "0"]
    return CliRunner().invoke(app, [*map(str, arguments), *few])


def test_the_command_makes_the_same_again_and_replaces_nothing_else(tmp_path):
    out = tmp_path / "sim"
    assert simulated(out, "--seed", 1).exit_code == 0
    before = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in out.iterdir()}
    again = simulated(out, "--seed", 1)
    assert again.exit_code == 0
    assert again.stdout.split() == [str(p) for p in sorted(out.glob("*_flt.fits"))]
    refused = simulated(out, "--seed", 2)
    assert isinstance(refused.exception, OutputError)
    assert "holds an earlier simulation, and " in str(refused.exception)
    assert "--overwrite" in str(refused.exception)
    assert {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in out.iterdir()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["sim"]
    assert simulated(out, "--seed", 2, "--overwrite").exit_code == 0
    assert next(out.glob("*_flt.fits")).read_bytes() != before[next(out.glob("*_flt.fits")).name][0]


def test_the_command_replaces_no_exposure_that_was_changed(tmp_path):
    assert simulated(tmp_path, "--seed", 1).exit_code == 0
    path = min(tmp_path.glob("*_flt.fits"))
    with fits.open(path, mode="update") as hdus:
        hdus["DQ", 1].data[0, 0] = 4
    assert isinstance(simulated(tmp_path, "--seed", 1).exception, OutputError)
