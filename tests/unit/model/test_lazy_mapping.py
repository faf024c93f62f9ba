"""Mappings whose values are made when they are asked for."""

from __future__ import annotations

import copy
import pickle

import pytest

from drizframe.model import LazyMapping, MadeOnce


@pytest.fixture
def asked():
    return []


def lazy(asked):
    def maker(name):
        def make():
            asked.append(name)
            return name.upper()

        return make

    return LazyMapping({n: maker(n) for n in ("a", "b")})


def once(asked):
    def make():
        asked.append("all")
        return {"a": "A", "b": "B"}

    return MadeOnce(make)


def test_names_are_known_without_values(asked):
    made = lazy(asked)
    assert (list(made), len(made), "a" in made, "c" in made, bool(made)) == (["a", "b"], 2, True, False, True)
    assert "read when asked for" in repr(made)
    assert not asked


def test_each_value_is_made_once(asked):
    made = lazy(asked)
    assert [made["b"], made["b"], made.get("c", 3)] == ["B", "B", 3]
    assert asked == ["b"]


def test_all_are_made_once_together(asked):
    made = once(asked)
    assert "when asked for" in repr(made)
    assert not asked
    assert [made["a"], made["b"], len(made), list(made)] == ["A", "B", 2, ["a", "b"]]
    assert asked == ["all"]


@pytest.mark.parametrize("kind", [lazy, once])
def test_it_does_what_a_dictionary_does(asked, kind):
    made, want = kind(asked), {"a": "A", "b": "B"}
    assert made == want
    assert want == made
    assert {**made} == made.copy() == dict(made.items()) == want
    assert made | {"c": 1} == {**want, "c": 1}
    assert {"c": 1} | made == {**want, "c": 1}
    for again in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):  # noqa: S301
        assert type(again) is dict
        assert again == want
    with pytest.raises(KeyError):
        made["c"]


def test_what_fails_is_tried_again(asked):
    made = MadeOnce(lambda: {"a": asked[0]})
    with pytest.raises(IndexError):
        made["a"]
    asked.append(5)
    assert made["a"] == 5
