"""Against the truth: both programs find the same cosmic rays, and the sky where there is nothing else."""

from __future__ import annotations

import shutil
import sys
import warnings

import pytest

import drizframe
from drizframe.simulate import Scene, Sky, dither, random_scene, simulate, truth_table

SHAPE = (300, 400)


def visit(n, folder):
    """`n` dithered ACS exposures of stars and galaxies with 500 s worth of cosmic rays."""
    scene = random_scene(21, size=(24.0, 36.0), stars=60, galaxies=6, bright=300.0)
    pointings = dither(n, step=0.4, roll_step=0.5, exptime=(500.0, 480.0, 520.0), sky=(0.1, 0.11), seed=4)
    simulate("acs_wfc", scene, pointings, seed=n, cosmic_rays=10.0, shape=SHAPE).write(folder)
    return sorted(folder.glob("*_flt.fits"))


def empty(folder):
    """Three exposures of a flat sky: no source, no cosmic ray, no bad pixel."""
    pointings = dither(3, step=0.4, exptime=(400.0, 600.0, 500.0), sky=(0.7, 0.8, 0.9), seed=4)
    made = simulate(
        "acs_wfc",
        Scene(sky=Sky(rate=0.8)),
        pointings,
        seed=8,
        cosmic_rays=False,
        bad_pixels=0.0,
        shape=(500, 600),
    )
    made.write(folder)
    return sorted(folder.glob("*_flt.fits"))


def ours(files, folder, **parameters):
    """Our products, with all intermediate files."""
    folder.mkdir()
    copies = [str(shutil.copyfile(f, folder / f.name)) for f in files]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        drizframe.run(copies, folder / "ref", keep="all", num_cores=1, **parameters)
    return folder


def show(title, report):
    """Print completeness and purity (and the stars) as rows of the table in docs/explanation/accuracy.md."""
    total = report.total
    rays = f"{total.true} hit, completeness {total.completeness:.4f}, purity {total.purity:.4f}"
    sys.stdout.write(f"{title}: {rays}; {report.stars}\n")


@pytest.mark.parametrize("n", [2, 3, 4, 8])
def test_completeness_and_purity_are_those_of_the_reference(n, tmp_path, reference):
    files = visit(n, tmp_path / "truth")
    report = truth_table(ours(files, tmp_path / "ours"), tmp_path / "truth")
    theirs = truth_table(reference(files), tmp_path / "truth")
    show(f"N = {n}, ours", report)
    show(f"N = {n}, reference", theirs)
    assert report.rays == theirs.rays
    assert len(report.rays) == n
    assert report.total.completeness > (0.7 if n == 2 else 0.9)
    assert report.stars.n == theirs.stars.n > 5
    assert report.stars.flux == pytest.approx(theirs.stars.flux, rel=1e-5)
    assert report.stars.scatter == pytest.approx(theirs.stars.scatter, abs=1e-5)
    assert [s.measured for s in report.sky] == pytest.approx([s.measured for s in theirs.sky], rel=1e-6)


@pytest.mark.parametrize("statistic", ["median", "mean"])
def test_flat_sky_is_found_to_a_hundredth_of_its_noise(statistic, tmp_path, reference):
    files = empty(tmp_path / "truth")
    report = truth_table(ours(files, tmp_path / "ours", skystat=statistic), tmp_path / "truth")
    theirs = truth_table(reference(files, skystat=statistic), tmp_path / "truth")
    for mine, other in zip(report.sky, theirs.sky, strict=True):
        chip = f"{statistic} {mine.exposure} {mine.chip}"
        sys.stdout.write(f"{chip}: {mine.error:+.4f} (reference {other.error:+.4f}) of the noise\n")
        assert abs(mine.error) < 0.01
        assert mine.measured == pytest.approx(other.measured, rel=1e-6)
