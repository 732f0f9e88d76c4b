"""From a box to the picture of a face."""

import numpy as np
import pytest
from facenet_pytorch import extract_face
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

from datasets import geometry
from datasets.geometry import aligned_crop, face_crop, facenet_crop, facenet_margin, full_frame, square_region

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


NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8))


@given(
    left=st.floats(-60, 150),
    top=st.floats(-60, 110),
    width=st.floats(15, 200),
    height=st.floats(15, 200),
    margin=st.integers(0, 100),
    image_size=st.sampled_from([32, 64, 160, 161]),
    kind=st.sampled_from([np.float32, np.float64]),
)
def test_facenet_geometry_is_upstreams_pixel_by_pixel(left, top, width, height, margin, image_size, kind):
    assume(left + width >= 1 and top + height >= 1)  # else upstream raises
    margin = margin * 2 * image_size // 330  # up to 0.6 of the crop, where `margin_frac` stays below 1
    box = np.array([left, top, left + width, top + height], kind)
    margin_frac = margin / (2 * (image_size - margin))
    assert facenet_margin(image_size, margin_frac) == margin
    ours = facenet_crop(NOISE, box, image_size=image_size, margin_frac=margin_frac)
    theirs = extract_face(NOISE, box, image_size, margin)
    assert np.array_equal(np.asarray(ours, np.float32), theirs.permute(1, 2, 0).numpy())


@pytest.mark.parametrize("box", [(-90, 10, -50, 50), (170, 10, 190, 50), (10, 130, 50, 170), (5.2, 5.2, 5.4, 5.4)])
def test_facenet_geometry_of_a_box_without_a_pixel_of_the_photo_is_black(box):
    assert not np.asarray(facenet_crop(NOISE, np.array(box), image_size=32, margin_frac=0.0)).any()


def test_facenet_geometry_has_upstreams_largest_margin_below_the_crop():
    assert facenet_margin(32, 0.999) == 21


