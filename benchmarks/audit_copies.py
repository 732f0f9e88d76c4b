"""How many planted copies are found, how many photographs are joined wrongly, and how long does it take?

    python benchmarks/audit_copies.py                        real faces, the defects an audit is judged by
    python benchmarks/audit_copies.py --defects all          every defect, and two of them together
    python benchmarks/audit_copies.py --peers                other tools on the same files, those that are installed
    python benchmarks/audit_copies.py --scaling              time a photo for 2,500 to 20,000 different photos

Every photo is planted once for each defect, as a JPEG of quality 88 in the folder of another photo; every tenth also as
the same bytes and, as PNG, with the same pixels. A false merge is one photograph too few: two that were joined.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from copy_peers import peers
from PIL import Image
from planted import DEFECTS, MAIN, defect_named, draw_pair, encoded
from tabulate import tabulate

from datasets.copies import find_photographs
from datasets.copies.exact import Sets
from datasets.measures import signature

DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data" / "faces821"
TWO = "two together"


class Planted(NamedTuple):
    """One file of the planted set."""

    file: Path
    original: int
    defect: str


def plant(data: Path, folder: Path, defects: list[str], limit: int | None) -> list[Planted]:
    """Write the photos of `data` and their copies into `folder`; the originals come first."""
    files = sorted(path for path in data.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    files = files[:limit]
    rng = np.random.default_rng(0)
    done: list[Planted] = []
    for original, file in enumerate(files):
        done.append(Planted(folder / file.relative_to(data).parent / f"{original:05d}{file.suffix}", original, ""))
        done[-1].file.parent.mkdir(parents=True, exist_ok=True)
        done[-1].file.write_bytes(file.read_bytes())
    for original, file in enumerate(files):
        image = Image.open(file).convert("RGB")
        for defect in defects:
            name = draw_pair(rng) if defect == TWO else defect
            quality = 45 if defect == "jpeg 45" else 88
            content = encoded(image if defect == "jpeg 45" else defect_named(name)(image, rng), quality)
            done.append(_beside(done[rng.integers(len(files))].file, f"{len(done):05d}.jpg", original, defect))
            done[-1].file.write_bytes(content)
        if original % 10 == 0:
            done.append(_beside(done[0].file, f"{len(done):05d}{file.suffix}", original, "same bytes"))
            done[-1].file.write_bytes(file.read_bytes())
            done.append(_beside(done[0].file, f"{len(done):05d}.png", original, "same pixels"))
            image.save(done[-1].file)
    return done


def _beside(other: Path, name: str, original: int, defect: str) -> Planted:
    return Planted(other.with_name(name), original, defect)


def row(name: str, planted: list[Planted], group: np.ndarray, seconds: str) -> list[str]:
    """A line of the table: recall by defect, false merges, seconds."""
    original = np.array([each.original for each in planted])
    defect = np.array([each.defect for each in planted])
    found = group == group[original]  # the originals come first
    joined = len({*original.tolist()}) - len({*group[defect == ""].tolist()})
    recall = [f"{100 * found[defect == kind].mean():.1f}" for kind in dict.fromkeys(defect.tolist()) if kind]
    return [name, *recall, f"{joined} ({100 * joined / len(planted):.2f} %)", seconds]


def ours(planted: list[Planted]) -> tuple[np.ndarray, str]:
    """Groups, and the seconds for signatures with hashes and for the search."""
    began = time.perf_counter()
    files, pixels, signatures = [], [], []
    for each in planted:
        content = each.file.read_bytes()
        image = Image.open(each.file).convert("RGB")
        files.append(hashlib.sha256(content).hexdigest())
        pixels.append(hashlib.sha256(repr(image.size).encode() + image.tobytes()).hexdigest())
        signatures.append(signature(image))
    middle = time.perf_counter()
    group = find_photographs(files, pixels, signatures).group
    return group, f"{middle - began:.1f} + {time.perf_counter() - middle:.1f}"


def of_pairs(pairs: np.ndarray, num: int) -> np.ndarray:
    """Connected components, as groups."""
    sets = Sets(num)
    for a, b in pairs.tolist():
        sets.join(a, b)
    return sets.roots()


def different_photos(data: Path, num: int) -> list[bytes]:
    """Signatures of photos each made of parts of four real ones, so that no two are the same photograph."""
    rng = np.random.default_rng(0)
    files = sorted(data.rglob("*.jpg"))
    real = [np.asarray(Image.open(file).convert("L").resize((128, 128), Image.Resampling.BILINEAR)) for file in files]
    made = []
    for _ in range(num):
        canvas = np.empty((128, 128), np.uint8)
        for top in (0, 64):
            for left in (0, 64):
                part, y, x = real[rng.integers(len(real))], *rng.integers(0, 64, 2)
                canvas[top : top + 64, left : left + 64] = part[y : y + 64, x : x + 64]
        made.append(signature(Image.fromarray(canvas)))
    return made


def compile_loops(content: bytes) -> None:
    """Search among a few copies, so that compiling is not timed."""
    find_photographs([None] * 3, [None] * 3, [content] * 3)


def scaling(data: Path) -> None:
    """Print seconds and milliseconds a photo by number of photos."""
    lines = []
    different_signatures = different_photos(data, 20_000)
    compile_loops(different_signatures[0])
    for num in (2_500, 5_000, 10_000, 20_000):
        began = time.perf_counter()
        found = find_photographs([None] * num, [None] * num, different_signatures[:num])
        seconds = time.perf_counter() - began
        lines.append([num, f"{seconds:.1f}", f"{1e3 * seconds / num:.2f}", num - len(np.unique(found.group))])
    print(tabulate(lines, ["photos", "s", "ms a photo", "false merges"], tablefmt="github"))


def main() -> None:
    """Plant, search, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DEFAULT)
    parser.add_argument("--defects", choices=["main", "all"], default="main")
    parser.add_argument("--photos", type=int, help="the first so many of the set")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--scaling", action="store_true")
    options = parser.parse_args()
    if not options.data.is_dir():
        print(f"{options.data} does not exist: name a folder of photos with --data.")
        return
    if options.scaling:
        scaling(options.data)
        return
    defects = [*MAIN] if options.defects == "main" else [*DEFECTS, TWO]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "photos"
        planted = plant(options.data, folder, defects, options.photos)
        headers = ["tool", *dict.fromkeys(each.defect for each in planted if each.defect), "false merges", "s"]
        compile_loops(signature(Image.open(planted[0].file)))
        lines = [row("facet", planted, *ours(planted))]
        for name, run in peers([each.file for each in planted], folder) if options.peers else ():
            began = time.perf_counter()
            try:
                group = of_pairs(run(), len(planted))
            except Exception as error:  # whatever a tool's own environment lacks
                print(f"{name} did not run: {error!r}")
                continue
            lines.append(row(name, planted, group, f"{time.perf_counter() - began:.1f}"))
    print(f"{len(planted)} photos of {options.data.name}, {len({each.original for each in planted})} of them originals")
    print(tabulate(lines, headers, tablefmt="github"))


if __name__ == "__main__":
    main()
