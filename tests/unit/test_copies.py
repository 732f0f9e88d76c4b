"""Photos sorted into photographs."""

import hashlib

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw

from benchmarks.planted import DEFECTS, MAIN, defect_named
from datasets.copies import CopyPair, find_photographs
from datasets.measures import signature
from datasets.sample import draw_photo
from datasets.sample_expressions import EXPRESSIONS

NUM_BASE = 12


def near(images: list[Image.Image]):
    """The photographs of pictures without hashes."""
    return find_photographs([None] * len(images), [None] * len(images), [signature(image) for image in images])


def made(seed: int, expression: str = "joy") -> Image.Image:
    """A generated portrait; the same seed gives the same clutter and the same place."""
    return draw_photo(EXPRESSIONS[expression], np.random.default_rng(seed))


@pytest.fixture(scope="module")
def base() -> list[Image.Image]:
    return [made(seed, list(EXPRESSIONS)[seed % len(EXPRESSIONS)]) for seed in range(NUM_BASE)]


def test_photos_of_one_portrait_are_photographs_of_their_own(base):
    found = near(base)
    assert found.pairs == ()
    assert found.group.tolist() == list(range(NUM_BASE))
    assert found.group.dtype == np.int64


@pytest.mark.parametrize("name", [*DEFECTS, "mirror + crop 5 % each side", "brighter 25 % + resize 60 %"])
def test_a_changed_copy_is_found(base, name):
    rng = np.random.default_rng(1)
    copies = [defect_named(name)(image, rng) for image in base]
    found = near([*base, *copies])
    assert found.group.tolist() == [*range(NUM_BASE), *range(NUM_BASE)]
    assert [(pair.a, pair.b) for pair in found.pairs] == [(i, i + NUM_BASE) for i in range(NUM_BASE)]
    how = "mirrored" if "mirror" in name else ""
    assert {(pair.kind, pair.how) for pair in found.pairs} == {("near_copy", how)}
    assert all(0.64 <= pair.score < 1 for pair in found.pairs)


@pytest.mark.parametrize("seed", range(4))
def test_another_expression_in_the_same_place_is_another_photograph(seed):
    """Two frames of one scene, seen close: the face fills the photo, and nothing else differs."""
    frames = [made(seed, expression) for expression in ("joy", "surprise")]
    differs = ImageChops.difference(*frames).convert("L").point(lambda level: 255 * (level > 12)).getbbox()
    close = [frame.crop(differs).resize((200, 200)) for frame in frames]
    assert near(close).pairs == ()


def test_two_faces_on_one_background_are_two_photographs(base):
    backdrop = made(99).resize((480, 360))
    faces = [image.resize((90, 110)) for image in base[:6]]
    scenes = []
    for face in faces:
        scene = backdrop.copy()
        scene.paste(face, (300, 40))
        scenes.append(scene)
    assert near(scenes).pairs == ()


def test_every_pair_of_a_photograph_is_listed_in_order(base):
    rng = np.random.default_rng(0)
    copies = [defect_named(name)(base[3], rng) for name in ("mirror", "crop 5 % each side", "brighter 25 %")]
    found = near([copies[0], base[3], copies[1], base[5], copies[2]])
    assert found.group.tolist() == [0, 0, 0, 3, 0]
    assert [(pair.a, pair.b) for pair in found.pairs] == [(0, 1), (0, 2), (0, 4), (1, 2), (1, 4), (2, 4)]
    assert [pair.how for pair in found.pairs] == ["mirrored"] * 3 + [""] * 3


def test_bytes_and_pixels_make_exact_copies(base):
    one, two = (signature(image) for image in base[:2])
    found = find_photographs(["f", "f", "g", "h"], ["p", "p", "p", "q"], [one, one, one, two])
    assert found.group.tolist() == [0, 0, 0, 3]
    assert found.pairs == (
        CopyPair(0, 1, "exact_copy", 1.0, "bytes"),
        CopyPair(0, 2, "exact_copy", 1.0, "pixels"),
        CopyPair(1, 2, "exact_copy", 1.0, "pixels"),
    )


def test_near_copies_of_exact_copies_are_listed_too(base):
    one, mirrored = signature(base[0]), signature(DEFECTS["mirror"](base[0], np.random.default_rng(0)))
    found = find_photographs(["a", "b", "b"], ["p", "q", "q"], [one, mirrored, mirrored])
    assert [(pair.a, pair.b, pair.kind, pair.how) for pair in found.pairs] == [
        (0, 1, "near_copy", "mirrored"),
        (0, 2, "near_copy", "mirrored"),
        (1, 2, "exact_copy", "bytes"),
    ]
    assert found.pairs[0].score == found.pairs[1].score


