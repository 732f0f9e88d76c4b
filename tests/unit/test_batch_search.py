"""The search of many photos at once, run on a CPU here: the faces of the search photo by photo, and no waiting."""

import dataclasses

import numpy as np
import pytest
import skimage.data
import torch
from facenet_pytorch import MTCNN
from PIL import Image
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from datasets.detector import FaceDetector, _make_search
from datasets.mtcnn import batch_boxes, batch_canvas
from datasets.mtcnn.batch import BatchSearch
from datasets.mtcnn.batch_boxes import best_first, first_slots, pixels_of, suppress
from datasets.mtcnn.batch_canvas import lay_out, share_canvases
from datasets.mtcnn.batch_proposals import Candidates, _cell_counts, _cells
from datasets.mtcnn.batch_pyramid import crop_pictures, level_pictures, running_sums
from datasets.mtcnn.batch_refine import third_stage
from datasets.mtcnn.batch_room import Room
from datasets.mtcnn.boxes import pixels_of as pixels_one_by_one
from datasets.mtcnn.boxes import suppress as suppress_one_by_one
from datasets.mtcnn.boxes import suppress_within
from datasets.mtcnn.cpu import CpuSearch
from datasets.mtcnn.faces import Faces
from datasets.mtcnn.precision import full_precision
from datasets.mtcnn.refine import inside

BLACK = np.zeros((64, 64, 3), np.uint8)
SMALL = Room(level=128, merged=256, second=512, passed=48, third=96)
"""Enough for the photos here, and quicker than the usual room."""


@pytest.fixture(scope="module")
def search() -> BatchSearch:
    return BatchSearch("cpu", min_face_size=20, room=SMALL)


@pytest.fixture(scope="module")
def one_by_one() -> CpuSearch:
    return CpuSearch(min_face_size=20, stop_early=False)


@pytest.fixture(scope="module")
def portrait() -> Image.Image:
    """256 by 256, the face near x 80 to 170, y 60 to 175."""
    return Image.fromarray(skimage.data.astronaut()[:256, 100:356])


class CountedFallback:
    """Stands in for the search that crowded photos are given to."""

    def __init__(self, search: CpuSearch) -> None:
        self.search, self.num_photos = search, 0

    def __call__(self, photos) -> list[Faces]:
        self.num_photos += len(photos)
        return self.search(photos)


def with_counter(search: BatchSearch, one_by_one: CpuSearch) -> CountedFallback:
    search.__dict__["_fallback"] = CountedFallback(one_by_one)
    return search.__dict__["_fallback"]


@pytest.fixture(autouse=True)
def no_fallback(search, one_by_one):
    """Unless a test makes a search of its own, none of its photos may be given to the other one."""
    counter = with_counter(search, one_by_one)
    yield
    assert counter.num_photos == 0


def assert_same(ours: list[Faces], theirs: list[Faces]) -> None:
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert (a.boxes.dtype, a.levels.dtype) == (b.boxes.dtype, b.levels.dtype)
        np.testing.assert_array_equal(a.levels, b.levels)
        np.testing.assert_allclose(a.boxes, b.boxes, rtol=0, atol=1e-3)
        np.testing.assert_allclose(a.landmarks, b.landmarks, rtol=0, atol=1e-3)
        np.testing.assert_allclose(a.probabilities, b.probabilities, rtol=0, atol=1e-5)


