"""What a commit touches that adds a component, a parameter or a part of the product: these files, and no list of them.

The files are put into a copy of the source, and whatever walks over components is run there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest
from planting import CYTHON, TESTS, Copy

from drizframe import _fast

COMPILED = pytest.mark.skipif(
    _fast.load("turbo") is None, reason="compiled modules are not there, or switched off"
)
#: Kind -> the files of one: what `docs/contributing/component.md` and `instrument.md` say, besides the news fragment.
FILES = {
    "kernel": {"drizframe/stock/kernels/planted.py", "cython_ext/planted.pyx"},
    "combiner": {"drizframe/stock/combine/planted.py", "cython_ext/combine_planted.pyx"},
    "interpolator": {"drizframe/stock/interpolators/planted.py", "cython_ext/interp_planted.pyx"},
    "instrument": {"drizframe/stock/instruments/planted.py", "drizframe/stock/io/rules/planted.rules"},
}
#: Tests that walk over components, and what they must have said of the planted ones.
WALKERS = {
    "parity/test_drizzle_parity.py": {"test_sums_agree[planted]"},
    "parity/test_resample_parity.py": {"[planted]"},
    "parity/test_blot_interpolators.py": {"test_fast_equals_reference[planted]"},
    "parity/test_combine_parity.py": {"test_compiled_combiner_equals_reference[planted]"},
    "properties/test_flux_properties.py": {"planted"},
    "conformance/test_stock_conformance.py": {
        "kernel-planted-", "combiner-planted-", "interpolator-planted-", "instrument-planted-check_facts"
    },
    "unit/stock/kernels/test_kernel_flux.py": {"test_the_measured_flux_error_stands_in_the_record[planted]"},
    "unit/api/test_run_options.py": {"test_every_combiner_makes_a_clean_image[planted]"},
}  # fmt: skip


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Return a copy of the source with one more of each kind, and nothing else changed."""
    copy = Copy(tmp_path_factory.mktemp("planted"))
    laid = {kind: copy.lay(kind) for kind in FILES}
    assert laid == FILES
    return copy


@pytest.fixture(scope="module")
def built(planted):
    """Return the copy when its new modules are compiled."""
    assert planted.compile() == ["combine_planted", "interp_planted", "planted"]
    return planted


# -- (a) kernels, combiners and interpolators, (d) instruments: two files
# -----------------------------------------------------------------------------------------------------


def test_a_component_is_two_files(planted):
    assert planted.touched() == set().union(*FILES.values())
    assert all(len(files) == 2 for files in FILES.values())


USE = """
import numpy as np
from drizframe.resample import Drizzle, blot_image
registry = drizframe.registry()
families = ("kernel", "combiner", "interpolator", "instrument")
print(*[registry.entry(f, "planted").provider for f in families])
grid = np.dstack(np.meshgrid(np.arange(20.0), np.arange(20.0)))
out = Drizzle(out_shape=(20, 20), kernel="planted")
out.add_image(np.ones((20, 20), "f4"), 1.0, grid)
print(float(out.out_img[9, 9]), float(blot_image(out.out_img, grid, interp="planted")[9, 9]))
print(*[getattr(registry.get(f, "planted"), "fast", None) is not None for f in families])
"""


def test_planted_components_work_by_name_without_a_compiler(planted):
    before = planted.script(USE).splitlines()
    assert before[:2] == ["drizframe drizframe drizframe drizframe", "1.0 1.0"]


@COMPILED
def test_planted_twins_are_found(built):
    assert built.script(USE).splitlines()[-1] == "True True True False"


@COMPILED
@pytest.mark.slow
def test_tests_that_walk_over_components_pass_with_planted_ones(built):
    files = [str(TESTS / name) for name in WALKERS]
    said = built.pytest("-vv", "-k", "planted", *files)
    passed = re.findall(r"^(\S+) PASSED", said, re.MULTILINE)
    for name, wanted in WALKERS.items():
        mine = [line for line in passed if name in line]
        missing = [w for w in wanted if not any(w in line for line in mine)]
        assert not missing, (name, missing, said[-2000:])


BENCHMARK = """
import importlib.util
spec = importlib.util.spec_from_file_location("benchmark", {path!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
module.CASES, module.PHASES = ((1.0, 1.0),), module.PHASES[:3]
module.main()
"""


@COMPILED
def test_benchmarks_measure_a_planted_kernel(built):
    path = TESTS.parent / "benchmarks" / "kernel_flux.py"
    if not path.is_file():
        pytest.skip("the benchmarks lie in the checkout")
    head, _, row = built.script(BENCHMARK.format(path=str(path))).splitlines()
    column = [cell.strip() for cell in head.split("|")].index("planted: one pixel")
    assert abs(float(row.split("|")[column])) < 1e-12


def test_commands_list_planted_components(planted):
    text = planted.script("from drizframe.cli.app import app\napp(['plugins'], standalone_mode=False)")
    rows = [line for line in text.splitlines() if " planted " in line]
    assert len([r for r in rows if "drizframe" in r]) >= len(FILES)
    assert planted.script("print(drizframe.run.__name__)") == "run\n"


