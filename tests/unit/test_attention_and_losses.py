"""ECA as its paper has it, and the losses by hand."""

from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from timm.layers import SEModule
from timm.models._efficientnet_blocks import DepthwiseSeparableConv, InvertedResidual, SqueezeExcite
from torch.nn import functional

from tests.unit.roles import paper_roles
from trainables.attention import EfficientChannelAttention, eca_kernel_size
from trainables.checkpoint import no_checkpoints
from trainables.condition import Condition
from trainables.losses import CrossEntropy, LogitAdjustedFocal, build_loss
from trainables.metrics import macro_f1
from trainables.model import build_model
from trainables.recipe import ModelConfig, TrainConfig
from trainables.team import Team
from trainables.train import run_training

BACKBONES = ["tf_efficientnet_lite0", "efficientnet_b0"]
LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 3.0, 1.0], [-2.0, 0.1, 0.2], [1.0, 1.0, 1.0]])
LABELS = torch.tensor([0, 2, 1, 2])
PRIOR = torch.tensor([0.5, 0.3, 0.2])


@pytest.mark.parametrize(("channels", "size"), [(16, 3), (64, 3), (128, 5), (256, 5), (512, 5), (1280, 5), (2048, 7)])
def test_kernel_size_is_that_of_equation_12(channels, size):
    # |(log2 C + 1) / 2|, made odd as in the authors' code: 16 gives 2.5, 2, so 3; 1280 gives 5.66, so 5.
    assert eca_kernel_size(channels) == size


def test_eca_equals_a_loop_over_channels():
    torch.manual_seed(0)
    eca, x_BCHW = EfficientChannelAttention(64), torch.randn(2, 64, 3, 4)
    kernel = eca.conv.weight.detach().flatten()
    with torch.no_grad():
        actual = eca(x_BCHW)
    for row in range(2):
        means = [x_BCHW[row, channel].mean() for channel in range(64)]
        for channel in range(64):
            near = [means[channel + k - 1] * kernel[k] for k in range(3) if 0 <= channel + k - 1 < 64]
            expected = x_BCHW[row, channel] * torch.sigmoid(sum(near))
            torch.testing.assert_close(actual[row, channel], expected)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_eca_blocks_puts_eca_into_every_block_and_leaves_no_squeeze_and_excitation(backbone):
    cfg = ModelConfig(backbone=backbone, weights="random")
    model = build_model(Condition(attention="eca_blocks"), cfg, num_classes=3, seed=0, imagenet=None)
    modules = list(model.modules())
    blocks = [module for module in modules if isinstance(module, (InvertedResidual, DepthwiseSeparableConv))]
    assert len(blocks) == 16
    assert all(isinstance(block.se, EfficientChannelAttention) for block in blocks)
    assert not any(isinstance(module, (SqueezeExcite, SEModule)) for module in modules)
    assert model(torch.rand(2, 3, 32, 32)).shape == (2, 3)


@pytest.mark.parametrize(("attention", "extra"), [("none", 0), ("eca", 5)])
def test_eca_adds_one_kernel_after_the_last_feature_map(attention, extra):
    model = build_model(Condition(attention=attention), ModelConfig(), num_classes=3, seed=0, imagenet=None)
    plain = timm.create_model("tf_efficientnet_lite0", num_classes=3)
    difference = sum(p.numel() for p in model.parameters()) - sum(p.numel() for p in plain.parameters())
    assert difference == extra


def test_conditions_of_one_seed_share_the_parts_they_have_in_common():
    conditions = (Condition(), Condition(attention="eca", landmarks=True))
    plain, fused = (build_model(c, ModelConfig(), num_classes=3, seed=5, imagenet=None) for c in conditions)
    other = build_model(conditions[0], ModelConfig(), num_classes=3, seed=6, imagenet=None)
    assert torch.equal(plain.backbone.conv_stem.weight, fused.backbone.conv_stem.weight)
    assert not torch.equal(plain.backbone.conv_stem.weight, other.backbone.conv_stem.weight)


