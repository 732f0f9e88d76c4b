"""The compiled loops compute what torch and torchvision compute."""

import os

import numpy as np
import pytest
import torch
from facenet_pytorch.models.mtcnn import ONet, RNet
from facenet_pytorch.models.mtcnn import PNet as TorchPNet
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional
from torchvision.ops import nms

from datasets.mtcnn import compiled
from datasets.mtcnn.boxes import correct, pixels_of, square, suppress, suppress_within
from datasets.mtcnn.networks import load_weights
from datasets.mtcnn.proposals import NUM_COLUMNS, PNet, search_level
from datasets.mtcnn.pyramid import area_resize, is_grey, level_shape, pyramid_scales
from datasets.mtcnn.trunk import LaterNetwork

SIDES = st.integers(1, 90)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def flat(image: np.ndarray) -> np.ndarray:
    rows = image.reshape(len(image), -1)
    rows.flags.writeable = False
    return rows


@given(height=SIDES, width=SIDES, rows=st.integers(1, 60), columns=st.integers(1, 60), grey=st.booleans())
def test_resized_picture_is_torchs_area_interpolation(height, width, rows, columns, grey):
    image = noise(height, width, 1 if grey else 3)
    out = np.empty((image.shape[2], rows, columns), np.float32)
    area_resize(flat(image), (0, 0, width, height), out, (rows, columns), 0, rows)
    tensor = torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float()
    expected = (functional.interpolate(tensor, size=(rows, columns), mode="area")[0] - 127.5) * 0.0078125
    np.testing.assert_allclose(out, expected.numpy(), rtol=0, atol=5e-7)


def test_box_and_strip_of_a_resized_picture():
    image = noise(80, 90, 3)
    whole, part = np.empty((3, 48, 48), np.float32), np.empty((3, 10, 60), np.float32)
    inner = np.ascontiguousarray(image[11:71, 5:88])
    area_resize(flat(inner), (0, 0, 83, 60), whole, (48, 48), 0, 48)
    area_resize(flat(image), (5, 11, 88, 71), part, (48, 48), 20, 10)
    assert np.array_equal(part[:, :, :48], whole[:, 20:30])


def test_mean_of_a_picture_of_100_megapixels_is_not_lost_in_the_sum():
    image = np.full((10_000, 10_000, 1), 255, np.uint8)
    out = np.empty((1, 13, 13), np.float32)
    area_resize(flat(image), (0, 0, 10_000, 10_000), out, (13, 13), 0, 13)
    np.testing.assert_allclose(out, 127.5 / 128, atol=1e-6)


@given(height=st.integers(20, 3000), width=st.integers(20, 3000))
def test_every_level_has_room_for_a_cell(height, width):
    for scale in pyramid_scales(height, width, 20):
        assert min(level_shape(height, width, scale)) >= 12


def test_photo_under_the_smallest_face_has_no_levels():
    assert pyramid_scales(19, 400, 20) == []
    assert pyramid_scales(0, 400, 20) == []


def test_one_coloured_pixel_is_seen():
    image = np.repeat(noise(30, 40, 1), 3, axis=2)
    assert is_grey(image)
    image[29, 39, 2] ^= 1
    assert not is_grey(image)


boxes_of = st.lists(
    st.tuples(st.integers(-20, 60), st.integers(-20, 60), st.integers(0, 50), st.integers(0, 50), st.integers(0, 8)),
    max_size=40,
)


@given(boxes_of, st.sampled_from([0.3, 0.5, 0.7]))
def test_suppression_is_torchvisions(rows, threshold):
    array = np.array(rows, np.float32).reshape(-1, 5)
    boxes, scores = np.hstack([array[:, :2], array[:, :2] + array[:, 2:4]]), array[:, 4].copy()  # many scores are equal
    expected = nms(torch.from_numpy(boxes), torch.from_numpy(scores), threshold)
    assert suppress(boxes, scores, threshold).tolist() == expected.tolist()


def test_of_equal_scores_the_last_box_wins_at_the_end_and_the_first_before():
    boxes = np.array([[0, 0, 50, 50], [1, 1, 51, 51], [100, 0, 140, 40]], np.float32)
    scores = np.array([0.9, 0.9, 0.8], np.float32)
    assert suppress(boxes, scores, 0.5).tolist() == [0, 2]
    assert suppress_within(boxes, scores, 0.5).tolist() == [1, 2]


def test_small_box_within_a_large_one_goes_by_the_share_of_the_smaller():
    boxes = np.array([[0, 0, 100, 100], [10, 10, 30, 30]], np.float32)
    assert suppress(boxes, np.array([0.9, 0.8], np.float32), 0.7).tolist() == [0, 1]
    assert suppress_within(boxes, np.array([0.9, 0.8], np.float32), 0.7).tolist() == [0]


def test_no_box_is_no_box():
    empty, none = np.empty((0, 4), np.float32), np.empty(0, np.float32)
    assert len(suppress(empty, none, 0.5)) == len(suppress_within(empty, none, 0.5)) == 0


def test_corrected_and_squared_box():
    boxes = np.array([[10, 20, 29, 59]], np.float32)
    correct(boxes, np.array([[0.1, -0.1, 0, 0.5]], np.float32), np.float32(1.0))
    np.testing.assert_allclose(boxes, [[12, 16, 29, 79]])
    square(boxes)
    np.testing.assert_allclose(boxes, [[-11, 16, 52, 79]])


