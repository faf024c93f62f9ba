"""Results whose images are read when they are asked for."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import drizframe
from drizframe.engine.budget import Budget, Share
from drizframe.errors import OutputWarning
from drizframe.stock.products import planes as stock_planes
from drizframe.testing.samples import sample_exposures

pytestmark = pytest.mark.filterwarnings("ignore::drizframe.errors.DrizframeWarning")


def run(*output, **parameters):
    return drizframe.run(sample_exposures(), *output, num_cores=1, **parameters)


@pytest.fixture
def keeping_nothing(monkeypatch):
    """Let runs keep no plane in memory."""
    monkeypatch.setattr(Budget, "of", lambda budget, index: Share(1, 1, 0))


@pytest.fixture
def small(tmp_path, keeping_nothing):
    """A run whose images have no room in memory."""
    (tmp_path / "scratch").mkdir()
    return run(workdir=str(tmp_path / "scratch"), tile_size=50)


def test_images_in_scratch_are_those_of_a_run_in_memory(small, monkeypatch):
    monkeypatch.undo()
    large = run(tile_size=50)
    assert large.sci is large.mosaic.layers["sci"].image
    for name, layer in large.mosaic.layers.items():
        np.testing.assert_array_equal(small.mosaic.layers[name].image, layer.image)
    np.testing.assert_array_equal(small.median, large.median)
    assert list(small.cosmic_rays) == list(large.cosmic_rays)
    for name, masks in large.cosmic_rays.items():
        assert isinstance(small.cosmic_rays[name], tuple)
        for one, two in zip(small.cosmic_rays[name], masks, strict=True):
            np.testing.assert_array_equal(one, two)
    assert small.describe()[1] == large.describe()[1]


def test_scratch_lives_as_long_as_the_result(small, tmp_path):
    files = list((tmp_path / "scratch").rglob("*.raw"))
    assert files
    mosaic, want = small.mosaic, np.nansum(small.mosaic.wht)
    small = None
    gc.collect()
    assert np.nansum(mosaic.wht) == want
    assert mosaic.sci.shape == mosaic.frame.shape


def test_scratch_goes_with_the_result(tmp_path, keeping_nothing):
    result = run(workdir=str(tmp_path))
    assert list(tmp_path.iterdir())
    del result
    gc.collect()
    assert not list(tmp_path.iterdir())


def test_scratch_goes_when_the_program_ends(tmp_path):
    text = """
        import sys, drizframe, warnings
        warnings.simplefilter("ignore")
        from drizframe.testing.samples import sample_exposures
        from drizframe.engine.budget import Budget, Share
        Budget.of = lambda budget, index: Share(1, 1, 0)  # nothing is kept in memory
        result = drizframe.run(sample_exposures(), workdir=sys.argv[1])
        import os
        assert os.listdir(sys.argv[1])
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(text), str(tmp_path)], check=True)
    assert not list(tmp_path.iterdir())


def test_a_result_in_memory_leaves_no_scratch(tmp_path):
    result = run(workdir=str(tmp_path))
    assert not list(tmp_path.iterdir())
    assert result.sci is result.mosaic.sci
    assert not result.sci.flags.writeable


def test_an_image_is_read_once_and_stays(small):
    assert small.sci is small.sci
    assert small.median is small.median
    assert float(np.nanmax(small.sci)) == np.nanmax(copy.copy(small.mosaic.layers["sci"]).image)
    again = pickle.loads(pickle.dumps(small.mosaic.layers["sci"]))  # noqa: S301
    np.testing.assert_array_equal(again.image, small.sci)


def test_counts_are_made_of_the_part_that_is_read(tmp_path, keeping_nothing, monkeypatch):
    found = run(workdir=str(tmp_path), final_units="counts").sci
    monkeypatch.undo()
    np.testing.assert_array_equal(found, run(final_units="counts").sci)


