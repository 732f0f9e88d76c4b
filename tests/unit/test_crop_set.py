"""The shards of a set, written without Ray: what is reused, what is computed, and that no byte tells which."""

import hashlib
import json
import random
import shutil
import tracemalloc
from collections.abc import Generator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.assembly import PhotoChangedError
from datasets.crop_set import CropSet, drop_damaged, write_shards
from datasets.cropper import CropConfig
from datasets.folder import Folder
from datasets.reuse import plan_rows
from datasets.shards import SCHEMA, CropManifest, read_manifest, shard_name, write_manifest
from datasets.sources import Photo

CFG = CropConfig(image_size=32)
SHARD_ROWS = 4


def sha256_of(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest() if content else ""


FAILS = "content that no detector survives"


def computed_row(photo: Photo, content: str) -> dict:
    """What a cropper would make of a file with this content, which may be "" where it cannot be read."""
    seed = random.Random(content)
    row = {"path": photo.path, "label": photo.label, "split": photo.split, "subject": photo.subject}
    row |= {"file_sha256": sha256_of(content), "status": "unreadable"}
    if content:
        row |= {"status": "no_face", "width": seed.randrange(999), "height": 7, "frame": seed.randbytes(50)}
    if content == FAILS:
        return row | {"status": "failed"}
    if content and seed.random() < 0.7:
        row |= {"status": "ok", "box": [seed.random()] * 4, "landmarks": [0.5] * 10, "face": seed.randbytes(90)}
    return row


class Bench:
    """Makes sets out of {path: content} in one crops root, and notes what was computed."""

    def __init__(self, root: Path) -> None:
        self.root, self.computed, self.said, self.counts = root, [], [], []
        self.batch_rows = 3

    def to_crop(self, num_photos: int) -> None:
        pass

    def progress(self, done: int, total: int) -> None:
        self.counts.append((done, total))

    def say(self, text: str) -> None:
        self.said.append(text)

    def write(self, name: str, contents: dict[str, str], *, label: str = "joy", cfg=CFG, finish: bool = True) -> Path:
        photos = [Photo(path, label, "train") for path in sorted(contents)]
        self.computed, self.said, self.counts = [], [], []

        def compute(left: Sequence[Photo]) -> Generator[pa.Table, None, None]:
            for start in range(0, len(left), self.batch_rows):
                batch = left[start : start + self.batch_rows]
                self.computed += [photo.path for photo in batch]
                rows = [computed_row(photo, contents[photo.path]) for photo in batch]
                yield pa.Table.from_pylist(rows, schema=SCHEMA)

        folder = Folder.at(self.root / name)
        hashes = [sha256_of(contents[photo.path]) for photo in photos]
        statuses = write_shards(CropSet(photos, hashes, cfg, folder, SHARD_ROWS), compute, self)
        assert sum(statuses.values()) == len(photos)
        if finish:
            crop, shards = dict(cfg.to_dict()), folder.names(".parquet")
            write_manifest(
                folder, CropManifest(name, "x", False, crop, ["joy"], len(photos), dict(statuses), shards, {})
            )
        return self.root / name


@pytest.fixture
def bench(tmp_path) -> Bench:
    return Bench(tmp_path / "crops")


@pytest.fixture
def fresh(tmp_path):
    """`fresh(contents)`: the shards of a set that was made where there was nothing to reuse, as {name: bytes}."""
    alone = iter(range(1000))

    def make(contents: dict[str, str], **more) -> dict[str, bytes]:
        return shards_in(Bench(tmp_path / f"alone{next(alone)}").write("set", contents, **more))

    return make


def shards_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.parquet"))}


def photos_of(letters: str) -> dict[str, str]:
    return {f"{letter}.jpg": f"content of {letter}" for letter in letters}


@pytest.mark.parametrize("new", ["a", "n", "z", "amz", "abcdefgh"])
def test_added_photos_alone_are_computed(bench, fresh, new):
    old = {path: text for path, text in photos_of("bcdefghijklmnopqrst").items() if path[0] not in new}
    bench.write("old", old)
    both = old | photos_of(new)
    assert shards_in(bench.write("both", both)) == fresh(both)
    assert bench.computed == [f"{letter}.jpg" for letter in new]
    assert bench.said == [f"{len(both)} photos: {len(old)} cropped before, {len(new)} left to crop."]
    assert bench.counts[-1] == (len(both), len(both))
    assert bench.counts == sorted(bench.counts)


def test_renamed_photos_of_another_class_are_not_computed(bench, fresh):
    old = photos_of("abcdefghijk")
    bench.write("old", old)
    texts = list(old.values())
    random.Random(0).shuffle(texts)
    new = dict(zip((f"{letter}/0.jpg" for letter in "zyxwvutsrqp"), texts, strict=True))
    assert shards_in(bench.write("new", new, label="sad")) == fresh(new, label="sad")
    assert bench.computed == []


def test_rows_come_from_several_sets_finished_or_not(bench, fresh):
    bench.write("one", photos_of("abcde"))
    bench.write("two", photos_of("fghij"), finish=False)
    both = photos_of("abcdefghijk")
    assert shards_in(bench.write("both", both)) == fresh(both)
    assert bench.computed == ["k.jpg"]


@pytest.mark.parametrize("change", [{"image_size": 64}, {"margin_frac": 0.1}])
def test_rows_made_by_other_settings_are_computed_again(bench, change):
    bench.write("old", photos_of("abcde"), cfg=CFG.replace(**change))
    bench.write("new", photos_of("abcde"))
    assert len(bench.computed) == 5


def test_rows_of_another_format_are_computed_again(bench):
    old = bench.write("old", photos_of("abcde"))
    for file in (old / "settings.json", old / "manifest.json"):
        file.write_text(json.dumps(json.loads(file.read_text()) | {"format": -1}))
    bench.write("new", photos_of("abcde"))
    assert len(bench.computed) == 5


def test_set_of_an_earlier_version_is_known_by_its_manifest(bench):
    (bench.write("old", photos_of("abcde")) / "settings.json").unlink()
    bench.write("new", photos_of("abcdef"))
    assert bench.computed == ["f.jpg"]


def test_file_that_stands_twice_is_computed_once(bench, fresh):
    contents = photos_of("abcdefghij") | {"b2.jpg": "content of b", "z.jpg": "content of a", "zz.jpg": "content of j"}
    folder = bench.write("set", contents)
    assert bench.computed == [f"{letter}.jpg" for letter in "abcdefghij"]
    assert bench.said == ["13 photos: 0 cropped before, 3 there twice, 10 left to crop."]
    rows = pa.concat_tables([pq.read_table(path) for path in sorted(folder.glob("*.parquet"))]).to_pylist()
    assert rows == [
        dict.fromkeys(SCHEMA.names) | computed_row(Photo(path, "joy", "train"), contents[path]) | {"box": row["box"]}
        for path, row in zip(sorted(contents), rows, strict=True)
    ]


def test_file_that_could_not_be_read_is_neither_reused_nor_a_repetition(bench):
    contents = photos_of("abc") | {"x.jpg": "", "y.jpg": ""}
    bench.write("old", contents)
    bench.write("new", contents | photos_of("d"))
    assert bench.computed == ["d.jpg", "x.jpg", "y.jpg"]


def test_photo_on_which_the_search_failed_is_tried_again(bench):
    bench.write("old", photos_of("abc") | {"x.jpg": FAILS})
    bench.write("new", photos_of("abc") | {"x.jpg": FAILS})
    assert bench.computed == ["x.jpg"]


@pytest.mark.parametrize("batch_rows", [1, 4, 5, 100])
def test_size_of_batches_changes_no_byte(bench, fresh, batch_rows):
    bench.batch_rows = batch_rows
    assert shards_in(bench.write("set", photos_of("abcdefghijk"))) == fresh(photos_of("abcdefghijk"))


def test_finished_shards_of_an_unfinished_set_stay(bench, fresh):
    contents = photos_of("abcdefghij") | {"k.jpg": "content of a"}
    folder = bench.write("set", contents)
    for name in ("manifest.json", shard_name(1), shard_name(2)):
        (folder / name).unlink()
    kept_at = (folder / shard_name(0)).stat().st_mtime_ns
    assert shards_in(bench.write("set", contents)) == fresh(contents)
    assert bench.computed == [f"{letter}.jpg" for letter in "efghij"]
    assert (folder / shard_name(0)).stat().st_mtime_ns == kept_at


def flipped(file: Path, column: str = "frame") -> None:
    """One bit of a column, by default of a picture: the file opens, and its hashes can be read."""
    content = bytearray(file.read_bytes())
    with pq.ParquetFile(file) as shard:
        leaves = [shard.metadata.row_group(0).column(index) for index in range(shard.metadata.num_columns)]
    (chunk,) = (leaf for leaf in leaves if leaf.path_in_schema == column)
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    content[start + chunk.total_compressed_size - 1] ^= 1
    file.write_bytes(bytes(content))


DAMAGES = {
    "junk for settings": lambda old: [(old / name).write_text("[") for name in ("settings.json", "manifest.json")],
    "other settings": lambda old: [(old / name).write_text("[]") for name in ("settings.json", "manifest.json")],
    "junk for a shard": lambda old: (old / shard_name(0)).write_bytes(b"junk"),
    "empty shard": lambda old: (old / shard_name(0)).write_bytes(b""),
    "shard cut short": lambda old: (old / shard_name(1)).write_bytes((old / shard_name(1)).read_bytes()[:-50]),
    "damaged picture": lambda old: flipped(old / shard_name(1)),
    "someone's table": lambda old: pq.write_table(pa.table({"file_sha256": ["zz"]}), old / shard_name(0)),
    "our columns, odd hash": lambda old: pq.write_table(
        pa.Table.from_pylist([{"file_sha256": "no hex"}], schema=SCHEMA), old / shard_name(0)
    ),
    "folder for a shard": lambda old: [(old / shard_name(0)).unlink(), (old / shard_name(0)).mkdir()],
    "set gone": shutil.rmtree,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_set_is_passed_over(bench, fresh, damage):
    damage(bench.write("old", photos_of("abcdefgh")))
    (bench.root / "a file.txt").write_text("someone's")
    (bench.root / "a folder").mkdir()
    contents = photos_of("abcdefghij")
    assert shards_in(bench.write("new", contents)) == fresh(contents)
    assert set(bench.computed) >= {"i.jpg", "j.jpg"}


def test_picture_damaged_in_a_shard_costs_the_rows_of_that_shard_alone(bench, fresh):
    flipped(bench.write("old", photos_of("abcdefghijkl")) / shard_name(1))
    contents = photos_of("abcdefghijklm")
    assert shards_in(bench.write("new", contents)) == fresh(contents)
    assert set(bench.computed) == {"e.jpg", "f.jpg", "g.jpg", "h.jpg", "m.jpg"}


@pytest.mark.parametrize(
    "damage",
    [lambda file: file.write_bytes(b"junk"), flipped, lambda file: flipped(file, "status")],
    ids=["junk", "picture", "status"],
)
def test_damaged_shard_of_the_set_itself_is_made_again(bench, fresh, damage):
    contents = photos_of("abcdefgh") | {"z.jpg": "content of a"}
    folder = bench.write("set", contents)
    (folder / shard_name(2)).unlink()
    damage(folder / shard_name(0))
    assert shards_in(bench.write("set", contents)) == fresh(contents)


@pytest.mark.parametrize("damage", [lambda file: file.unlink(), flipped], ids=["gone", "picture"])
def test_finished_set_lets_go_of_a_shard_that_cannot_be_read(bench, fresh, damage):
    contents = photos_of("abcdefghijkl")
    folder = bench.write("set", contents)
    assert drop_damaged(Folder.at(folder)) == []
    write_manifest(Folder.at(folder), manifest_of(3))
    damage(folder / shard_name(1))
    assert drop_damaged(Folder.at(folder)) == [shard_name(1)]
    assert read_manifest(Folder.at(folder)) is None
    assert shards_in(bench.write("set", contents)) == fresh(contents)
    assert {"e.jpg", "f.jpg", "g.jpg", "h.jpg"} <= set(bench.computed) <= {f"{name}.jpg" for name in "efghijkl"}


def manifest_of(num_shards: int) -> CropManifest:
    names = [shard_name(index) for index in range(num_shards)]
    return CropManifest("f", "s", False, {}, ["joy"], 12, {"ok": 12}, names, {})


def test_changed_photo_stops_the_set_and_keeps_the_shards_before_it(bench, monkeypatch):
    contents = photos_of("abcdefghij")

    class Changing(dict):
        def __getitem__(self, path: str) -> str:
            text = super().__getitem__(path)
            return text + "!" if path == "f.jpg" and "c.jpg" in bench.computed else text

    with pytest.raises(PhotoChangedError, match=r"`f.jpg` could not be read as before: it changed, or .* Run again"):
        bench.write("set", Changing(contents))
    assert list(shards_in(bench.root / "set")) == [shard_name(0)]
    bench.write("set", contents)
    assert bench.computed[0] == "e.jpg"


@given(
    before=st.lists(st.lists(st.integers(0, 15), max_size=12), max_size=3),
    now=st.lists(st.integers(0, 15), min_size=1, max_size=20),
    finished=st.integers(0, 5),
)
@settings(max_examples=25)
def test_whatever_is_reused_no_byte_tells(tmp_path_factory, before, now, finished):
    """Contents may stand several times; 0 is a file that cannot be read."""
    root = tmp_path_factory.mktemp("any")
    bench, alone = Bench(root / "crops"), Bench(root / "alone")
    for number, contents in enumerate(before):
        bench.write(f"old{number}", {f"{index:02d}": str(text or "") for index, text in enumerate(contents)})
    contents = {f"{index:02d}": str(text or "") for index, text in enumerate(now)}
    expected = shards_in(alone.write("set", contents))
    for index in range(min(finished, len(expected))):  # an earlier call got so far
        (bench.root / "new").mkdir(parents=True, exist_ok=True)
        (bench.root / "new" / shard_name(index)).write_bytes(expected[shard_name(index)])
    assert shards_in(bench.write("new", contents)) == expected
    unknown = {text for text in contents.values() if text} - {str(text) for old in before for text in old}
    assert len(bench.computed) <= len(unknown) + list(contents.values()).count("")


def test_a_plan_takes_some_bytes_a_photo(tmp_path):
    num_photos = 40_000
    hashes = [sha256_of(str(index)) for index in range(num_photos)]
    tracemalloc.start()
    plan = plan_rows(hashes, Folder.at(tmp_path / "set"), CFG)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(plan.row) == num_photos
    assert kept / num_photos < 20
    assert peak / num_photos < 250