MOSAIC = """
import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
wcs = WCS(naxis=2)
wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [150.0, 2.0], [16.0, 12.0]
wcs.wcs.cdelt = [-1e-5, 1e-5]
for k in (1, 2):
    primary = fits.Header({"INSTRUME": "PLANTED", "GAIN": 3.0, "RDNOISE": 4.5, "EXPTIME": 100.0, "OBSERVER": f"nobody {k}"})
    science = fits.Header({"BUNIT": "COUNTS", **dict(wcs.to_header())})
    image = np.full((24, 32), 100.0, np.float32) + np.random.default_rng(k).normal(0, 1, (24, 32)).astype("f4")
    fits.HDUList([fits.PrimaryHDU(header=primary), fits.ImageHDU(image, science, name="SCI", ver=1)]).writeto(f"p{k}_flt.fits")
import warnings
warnings.simplefilter("ignore")
result = drizframe.run("p?_flt.fits", "mosaic", skysub=False, overwrite_products=True)
print({e.chips[0].gain for e in result.exposures}, {e.chips[0].native_unit for e in result.exposures})
print(round(float(np.nanmedian(result.sci)), 1))
header = fits.getheader("mosaic_drz_sci.fits")
print(header["OBSERVER"], header["EXPTIME"], "planted" in str(result.provenance))
"""


def test_files_of_a_planted_instrument_are_read_and_blended_by_its_rules(planted):
    facts, level, blended = planted.script(MOSAIC).splitlines()
    assert facts == "{3.0} {'counts'}"
    assert level == "1.0"  # 100 counts in 100 s
    assert blended == "nobody 1 200.0 True"


# -- (b) a parameter: its class in the configuration, and the record of options that carries it
# -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_parameter(tmp_path_factory):
    """Return a copy of the source with one more parameter of combiners."""
    copy = Copy(tmp_path_factory.mktemp("parameter"))
    grow = '    combine_grow: Whole = parameter(1, "Growth of minmed.", step="4", unit="pixel", ge=0)\n'
    more = '    combine_planted: Number = parameter(0.5, "Something planted.", step="4", unit="pixel", ge=0, le=9)\n'
    copy.edit("drizframe/config/steps.py", grow, grow + more)
    copy.edit(
        "drizframe/hooks/records/combiner.py",
        "    grow: int = 1\n",
        "    grow: int = 1\n    planted: float = 0.5\n",
    )
    return copy


def test_a_parameter_of_a_combiner_is_two_places(with_parameter):
    assert with_parameter.touched() == {"drizframe/config/steps.py", "drizframe/hooks/records/combiner.py"}