def composed(portrait: Image.Image, size: tuple[int, int], *faces: tuple[int, int, int], shade: int = 90) -> np.ndarray:
    """The portrait at some sides and places on a background; size and places are x before y."""
    canvas = Image.new("RGB", size, (shade, shade // 2, 255 - shade))
    for side, left, top in faces:
        canvas.paste(portrait.resize((side, side)), (left, top))
    return np.asarray(canvas)


@pytest.fixture(scope="module")
def photos(portrait) -> list[np.ndarray]:
    """Of many sizes, odd and even; with no face, one, and several, whole and cut by the frame; one grey."""
    tall = composed(portrait, (201, 333), (180, -20, 99))
    return [
        np.asarray(portrait),
        composed(portrait, (400, 256), (140, 0, 40), (256, 144, 0)),
        composed(portrait, (431, 307), (90, 5, 11), (121, 100, 170), (160, 260, 100), shade=200),
        tall,
        np.repeat(tall[..., :1], 3, axis=2),
        np.asarray(portrait)[70:160, 80:170],
        BLACK,
        composed(portrait, (97, 53), (60, 20, 0)),
    ]


def test_faces_of_a_mixed_batch_equal_those_found_photo_by_photo(search, one_by_one, photos):
    found = search(photos)
    assert sum(map(len, found)) >= 7
    assert_same(found, one_by_one(photos))


def test_faces_equal_upstream(search, photos):
    upstream = MTCNN(keep_all=True)
    for photo, ours in zip(photos, search(photos), strict=True):
        boxes, probabilities, landmarks = upstream.detect(Image.fromarray(photo), landmarks=True)
        order = ours.largest_first()
        assert (boxes is None) == (len(ours) == 0)
        if boxes is not None:
            np.testing.assert_allclose(ours.boxes[order], boxes.astype(float), rtol=0, atol=1e-3)
            np.testing.assert_allclose(ours.landmarks[order], landmarks.astype(float), rtol=0, atol=1e-3)
            np.testing.assert_allclose(ours.probabilities[order], probabilities.astype(float), rtol=0, atol=1e-5)


def test_neighbours_on_the_canvas_change_no_box(search, photos, monkeypatch):
    together = search(photos)
    monkeypatch.setattr(batch_canvas, "CANVAS_PIXELS", 1)
    assert_same(together, search(photos))


def test_pixels_beyond_a_photo_change_no_box(search, portrait):
    """As if the device's memory held something else there: bright noise beside the photo."""
    photo = np.asarray(portrait)[:251, :253]
    canvas = lay_out([photo, composed(portrait, (300, 290))], 20, pinned=False)
    alone = search([photo])[0]
    canvas.pixels[0, 251:] = 255
    canvas.pixels[0, :, 253:] = torch.randint(0, 256, (290, 47, 3), dtype=torch.uint8)
    with torch.inference_mode():
        answer = search.look(canvas).numpy()
    assert_same([search._checked(photo, answer[0])], [alone])


@pytest.mark.parametrize(
    "photo",
    [BLACK[:19], BLACK[:20, :20], BLACK[:1, :1], np.zeros((0, 64, 3), np.uint8), np.zeros((0, 0, 3), np.uint8)],
    ids=np.shape,
)
def test_odd_photo_is_faceless_and_costs_no_other_its_faces(search, one_by_one, portrait, photo):
    found = search([photo, np.asarray(portrait), photo])
    assert [len(faces) for faces in found] == [0, 1, 0]
    assert_same(found[1:2], one_by_one([np.asarray(portrait)]))


def test_ribbon_is_searched(search, portrait):
    ribbons = [np.zeros((20, 20_000, 3), np.uint8), np.zeros((20_000, 20, 3), np.uint8)]
    found = search([*ribbons, np.asarray(portrait)])
    assert [len(faces) for faces in found] == [0, 0, 1]


def test_no_photo_and_faceless_photos(search):
    assert search([]) == []
    assert [len(faces) for faces in search([BLACK] * 3)] == [0, 0, 0]


def test_read_only_and_strided_photos(search, photos, one_by_one):
    mirrored = photos[0][:, ::-1]
    mirrored.flags.writeable = False
    assert_same(search([mirrored]), one_by_one([mirrored]))


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Room)])
def test_photo_with_more_candidates_than_room_is_searched_again(one_by_one, photos, field):
    few = {"level": 4, "merged": 8, "second": 30, "passed": 2, "third": 3}[field]
    search = BatchSearch("cpu", min_face_size=20, room=dataclasses.replace(SMALL, **{field: few}))
    fallback = with_counter(search, one_by_one)
    assert_same(search(photos), one_by_one(photos))
    assert 1 <= fallback.num_photos < len(photos)


def test_photo_whose_suppression_does_not_settle_is_searched_again(one_by_one, photos, monkeypatch):
    monkeypatch.setattr(batch_boxes, "ROUNDS", 1)
    search = BatchSearch("cpu", min_face_size=20, room=SMALL)
    fallback = with_counter(search, one_by_one)
    assert_same(search(photos), one_by_one(photos))
    assert 1 <= fallback.num_photos < len(photos)  # the black one has nothing to suppress


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED")],
    ids=["torch", "library"],
)
def test_short_memory_means_fewer_photos_at_once_and_at_last_the_cpu(one_by_one, photos, monkeypatch, error):
    search = BatchSearch("cpu", min_face_size=20, room=SMALL)
    fallback, look, tried = with_counter(search, one_by_one), search.look, []

    def look_at_few(canvas):
        tried.append(len(canvas.pixels))
        if len(canvas.pixels) > 2 or canvas.pixels.shape[1] > 320:
            raise error
        return look(canvas)

    monkeypatch.setattr(search, "look", look_at_few)
    assert_same(search(photos), one_by_one(photos))
    assert max(tried) > 2
    assert fallback.num_photos == 2  # the two tall ones


def test_other_errors_of_the_device_are_not_hidden(portrait, monkeypatch):
    search = BatchSearch("cpu", min_face_size=20, room=SMALL)

    def fail(canvas):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(search, "look", fail)
    with pytest.raises(RuntimeError, match="illegal"):
        search([np.asarray(portrait)])


