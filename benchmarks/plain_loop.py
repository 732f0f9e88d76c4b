"""Is a trial what a plain PyTorch script of the same recipe computes, and what does the difference cost?

The script below is written as one would without this project: timm, a loop, no Ray, no checkpoints, no classes. It
starts from the same weights and takes the same draws (order of photos, flips, colour factors), and nothing else.

    python benchmarks/plain_loop.py                      the generated sample
    python benchmarks/plain_loop.py --data photos/ --epochs 4 --pairs 3

Prints the largest difference between the epochs' losses and, over interleaved pairs, the ratio of times.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import timm
import torch
from torch import nn
from torch.nn import functional

from datasets.cropper import CropConfig, PhotoCropper
from datasets.folder import Folder
from datasets.protocols import REPORT, TRAIN
from datasets.sample import write_sample
from datasets.shards import SCHEMA, CropManifest, write_manifest, write_shard
from datasets.sources import SourceConfig, open_source
from datasets.splits import split_source
from datasets.store import PhotoArrays, load_arrays
from search_spaces.conditions import PROPOSED
from trainables.augment import draw_augmentation
from trainables.checkpoint import no_checkpoints
from trainables.job import TrialJob
from trainables.model import build_model
from trainables.recipe import ModelConfig, TrainConfig
from trainables.seeding import permutation
from trainables.team import Team
from trainables.train import run_training
from trainables.weights import imagenet_state

RARE = "fear"


class PlainNet(nn.Module):
    """EfficientNet, one ECA, pooling, classifier."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.backbone = timm.create_model("tf_efficientnet_lite0", num_classes=0, global_pool="")
        self.eca = nn.Conv1d(1, 1, 5, padding=2, bias=False)
        self.classifier = nn.Linear(1280, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits of pixels in [0, 1]."""
        x = self.backbone.forward_features((x - 0.5) / 0.5)
        weight = self.eca(x.mean((2, 3))[:, None]).sigmoid()[:, 0, :, None, None]
        return self.classifier((x * weight).mean((2, 3)))


def plain_script(arrays: PhotoArrays, cfg: TrainConfig, seed: int, start: dict[str, torch.Tensor]) -> list[list[float]]:
    """Train the proposed condition; (training loss, validation loss) of every epoch."""
    classes = [name for name in arrays.classes if name != RARE]
    labels = np.array([classes.index(name) if name in classes else -1 for name in arrays.classes])[arrays.label]
    train_rows = np.flatnonzero((labels >= 0) & (arrays.split == "train"))
    test_rows = np.flatnonzero((labels >= 0) & (arrays.split == "test"))
    net = PlainNet(len(classes)).to(memory_format=torch.channels_last)
    renamed = {name.replace("attention.conv", "eca"): tensor for name, tensor in start.items()}
    net.load_state_dict({name: tensor for name, tensor in renamed.items() if name not in ("mean", "std")})
    losses = []
    for epoch in range(cfg.epochs):
        frozen = epoch < cfg.head_epochs
        if epoch in (0, cfg.head_epochs):
            for parameter in [*net.backbone.parameters(), *net.eca.parameters()]:
                parameter.requires_grad_(not frozen)
            lr = cfg.head_lr if frozen else cfg.finetune_lr
            optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=lr)
        net.train()
        if frozen:
            net.backbone.eval()
        order = permutation(len(arrays), seed, "order", epoch).numpy()
        draws = draw_augmentation(len(arrays), cfg, seed=seed, epoch=epoch)
        rows, total = order[np.isin(order, train_rows)], 0.0
        batches = [rows[i : i + cfg.batch_size] for i in range(0, len(rows), cfg.batch_size)]
        if len(batches[-1]) == 1:
            batches[-2:] = [np.concatenate(batches[-2:])]
        for batch in batches:
            x = torch.from_numpy(arrays.face_u8[batch]).permute(0, 3, 1, 2).float() / 255.0
            x = plain_augment(x, draws[batch])
            loss = functional.cross_entropy(net(x), torch.from_numpy(labels[batch]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        net.eval()
        with torch.no_grad():
            x = torch.from_numpy(arrays.face_u8[test_rows]).permute(0, 3, 1, 2).float() / 255.0
            logits = torch.cat([net(part) for part in x.split(128)])
        losses.append([total / len(rows), functional.cross_entropy(logits, torch.from_numpy(labels[test_rows])).item()])
    return losses


def plain_augment(x: torch.Tensor, draws: torch.Tensor) -> torch.Tensor:
    """Photo by photo, as one would write it first."""
    grey_of = torch.tensor([0.2989, 0.587, 0.114]).view(3, 1, 1)
    done = []
    for photo, (flip, brightness, contrast, saturation) in zip(x, draws.tolist(), strict=True):
        photo = photo.flip(-1) if flip else photo
        photo = (photo * brightness).clamp(0, 1)
        photo = (contrast * photo + (1 - contrast) * (photo * grey_of).sum(0).mean()).clamp(0, 1)
        photo = (saturation * photo + (1 - saturation) * (photo * grey_of).sum(0)).clamp(0, 1)
        done.append(photo)
    return torch.stack(done).contiguous(memory_format=torch.channels_last)


def crop_in_process(data: str, image_size: int, scratch: Path) -> PhotoArrays:
    """The arrays of a source, cropped here and now."""
    source = open_source(data)
    photos, cfg = split_source(source, SourceConfig()), CropConfig(image_size=image_size)
    columns = {
        name: np.array([getattr(p, name) for p in photos], object) for name in ("path", "label", "split", "subject")
    }
    table = pa.table(PhotoCropper(cfg, source.reader)(columns), schema=SCHEMA)
    folder = Folder.at(scratch / "crops")
    names = [write_shard(folder, 0, table)]
    manifest = CropManifest(
        "", source.name, source.generated, dict(cfg.to_dict()), list(source.classes), len(photos), {}, names, {}
    )
    write_manifest(folder, manifest)
    return load_arrays(folder)


def main() -> None:
    """Run both in turn and print what they differ by."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="labelled photos; by default the generated sample")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        if options.data is None:
            write_sample(Path(scratch) / "sample")
        arrays = crop_in_process(options.data or f"{scratch}/sample", options.image_size, Path(scratch))
    cfg = TrainConfig(epochs=options.epochs, head_epochs=max(1, options.epochs // 2))
    job = TrialJob(
        key="bench",
        name="proposed",
        protocol="paper",
        seed=0,
        condition=PROPOSED,
        model=ModelConfig(),
        train=cfg,
        rare_class=RARE,
    )
    imagenet = imagenet_state("tf_efficientnet_lite0", "imagenet")
    num_classes = len(arrays.classes) - (RARE in arrays.classes)
    start = build_model(PROPOSED, ModelConfig(), num_classes=num_classes, seed=0, imagenet=imagenet).state_dict()
    roles = np.where(arrays.split == "train", TRAIN, REPORT).astype(np.int8)
    differences, ratios = [], []
    for _ in range(options.pairs):
        began = time.perf_counter()
        outcome = run_training(
            job, arrays, roles, imagenet, team=Team(), checkpointer=no_checkpoints(), report=lambda record: None
        )
        middle = time.perf_counter()
        plain = plain_script(arrays, cfg, 0, {name: tensor.clone() for name, tensor in start.items()})
        ratios.append((middle - began) / (time.perf_counter() - middle))
        ours = [[record.train_loss, record.val_loss] for record in outcome.state.epochs]
        differences.append(float(np.abs(np.array(ours) - np.array(plain)).max()))
    for epoch, (mine, theirs) in enumerate(zip(ours, plain, strict=True)):
        print(f"epoch {epoch}: train {mine[0]:.9f} / {theirs[0]:.9f}, validation {mine[1]:.9f} / {theirs[1]:.9f}")
    summary = {
        "photos": len(arrays),
        "image_size": options.image_size,
        "largest_loss_difference": max(differences),
        "time_ratio_to_plain_loop_median": round(statistics.median(ratios), 3),
        "time_ratio_min": round(min(ratios), 3),
        "time_ratio_max": round(max(ratios), 3),
        "pairs": options.pairs,
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
