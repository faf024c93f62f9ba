"""Names that come out of files."""

from __future__ import annotations

import pytest

from drizframe.config.names import base_name, is_base_name
from drizframe.errors import InputError

PLAIN = ("o4k19a010", "J8BT06NYQ", "a b", "x.fits", "é-1_2", "a" * 180)
AWAY = ("", ".", "..", "../x", "/x", "a/b", "a\\b", "x\0")
UNPLAIN = ("$HOME", "jref$x", "~", "~root", "-rf", "a\nb", "a\x1b[2Jb", "\u202ex", "a" * 181, "\ud800")


@pytest.mark.parametrize("name", PLAIN)
def test_plain_names_pass(name):
    assert base_name(f" {name} ", "a.fits[1]: EXPNAME") == name
    assert is_base_name(name)


@pytest.mark.parametrize("name", [*AWAY, *UNPLAIN])
def test_all_else_is_refused_with_what_gives_it(name):
    with pytest.raises(
        InputError, match=r"a.fits\[1\]: EXPNAME is '.*not taken as the name of a file"
    ) as caught:
        base_name(name, "a.fits[1]: EXPNAME")
    assert str(caught.value).isprintable()


def test_names_of_files_that_are_there_may_have_any_characters():
    assert all(is_base_name(n, any_characters=True) for n in (*PLAIN, *UNPLAIN))
    assert not any(is_base_name(n, any_characters=True) for n in AWAY)
