"""The tutorial and the how-to pages: their code runs, and the tutorial's package is plugins/drizframe-example."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.wcs import WCS
from stranger import compiled_example

import drizframe
from drizframe.config.toml import read_toml

ROOT = Path(__file__).parents[2]
PAGES = ["plugins", "kernel", "interpolator", "combiner", "sky-method", "weighting", "cosmic-ray-detector"]
PAGES += ["instrument", "reader-writer", "executor", "step", "test", "result"]


def load_tool():
    spec = importlib.util.spec_from_file_location(
        "make_example_plugin", ROOT / "tools" / "make_example_plugin.py"
    )
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


TOOL = load_tool()


@pytest.fixture
def example(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "plugins" / "drizframe-example" / "src")
    yield
    sys.modules.pop("drizframe_example", None)


def exposure(k):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [150.0, 2.0]
    wcs.wcs.crpix, wcs.wcs.cdelt = [16.0 + 0.4 * k, 12.0 - 0.3 * k], [-1e-5, 1e-5]
    image = np.random.default_rng(k).normal(2.0, 0.1, (24, 32)).astype(np.float32)
    return drizframe.Exposure.from_arrays(image, wcs, name=f"dither{k}", exptime=100.0, readnoise=3.0)


def python(path):
    return [text for language, name, text in TOOL.blocks(path) if language == "python" and not name]


def test_the_example_plugin_is_the_tutorials_word_for_word():
    folder = ROOT / "plugins" / "drizframe-example"
    written = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and p.suffix != ".pyc"}
    assert written == set(TOOL.files())
    for name, text in TOOL.files().items():
        assert (folder / name).read_text(encoding="utf-8") == text, "run python tools/make_example_plugin.py"


def test_the_code_of_the_tutorial_runs_in_order(example, capsys):
    before = drizframe.registry().names("kernel")
    space = {}
    blocks = python(TOOL.TUTORIAL)
    assert len(blocks) >= 3
    for text in blocks:
        exec(compile(text, "tutorial", "exec"), space)  # noqa: S102  (our own documentation)
    said = capsys.readouterr().out
    assert "Did you mean 'trim'" in said
    assert drizframe.registry().names("kernel") == before


def test_the_parameter_file_of_the_tutorial_is_right(example, tmp_path):
    import drizframe_example

    (text,) = [t for language, name, t in TOOL.blocks() if language == "toml" and not name]
    path = tmp_path / "mosaic.toml"
    path.write_text(text)
    name = drizframe.register(drizframe_example)
    try:
        assert drizframe.run([exposure(k) for k in range(3)], **read_toml(path)).mosaic is not None
    finally:
        drizframe.unregister(name)


def compiled_examples(folder):
    """Compile the C code of the page on kernels, which the one on interpolators uses too."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    for language, name, text in TOOL.blocks(ROOT / "docs" / "how-to" / "kernel.md"):
        if language == "c":
            (folder / name).write_text(text)
            library = str(Path(name).with_suffix(".so"))
            subprocess.run(
                [compiler, "-O2", "-shared", "-fPIC", name, "-o", library, "-lm"], cwd=folder, check=True
            )


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_a_how_to_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if page in ("kernel", "interpolator"):
        compiled_examples(tmp_path)
    if page == "kernel":
        monkeypatch.syspath_prepend(compiled_example(tmp_path).parent)
        monkeypatch.delitem(sys.modules, "box_loop", raising=False)
    space = {}  # a page says what its names are
    for text in python(ROOT / "docs" / "how-to" / f"{page}.md"):
        exec(compile(text, page, "exec"), space)  # noqa: S102  (our own documentation)
    if page != "instrument":
        assert np.isfinite(space["result"].sci[space["result"].wht > 0]).all()


PAGES = sorted(
    str(p.relative_to(ROOT))
    for p in [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    import re

    path = ROOT / page
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (path.parent / target).exists(), target
