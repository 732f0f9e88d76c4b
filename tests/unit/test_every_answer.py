"""Every class and confusion of every condition, and the photos that all of them get wrong."""

import io
import json
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from datasets.errors import FailedError
from datasets.folder import Folder
from orchestrator.cli import main
from orchestrator.exit_codes import EXIT_FAILED, EXIT_OK
from orchestrator.ledger import PREDICTIONS_SCHEMA, Ledger
from orchestrator.report.always_wrong import ALWAYS_WRONG_FILE, always_wrong, sentences, write_always_wrong
from orchestrator.report.answer_columns import DOCS
from orchestrator.report.answer_sections import report_answers
from orchestrator.report.answers import read_answers
from orchestrator.report.audit_columns import DOCS as AUDIT_DOCS
from orchestrator.report.class_tables import class_score_rows, confusion_rows, confusions, scores_of
from orchestrator.report.confusion_figure import confusion_multiples, fairest_protocol, shares_over
from orchestrator.report.results import make_results
from orchestrator.report.sections import shown_rows
from orchestrator.report.wrong_page import MAX_SHOWN, write_wrong_page
from tests.unit.audit_fixtures import photo, write_set
from tests.unit.report_fixtures import CLASSES, make_predictions, make_record, make_study, results_of

TRUE = ("anger", "anger", "joy", "joy", "joy", "sadness")


def trial(condition: str, seed: int, *answers: str, true=TRUE, **changes):
    """A record that answers this to the photos 0.png, 1.png, ..."""
    record = make_record(condition, seed, len(true), true_labels=true, **changes)
    return record | {"labels": (list(true), list(answers))}


@pytest.fixture(scope="module")
def three_seeds():
    rng = np.random.default_rng(5)
    draws = [[CLASSES[place] for place in rng.integers(0, 3, 60)] for _ in range(4)]
    return results_of([trial("eca", seed, *draws[seed + 1], true=tuple(draws[0])) for seed in range(3)])


def test_scores_of_classes_are_those_of_scikit_learn(three_seeds):
    (answers,) = read_answers(three_seeds)
    scores = scores_of(confusions(answers))
    for seed, rows in enumerate(three_seeds.groups[0].predictions):
        pair = rows["true_label"], rows["predicted_label"]
        assert (confusions(answers)[seed] == confusion_matrix(*pair, labels=list(CLASSES))).all()
        expected = precision_recall_fscore_support(*pair, labels=list(CLASSES), zero_division=0.0)
        for name, values in zip(("precision", "recall", "f1", "support"), expected, strict=True):
            assert scores[name][seed] == pytest.approx(values), name


def test_a_class_that_is_never_answered_scores_nothing_and_breaks_nothing():
    results = results_of([trial("eca", 0, *["joy"] * 6)])
    rows = {row["class"]: row for row in class_score_rows(read_answers(results))}
    assert (rows["anger"]["predicted_mean"], rows["anger"]["precision_mean"], rows["anger"]["f1_mean"]) == (0, 0, 0)
    assert rows["joy"]["precision_mean"] == 0.5
    assert rows["joy"]["recall_low"] == pytest.approx(0.4385, abs=1e-4)  # Wilson, 3 of 3
    assert rows["joy"]["interval"] == "Wilson over photos"


def test_confusion_has_every_pair_and_the_page_only_what_occurred():
    results = results_of([trial("eca", seed, "joy", "anger", *["joy"] * 4) for seed in (0, 1)])
    report = report_answers(results, {})
    table = report.tables["confusion"]
    assert len(table) == 9
    cell = table[(table["true_class"] == "anger") & (table["answer"] == "joy")].iloc[0]
    assert (cell["count"], cell["share"], cell["seeds"]) == (2, 0.5, 2)
    assert table.groupby("true_class")["share"].sum().tolist() == [1, 1, 1]
    assert len(shown_rows("confusion", table)) == 4
    assert len(shown_rows("class_scores", report.tables["class_scores"])) == 3


def test_share_of_a_class_without_photos_is_not_known():
    (answers,) = read_answers(results_of([trial("eca", 0, "joy", true=("joy",))]))
    rows = [row for row in confusion_rows([answers]) if row["true_class"] == "anger"]
    assert all(np.isnan(row["share"]) for row in rows)