def test_huge_photo_is_searched_on_the_cpu(one_by_one, portrait, monkeypatch):
    monkeypatch.setattr("datasets.mtcnn.batch.MAX_PIXELS", 1000)
    search = BatchSearch("cpu", min_face_size=20)
    fallback = with_counter(search, one_by_one)
    assert_same(search([np.asarray(portrait)]), one_by_one([np.asarray(portrait)]))
    assert fallback.num_photos == 1


@pytest.mark.parametrize("num_photos", [1, 3])
def test_host_waits_for_nothing_before_the_answer(photos, num_photos):
    """On a GPU that has no data: an order that depends on what was computed, or a tensor elsewhere, is an error."""
    search, canvas = BatchSearch("cpu", min_face_size=20), lay_out(photos[:num_photos], 20, pinned=False)
    with FakeTensorMode(), torch.inference_mode():

        def on_gpu(values):
            return torch.empty(values.shape, dtype=values.dtype, device="cuda")

        for network in (search._p_net, search._r_net, search._o_net):
            for module in network.modules():
                for name, parameter in module.named_parameters(recurse=False):
                    module._parameters[name] = torch.nn.Parameter(on_gpu(parameter), requires_grad=False)
        tensors = {name: on_gpu(part) for name, part in vars(canvas).items() if isinstance(part, torch.Tensor)}
        answer = search.look(dataclasses.replace(canvas, **tensors))
        assert (answer.device.type, len(answer)) == ("cuda", num_photos)
        with pytest.raises(DataDependentOutputException):
            answer.sum().item()


def test_orders_do_not_grow_with_the_number_of_photos(search, photos):
    def num_orders(num_photos: int) -> int:
        canvas = lay_out(photos[:1] * num_photos, 20, pinned=False)
        with torch.profiler.profile() as profile, torch.inference_mode():
            search.look(canvas)
        return len(profile.events())

    assert num_orders(4) == pytest.approx(num_orders(1), rel=0.05)


def test_pyramid_and_crops_equal_torchs(portrait):
    photos = [np.asarray(portrait)[:201, :177], np.asarray(portrait)]
    canvas = lay_out(photos, 20, pinned=False)
    sums = running_sums(canvas.pixels)
    for sizes, pictures in zip(canvas.level_sizes.tolist(), level_pictures(sums, canvas), strict=True):
        for photo, size, picture in zip(photos, sizes, pictures, strict=True):
            if min(size):
                assert torch.equal(picture[:, : size[0], : size[1]], resized(photo, size))
    boxes = torch.tensor([[0, 0, 177, 201], [3, 50, 10, 120], [176, 200, 177, 201]])
    crops = crop_pictures(sums, torch.zeros(3, dtype=torch.int64), boxes, 24)
    for (left, top, right, bottom), crop in zip(boxes.tolist(), crops, strict=True):
        assert torch.equal(crop, resized(photos[0][top:bottom, left:right], (24, 24)))


def resized(photo: np.ndarray, size) -> torch.Tensor:
    values = torch.from_numpy(photo.copy()).permute(2, 0, 1)[None].float()
    return (torch.nn.functional.interpolate(values, size=tuple(size), mode="area")[0] - 127.5) * 0.0078125


@pytest.mark.parametrize("within", [False, True])
def test_suppression_keeps_what_the_greedy_one_keeps(within):
    rng = np.random.default_rng(0)
    corners, sides = rng.integers(0, 60, (6, 80, 2)), rng.integers(5, 40, (6, 80, 1))
    boxes = np.concatenate((corners, corners + sides), 2).astype(np.float32)
    scores = np.linspace(1, 0, 80, dtype=np.float32)
    kept, unsettled = suppress(torch.from_numpy(boxes), torch.ones(6, 80, dtype=torch.bool), 0.5, within=within)
    greedy = suppress_within if within else suppress_one_by_one
    assert not unsettled.any()
    for ours, row in zip(kept.numpy(), boxes, strict=True):
        np.testing.assert_array_equal(np.flatnonzero(ours), greedy(row, scores, 0.5))


def test_first_slots():
    chosen = torch.tensor([[0, 1, 0, 1, 1], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0]], dtype=torch.bool)
    slots = first_slots(chosen, 2)
    assert slots.filled.tolist() == [[True, True], [False, False], [True, False]]
    assert slots.place[0].tolist() == [1, 3]
    assert slots.place[2, 0] == 0
    assert slots.crowded.tolist() == [True, False, False]


def test_of_equal_scores_the_first_comes_first_and_empty_slots_last():
    scores, filled = torch.tensor([[0.5, 0.9, 0.5, 0.9, 1.0]]), torch.tensor([[True, True, True, True, False]])
    assert best_first(scores, filled).tolist() == [[1, 3, 0, 2, 4]]


