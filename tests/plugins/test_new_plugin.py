"""`drizframe new-plugin`: what it writes installs, is found, and passes its own tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

import drizframe
from drizframe.cli.app import app
from drizframe.cli.new_plugin import KINDS, write_plugin
from drizframe.errors import OutputError, ParameterError

ROOT = Path(drizframe.__file__).parents[1]


#: Instruments whose record would have the name of something else in the templates.
AWKWARD = ("detector", "drizframe-sample", "drizframe-wcs")
#: The same for readers.
AWKWARD_READERS = ("drizframe-ending", "drizframe-image")


def name_for(kind):
    return f"drizframe-my-{kind}"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """One package of each kind."""
    folder = tmp_path_factory.mktemp("plugins")
    for kind in KINDS:
        write_plugin(name_for(kind), kind, folder)
    for name in AWKWARD:
        write_plugin(name, "instrument", folder)
    for name in AWKWARD_READERS:
        write_plugin(name, "reader", folder)
    return folder


def metadata(package):
    return tomllib.loads((package / "pyproject.toml").read_text())["project"]


def put_in_place(packages, site):
    """Install packages as pip would, without it: modules, and metadata with the entry points."""
    site.mkdir()
    for package in packages:
        project = metadata(package)
        for module in (package / "src").iterdir():
            shutil.copytree(module, site / module.name)
        info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        )
        points = "".join(f"{n} = {m}\n" for n, m in project["entry-points"]["drizframe"].items())
        (info / "entry_points.txt").write_text(f"[drizframe]\n{points}")


def test_the_kinds_are_those_of_the_documentation():
    assert sorted(KINDS) == [
        "combiner", "command", "cosmic-ray-detector", "instrument", "interpolator", "kernel", "listener", "reader", "sky-method",
        "step", "weighting", "writer",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_is_complete(written, kind):
    package = written / name_for(kind)
    module = name_for(kind).replace("-", "_")
    assert sorted(str(p.relative_to(package)) for p in package.rglob("*") if p.is_file()) == [
        "README.md", "pyproject.toml", f"src/{module}/__init__.py", f"tests/test_{module}.py",
    ]  # fmt: skip
    for file in package.rglob("*.*"):
        assert not file.is_file() or "$" not in file.read_text().replace("$schema", "")
    assert metadata(package)["name"] == name_for(kind)
    assert list(metadata(package)["entry-points"]["drizframe"].values()) == [module]
    text = (package / f"tests/test_{module}.py").read_text()
    assert "def test_" in text
    assert ("@conformance(" in text) == KINDS[kind].tested


def test_all_kinds_are_found_and_pass_their_own_tests(written, tmp_path):
    site = tmp_path / "site"
    put_in_place(sorted(written.iterdir()), site)
    path = os.pathsep.join([str(site), str(ROOT), os.environ.get("PYTHONPATH", "")])
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--import-mode=importlib",
        "-p",
        "no:cacheprovider",
        written,
    ]
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": path}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(
    not os.environ.get("DRIZFRAME_TEST_PIP"), reason="set DRIZFRAME_TEST_PIP=1 to let pip install packages"
)
@pytest.mark.parametrize("kind", KINDS)
def test_pip_installs_it(written, kind, tmp_path):
    target = tmp_path / "site"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        target,
        written / name_for(kind),
    ]
    subprocess.run(pip, check=True)
    path = os.pathsep.join([str(target), str(ROOT), os.environ.get("PYTHONPATH", "")])
    tests = [sys.executable, "-m", "pytest", "-q", "--import-mode=importlib", "-p", "no:cacheprovider"]
    subprocess.run(
        [*tests, written / name_for(kind) / "tests"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        check=True,
    )


def test_the_command_tells_what_comes_next(tmp_path):
    done = CliRunner().invoke(app, ["new-plugin", "drizframe-hat", "--kind", "kernel", "--in", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "pip install -e" in done.output
    assert (tmp_path / "drizframe-hat" / "src" / "drizframe_hat" / "__init__.py").is_file()


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("drizframe-hat", "kernal", "There is no kind 'kernal'. Did you mean 'kernel'"),
        ("Hat", "kernel", "no name for a plugin"),
        ("a b", "kernel", "no name for a plugin"),
        ("../hat", "kernel", "no name for a plugin"),
        ("1hat", "kernel", "no name for a plugin"),
        ("hat-", "kernel", "no name for a plugin"),
        ("numpy", "kernel", "would hide the module"),
        ("drizframe", "kernel", "would hide the module"),
        ("class", "kernel", "would hide the module"),
        ("drizframe-json", "kernel", "would hide the module"),
        ("pydantic", "kernel", "'pydantic' is installed already"),
        ("pyyaml", "kernel", "(?i)The distribution 'pyyaml' is installed already"),
        ("yaml", "kernel", "The module 'yaml' is installed already"),
        ("h" * 300, "kernel", "has 300 letters; at most 60"),
        ("exp", "weighting", "has a weighting named 'EXP' already"),
    ],
)
def test_a_name_that_would_not_work_is_refused(tmp_path, name, kind, message):
    with pytest.raises(ParameterError, match=message):
        write_plugin(name, kind, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_left_alone(tmp_path):
    (tmp_path / "drizframe-hat").mkdir()
    with pytest.raises(OutputError, match="exists already"):
        write_plugin("drizframe-hat", "kernel", tmp_path)
    assert list((tmp_path / "drizframe-hat").iterdir()) == []


def test_a_place_that_is_no_folder_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_plugin("drizframe-hat", "kernel", tmp_path / "file")


@pytest.mark.parametrize("kind", [k for k, what in KINDS.items() if what.tested])
def test_names_begin_with_that_of_the_package_and_a_dot(written, kind):
    module = name_for(kind).replace("-", "_")
    text = (written / name_for(kind) / "src" / module / "__init__.py").read_text()
    short = module.removeprefix("drizframe_")
    assert f'name="{short.upper()}"' in text if kind == "weighting" else f'name="{short}.' in text


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_package_imports_it_depends_on(written, kind):
    module = name_for(kind).replace("-", "_")
    text = (written / name_for(kind) / "src" / module / "__init__.py").read_text()
    needed = {
        n
        for n in ("astropy", "drizframe", "numpy", "pydantic")
        if f"import {n}" in text or f"from {n}" in text or f"from {n}." in text
    }
    assert needed <= set(metadata(written / name_for(kind))["dependencies"])


def test_a_command_has_no_name_of_drizframes_own(tmp_path):
    with pytest.raises(ParameterError, match="drizframe has a command 'run' already"):
        write_plugin("drizframe-run", "command", tmp_path)