def test_a_label_outside_the_classes_is_refused():
    record = trial("eca", 0, *["joy"] * 6)
    predictions = make_predictions([record]).assign(true_label="envy")
    with pytest.raises(ValueError, match="envy"):
        read_answers(make_results([record], predictions))


def test_matrices_share_the_order_of_classes_and_leave_out_what_is_not_known():
    small = make_record("proposed", 0, 2, true_labels=("anger", "joy"), classes=("anger", "joy"))
    (answers,) = read_answers(results_of([small]))
    shares = shares_over(answers, ["anger", "fear", "joy"])
    assert np.isnan(shares[1]).all()
    assert np.isnan(shares[:, 1]).all()
    assert shares[0, 0] == shares[2, 2] == 1
    assert confusion_multiples([]) is None


@pytest.mark.parametrize(
    ("protocols", "fairest"),
    [
        (["paper", "clean", "grouped_kfold"], "clean"),
        (["paper", "grouped_kfold"], "grouped_kfold"),
        (["paper"], "paper"),
    ],
)
def test_the_fairest_protocol_that_was_run_is_drawn(protocols, fairest):
    assert fairest_protocol(protocols) == fairest


def test_sections_name_only_what_was_made_and_figures_give_the_same_bytes():
    report = report_answers(results_of(make_study(2)), {})
    assert set(report.tables) == {name for section in report.sections for name in section.tables}
    assert set(report.figures) == {name for section in report.sections for name in section.figures}
    empty = report_answers(results_of([]), {})
    assert empty.figures == {}
    assert [len(table) for table in empty.tables.values()] == [0, 0, 0]


def test_no_column_is_explained_twice():
    assert not DOCS.keys() & AUDIT_DOCS.keys()


def wrong_of(*records):
    return always_wrong(read_answers(results_of(records)))


def test_a_photo_is_listed_if_no_condition_gets_it_right_in_most_seeds():
    right, wrong = TRUE, ("joy", "anger", "joy", "joy", "joy", "sadness")
    records = [trial("eca", seed, *(right if seed == 0 else wrong)) for seed in range(3)]
    records += [trial("eca_mtcnn", seed, *(right if seed < 1 else wrong)) for seed in range(2)]  # half is not most
    frame = wrong_of(*records)
    assert frame["photo"].tolist() == ["0.png"]
    line = frame.iloc[0]
    assert (line["conditions"], line["trials"], line["right"]) == (2, 5, 2)
    assert (line["true_class"], line["answers"]) == ("anger", "joy 3, anger 2")
    chance_wrong, chance_right = np.e / (np.e**2 + np.e + 1), np.e**3 / (np.e**3 + 2)
    assert line["probability_true_mean"] == pytest.approx((3 * chance_wrong + 2 * chance_right) / 5, abs=1e-6)
    more = [trial("minus_crop", seed, *(right if seed < 2 else wrong)) for seed in range(3)]
    assert not len(wrong_of(*records, *more))


def test_a_condition_that_does_not_report_a_photo_has_no_say_and_protocols_stand_apart():
    small = {"true": ("anger", "joy"), "classes": ("anger", "joy")}
    frame = wrong_of(
        trial("proposed", 0, "anger", "joy", **small),
        trial("eca", 0, "anger", "joy", "anger", true=("anger", "joy", "sadness")),
        trial("eca", 0, "joy", "joy", "anger", true=("anger", "joy", "sadness"), protocol="clean"),
    )
    assert list(zip(frame["protocol"], frame["photo"], frame["conditions"], strict=True)) == [
        ("paper", "2.png", 1),
        ("clean", "0.png", 1),
        ("clean", "2.png", 1),
    ]


def test_sentences_give_counts_by_class_and_no_path():
    unskilled = trial("eca", 0, *["joy"] * 6, metrics={"accuracy": 0.5, "macro_f1": 0.2})
    answers = read_answers(results_of([unskilled]))
    (sentence,) = sentences(always_wrong(answers), answers, {})
    assert sentence.startswith("Protocol paper: 3 of 6 reported photos (“anger” 2 and “sadness” 1)")
    assert "only 1 condition" in sentence
    assert "says little" in sentence
    assert ".png" not in sentence


def jpeg(shade: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32), (shade, 0, 0)).save(buffer, "JPEG")
    return buffer.getvalue()


def wrong_rows(*paths: str) -> pd.DataFrame:
    columns = {"conditions": 2, "trials": 2, "right": 0, "probability_true_mean": 0.1, "answers": "joy 2"}
    return pd.DataFrame({"photo": paths, "protocol": "paper", "true_class": "<b>anger"}).assign(**columns)


