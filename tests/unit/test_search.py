"""One failing photo costs no other, and a faceless photo may be tried turned."""

import weakref

import numpy as np
import pytest
import skimage.data
from PIL import Image

from datasets.detector import Detection, FaceDetector
from datasets.search import TURNS, find_faces, turned


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


def face(probability: float, left: float = 10.0) -> Detection:
    return Detection(np.array([left, 10, 40, 40], np.float32), probability, np.zeros((5, 2), np.float32))


def photo(width: int = 60, height: int = 40) -> Image.Image:
    return Image.new("RGB", (width, height))


class Finder:
    """Answers by a photo's size, raises what it is told to, and remembers the batches."""

    def __init__(self, answers: dict) -> None:
        self.answers, self.batches = answers, []

    def detect_all(self, images):
        self.batches.append([image.size for image in images])
        found = [self.answers.get(image.size, []) for image in images]
        for answer in found:
            if isinstance(answer, Exception):
                raise answer
        return found


class Compass:
    """Knows which way up the photo is by where its white corner lies, and finds what it is told for that way."""

    def __init__(self, by_rotation: dict[int, list[Detection]]) -> None:
        marked = photo()
        marked.putpixel((0, 0), (255, 255, 255))
        self.marked = marked
        self.answers = {turned(marked, rotation).tobytes(): faces for rotation, faces in by_rotation.items()}

    def detect_all(self, images):
        return [self.answers.get(image.tobytes(), []) for image in images]


def test_photos_are_searched_together():
    finder = Finder({(60, 40): [face(0.9)]})
    findings = find_faces(finder, [photo(), photo(61), photo()])
    assert [len(finding.faces) for finding in findings] == [1, 0, 1]
    assert finder.batches == [[(60, 40), (61, 40), (60, 40)]]


def test_no_photo_is_no_work():
    finder = Finder({})
    assert find_faces(finder, []) == []
    assert not finder.batches


@pytest.mark.parametrize("error", [RuntimeError("no"), MemoryError(), ValueError("cat")])
def test_photo_that_the_detector_fails_on_costs_no_other_its_face(error):
    finder = Finder({(60, 40): [face(0.9)], (61, 40): error})
    findings = find_faces(finder, [photo(), photo(61), photo(62), photo()])
    assert [len(finding.faces) for finding in findings] == [1, 0, 0, 1]
    assert [finding.error for finding in findings] == [None, type(error).__name__, None, None]


def test_answer_of_the_wrong_length_is_a_failure_and_never_shifts_a_row():
    class Forgetful:
        def detect_all(self, images):
            return [[face(0.9)]] * min(len(images), 2)

    assert [len(finding.faces) for finding in find_faces(Forgetful(), [photo()] * 4)] == [1] * 4


@pytest.mark.parametrize("edge", [np.nan, np.inf])
def test_box_that_is_not_finite_is_a_failure(edge):
    (finding,) = find_faces(Finder({(60, 40): [face(0.9, left=edge)]}), [photo()])
    assert (finding.error, len(finding.faces)) == ("ValueError", 0)


def test_detector_that_fails_on_a_blank_picture_too_stops_the_run():
    finder = Finder({(60, 40): RuntimeError("one photo"), (256, 256): RuntimeError("the GPU is gone")})
    with pytest.raises(RuntimeError, match="the GPU is gone"):
        find_faces(finder, [photo()])


@pytest.mark.parametrize("rotation", TURNS)
def test_lying_photo_is_found_in_its_own_orientation(rotation):
    compass = Compass({rotation: [face(0.999)]})
    (finding,) = find_faces(compass, [compass.marked], turned_threshold=0.99)
    assert (finding.rotation, len(finding.faces)) == (rotation, 1)


def test_photo_is_turned_counter_clockwise():
    compass = Compass({})
    assert turned(compass.marked, 90).getpixel((0, 59)) == (255, 255, 255)  # from the top left to the bottom left
    assert turned(compass.marked, 0) is compass.marked


def test_upright_face_wins_over_any_turned_one():
    compass = Compass({0: [face(0.7)], 90: [face(1.0)]})
    (finding,) = find_faces(compass, [compass.marked], turned_threshold=0.99)
    assert (finding.rotation, finding.faces[0].probability) == (0, 0.7)


def test_most_probable_orientation_wins_and_ties_follow_the_stated_order():
    best = Compass({90: [face(0.991)], 180: [face(0.999)], 270: [face(0.995)]})
    tie = Compass({180: [face(0.999)], 270: [face(0.999)]})
    (of_best,), (of_tie,) = (find_faces(each, [each.marked], turned_threshold=0.99) for each in (best, tie))
    assert (of_best.rotation, of_tie.rotation) == (180, 270)


def test_only_certain_faces_of_a_turned_photo_count():
    doubtful = Compass({270: [face(0.98)]})
    mixed = Compass({270: [face(0.98, left=5), face(0.995, left=10), face(0.5)]})
    (none,), (one,) = (find_faces(each, [each.marked], turned_threshold=0.99) for each in (doubtful, mixed))
    assert (len(none.faces), none.rotation) == (0, 0)
    assert [(found.probability, found.box[0]) for found in one.faces] == [(0.995, 10)]


def test_turned_copies_of_one_orientation_are_let_go_before_the_next():
    copies, alive = [], []

    class Watcher:
        def detect_all(self, images):
            copies.extend(weakref.ref(image) for image in images)
            alive.append(sum(copy() is not None for copy in copies))
            return [[] for _ in images]

    find_faces(Watcher(), [photo(), photo(61)], turned_threshold=0.99)
    assert alive == [2, 4, 4, 4]  # the two photos, and two copies at a time


def test_photo_is_not_turned_unless_asked():
    compass = Compass({90: [face(1.0)]})
    assert not find_faces(compass, [compass.marked])[0].faces


def test_photo_that_failed_is_not_tried_turned_and_a_failure_while_turned_is_no_face():
    finder = Finder({(60, 40): RuntimeError(), (40, 62): RuntimeError(), (40, 61): [face(1.0)]})
    failed, found, none = find_faces(finder, [photo(), photo(61), photo(62)], turned_threshold=0.99)
    assert (failed.error, len(failed.faces)) == ("RuntimeError", 0)
    assert (found.rotation, found.error) == (90, None)
    assert (none.rotation, none.error, len(none.faces)) == (0, None, 0)


@pytest.mark.parametrize("rotation", [180, 270])  # lying the third way, a false face is found in it as it is
def test_lying_face_of_a_real_photo_is_found(detector, rotation):
    upright = Image.fromarray(skimage.data.astronaut()[:256, 100:356])
    (expected,), (found,) = (
        find_faces(detector, [image], turned_threshold=0.99) for image in (upright, turned(upright, 360 - rotation))
    )
    assert found.rotation == rotation
    assert np.array_equal(found.faces[0].box, expected.faces[0].box)
