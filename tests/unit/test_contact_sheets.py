"""The contact sheets: which photos, how many cells, the box where the face is, and no sheet of nothing."""

import io

import pandas as pd
import pytest
from PIL import Image

from datasets.cropper import CropConfig
from datasets.folder import Folder
from datasets.shards import CropManifest, write_manifest, write_shard
from orchestrator.detection.choice import MAX_CELLS, evenly_spaced, faceless, fair_quotas, least_certain
from orchestrator.detection.files import where_to_look, write_crop_report
from orchestrator.detection.photos import read_photos, rows_of, to_photos_csv
from orchestrator.detection.sheet import (
    BEHIND,
    BOX_COLOUR,
    HEADER,
    MARGIN,
    Cell,
    SheetLayout,
    _font,
    draw_sheet,
    photo_picture,
    shortened,
)
from orchestrator.detection.sheets import (
    FACELESS_LAYOUT,
    LEAST_CERTAIN_LAYOUT,
    _name,
    draw_faceless,
    draw_least_certain,
)
from tests.unit.report_fixtures import make_photos
from tests.unit.test_shards import row, table_of


def write_set(folder: Folder, rows: list[dict], shard_rows: int = 3) -> Folder:
    """A finished set of crops of these rows."""
    starts = range(0, len(rows), shard_rows)
    shards = [
        write_shard(folder, index, table_of(rows[start : start + shard_rows])) for index, start in enumerate(starts)
    ]
    fields = {"fingerprint": "x", "source": "s", "generated": False, "crop": dict(CropConfig(image_size=32).to_dict())}
    fields |= {"classes": ["joy", "sad"], "num_photos": len(rows), "statuses": {}, "shards": shards, "left_out": {}}
    write_manifest(folder, CropManifest(**fields))
    return folder


@pytest.fixture
def mixed(tmp_path) -> Folder:
    """Ten photos in four shards: five found, three without a face, one unreadable, one too large."""
    statuses = ["ok", "no_face", "ok", "unreadable", "ok", "no_face", "too_large", "ok", "no_face", "ok"]
    rows = [row(f"Train/joy/{place}.jpg", "joy", status) for place, status in enumerate(statuses)]
    for place, line in enumerate(rows):
        line |= {"probability": 0.9 - place / 100} if line["status"] == "ok" else {}
    return write_set(Folder.at(tmp_path / "crops"), rows)


def test_rows_are_read_from_every_shard_with_their_place(mixed):
    photos = read_photos(mixed)
    assert photos["path"].tolist() == [f"Train/joy/{place}.jpg" for place in range(10)]
    assert photos["shard"].tolist() == [f"part-0000{place // 3}.parquet" for place in range(10)]
    assert photos["row"].tolist() == [place % 3 for place in range(10)]
    lines = to_photos_csv(photos).splitlines()
    assert lines[0] == "path,label,split,status,width,height,left,top,right,bottom,probability,num_faces,rotation"
    assert lines[1] == "Train/joy/0.jpg,joy,train,ok,80,50,0.0,1.0,2.0,3.0,0.9,1,0"
    assert lines[4] == "Train/joy/3.jpg,joy,train,unreadable,,,,,,,,,"


def test_number_of_faces_and_rotation_reach_the_file():
    turned = row("a.jpg", "joy", "ok") | {"num_faces": 2, "rotation": 90}
    table = table_of([turned, row("b.jpg", "joy", "no_face") | {"status": "failed", "num_faces": None}])
    lines = to_photos_csv(rows_of(table, "part")).splitlines()
    assert (lines[1].endswith("0.5,2,90"), lines[2].endswith(",,,0")) == (True, True)


def test_set_of_an_older_format_has_no_such_columns():
    table = table_of([row("a.jpg", "joy", "ok")]).drop_columns(["num_faces", "rotation"])
    assert to_photos_csv(rows_of(table, "part")).splitlines()[0].endswith("bottom,probability")