LISTENING = """
import warnings
warnings.simplefilter("ignore")
import numpy as np
from pathlib import Path
from drizframe.data import stis_sample
from drizframe.hooks import Combiner, hookimpl
told = []

def reference(stack, bad, *, weight, exptime, background, readnoise, n_total, options):
    told.append(options.planted)
    return np.where(bad, 0, stack).max(axis=0).astype(np.float32)

class Plugin:
    @hookimpl
    def drizframe_combiners(self):
        yield Combiner(name="listening", summary="Keeps what it is told.", reference=reference)

drizframe.register(Plugin())
sample = str(stis_sample())
"""
WAYS = {
    "default": "drizframe.run(sample, combine_type='listening')",
    "run": "drizframe.run(sample, combine_type='listening', combine_planted=2.5)",
    "drop-in": """
import shutil
from drizframe import astrodrizzle
shutil.copy(sample, '.')
astrodrizzle.AstroDrizzle(Path(sample).name, output='dropin', combine_type='listening', combine_planted=2.5)""",
    "command line": """
from drizframe.cli.app import app
arguments = ['--set', 'combine_type=listening', '--set', 'combine_planted=2.5']
app(['run', sample, '-q', '-o', 'command', *arguments], standalone_mode=False)""",
    "file of parameters": """
from drizframe.cli.app import app
Path('mine.toml').write_text('combine_type = "listening"\\ncombine_planted = 2.5\\n')
app(['run', sample, '-q', '-o', 'file', '--config', 'mine.toml'], standalone_mode=False)""",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_planted_parameter_reaches_combiners(with_parameter, way):
    said = with_parameter.script(LISTENING + WAYS[way] + "\nprint(set(told))").splitlines()
    assert said[-1] == ("{0.5}" if way == "default" else "{2.5}")


REFUSED = """
from drizframe.errors import ParameterError
for wrong in ({"combine_planted": 10}, {"combine_plantd": 1}):
    try:
        drizframe.run("none", **wrong)
    except ParameterError as error:
        print(error)
from drizframe.cli.app import app
app(["parameters", "planted"], standalone_mode=False)
"""


def test_a_planted_parameter_is_listed_with_limits_and_default(with_parameter):
    limit, name, *listing = with_parameter.script(REFUSED).splitlines()
    assert "combine_planted" in limit
    assert "9" in limit
    assert "Did you mean 'combine_planted'?" in name
    row = next(line for line in listing if "combine_planted" in line)
    assert all(word in row for word in ("0.5", "pixel", "4", "Something planted."))


# -- (c) a part of the product: the step that makes it
# -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_product(tmp_path_factory):
    """Return a copy of the source whose final step makes one more image."""
    copy = Copy(tmp_path_factory.mktemp("product"))
    step = "drizframe/stock/steps/final.py"
    variance = '        _mosaic("var", "its variance", "VAR", kind="cube"),\n'
    more = '        _mosaic("hits", "chips that fell on each pixel", "NHITS", dtype="int32"),\n'
    copy.edit(step, variance, variance + more)
    made = '    planes = {"mosaic.sci": drizzled.sci, "mosaic.wht": drizzled.wht}\n'
    also = '    planes["mosaic.hits"] = np.full(drizzled.wht.shape, len(list(_inputs(job, variance=False))), np.int32)\n'
    copy.edit(step, made, made + also)
    return copy


PRODUCT = """
import warnings
warnings.simplefilter("ignore")
import shutil
from pathlib import Path
import numpy as np
from astropy.io import fits
from drizframe import astrodrizzle
from drizframe.data import stis_sample
sample = stis_sample()
result = drizframe.run(sample, "one", build=True)
layer = result.mosaic.layers["nhits"]
print(*result.mosaic.layers, layer.image.dtype, layer.image.max())
with fits.open("one_drz.fits") as hdus:
    print(*[h.name for h in hdus[1:] if h.is_image], np.array_equal(hdus["NHITS"].data, layer.image))
result = drizframe.run(sample, "parts")
print(*sorted(p.name for p in result.products))
shutil.copy(sample, ".")
astrodrizzle.AstroDrizzle(sample.name, output="dropin", build=False)
print(*sorted(p.name for p in Path().glob("dropin_drz_*.fits")))
result.write("again", build=True)
with fits.open("again_drz.fits") as hdus:
    print(hdus["NHITS"].data.dtype.kind)
"""


def test_a_part_of_the_product_is_its_step(with_product):
    assert with_product.touched() == {"drizframe/stock/steps/final.py"}


def test_a_planted_part_is_in_the_mosaic_and_in_files(with_product):
    said = [
        line for line in with_product.script(PRODUCT).splitlines() if "nhits" in line.lower() or line in "iu"
    ]
    layers, extensions, parts, dropin, again = said
    assert layers == "sci wht ctx nhits int32 2"
    assert extensions == "SCI WHT CTX NHITS True"
    assert parts == "parts_drz_ctx.fits parts_drz_nhits.fits parts_drz_sci.fits parts_drz_wht.fits"
    assert dropin == parts.replace("parts", "dropin")
    assert again == "i"


# -- compiled modules are found by their folder
# -----------------------------------------------------------------------------------------------------


def python(folder, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)


def test_a_planted_pyx_is_listed_and_an_old_build_notices(tmp_path):
    copy = tmp_path / "cython_ext"
    shutil.copytree(CYTHON, copy, ignore=shutil.ignore_patterns("__pycache__"))
    script = str(copy / "list_modules.py")
    before = python(tmp_path, script).stdout.splitlines()
    known = [line.replace(" ", "+") for line in before]
    stamp, depfile = str(tmp_path / "modules.stamp"), tmp_path / "modules.d"
    assert python(tmp_path, script, "--check", stamp, str(depfile), *known).returncode == 0
    assert str(copy) in depfile.read_text().split()  # ninja looks again when a file comes to the folder
    os.utime(copy / "meson.build", (0, 0))
    (copy / "planted.pyx").write_text((copy / "square.pyx").read_text())
    assert python(tmp_path, script).stdout.splitlines() == sorted([*before, "planted avx2"])
    done = python(tmp_path, script, "--check", stamp, str(depfile), *known)
    assert done.returncode == 1
    assert "new ['planted+avx2']" in done.stdout
    assert (copy / "meson.build").stat().st_mtime > 0  # the next build is configured anew


def test_one_process_translates_all_that_is_old(tmp_path):
    pytest.importorskip("Cython", reason="translates with Cython")
    copy, build = tmp_path / "cython_ext", tmp_path / "build"
    copy.mkdir()
    build.mkdir()
    for name in ("list_modules.py", "translate.py", "processor.pyx"):
        shutil.copy(CYTHON / name, copy)
    (copy / "planted.pyx").write_text((copy / "processor.pyx").read_text())
    made = [build / "planted.c", build / "processor.c"]

    def translate(output):
        done = python(tmp_path, str(copy / "translate.py"), str(output), "-3")
        assert done.returncode == 0, done.stderr
        return [path.stat().st_mtime_ns for path in made]

    first = translate(made[0])
    assert "drizframe._fast.processor" in made[1].read_text()
    depfiles = [path.with_name(f"{path.name}.dep") for path in made]
    for path in depfiles:
        path.unlink()  # as ninja does
    second = translate(made[1])  # done already: only its time is set
    assert second[0] == first[0]
    assert [path.is_file() for path in depfiles] == [False, True]
    os.utime(copy / "planted.pyx")
    third = translate(made[0])
    assert third[0] > second[0]
    assert third[1] == second[1]
