"""What an audit compares photos by."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from datasets.measures import SIGNATURE_SIDE, sharpness, signature


@pytest.fixture
def noise() -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 255, (60, 40, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((400, 600), Image.Resampling.BICUBIC)


def test_signature_is_the_photo_in_96_rows_of_grey(noise):
    left_black = Image.new("RGB", (300, 200), "white")
    left_black.paste("black", (0, 0, 150, 200))
    rows = np.frombuffer(signature(left_black), np.uint8).reshape(SIGNATURE_SIDE, SIGNATURE_SIDE)
    assert (rows[:, :47] == 0).all()
    assert (rows[:, 49:] == 255).all()


def test_signature_hardly_changes_with_the_size_of_the_photo(noise):
    whole, half = (np.frombuffer(signature(image), np.uint8).astype(int) for image in (noise, noise.reduce(2)))
    assert np.abs(whole - half).mean() < 2


def test_blur_lowers_sharpness(noise):
    levels = [sharpness(noise.filter(ImageFilter.GaussianBlur(radius))) for radius in (0, 4, 16)]
    assert levels[0] > 1.5 * levels[1] > 2 * levels[2] > 0


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (3, 3), (5000, 4)])
def test_odd_sizes_have_measures(size):
    image = Image.new("RGB", size, "grey")
    assert sharpness(image) == 0
    assert len(signature(image)) == SIGNATURE_SIDE**2
