"""drizframe among others in an environment: its pytest plugin, and the names by which scripts of the reference call it."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

import drizframe
from drizframe.compat.elsewhere import ELSEWHERE
from drizframe.errors import DrizframeError

ROOT = Path(__file__).parents[2]
PLUGIN = re.search(r"^drizframe = \"(.*pytest.*)\"", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)

PASSES = "def test_nothing():\n    pass\n"
ASKS = "def test_plugin_manager(drizframe_pm):\n    assert drizframe_pm.generation >= 0\n"
LOOKS = (
    "import sys\n\n\ndef test_what_is_loaded():\n"
    "    loaded = {m.partition('.')[0] for m in sys.modules}\n"
    "    assert not loaded & {'hypothesis', 'numpy', 'astropy', 'pydantic'}\n"
    "    assert {m for m in sys.modules if m.startswith('drizframe')} == {'drizframe', 'drizframe._version', 'drizframe.pytest_plugin'}\n"
)


def site(folder, *, without=()):
    """A folder of packages: pytest and what it needs, drizframe with its entry point, and the rest of this environment or not."""
    folder.mkdir()
    alone = without == "all"
    names = ["pytest", "pluggy", "iniconfig", "packaging", "pygments"]
    if not alone:
        paths = {Path(p) for p in sys.path if p.endswith("site-packages")}
        for entry in (e for p in paths for e in p.iterdir()):
            skipped = entry.name.partition("-")[0].partition(".")[0].lower() in {*without, "drizframe"}
            if not skipped and not entry.name.startswith("__"):
                (folder / entry.name).symlink_to(entry)
    else:
        for name in names:
            for file in distribution(name).files or ():
                top = file.parts[0]
                if top not in ("..", "__pycache__") and not (folder / top).exists():
                    (folder / top).symlink_to(Path(str(distribution(name).locate_file(top))))
    package = Path(drizframe.__file__).parent
    (folder / "drizframe").symlink_to(package)
    info = folder / "drizframe-9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: drizframe\nVersion: 9\n")
    assert PLUGIN is not None
    (info / "entry_points.txt").write_text(f"[pytest11]\ndrizframe = {PLUGIN[1]}\n")
    return folder


def pytest_of(packages, folder, source):
    """Run a project's tests in an environment that has these packages."""
    (folder / "test_of_a_project.py").write_text(source)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "PYTHON", "COV"))}
    environment["PYTHONPATH"] = str(packages)
    command = [
        sys.executable,
        "-S",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(folder),
        str(folder),
    ]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("source", [PASSES, LOOKS], ids=["runs", "loads nothing"])
def test_beside_pytest_alone_the_plugin_loads_nothing(tmp_path, source):
    (tmp_path / "project").mkdir()
    status, text = pytest_of(site(tmp_path / "site", without="all"), tmp_path / "project", source)
    assert status == 0, text


def test_the_fixture_needs_no_hypothesis(tmp_path):
    (tmp_path / "project").mkdir()
    packages = site(tmp_path / "site", without=("hypothesis", "_hypothesis_pytestplugin"))
    status, text = pytest_of(packages, tmp_path / "project", ASKS)
    assert status == 0, text


IMPORTS = [
    "from drizframe.astrodrizzle import AstroDrizzle; import drizframe.compat.astrodrizzle as it",
    "from drizframe import astrodrizzle as it; from drizframe.astrodrizzle import AstroDrizzle",
    "import drizframe.astrodrizzle as it; AstroDrizzle = it.AstroDrizzle",
    "import drizframe; it = drizframe.astrodrizzle; from drizframe.astrodrizzle import AstroDrizzle",
]


@pytest.mark.parametrize("code", IMPORTS)
def test_the_drop_in_is_one_module_however_it_is_imported(code):
    code += (
        "; import sys, drizframe.compat.astrodrizzle as home; import drizframe.astrodrizzle as there; import drizframe"
        "; assert it is home is there is drizframe.astrodrizzle is sys.modules['drizframe.astrodrizzle']"
        "; assert AstroDrizzle is home.AstroDrizzle"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


FORMS = [
    "import drizframe.{0}",
    "from drizframe import {0}",
    "from drizframe.{0} import anything",
    "from drizframe.astrodrizzle import {0}",
    "import drizframe.{0}.inner",
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["tweakreg", "photeq", "pixtosky", "haputils", "sky", "teal"])
def test_importing_a_module_of_the_reference_says_where_to_go(form, name):
    with pytest.raises(ImportError) as caught:
        exec(form.format(name), {})  # noqa: S102
    assert isinstance(caught.value, DrizframeError)
    assert ELSEWHERE[name] in str(caught.value)


@pytest.mark.parametrize("name", sorted(ELSEWHERE))
@pytest.mark.parametrize("module", ["drizframe", "drizframe.astrodrizzle"])
def test_a_name_of_the_reference_says_where_to_go_and_is_not_there(module, name):
    place = importlib.import_module(module)
    assert not hasattr(place, name)
    with pytest.raises(AttributeError, match=re.escape(ELSEWHERE[name])):
        getattr(place, name)


def test_the_advice_names_things_that_exist():
    for name, text in ELSEWHERE.items():
        for path in re.findall(r"drizframe(?:\.\w+)+", text):
            found = drizframe
            for part in path.split(".")[1:]:
                found = getattr(found, part)
        for family in re.findall(r"(?:records|get)\('([\w -]+)'", text):
            assert drizframe.registry().records(family), (name, family)
        for page in re.findall(r"docs/[\w/.-]+md", text):
            assert (ROOT / page).is_file()


def test_other_names_fail_as_python_lets_them_fail():
    with pytest.raises(AttributeError, match="module 'drizframe' has no attribute 'nothing'"):
        _ = drizframe.nothing
    with pytest.raises(ModuleNotFoundError, match="No module named 'drizframe.nothing'"):
        importlib.import_module("drizframe.nothing")
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        exec("from drizframe.astrodrizzle import nothing", {})  # noqa: S102


def test_every_announced_module_exists():
    there = {m.name for m in pkgutil.iter_modules(drizframe.__path__)}
    assert there >= drizframe._MODULES
    assert not hasattr(drizframe, "tasks")