def test_of_equal_faces_the_last_candidate_stays(search, photos):
    """Both boxes are larger than the photo, so that O-Net sees the same crop."""
    boxes = torch.tensor([[[-9.0, -9, 99, 99], [-10, -10, 100, 100]]])
    none = torch.zeros(1, dtype=torch.bool)
    candidates = Candidates(boxes, torch.tensor([[4.0, 7]]), torch.ones(1, 2, dtype=torch.bool), none, none)
    canvas = lay_out([photos[5]], 20, pinned=False)
    with torch.inference_mode():
        answer = third_stage(search._o_net, running_sums(canvas.pixels), canvas.sizes, candidates, 8)
    faces = search._checked(photos[5], answer[0].numpy())
    assert faces.levels.tolist() == [7]


@pytest.mark.parametrize("size", [(30, 40), (31, 41), (30, 41), (33, 40)])
def test_cells_do_not_depend_on_what_lies_beyond_the_level(search, size):
    rows, columns = size
    pictures = torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        alone = _cells(search._p_net, pictures[:, :, :rows, :columns], None)
        padded = _cells(search._p_net, pictures, torch.tensor([size]))
    assert list(alone[0].shape[1:]) == _cell_counts(torch.tensor([size]))[0].tolist()
    for ours, theirs in zip(padded, alone, strict=True):
        torch.testing.assert_close(ours[..., : theirs.shape[-2], : theirs.shape[-1]], theirs, rtol=0, atol=1e-5)


def test_pixels_of_boxes_in_and_outside_a_photo():
    boxes = np.random.default_rng(0).uniform(-40, 140, (400, 4)).astype(np.float32)
    pixels, is_inside = pixels_of(torch.from_numpy(boxes), torch.tensor([90, 70]))
    np.testing.assert_array_equal(np.flatnonzero(is_inside.numpy()), inside(boxes, 90, 70))
    np.testing.assert_array_equal(pixels[is_inside].numpy(), pixels_one_by_one(boxes, 90, 70)[is_inside.numpy()])
    assert 20 < is_inside.sum() < 380
    assert (pixels[:, :2] >= 0).all()
    assert (pixels[:, 2:] > pixels[:, :2]).all()
    assert (pixels[:, 2:] <= torch.tensor([70, 90])).all()


def test_huge_photo_and_ribbons_do_not_share_a_canvas_with_small_ones():
    sizes = [(350, 350), (6000, 8000), (20, 20_000), (350, 350), (340, 360), (20_000, 20)]
    groups = {frozenset(group) for group in share_canvases(sizes)}
    assert groups == {frozenset({0, 3, 4}), frozenset({1}), frozenset({2}), frozenset({5})}


def test_canvases_stay_within_their_budget(monkeypatch):
    monkeypatch.setattr(batch_canvas, "CANVAS_PIXELS", 1000)
    assert sorted(map(len, share_canvases([(20, 20)] * 5))) == [1, 2, 2]
    assert share_canvases([]) == []


def test_precision_is_full_within_the_search_and_as_before_after_it():
    matmul, convolution = torch.backends.cuda.matmul, torch.backends.cudnn.conv
    before = (matmul.fp32_precision, convolution.fp32_precision)
    try:
        matmul.fp32_precision = "tf32"
        with full_precision():
            assert (matmul.fp32_precision, convolution.fp32_precision) == ("ieee", "ieee")
        assert (matmul.fp32_precision, convolution.fp32_precision) == ("tf32", before[1])
        with pytest.raises(KeyError), full_precision():
            raise KeyError
        assert matmul.fp32_precision == "tf32"
    finally:
        matmul.fp32_precision, convolution.fp32_precision = before


@pytest.mark.parametrize("mode", ["exact", "largest"])
def test_detector_takes_this_search_on_other_devices_than_the_cpu(mode):
    assert isinstance(_make_search("meta", mode, 20), BatchSearch)
    assert isinstance(_make_search("cpu", mode, 20), CpuSearch)


@pytest.mark.slow
def test_real_photos_in_batches_of_both_kinds(search, shared_data):
    files = [*sorted((shared_data / "faces821").rglob("*.jpg"))[::41][:20]]
    files += sorted((shared_data / "scenes821").rglob("*.jpg"))[::41][:20]
    images = [Image.open(file).convert("RGB") for file in files[::2] + files[1::2]]
    plain, batched = FaceDetector(), FaceDetector()
    batched._search = BatchSearch("cpu", min_face_size=20)
    ours, theirs = batched.detect_all(images), plain.detect_all(images)
    assert sum(map(bool, ours)) > 36
    for a, b in zip(ours, theirs, strict=True):
        assert len(a) == len(b)
        for face, other in zip(a, b, strict=True):
            np.testing.assert_allclose(face.box, other.box, rtol=0, atol=1e-3)
            np.testing.assert_allclose(face.landmarks, other.landmarks, rtol=0, atol=1e-3)