def test_a_result_in_scratch_can_be_written(small, tmp_path):
    paths = small.write(tmp_path / "later")
    want = run(tmp_path / "sooner")
    assert len(paths) == len(want.products)
    from astropy.io import fits

    for path, other in zip(paths, want.products, strict=True):
        np.testing.assert_array_equal(fits.getdata(path), fits.getdata(other))
        assert fits.getheader(path)["DATASUM"] == fits.getheader(other)["DATASUM"]


@pytest.fixture
def asked(monkeypatch):
    """How often headers were made."""
    calls, original = [], stock_planes.product_headers

    def counted(facts):
        calls.append(facts)
        made = original(facts)
        return made.__class__(
            **{n: getattr(made, n) for n in made.__dataclass_fields__} | {"notes": ("a note on keywords",)}
        )

    monkeypatch.setattr(stock_planes, "product_headers", counted)
    return calls


def test_headers_are_made_when_somebody_asks(asked):
    result = run()
    assert not asked
    with pytest.warns(OutputWarning, match="a note on keywords"):
        assert result.header["BUNIT"] == result.mosaic.unit
    assert result.mosaic.headers["primary"]["DRIZRUN"]
    assert "wht" in result.mosaic.headers
    assert result.mosaic.table is not None
    assert len(asked) == 1


def test_headers_of_files_are_made_by_the_run_and_its_warnings_are_there(asked, tmp_path):
    result = run(tmp_path / "x")
    assert len(asked) == 1
    assert "a note on keywords" in result.warnings
    assert result.header["EXTNAME"] == "SCI"
    assert len(asked) == 1


LARGE = """
    import resource, sys, warnings
    import numpy as np
    from astropy.wcs import WCS
    import drizframe
    from drizframe import Exposure

    warnings.simplefilter("ignore")
    rng, side, scale, made = np.random.default_rng(0), 64, 0.1 / 3600, []
    for place in (-0.4, 0.4):
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [side / 2, side / 2]
        wcs.wcs.crval = [150 + place * 5000 * scale, 2 + place * 5000 * scale]
        wcs.wcs.cdelt, wcs.pixel_shape = [-scale, scale], (side, side)
        image = rng.normal(100, 10, (side, side)).astype(np.float32)
        made.append(Exposure.from_arrays(image, wcs, name=f"e{place}", exptime=100.0, unit="electrons"))

    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    def run(pixels, **more):
        return drizframe.run(
            made, final_wcs=True, final_outnx=pixels, final_outny=pixels, final_ra=150, final_dec=2, final_scale=0.1,
            final_rot=0, allow_sparse=True, skysub=False, static=False, median=False, driz_separate=False, blot=False,
            driz_cr=False, num_cores=1, **more,
        )

    run(64)  # with the libraries that it needs
    before = peak()
    result = run(5000, output=sys.argv[1], max_memory="90MB", workdir=sys.argv[2], **eval(sys.argv[3]))
    print(peak() - before)
    assert result.mosaic.layers["wht"].shape == (5000, 5000)
"""


@pytest.mark.parametrize("more", [{}, {"build": True, "final_units": "counts", "final_fillval": 0.0}])
def test_a_large_frame_is_never_whole_in_memory(tmp_path, more):
    """Three planes of 100 MB; what is zero takes no room on the disk either."""
    pytest.importorskip("resource")
    (tmp_path / "scratch").mkdir()
    script = [
        sys.executable,
        "-c",
        textwrap.dedent(LARGE),
        str(tmp_path / "x"),
        str(tmp_path / "scratch"),
        repr(more),
    ]
    done = subprocess.run(script, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 90  # as max_memory says
    files = {p.name: p for p in Path(tmp_path).glob("*.fits")}
    sparse = [p for n, p in files.items() if "sci" not in n]
    assert sparse
    assert all(p.stat().st_size > 90e6 and p.stat().st_blocks * 512 < 10e6 for p in sparse)
    assert not list((tmp_path / "scratch").iterdir())
