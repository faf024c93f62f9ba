"""Exposures in memory, and made-up distributions with real dist-info on the path."""

from __future__ import annotations

import importlib
import sys
from textwrap import dedent

import numpy as np
import pytest
from astropy.wcs import WCS

import drizframe
from drizframe import api


def exposure(k, shape=(32, 40), seed=1):
    rng = np.random.default_rng(seed + k)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [150.0, 2.0]
    wcs.wcs.crpix = [shape[1] / 2 + 0.41 * k, shape[0] / 2 - 0.37 * k]
    wcs.wcs.cdelt = [-1e-5, 1e-5]
    image = rng.normal(2.0, 0.1, shape).astype(np.float32)
    image[shape[0] // 2 : shape[0] // 2 + 3, shape[1] // 2 : shape[1] // 2 + 3] += 5
    return drizframe.Exposure.from_arrays(image, wcs, name=f"dither{k}", exptime=100.0, readnoise=3.0)


@pytest.fixture
def exposures():
    return [exposure(k) for k in range(3)]


@pytest.fixture
def large_exposures():
    return [exposure(k, (150, 130)) for k in range(3)]


@pytest.fixture
def plugin():
    """Registers objects, and takes them out at the end."""
    names = []

    def add(thing, name=None):
        names.append(drizframe.register(thing, name))
        return names[-1]

    yield add
    for name in names:
        drizframe.unregister(name)


@pytest.fixture
def fresh(monkeypatch):
    """Starts plugins anew, and again at the end."""
    for variable in ("DRIZFRAME_PLUGINS", "DRIZFRAME_DISABLED_PLUGINS"):
        monkeypatch.delenv(variable, raising=False)
    api.manager.cache_clear()
    api._registries.clear()
    yield
    api.manager.cache_clear()
    api._registries.clear()


@pytest.fixture
def installed(tmp_path, monkeypatch, fresh):
    """Writes a distribution with one module and its metadata, as pip would leave it."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    modules = []

    def add(name, source, version="1.2", point=None):
        module = name.replace("-", "_")
        (site / f"{module}.py").write_text(dedent(source))
        info = site / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[drizframe]\n{point or module} = {module}\n")
        modules.append(module)
        importlib.invalidate_caches()

    yield add
    for module in modules:
        sys.modules.pop(module, None)