def test_the_page_of_wrong_photos_has_their_crops_inside(tmp_path):
    run = Folder.at(tmp_path / "run")
    rows = [photo(f"test/anger/{place}.jpg", face=jpeg(10), frame=jpeg(200)) for place in range(3)]
    rows[1] = photo("test/anger/1.jpg", status="no_face", face=None, frame=jpeg(200))
    crops = write_set(Folder.at(tmp_path / "crops"), rows, shard_rows=2)
    write_always_wrong(wrong_rows("test/anger/2.jpg", "test/anger/1.jpg", "test/anger/gone.jpg"), run)
    line = write_wrong_page(run, crops)
    page = (tmp_path / "run" / "wrong.html").read_text()
    assert "3 photos of 3" in line
    assert page.count('src="data:image/jpeg;base64,') == 2
    assert "the crops do not have this photo" in page
    assert "test/anger/0.jpg" not in page
    assert "<b>" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_page_of_wrong_photos_stops_somewhere_and_says_so(tmp_path):
    run, crops = Folder.at(tmp_path / "run"), write_set(Folder.at(tmp_path / "crops"), [photo("test/anger/0.jpg")])
    write_always_wrong(wrong_rows(*(f"test/anger/{place}.jpg" for place in range(MAX_SHOWN + 1))), run)
    write_wrong_page(run, crops)
    assert f"The first {MAX_SHOWN} of {MAX_SHOWN + 1}" in (tmp_path / "run" / "wrong.html").read_text()


def test_without_crops_the_page_of_wrong_photos_says_what_is_missing(tmp_path):
    run = Folder.at(tmp_path / "run")
    write_always_wrong(wrong_rows("test/anger/2.jpg"), run)
    with pytest.raises(FailedError, match="facet crop"):
        write_wrong_page(run, Folder.at(tmp_path / "nowhere"))
    assert not run.exists("wrong.html")
    assert run.names() == [ALWAYS_WRONG_FILE]


@pytest.fixture
def finished_run(tmp_path):
    """A run folder as `facet run` leaves it, of one condition and seed, with its crops beside it."""
    folder = Folder.at(tmp_path / "runs" / "one")
    record = trial("eca", 0, *["joy"] * 6)
    rows = pa.Table.from_pandas(make_predictions([record]), schema=PREDICTIONS_SCHEMA, preserve_index=False)
    stored = {name: value for name, value in record.items() if name != "labels"}
    Ledger(folder).write(stored | {"predictions": "predictions/a.parquet", "excluded": None}, rows, rows.slice(0, 0))
    plan = {"keys": [record["key"]], "data_name": "faces", "generated": False, "left_out": {}, "crops": None}
    folder.write_text("plan.json", json.dumps(plan | {"crop_fingerprint": "abc"}))
    folder.write_text("study.json", json.dumps({"spec_hash": "0", "data_fingerprint": "abc"}))
    folder.write_text("environment.json", "{}")
    crops = [photo(f"test/anger/{place}.jpg", face=jpeg(9)) | {"path": f"{place}.png"} for place in range(6)]
    write_set(Folder.at(tmp_path / "runs" / "crops" / "abc"), crops)
    return tmp_path / "runs" / "one"


def test_photos_are_shown_only_when_asked_and_gone_with_the_next_report(finished_run, capsys):
    page = finished_run / "wrong.html"
    assert main(["report", str(finished_run), "--wrong-photos"]) == EXIT_OK
    assert page.read_text().count("data:image/jpeg") == 3
    assert "3 photos of 3" in capsys.readouterr().out
    report = (finished_run / "report.html").read_text()
    assert "3 of 6 reported photos" in report
    assert "image/jpeg" not in report
    assert ".png" not in re.sub(r"<code>[^<]*</code>", "", report)
    assert main(["report", str(finished_run)]) == EXIT_OK
    assert not page.exists()


def test_without_crops_the_report_is_written_and_the_command_fails_with_a_sentence(finished_run, capsys):
    (finished_run.parent / "crops" / "abc" / "manifest.json").unlink()
    assert main(["report", str(finished_run), "--wrong-photos"]) == EXIT_FAILED
    assert "holds no finished set" in capsys.readouterr().err
    assert (finished_run / "report.html").exists()
    assert not (finished_run / "wrong.html").exists()