def test_unfinished_set_has_no_report(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no finished set"):
        write_crop_report(Folder.at(tmp_path))


def test_sheets_have_a_cell_a_photo_and_the_size_of_their_rows(mixed):
    photos = read_photos(mixed)
    assert draw_faceless(mixed, photos).size == FACELESS_LAYOUT.sheet_size(3)
    assert draw_least_certain(mixed, photos).size == LEAST_CERTAIN_LAYOUT.sheet_size(5)
    layout = SheetLayout(columns=6, pictures=1, side=176)
    heights = [layout.sheet_size(cells)[1] for cells in (1, 6, 7, 12, 13)]
    assert heights[0] == heights[1] < heights[2] == heights[3] < heights[4]
    assert layout.sheet_size(48)[0] == 2 * MARGIN + 6 * 176 + 5 * 16 <= 1280, "fits a screen unscaled"


def test_pictures_stand_where_the_layout_says(mixed):
    sheet, layout = draw_least_certain(mixed, read_photos(mixed)), LEAST_CERTAIN_LAYOUT
    for index in range(5):
        left, top = layout.place(index)
        middle = layout.side // 2
        assert sheet.getpixel((left + middle, top + middle)) == (0, 0, 255), "the frame is blue"
        assert sheet.getpixel((left + layout.side + 4 + middle, top + middle)) == (255, 0, 0), "the face is red"
    left, top = layout.place(5)
    assert sheet.getpixel((left + 9, top + 9)) == (255, 255, 255), "five cells, no sixth"


def test_report_is_the_same_bytes_each_time_and_leaves_the_shards_alone(mixed):
    shards = {name: mixed.read_bytes(name) for name in mixed.names(".parquet")}
    write_crop_report(mixed)
    written = [*mixed.names(".png"), *mixed.names(".csv")]
    assert written == ["faceless.png", "least_certain.png", "detection.csv", "photos.csv"]
    once = {name: mixed.read_bytes(name) for name in written}
    write_crop_report(mixed)
    assert {name: mixed.read_bytes(name) for name in written} == once
    assert {name: mixed.read_bytes(name) for name in mixed.names(".parquet")} == shards
    assert Image.open(io.BytesIO(once["faceless.png"])).info == {}, "no metadata"


def test_sheet_of_no_photo_is_not_written_and_an_old_one_goes(tmp_path):
    folder = write_set(Folder.at(tmp_path), [row("a.jpg", "joy", "ok"), row("b.jpg", "sad", "unreadable")])
    folder.write_bytes("faceless.png", b"of an earlier set")
    photos = write_crop_report(folder)
    assert folder.names(".png") == ["least_certain.png"]
    assert where_to_look(photos, folder) == (
        f"least_certain.png, photos.csv in {folder} (no faceless.png: every photo that could be read has a face)"
    )


def test_set_without_any_face_has_no_sheet_of_least_certain_ones(tmp_path):
    folder = write_set(Folder.at(tmp_path), [row("a.jpg", "joy", "no_face"), row("b.jpg", "sad", "no_face")])
    photos = write_crop_report(folder)
    assert folder.names(".png") == ["faceless.png"]
    assert where_to_look(photos, folder) == f"faceless.png, photos.csv in {folder}"


def test_sheets_are_named_only_where_they_are(tmp_path):
    folder = write_set(Folder.at(tmp_path), [row("a.jpg", "joy", "no_face")])
    photos = write_crop_report(folder)
    assert where_to_look(photos, Folder.at(tmp_path / "another machine's")) == ""
    folder.delete("faceless.png")
    assert where_to_look(photos, folder) == ""


def test_set_that_cannot_be_read_has_no_sheet(tmp_path):
    write_crop_report(write_set(Folder.at(tmp_path), [row("a.jpg", "joy", "unreadable")]))
    assert Folder.at(tmp_path).names(".png") == []


def test_faceless_photos_are_spread_over_classes_and_splits():
    photos = make_photos({("joy", "train"): (0, 500), ("joy", "test"): (0, 3), ("sad", "test"): (5, 40)})
    chosen = faceless(photos)
    counts = chosen.groupby(["label", "split"]).size().to_dict()
    assert counts == {("joy", "train"): 23, ("joy", "test"): 3, ("sad", "test"): 22}
    assert (chosen["label"].tolist(), len(chosen)) == (sorted(chosen["label"]), MAX_CELLS)
    places = chosen[(chosen["label"] == "joy") & (chosen["split"] == "train")]["path"]
    numbers = [int(path.rpartition("/")[2].removesuffix(".jpg")) for path in places]
    assert numbers[0] < 25, "over the whole class"
    assert numbers[-1] > 475
    assert faceless(photos).equals(chosen)


def test_least_certain_faces_are_the_lowest_and_equals_keep_their_order():
    photos = make_photos({("joy", "train"): (60, 70)}, probability=[0.5] * 2 + [0.9] * 57 + [0.4] + [0.1] * 10)
    chosen = least_certain(photos)
    assert len(chosen) == MAX_CELLS
    assert chosen.index[:5].tolist() == [59, 0, 1, 2, 3]


def test_quotas_fill_the_room_and_take_no_more_than_there_are():
    assert fair_quotas([3, 500, 40], 48) == [3, 23, 22]
    assert fair_quotas([1, 2], 48) == [1, 2]
    assert fair_quotas([9] * 60, 48) == [1] * 48 + [0] * 12
    assert fair_quotas([], 48) == []
    assert [evenly_spaced(size, count) for size, count in ((3, 3), (10, 2), (1, 1), (5, 0))] == [
        [0, 1, 2],
        [2, 7],
        [0],
        [],
    ]


def test_photo_stands_at_its_own_proportions_with_its_box():
    blue = Image.new("RGB", (64, 64), "blue")
    wide = photo_picture(blue, (200, 100), 100, (50.0, 20.0, 150.0, 80.0))
    colours = [wide.getpixel((50, y)) for y in (10, 50)]
    assert colours == [Image.new("RGB", (1, 1), BEHIND).getpixel((0, 0)), (0, 0, 255)]
    orange = Image.new("RGB", (1, 1), BOX_COLOUR).getpixel((0, 0))
    assert [wide.getpixel(at) for at in ((25, 50), (75, 50), (50, 35), (50, 65))] == [orange] * 4


def test_box_outside_the_photo_is_seen_and_the_photo_shrinks():
    blue = Image.new("RGB", (64, 64), "blue")
    picture = photo_picture(blue, (100, 100), 100, (-100.0, 0.0, 100.0, 200.0))
    orange = Image.new("RGB", (1, 1), BOX_COLOUR).getpixel((0, 0))
    assert picture.getpixel((2, 50)) == picture.getpixel((50, 97)) == orange
    assert picture.getpixel((75, 25)) == (0, 0, 255)
    assert picture.getpixel((25, 75)) == Image.new("RGB", (1, 1), BEHIND).getpixel((0, 0))


@pytest.mark.parametrize("size", [(1, 5000), (5000, 1), (1, 1)])
def test_ribbons_and_dots_have_a_picture(size):
    assert photo_picture(Image.new("RGB", (32, 32), "blue"), size, 50).size == (50, 50)


def test_long_names_keep_their_end_and_odd_letters_do_no_harm():
    font = _font(13)
    assert shortened("a.jpg", font, 176) == "a.jpg"
    long = shortened("a_very_long_name_of_a_photo_from_some_camera_0012.jpg", font, 176)
    assert long.startswith("a_very")
    assert long.endswith("0012.jpg")
    assert "…" in long
    assert font.getlength(long) <= 176
    assert shortened("a\nb\x00", font, 176) == "a?b?"
    assert shortened("wide", font, 3) == "…"


def test_sheet_is_light_and_has_its_title():
    sheet = draw_sheet("Title", "note", [Cell((Image.new("RGB", (20, 20)),), ("x", "y"))], SheetLayout(1, 1, 20))
    assert sheet.getpixel((0, 0)) == (255, 255, 255)
    header = sheet.crop((0, 0, sheet.width, HEADER - 2))
    assert min(pixel for low, _ in header.getextrema() for pixel in [low]) < 120, "something is written there"


def test_captions_tell_turned_photos_and_failed_searches():
    line = {"path": "Train/joy/a.jpg", "status": "ok"}
    assert _name(line) == _name(line | {"rotation": 0}) == _name(line | {"rotation": pd.NA}) == "a.jpg"
    assert _name(line | {"rotation": 90}) == "a.jpg · turned 90°"
    assert _name(line | {"status": "failed"}) == "a.jpg · search failed"


def test_photo_whose_search_failed_is_among_the_faceless_if_it_could_be_read(tmp_path):
    lines = [row("a.jpg", "joy", "no_face"), row("b.jpg", "joy", "no_face") | {"status": "failed"}]
    folder = write_set(Folder.at(tmp_path), [*lines, row("c.jpg", "joy", "unreadable"), row("d.jpg", "joy", "ok")])
    photos = read_photos(folder)
    assert faceless(photos)["path"].tolist() == ["a.jpg", "b.jpg"]
    assert draw_faceless(folder, photos).size == FACELESS_LAYOUT.sheet_size(2)