def test_building_a_model_leaves_the_global_generator_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    build_model(Condition(attention="eca", landmarks=True), ModelConfig(), num_classes=3, seed=0, imagenet=None)
    assert torch.equal(torch.rand(3), expected)


def test_focal_loss_without_focus_and_prior_is_cross_entropy():
    focal = LogitAdjustedFocal(PRIOR, gamma=0.0, tau=0.0)
    torch.testing.assert_close(focal(LOGITS, LABELS), CrossEntropy()(LOGITS, LABELS))


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_focal_loss_is_equation_4(gamma):
    p_B = LOGITS.softmax(1)[torch.arange(4), LABELS]
    torch.testing.assert_close(
        LogitAdjustedFocal(PRIOR, gamma=gamma, tau=0.0)(LOGITS, LABELS), (1 - p_B) ** gamma * -p_B.log()
    )


@pytest.mark.parametrize("tau", [0.5, 1.0])
def test_logit_adjustment_is_equation_10(tau):
    weighted_BK = LOGITS.exp() * PRIOR**tau
    expected_B = -(weighted_BK[torch.arange(4), LABELS] / weighted_BK.sum(1)).log()
    torch.testing.assert_close(LogitAdjustedFocal(PRIOR, gamma=0.0, tau=tau)(LOGITS, LABELS), expected_B)


def test_focal_gradient_is_finite_for_a_certain_prediction():
    logits = torch.tensor([[80.0, -80.0, -80.0]], requires_grad=True)
    LogitAdjustedFocal(PRIOR, gamma=0.5, tau=1.0)(logits, torch.tensor([0])).sum().backward()
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("tau", [0.0, 1.0])
def test_class_without_training_photos_does_not_spoil_the_loss(tau):
    loss = build_loss(
        "logit_adjusted_focal", TrainConfig(logit_tau=tau), train_labels=torch.tensor([0, 0, 1]), num_classes=3
    )
    assert loss(LOGITS[:1], torch.tensor([1])).isfinite().all()


def test_settings_of_the_recipe_reach_the_loss():
    cfg = TrainConfig(focal_gamma=1.5, logit_tau=0.7)
    loss = build_loss("logit_adjusted_focal", cfg, train_labels=torch.tensor([0, 0, 0, 1]), num_classes=2)
    expected = LogitAdjustedFocal(torch.tensor([0.75, 0.25]), gamma=1.5, tau=0.7)
    assert torch.equal(loss(LOGITS[:, :2], LABELS % 2), expected(LOGITS[:, :2], LABELS % 2))


def test_prior_is_that_of_the_training_rows_alone(monkeypatch, tiny_arrays, tiny_job):
    seen = []

    def spy(*settings, train_labels, num_classes):
        seen.append(train_labels.bincount(minlength=num_classes).tolist())
        return build_loss(*settings, train_labels=train_labels, num_classes=num_classes)

    split = np.array(["train"] * 4 + ["test"] * 20)  # the labels go 0, 1, 2, 0, 1, ...
    monkeypatch.setattr("trainables.train.build_loss", spy)
    job, arrays = tiny_job(Condition(loss="logit_adjusted_focal")), replace(tiny_arrays, split=split)
    run_training(
        job, arrays, paper_roles(arrays), None, team=Team(), checkpointer=no_checkpoints(), report=lambda record: None
    )
    assert seen == [[2, 1, 1]]


def test_macro_f1_counts_a_class_that_is_never_met_as_zero():
    logits = functional.one_hot(torch.tensor([0, 0, 1, 1]), 3).float()
    # F1 of class 0 is 1, of class 1 is 1, of class 2 (never true, never predicted) is 0.
    assert macro_f1(logits, torch.tensor([0, 0, 1, 1])) == pytest.approx(2 / 3)