def test_missing_hashes_and_signatures_match_nothing():
    found = find_photographs([None, None, "", "", "x", "x"], ["", "", None, None, None, None], [None] * 6)
    assert found.group.tolist() == [0, 1, 2, 3, 4, 4]
    assert [pair.how for pair in found.pairs] == ["bytes"]


@pytest.mark.parametrize("num", [0, 1, 2])
def test_few_photos(base, num):
    assert near(base[:num]).group.tolist() == list(range(num))


def test_flat_and_nearly_flat_photos_have_no_near_copies():
    rng = np.random.default_rng(0)
    flat = [Image.new("L", (200, 160), shade) for shade in (0, 0, 1, 128, 255)]
    grain = [Image.fromarray(np.clip(rng.normal(90, 3, (160, 200)), 0, 255).astype(np.uint8)) for _ in range(3)]
    ramp = np.linspace(0, 255, 200)[None].repeat(160, 0)
    ramps = [Image.fromarray(levels.astype(np.uint8)) for levels in (ramp, ramp * 0.8, ramp[:, ::-1])]
    assert near([*flat, *grain, *ramps]).pairs == ()
    signatures = [signature(image) for image in flat]
    pairs = find_photographs([None] * 5, ["black", "black", "c", "d", "e"], signatures).pairs
    assert [(pair.a, pair.b, pair.kind) for pair in pairs] == [(0, 1, "exact_copy")]


def test_the_order_of_photos_changes_nothing(base):
    rng = np.random.default_rng(3)
    images = [*base, *(defect_named(name)(image, rng) for image in base for name in ("mirror", "jpeg 45"))]
    order = rng.permutation(len(images))
    plain, shuffled = near(images), near([images[i] for i in order])
    back = {tuple(sorted((order[pair.a], order[pair.b]))): (pair.score, pair.how) for pair in shuffled.pairs}
    assert back == {(pair.a, pair.b): (pair.score, pair.how) for pair in plain.pairs}


def test_of_a_large_photograph_the_pairs_with_its_first_member_are_listed(base):
    many = [defect_named("jpeg 45")(base[0].resize((240 - i, 180)), np.random.default_rng(0)) for i in range(60)]
    found = near([base[1], *many])
    assert found.group.tolist() == [0] + [1] * 60
    assert [(pair.a, pair.b) for pair in found.pairs] == [(1, i) for i in range(2, 61)]


def test_progress_rises_to_all_photos(base):
    calls = []
    signatures = [signature(image) for image in base]
    find_photographs([None] * NUM_BASE, [None] * NUM_BASE, signatures, progress=lambda *call: calls.append(call))
    assert calls == sorted(calls)
    assert calls[-1] == (NUM_BASE, NUM_BASE)


def test_sequences_that_do_not_fit_are_refused(base):
    with pytest.raises(ValueError, match="hashes and signatures of 1, 2 and 2"):
        find_photographs(["a"], ["b", "c"], [None, None])
    with pytest.raises(ValueError, match="9216 bytes, got 3"):
        find_photographs([None], [None], [b"abc"])


def real(shared_data, name, step):
    files = sorted((shared_data / name).rglob("*.jpg"))[::step]
    return [Image.open(file).convert("RGB") for file in files]


def check_real(images, names):
    """Every photo beside its copies: all found, and nothing joined to another photo."""
    rng = np.random.default_rng(7)
    shown = [hashlib.sha256(image.tobytes()).hexdigest() for image in images]
    copies = [defect_named("jpeg 45")(defect_named(name)(image, rng), rng) for name in names for image in images]
    found = near([*images, *copies])
    num = len(shown)
    false = [(pair.a, pair.b) for pair in found.pairs if pair.a % num != pair.b % num]
    assert false == []
    return (found.group == np.tile(np.arange(num), len(names) + 1))[num:].mean()


def test_copies_of_real_faces_are_found_and_faces_are_not_joined(shared_data):
    images = real(shared_data, "faces821", 12)
    assert check_real(images, ["mirror", "crop 5 % each side"]) >= 0.98


def test_frames_of_a_film_are_not_joined(shared_data):
    names = [f"faces821/Train/sadness/{number:03d}.jpg" for number in (48, 49, 57, 58, 59, 60, 61)]
    assert near([Image.open(shared_data / name).convert("RGB") for name in names]).pairs == ()


def test_scenes_that_share_backgrounds_are_not_joined(shared_data):
    assert check_real(real(shared_data, "scenes821", 8), ["mirror"]) >= 0.98


@pytest.mark.slow
@pytest.mark.parametrize("name", ["faces821", "scenes821"])
def test_many_real_photos(shared_data, name):
    assert check_real(real(shared_data, name, 3), MAIN) >= 0.98


def test_a_drawing_pasted_in_a_photo_makes_another_one(base):
    changed = base[0].copy()
    ImageDraw.Draw(changed).ellipse((90, 60, 125, 95), fill="white", outline="black")
    assert near([base[0], changed]).pairs == ()
