"""Augmentation by torchvision's rules, and batches that are the same for whoever shares them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torchvision.transforms import functional as tv

from tests.unit.roles import paper_roles
from trainables.augment import augment, draw_augmentation, flip_landmarks
from trainables.batches import eval_batches, train_batches, view_of
from trainables.condition import Condition
from trainables.recipe import TrainConfig
from trainables.seeding import generator, permutation
from trainables.team import Team

PLAIN = TrainConfig(flip_prob=0.0, jitter=0.0, batch_size=8)


def draw(*, flip: float = 0.0, brightness: float = 1.0, contrast: float = 1.0, saturation: float = 1.0) -> torch.Tensor:
    return torch.tensor([[flip, brightness, contrast, saturation]])


def train(arrays, condition=None, *, cfg=PLAIN, seed=0, epoch=0, team=None):
    view = view_of(arrays, paper_roles(arrays), condition or Condition(), "fear")
    return list(train_batches(view, cfg, seed=seed, epoch=epoch, team=team or Team()))


def pixels(batches) -> torch.Tensor:
    return torch.cat([batch.x_BCHW for batch in batches])


def shades(batches) -> list[int]:
    """Which photos these are, where `numbered` photos have one shade each."""
    return (pixels(batches)[:, 0, 0, 0] * 255).round().int().tolist()


@pytest.fixture
def numbered(tiny_arrays):
    frame_u8 = np.broadcast_to(np.arange(24, dtype=np.uint8)[:, None, None, None], (24, 32, 32, 3)).copy()
    return replace(tiny_arrays, frame_u8=frame_u8)


@pytest.mark.parametrize("seed", range(3))
def test_jitter_equals_torchvision_photo_by_photo(seed):
    x_BCHW = torch.rand(6, 3, 9, 7, generator=torch.Generator().manual_seed(seed))
    draws = draw_augmentation(6, TrainConfig(jitter=0.6, flip_prob=0.0), seed=seed, epoch=0)
    expected = [
        tv.adjust_saturation(tv.adjust_contrast(tv.adjust_brightness(x, b), c), s)
        for x, (_, b, c, s) in zip(x_BCHW, draws.tolist(), strict=True)
    ]
    torch.testing.assert_close(augment(x_BCHW, draws), torch.stack(expected), rtol=0, atol=1e-5)


@pytest.mark.parametrize("factor", [0.5, 1.7])
@pytest.mark.parametrize("kind", ["brightness", "contrast", "saturation"])
def test_each_factor_is_torchvisions_adjustment_of_that_name(kind, factor):
    x_BCHW = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    expected = getattr(tv, f"adjust_{kind}")(x_BCHW[0], factor)
    torch.testing.assert_close(augment(x_BCHW, draw(**{kind: factor}))[0], expected, rtol=0, atol=1e-5)


def test_flip_takes_the_landmarks_along():
    x_BCHW, points = torch.zeros(1, 3, 10, 10), torch.rand(1, 5, 2)
    points[0, 0] = torch.tensor([0.25, 0.35])  # the left eye, in the middle of pixel x 2, y 3
    x_BCHW[0, :, 3, 2] = 1.0
    flipped, moved = augment(x_BCHW, draw(flip=1.0)), flip_landmarks(points, draw(flip=1.0))
    x, y = (moved[0, 1] * 10).int().tolist()  # seen in a mirror it is the right eye
    assert (x, y, flipped[0, 0, y, x].item()) == (7, 3, 1.0)
    assert torch.equal(moved[0, :, 1], points[0, [1, 0, 2, 4, 3], 1])
    torch.testing.assert_close(moved[0, :, 0], 1 - points[0, [1, 0, 2, 4, 3], 0])


def test_no_flip_changes_nothing():
    x_BCHW, points = torch.rand(1, 3, 6, 6), torch.rand(1, 5, 2)
    torch.testing.assert_close(augment(x_BCHW, draw()), x_BCHW)
    assert torch.equal(flip_landmarks(points, draw()), points)


def test_each_photo_of_a_batch_has_its_own_flip():
    x_BCHW = torch.rand(2, 3, 6, 6)
    out = augment(x_BCHW, torch.cat([draw(flip=1.0), draw()]))
    torch.testing.assert_close(out, torch.stack([x_BCHW[0].flip(-1), x_BCHW[1]]))


def test_draws_depend_on_seed_and_epoch_alone():
    cfg = TrainConfig()
    torch.manual_seed(1)
    first = draw_augmentation(50, cfg, seed=3, epoch=4)
    torch.manual_seed(2)
    assert torch.equal(first, draw_augmentation(50, cfg, seed=3, epoch=4))
    assert not torch.equal(first, draw_augmentation(50, cfg, seed=4, epoch=3))
    assert not torch.equal(first, draw_augmentation(50, cfg, seed=3, epoch=5))


def test_draws_keep_to_the_recipe():
    draws = draw_augmentation(4000, TrainConfig(flip_prob=0.25, jitter=0.1), seed=0, epoch=0)
    assert set(draws[:, 0].tolist()) == {0.0, 1.0}
    assert draws[:, 0].mean().item() == pytest.approx(0.25, abs=0.03)
    assert 0.9 <= draws[:, 1:].min() < 0.905
    assert 1.095 < draws[:, 1:].max() <= 1.1


def test_purposes_and_seeds_have_generators_of_their_own():
    firsts = [torch.rand(1, generator=generator(*key)).item() for key in [(0, "a"), (0, "b"), (1, "a"), (0, "a", 1)]]
    assert len(set(firsts)) == 4
    assert sorted(permutation(30, 5, "order", 1).tolist()) == list(range(30))


def test_every_training_photo_is_met_once_an_epoch_in_another_order(numbered):
    first, second = (shades(train(numbered, epoch=epoch)) for epoch in (0, 1))
    assert sorted(first) == sorted(second) == list(range(15))
    assert first != second != sorted(second)


@pytest.mark.parametrize(("batch_size", "sizes"), [(8, [8, 7]), (7, [7, 8]), (5, [5, 5, 5]), (20, [15]), (14, [15])])
def test_last_batch_never_has_one_row(numbered, batch_size, sizes):
    batches = train(numbered, cfg=PLAIN.replace(batch_size=batch_size))
    assert [len(batch.label_B) for batch in batches] == [batch.num_rows for batch in batches] == sizes


def test_conditions_of_one_seed_see_the_same_photos_in_one_order_with_the_same_draws(tiny_arrays):
    everyone = train(tiny_arrays, cfg=TrainConfig(batch_size=8))
    without_fear = train(tiny_arrays, Condition(rare_class_excluded=True), cfg=TrainConfig(batch_size=4))
    kept = torch.cat([batch.label_B for batch in everyone]) != 1
    assert 0 < (~kept).sum() < len(kept)
    assert torch.equal(pixels(everyone)[kept], pixels(without_fear))


@pytest.mark.parametrize("size", [2, 3])
def test_workers_share_the_rows_of_every_batch(tiny_arrays, size):
    cfg = TrainConfig(batch_size=8)
    parts = [train(tiny_arrays, cfg=cfg, team=Team(rank=rank, size=size)) for rank in range(size)]
    for whole, *shares in zip(train(tiny_arrays, cfg=cfg), *parts, strict=True):
        assert {share.num_rows for share in shares} == {whole.num_rows}
        for rank, share in enumerate(shares):
            assert torch.equal(share.x_BCHW, whole.x_BCHW[rank::size])
            assert torch.equal(share.label_B, whole.label_B[rank::size])
            assert torch.equal(share.landmarks_BF, whole.landmarks_BF[rank::size])


@pytest.mark.parametrize("crop", [True, False])
def test_reported_photos_come_in_order_and_unchanged(tiny_arrays, crop):
    view = view_of(tiny_arrays, paper_roles(tiny_arrays), Condition(crop=crop), "fear")
    (batch,) = eval_batches(view, view.rows_report, Team())
    source = tiny_arrays.face_u8 if crop else tiny_arrays.frame_u8
    expected = torch.from_numpy(source[15:]).permute(0, 3, 1, 2)
    assert torch.equal((batch.x_BCHW * 255).round().byte(), expected)
    assert batch.label_B.tolist() == tiny_arrays.label[15:].tolist()


def test_rare_class_is_left_out_of_photos_and_outputs(tiny_arrays):
    view = view_of(tiny_arrays, paper_roles(tiny_arrays), Condition(rare_class_excluded=True), "fear")
    assert view.classes == ("anger", "joy")
    assert (len(view.rows_train), len(view.rows_report), len(view.rows_excluded)) == (10, 6, 3)
    assert view.selects_on_reported
    names = [view.classes[index] for index in view.label_of_N[view.rows_train]]
    assert names == [tiny_arrays.classes[index] for index in tiny_arrays.label[view.rows_train]]


def test_landmarks_are_zero_and_flagged_where_no_face_was_found(tiny_arrays):
    batches = train(tiny_arrays, cfg=TrainConfig(batch_size=8, flip_prob=1.0))
    landmarks = torch.cat([batch.landmarks_BF for batch in batches])
    lost = landmarks[:, 10] == 0
    assert lost.sum() == 1  # photo 7 of the 15
    assert (landmarks[lost] == 0).all()
    assert (landmarks[~lost, 10] == 1).all()
    assert (landmarks[~lost, :10] != 0).all()