def test_pixels_are_clipped_to_the_photo_and_counted_from_one():
    boxes = np.array([[-3.7, 2.9, 12.2, 99], [50, 5, 60, 9]], np.float32)
    assert pixels_of(boxes, 20, 40).tolist() == [[0, 1, 12, 20], [49, 4, 40, 9]]  # the second lies outside


@pytest.mark.parametrize("shape", [(12, 12), (13, 40), (64, 47), (150, 333), (400, 500)])
@pytest.mark.parametrize("channels", [1, 3])
def test_cells_of_a_level_are_p_nets(shape, channels, monkeypatch):
    """Biased towards faces, so that noise is full of them; the larger levels are searched in several strips."""
    network, weights = TorchPNet().eval(), load_weights("pnet")
    weights["conv4_1.bias"] = weights["conv4_1.bias"] + np.array([0, 4], np.float32)
    network.conv4_1.bias.data[1] += 4.0
    scale, image = 1.0, noise(shape[0] - 1, shape[1] - 1, channels, seed=3)
    found = search_level(flat(image), channels, PNet.from_state(weights, grey=channels == 1), scale)
    level = torch.from_numpy(np.repeat(image, 3 // channels, axis=2)).permute(2, 0, 1)[None].float()
    with torch.inference_mode():
        level = (functional.interpolate(level, size=shape, mode="area") - 127.5) * 0.0078125
        offsets, probabilities = network(level)
    y, x = torch.nonzero(probabilities[0, 1] >= 0.6, as_tuple=True)
    scores = probabilities[0, 1, y, x]
    boxes = torch.stack([2 * x + 1, 2 * y + 1, 2 * x + 12, 2 * y + 12], 1).float()
    kept = nms(boxes, scores, 0.5)
    expected = torch.cat([boxes[kept], scores[kept, None], offsets[0][:, y[kept], x[kept]].T], 1).numpy()
    assert found.shape == (len(kept), NUM_COLUMNS)
    assert len(kept) > 0
    order, other = np.lexsort(found[:, :2].T), np.lexsort(expected[:, :2].T)
    np.testing.assert_allclose(found[order], expected[other], rtol=0, atol=2e-5)


@pytest.mark.parametrize(("network", "name", "side"), [(RNet, "rnet", 24), (ONet, "onet", 48)])
@pytest.mark.parametrize("count", [0, 1, 7, 8, 19])
def test_later_networks_are_torchs(network, name, side, count):
    reference = network().eval()
    crops = ((noise(count, 3, side, side).astype(np.float32) - 127.5) / 128).astype(np.float32)
    answers = LaterNetwork(name)(crops)
    assert answers.shape == (count, 15 if network is ONet else 5)
    if count:
        with torch.inference_mode():
            *others, both = reference(torch.from_numpy(crops))
        np.testing.assert_allclose(answers, torch.cat([both[:, 1:], *others], 1).numpy(), rtol=0, atol=3e-6)


def test_loops_are_compiled_where_nothing_can_be_written(monkeypatch, tmp_path):
    file = tmp_path / "taken"
    file.write_text("")
    monkeypatch.setattr(compiled, "FOLDER", file / "below")
    monkeypatch.setattr(compiled.config, "CACHE_LOCATOR_CLASSES", "UserProvidedCacheLocator", raising=False)

    @compiled.compiled()
    def double(value: int) -> int:
        return 2 * value

    assert double(21) == 42
    assert type(double._cache).__name__ == "NullCache"


def test_another_state_of_the_loops_has_another_folder(monkeypatch, tmp_path):
    (tmp_path / "a.py").write_text("1")
    monkeypatch.setattr(compiled, "__file__", str(tmp_path / "compiled.py"))
    before = compiled._folder()
    (tmp_path / "a.py").write_text("2")
    assert compiled._folder() != before


def doubled(monkeypatch, folder):
    """A loop compiled with its code kept below `folder`."""
    monkeypatch.setattr(compiled, "FOLDER", folder)

    @compiled.compiled()
    def double(value: int) -> int:
        return 2 * value

    return double


def test_damaged_code_is_compiled_anew(monkeypatch, tmp_path):
    assert doubled(monkeypatch, tmp_path)(21) == 42
    files = [path for path in tmp_path.rglob("*") if path.suffix in (".nbi", ".nbc")]
    assert len(files) == 2
    for file in files:
        file.write_bytes(b"")
    again = doubled(monkeypatch, tmp_path)
    assert again(21) == 42
    assert again.stats.cache_hits == {}
    assert all(file.stat().st_size for file in files)  # and kept again
    third = doubled(monkeypatch, tmp_path)
    assert third(21) == 42
    assert sum(third.stats.cache_hits.values()) == 1


def test_full_disk_stops_no_loop(monkeypatch, tmp_path):
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    loop = doubled(monkeypatch, tmp_path)
    monkeypatch.setattr(compiled.FunctionCache, "save_overload", full)
    assert loop(21) == 42


def test_code_unused_for_a_month_is_removed_when_a_new_state_comes(tmp_path):
    old, young = tmp_path / "loops-old", tmp_path / "loops-young"
    old.mkdir()
    young.mkdir()
    os.utime(old, (0, 0))
    compiled._sweep(young)
    assert old.exists()  # the present state is not new
    compiled._sweep(tmp_path / "loops-new")
    assert young.exists()
    assert not old.exists()


def test_ribbon_is_not_searched():
    assert pyramid_scales(20, 20_000, 20) != []
    assert pyramid_scales(20, 20_001, 20) == []
