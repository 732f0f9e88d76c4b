"""The square around a face."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from datasets.geometry import face_crop, full_frame, square_region

edge = st.floats(-200, 2000)
length = st.floats(1, 900)


@given(left=edge, top=edge, width=length, height=length, margin_frac=st.floats(0, 0.99))
def test_region_is_a_centred_square_of_the_longer_side_and_its_margins(left, top, width, height, margin_frac):
    box = np.array([left, top, left + width, top + height])
    x0, y0, x1, y1 = square_region(box, margin_frac=margin_frac)
    assert x1 - x0 == y1 - y0
    assert abs((x1 - x0) - max(width, height) * (1 + 2 * margin_frac)) <= 0.51
    assert abs((x0 + x1) - (2 * left + width)) <= 1.01
    assert abs((y0 + y1) - (2 * top + height)) <= 1.01


@pytest.mark.parametrize(("margin_frac", "expected"), [(0.0, (10, 30, 50, 70)), (0.25, (0, 20, 60, 80))])
def test_margin_is_added_on_every_side(margin_frac, expected):
    assert square_region(np.array([20, 30, 40, 70]), margin_frac=margin_frac) == expected


def test_box_without_extent_still_gives_a_pixel():
    assert square_region(np.array([5.0, 5.0, 5.0, 5.0]), margin_frac=0.2) == (4, 4, 5, 5)


def test_outside_of_the_photo_is_black():
    photo = Image.new("RGB", (100, 100), "white")
    crop = np.asarray(face_crop(photo, np.array([-20, 40, 20, 80]), image_size=40, margin_frac=0.0))
    assert (crop[:, :20] == 0).all()
    assert (crop[:, 20:] == 255).all()


@pytest.mark.parametrize("box", [(30, 30, 90, 90), (70, 40, 130, 100), (-15, -15, 45, 45), (30, 10, 50, 70)])
def test_face_is_not_distorted_also_at_the_border(box):
    photo = np.zeros((100, 120, 3), np.uint8)
    photo[30:50, 70:90] = photo[20:40, 20:40] = 255  # squares: they must stay square
    crop = np.asarray(face_crop(Image.fromarray(photo), np.array(box), image_size=120, margin_frac=0.0)) > 127
    rows, columns = np.flatnonzero(crop.any((1, 2))), np.flatnonzero(crop.any((0, 2)))
    ours = photo[max(box[1], 0) : box[3], max((box[0] + box[2] - 60) // 2, 0) : (box[0] + box[2] + 60) // 2] > 127
    expected = np.flatnonzero(ours.any((1, 2))), np.flatnonzero(ours.any((0, 2)))
    assert abs((rows[-1] - rows[0]) - 2 * (expected[0][-1] - expected[0][0])) <= 3
    assert abs((columns[-1] - columns[0]) - 2 * (expected[1][-1] - expected[1][0])) <= 3


def test_frame_is_the_whole_photo_squeezed():
    photo = np.zeros((20, 80, 3), np.uint8)
    photo[:, 40:] = 255
    frame = np.asarray(full_frame(Image.fromarray(photo), image_size=32))
    assert frame.shape == (32, 32, 3)
    assert (frame[:, :15] == 0).all()
    assert (frame[:, 17:] == 255).all()
