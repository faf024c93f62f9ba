"""Images that are read when they are asked for."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from drizframe.model import DerivedImage, HeldImage, Layer, Window, blocks, lazy
from drizframe.model.layers import as_extension


class Counted(HeldImage):
    """An image that counts how often it is read, and what of it."""

    def __init__(self, image):
        super().__init__(image)
        self.windows = []

    def read(self, window=None):
        self.windows.append(window)
        return super().read(window).copy()


@pytest.fixture
def source():
    return Counted(np.arange(63, dtype=np.float32).reshape(7, 9))


def layer(image):
    return Layer(image=image, extension=as_extension("sci"), unit="electrons/s")


def test_the_shape_of_a_layer_is_known_without_reading_it(source):
    made = layer(source)
    assert (made.shape, made.dtype) == ((7, 9), np.float32)
    assert "SCI (7, 9) float32" in repr(made)
    assert copy.copy(made).shape == (7, 9)
    assert source.windows == []


def test_a_window_of_a_layer_is_read_alone(source):
    part = layer(source).read(Window(1, 3, 2, 5))
    np.testing.assert_array_equal(part, [[11, 12, 13], [20, 21, 22]])
    assert not part.flags.writeable
    assert source.windows == [Window(1, 3, 2, 5)]


def test_the_image_of_a_layer_is_read_once(source):
    made = layer(source)
    assert made.image is made.image
    assert not made.image.flags.writeable
    np.testing.assert_array_equal(made.read(Window(0, 1, 0, 2)), [[0, 1]])
    assert source.windows == [None]


def test_an_array_is_the_image_of_its_layer():
    array = np.zeros((3, 4))
    assert layer(array).image is array
    assert not array.flags.writeable


@pytest.mark.parametrize("again", [copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))])  # noqa: S301
def test_a_copied_or_stored_layer_has_its_pixels(source, again):
    made = again(layer(source))
    np.testing.assert_array_equal(made.image, np.arange(63).reshape(7, 9))
    assert (made.unit, made.extension.name) == ("electrons/s", "SCI")


def test_a_layer_is_a_record(source):
    with pytest.raises(FrozenInstanceError, match=r"'unit'"):
        layer(source).unit = "s"
    with pytest.raises(FrozenInstanceError, match=r"'unit'"):
        del layer(source).unit


def test_a_derived_image_is_made_of_the_window_that_is_read(source):
    made = DerivedImage(source, lambda part: (part > 20).astype(np.uint8))
    assert (made.shape, made.dtype) == ((7, 9), np.uint8)
    np.testing.assert_array_equal(made.read(Window(2, 3, 1, 5)), [[0, 0, 1, 1]])
    assert source.windows == [Window(2, 3, 1, 5)]


@pytest.mark.parametrize("shape", [(7, 9), (2, 7, 9), (1, 1), (7, 0), (0, 9), (2, 3, 5, 4)])
@pytest.mark.parametrize("nbytes", [1, 100, 10**6])
def test_blocks_cover_an_image_once(shape, nbytes):
    image = np.zeros(shape, np.int16)
    for window in blocks(image, nbytes):
        part = image[(..., *window.slices)]
        assert window.shape[1] == shape[-1]
        assert part.nbytes <= nbytes or window.shape[0] <= 1
        part += 1
    assert (image == 1).all()


def test_a_small_image_is_one_block():
    assert list(blocks(np.zeros((3, 50, 60)))) == [Window(0, 50, 0, 60)]


def test_an_array_becomes_a_lazy_image_and_others_stay(source):
    assert lazy(source) is source
    array = np.ones((2, 3))
    assert lazy(array).read() is array
