"""The reference program runs on the bundled sample, once for each set of inputs and parameters."""

import gzip
from importlib import metadata, resources

import numpy as np
import pytest
import reference_env
from astropy.io import fits

NAME = "o4k19a010_flt.fits"


@pytest.fixture
def sample(tmp_path):
    packed = resources.files("drizframe").joinpath("data", "stis_sample", f"{NAME}.gz")
    path = tmp_path / NAME
    path.write_bytes(gzip.decompress(packed.read_bytes()))
    return path


def test_array_reference_version():
    assert metadata.version("drizzle") == "3.0.0"


def test_products_of_the_sample(reference, sample):
    folder = reference([sample])
    with fits.open(folder / "ref_drz_sci.fits") as product:
        assert product[0].header["NDRIZIM"] == 2
        data = product[0].data
        assert np.isfinite(data).mean() > 0.9
    assert reference([sample]) == folder


def test_key_depends_on_everything(sample):
    key = reference_env.key_of([sample], {})
    assert key == reference_env.key_of([sample], {})
    assert key != reference_env.key_of([sample], {"final_kernel": "turbo"})
    sample.write_bytes(sample.read_bytes() + b" ")
    assert key != reference_env.key_of([sample], {})


def test_failed_run_leaves_nothing(tmp_path, sample):
    cache = tmp_path / "cache"
    with pytest.raises(RuntimeError, match="The reference program failed"):
        reference_env.products("false", cache, [sample], {})
    assert not list(cache.iterdir())


def test_an_environment_of_somebody_else_is_never_cleared(tmp_path):
    kept = tmp_path / "theirs" / "bin" / "something"
    kept.parent.mkdir(parents=True)
    kept.write_text("theirs")
    (tmp_path / "theirs" / "pyvenv.cfg").write_text("home = /nowhere")
    with pytest.raises(RuntimeError, match="was not made by reference_env"):
        reference_env.ensure(tmp_path / "theirs")
    assert kept.read_text() == "theirs"
