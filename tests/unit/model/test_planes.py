"""Units of a run, and the records of planes."""

from __future__ import annotations

import pytest

from drizframe.errors import HookError
from drizframe.model import RUN, ChipUnit, ExposureUnit, Extension, FrameUnit, Plane, PlaneKey, holds


def plane(**changes):
    return Plane(**{"name": "mine.level", "meaning": "a level", "on": "chip", **changes})


def test_units_are_told_apart_by_their_type():
    units = [ChipUnit(0, 0), ExposureUnit(0), FrameUnit("final"), RUN]
    assert len(set(units)) == 4
    assert [u.scope for u in units] == ["chip", "exposure", "frame", "run"]
    assert PlaneKey("median").unit is RUN


def test_units_of_a_kind_are_in_input_order():
    units = [ChipUnit(1, 0), ChipUnit(0, 1), ChipUnit(0, 0)]
    assert sorted(units) == [ChipUnit(0, 0), ChipUnit(0, 1), ChipUnit(1, 0)]


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        (RUN, ChipUnit(3, 1), True),
        (RUN, FrameUnit("final"), True),
        (ExposureUnit(3), ChipUnit(3, 1), True),
        (ExposureUnit(3), ChipUnit(2, 1), False),
        (ChipUnit(3, 1), ExposureUnit(3), False),
        (ChipUnit(3, 1), ChipUnit(3, 1), True),
        (FrameUnit("final"), FrameUnit("separate"), False),
        (FrameUnit("separate"), ExposureUnit(0), False),
    ],
)
def test_a_run_holds_all_and_an_exposure_its_chips(outer, inner, expected):
    assert holds(outer, inner) is expected


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "2nd"}, "Plane '2nd': a name has letters"),
        ({"name": "my level"}, "begins with a letter"),
        ({"name": "mine@step"}, "a name has letters"),
        ({"name": None}, "Plane None"),
        ({"meaning": ""}, "has no meaning. Say in a few words"),
        ({"on": "tile"}, "on = 'tile'; choose from chip, exposure, frame, run"),
        ({"kind": "table"}, "kind = 'table'; choose from image, cube, value"),
        ({"dtype": "complex128"}, "dtype = 'complex128'; choose from float32"),
        ({"dtype": None}, "dtype = None; choose from"),
        ({"on": "frame"}, "on = 'frame' and grid = ''; a plane on a frame names its grid"),
        ({"grid": "final"}, "on = 'chip' and grid = 'final'"),
        ({"on": "run"}, "the run as a whole has no pixels"),
    ],
)
def test_a_plane_that_could_not_be_kept_is_refused(changes, words):
    with pytest.raises(HookError) as caught:
        plane(**changes)
    assert words in str(caught.value)


def test_a_plane_says_where_it_lies_and_what_it_holds():
    assert plane(kind="value", value=float).describe() == "chip: a level (value)"
    frame = plane(on="frame", grid="final", kind="cube", dtype="int32")
    assert frame.describe() == "frame final: a level (cube, int32)"


@pytest.mark.parametrize("dtype", ["int32", "uint8", "integer"])
def test_integers_of_the_product_are_not_per_second(dtype):
    rate = Extension(name="HITS", meaning="hits", seconds=1)
    where = {"name": "mine.hits", "on": "frame", "grid": "final", "dtype": dtype}
    with pytest.raises(
        HookError, match=r"holds .*, and its extension 'HITS' has seconds = 1.*seconds=0, or dtype='float32'"
    ):
        plane(product=rate, **where)
    assert plane(product="HITS", **where).extension.seconds == 0