def pattern(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Fine waves that a bad reduction turns into coarse ones, on a coarse one that must stay; 0 to 255."""
    fine = np.sin(x * 2 * np.pi / 3.1) * np.sin(y * 2 * np.pi / 3.3)
    return 128 + 60 * fine + 60 * np.sin(x / 23) * np.cos(y / 31)


def drawn(width: int, height: int, angle: float = 0.0, centre: tuple[float, float] = (0.0, 0.0)) -> Image.Image:
    """The pattern turned by `angle` about `centre`, each pixel the mean of 16 points."""
    x, y = (np.arange(width * 4) + 0.5) / 4 - centre[0], (np.arange(height * 4) + 0.5) / 4 - centre[1]
    cos, sin = np.cos(angle), np.sin(angle)
    values = pattern(cos * x[None] + sin * y[:, None], cos * y[:, None] - sin * x[None])
    return Image.fromarray(np.rint(values.reshape(height, 4, width, 4).mean((1, 3))).astype(np.uint8)).convert("RGB")


def eyes(box: np.ndarray, angle: float, distance: float = 0.4) -> np.ndarray:
    """Landmarks of a face in the middle of the box, tilted by `angle`; the eyes lie above the middle."""
    centre, side = (box[:2] + box[2:]) / 2, box[2] - box[0]
    across, down = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    middle = centre - 0.15 * side * down
    steps = [-distance / 2 * across, distance / 2 * across, 0.2 * down, 0.3 * down, 0.3 * down]
    return np.array([middle + side * step for step in steps], np.float32)


@pytest.mark.parametrize("image_size", [32, 64, 100])
@pytest.mark.parametrize("degrees", [-40, -7, 0, 15, 90])
def test_aligned_crop_is_the_upright_face_whatever_its_tilt(degrees, image_size):
    angle, box = np.radians(degrees), np.array([130.0, 130.0, 270.0, 270.0])
    tilted = drawn(400, 400, angle, centre=(200.0, 200.0))
    crop = aligned_crop(tilted, box, eyes(box, angle), image_size=image_size, margin_frac=0.1)
    points = (np.arange(image_size * 8) + 0.5) / (image_size * 8) * 168 - 84
    fine = pattern(points[None], points[:, None])  # what an upright photo shows there, 64 points a pixel
    expected = fine.reshape(image_size, 8, image_size, 8).mean((1, 3))
    error = np.asarray(crop, float)[..., 0] - expected
    assert np.sqrt((error**2).mean()) < (3 if image_size < 100 else 10)


def test_eyes_are_level_and_where_they_belong():
    photo, angle, box = Image.new("RGB", (300, 300)), np.radians(25), np.array([80.0, 70.0, 220.0, 210.0])
    points = eyes(box, angle)
    for x, y in points[:2]:
        photo.paste((255, 255, 255), (round(x) - 3, round(y) - 3, round(x) + 3, round(y) + 3))
    crop = np.asarray(aligned_crop(photo, box, points, image_size=100, margin_frac=0.0))[..., 0] > 100
    left, right = (np.argwhere(half).mean(0) + 0.5 for half in (crop[:, :50], crop[:, 50:]))
    np.testing.assert_allclose(left, [35, 30], atol=1)
    np.testing.assert_allclose(right + np.array([0, 50]), [35, 70], atol=1)


def test_aligned_crop_is_black_outside_the_photo():
    box = np.array([-40.0, 20.0, 40.0, 100.0])
    crop = aligned_crop(Image.new("RGB", (200, 200), "white"), box, eyes(box, 0.0), image_size=40, margin_frac=0.0)
    assert (np.asarray(crop)[:, :19] == 0).all()
    assert (np.asarray(crop)[:, 21:] == 255).all()


@pytest.mark.parametrize(
    "points",
    [np.zeros((5, 2)), np.full((5, 2), np.nan), np.full((5, 2), np.inf), eyes(np.array([0.0, 0, 60, 60]), 0.5, 0.1)],
    ids=["one point", "NaN", "infinite", "profile"],
)
def test_landmarks_without_a_line_between_the_eyes_leave_the_crop_unturned(points):
    box = np.array([20.0, 20.0, 80.0, 80.0])
    aligned = aligned_crop(NOISE, box, points, image_size=48, margin_frac=0.2)
    assert np.array_equal(np.asarray(aligned), np.asarray(face_crop(NOISE, box, image_size=48, margin_frac=0.2)))


def test_box_of_no_size_leaves_the_crop_unturned():
    box = np.array([20.0, 20.0, 20.0, 20.0])
    assert aligned_crop(NOISE, box, np.zeros((5, 2)), image_size=32, margin_frac=0.2).size == (32, 32)


def test_square_many_times_the_photo_is_cut_from_a_reduced_photo(monkeypatch):
    box = np.array([20.0, 10.0, 140.0, 110.0])
    exact = np.asarray(face_crop(drawn(160, 120), box, image_size=32, margin_frac=0.9), int)
    monkeypatch.setattr(geometry, "MAX_REGION_SIDE", 100)
    reduced = np.asarray(face_crop(drawn(160, 120), box, image_size=32, margin_frac=0.9), int)
    assert np.abs(exact - reduced).mean() < 6


@pytest.mark.parametrize("align", [False, True])
def test_face_that_fills_a_huge_photo_is_cropped(align):
    photo, box = Image.new("RGB", (9000, 6000), "white"), np.array([-500.0, -500.0, 9500.0, 6500.0])
    crop = (
        aligned_crop(photo, box, eyes(box, 0.3), image_size=64, margin_frac=0.9)
        if align
        else face_crop(photo, box, image_size=64, margin_frac=0.9)  # 28000 pixels wide: Pillow refuses to cut that
    )
    assert crop.size == (64, 64)
    assert (np.asarray(crop)[32, 32] == 255).all()
    assert not np.asarray(crop)[0, 0].any()
