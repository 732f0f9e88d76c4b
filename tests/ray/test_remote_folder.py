"""Photos and run folder in object storage, as on a cluster without a shared disk. The storage is a server in memory."""

import json
import logging
import pickle
import threading
from collections.abc import Callable, Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

from datasets import sources
from datasets.crop_set import NoNews
from datasets.cropper import CropConfig
from datasets.errors import UserError
from datasets.folder import Folder
from datasets.hashes import HashCache, hash_photos
from datasets.pipeline import CropResources, crop_photos
from datasets.sources import SourceConfig, open_source
from datasets.splits import split_source

BUCKET = "study"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing", "AWS_DEFAULT_REGION": "us-east-1"}
WRITTEN = ["environment.json", "optuna.db", "photos.csv", "plan.json", "predictions.parquet", "report.html"]
WRITTEN += ["sessions.json", "spec.yaml", "study.json", "tracked.json"]


@pytest.fixture(scope="module")
def storage() -> Iterator[Callable[[str], str]]:
    """`storage("photos")` is the location of that folder in a bucket of this machine's own server."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for every request
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        boto3.client("s3", endpoint_url=f"http://{host}:{port}").create_bucket(Bucket=BUCKET)
        yield lambda folder: f"s3://{BUCKET}/{folder}?endpoint_override={host}:{port}&scheme=http"
    server.stop()


@pytest.fixture(scope="module")
def remote_photos(storage, tiny_photos) -> str:
    """The tiny photos, uploaded."""
    folder = Folder.at(storage("photos"))
    for path in tiny_photos.rglob("*.*"):
        folder.write_bytes(path.relative_to(tiny_photos).as_posix(), path.read_bytes())
    return folder.uri


def test_a_file_comes_back_as_it_was_written(storage):
    folder = Folder.at(storage("round/trip"))
    assert not folder.exists()
    folder.write_bytes("models/a.bin", bytes(range(256)))
    folder.write_text("b.txt", "Räume")
    assert folder.read_bytes("models/a.bin") == bytes(range(256))
    assert folder.read_bytes("b.txt").decode() == "Räume"
    assert (folder.exists(), folder.exists("models"), folder.names(), folder.names(".bin")) == (
        True,
        True,
        ["b.txt"],
        [],
    )
    folder.delete("b.txt")
    folder.delete("never there")
    assert not folder.exists("b.txt")
    with pytest.raises(FileNotFoundError):
        folder.read_bytes("b.txt")


def test_the_folders_inside_and_beside_keep_the_way_to_the_storage(storage):
    folder = Folder.at(storage("runs/1"))
    (folder / "models").write_text("config.json", "{}")
    folder.beside("crops").write_text("manifest.json", "{}")
    assert Folder.at(str(folder / "models")).names() == ["config.json"]
    assert Folder.at(str(folder.beside("crops"))).names() == ["manifest.json"]
    assert Folder.at(storage("runs")).exists("crops/manifest.json")


def test_a_slash_at_the_end_changes_nothing(storage):
    plain, slash = Folder.at(storage("runs/1")), Folder.at(storage("runs/1/"))
    assert (str(slash.beside("crops")), str(slash / "models")) == (str(plain.beside("crops")), str(plain / "models"))


def test_workers_can_use_a_folder_that_was_sent_to_them(storage):
    folder = Folder.at(storage("pickled"))
    pickle.loads(pickle.dumps(folder)).write_text("a.txt", "from a worker")
    assert folder.read_bytes("a.txt") == b"from a worker"


def test_a_folder_beside_a_whole_bucket_is_an_error():
    with pytest.raises(UserError, match=r"`s3://study\?.*` is a whole bucket"):
        Folder.at(f"s3://{BUCKET}?region=us-east-1").beside("crops")


def test_a_reader_never_sees_half_a_file(storage):
    """12 MB go up in several parts."""
    folder, versions = Folder.at(storage("atomic")), [bytes([letter]) * 12_000_000 for letter in b"ab"]
    folder.write_bytes("model.bin", versions[0])
    writer = threading.Thread(target=lambda: [folder.write_bytes("model.bin", version) for version in versions * 2])
    writer.start()
    while writer.is_alive():
        assert folder.read_bytes("model.bin") in versions
        assert folder.names() == ["model.bin"]
    writer.join()


def test_a_photo_comes_in_one_request(storage, caplog):
    """Each takes tens of milliseconds where the storage is far away, and there are many photos."""
    folder = Folder.at(storage("requests"))
    folder.write_bytes("photo.jpg", bytes(1_000_000))
    caplog.set_level(logging.INFO, "werkzeug")
    folder.read_bytes("photo.jpg")
    assert sum("GET /study/requests/photo.jpg" in line for line in caplog.messages) == 1


def test_remote_photos_are_the_same_source_as_local_ones(remote_photos, tiny_photos):
    remote, local = open_source(remote_photos), open_source(str(tiny_photos))
    assert (remote.name, remote.generated, remote.photos) == ("photos", True, local.photos)
    assert remote.is_remote
    photo = remote.photos[0].path
    assert remote.reader.read(photo) == local.reader.read(photo)


@pytest.mark.ray
@pytest.mark.filterwarnings("ignore")  # Ray Data's own deprecations
def test_storage_gives_the_shards_of_the_folder_and_crops_only_what_is_new(
    storage, remote_photos, tiny_photos, tmp_path, local_ray
):
    local, crops = tmp_path / "crops" / "set", Folder.at(storage("crops"))
    crop(str(tiny_photos), Folder.at(local))
    crop(remote_photos, crops / "first")
    shards = {path.name: path.read_bytes() for path in local.glob("*.parquet")}
    assert {name: (crops / "first").read_bytes(name) for name in (crops / "first").names(".parquet")} == shards

    photos = Folder.at(remote_photos)
    extra = photos.read_bytes(open_source(remote_photos).photos[0].path) + b"more"
    photos.write_bytes("Train/joy/zz.jpg", extra)
    try:
        news = crop(remote_photos, crops / "second")
    finally:
        photos.delete("Train/joy/zz.jpg")
    assert news.said == ["37 photos: 36 cropped before, 1 left to crop."]
    assert len((crops / "second").names(".parquet")) == 4


def crop(data: str, out: Folder) -> "News":
    """Crop as a run does, without a detector; what was said."""
    source, news = open_source(data), News()
    rows, resources = split_source(source, SourceConfig()), CropResources(num_workers=1)
    hashes, cfg = hash_photos(source, rows), CropConfig(image_size=32)
    crop_photos(
        source, rows, cfg, out, name="x", resources=resources, expected_sha256=hashes, shard_rows=10, news=news,
        load=nothing_found(),
    )  # fmt: skip
    return news


class News(NoNews):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


def nothing_found() -> Callable:
    """A detector without weights. A closure, so that workers need not find this file."""

    def load(cfg):
        class Nothing:
            def detect_all(self, images):
                return [[] for _ in images]

        return Nothing()

    return load


def test_hashes_of_stored_photos_are_kept_in_storage(storage, remote_photos, monkeypatch):
    """Storage tells when a file changed by its own clock."""
    monkeypatch.setattr(sources, "SETTLED_AFTER_NS", -60 * 10**9)  # the photos have just been uploaded
    source = open_source(remote_photos)
    cache = HashCache.of(Folder.at(storage("hashed")), source)
    hashes = hash_photos(source, source.photos, cache=cache)
    assert len(source.stamps) == len(source.photos)
    assert cache.look_up(source, source.photos) == hashes
    assert HashCache.of(Folder.at(storage("never")), source).look_up(source, source.photos) == [""] * len(hashes)


@pytest.mark.ray
@pytest.mark.slow
def test_a_run_from_storage_into_storage_is_whole_and_done_only_once(bare_shell, storage, remote_photos, small_run):
    out = Folder.at(storage("runs/whole"))
    command = ["facet", "run", "--data", remote_photos, "--out", str(out), "--address", "local", *small_run]
    command += ["--wandb", "offline"]
    first = bare_shell(*command, **CREDENTIALS)
    assert first.returncode == 0, first.stderr
    assert "2 of 2 trials finished (2 in this call)." in first.stdout
    assert [name for name in WRITTEN if name not in out.names()] == []
    assert (out / "tables").names(".csv")
    assert (out / "models" / "proposed").names() == ["README.md", "config.json", "model.safetensors"]
    assert (out / "tensorboard" / "proposed-paper-s0").names()
    assert (out / "wandb").exists()
    assert (out / "checkpoints").names() == []
    assert out.read_bytes("optuna.db").startswith(b"SQLite format 3")
    assert json.loads(out.read_bytes("plan.json"))["data_name"] == "photos"

    second = bare_shell(*command, **CREDENTIALS)
    assert second.returncode == 0, second.stderr
    assert "2 of 2 trials finished (0 in this call)." in second.stdout
    assert len(json.loads(out.read_bytes("sessions.json"))) == 1
