"""`drizframe validate`: what it looks at is found, and whatever is wrong with that is one clear message."""

from __future__ import annotations

import sys

import pytest

from drizframe.cli.app import main
from drizframe.cli.validate import find
from drizframe.errors import ParameterError, UnknownComponentError

MODULE = """
import drizframe

A = drizframe.Kernel(name="a", summary="K.", profile=lambda dx, dy, *, pixfrac: dx, support=lambda p: 1.0)
PAIR = (A, A)
EMPTY = []
MIXED = [A, 3]
NUMBER = 3
MADE = (x for x in PAIR)
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module that can be imported, and forgets it at the end."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def write(text):
        (tmp_path / "validate_me.py").write_text(text)
        return "validate_me"

    yield write
    sys.modules.pop("validate_me", None)


@pytest.mark.parametrize(("name", "count"), [("A", 1), ("PAIR", 2)])
def test_records_of_a_module_are_found(module, name, count):
    assert [r.name for r in find(f"{module(MODULE)}:{name}")] == ["a"] * count


@pytest.mark.parametrize("name", ["EMPTY", "MIXED", "NUMBER", "MADE"])
def test_what_holds_no_record_is_refused(module, name):
    with pytest.raises(ParameterError, match="which is no record"):
        find(f"{module(MODULE)}:{name}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nothing\n", r"NameError: name 'nothing' is not defined \(.*validate_me.py, line 1\)"),
        ("def (\n", "SyntaxError"),
        ("import drizframe_is_missing_this\n", "ModuleNotFoundError"),
        ("raise SystemExit(0)\n", "SystemExit: 0"),
        ("1 / 0\n", "ZeroDivisionError"),
        ("", "AttributeError: .*'A'"),
    ],
)
def test_an_error_of_the_module_is_one_message_and_code_2(module, monkeypatch, capsys, text, message):
    monkeypatch.setattr("sys.argv", ["drizframe", "validate", f"{module(text)}:A"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    with pytest.raises(ParameterError, match=message):
        find("validate_me:A")


@pytest.mark.parametrize("target", [":A", "numpy:", ":"])
def test_half_a_target_is_refused(target):
    with pytest.raises(ParameterError, match="no module:object"):
        find(target)


def test_a_family_that_does_not_exist_is_refused_for_all_too():
    with pytest.raises(ParameterError, match="no family 'kernal'. Did you mean 'kernel'"):
        find("all", "kernal")


def test_a_step_hook_of_another_plugin_that_raises_does_no_harm(installed):
    source = """
        import drizframe

        @drizframe.hookimpl
        def drizframe_extra_steps():
            raise RuntimeError("boom")

        @drizframe.hookimpl
        def drizframe_step_sky():
            raise SystemExit(0)
    """
    installed("drizframe-bad", source, point="bad")
    assert [r.name for r in find("square")] == ["square"]
    assert [r.name for r in find("sky", "step")] == ["sky"]
    with pytest.raises(
        UnknownComponentError, match="(?s)No step named 'bad.*drizframe-bad 1.2 failed: RuntimeError: boom"
    ):
        find("bad", "step")
