"""The cards: what the Hub reads, what people read, and what must never stand in them."""

import json
import re

import pyarrow as pa
import pytest
from huggingface_hub import DatasetCard, ModelCard

from datasets.errors import UserError
from datasets.folder import Folder
from orchestrator.cards.data_card import data_card, size_category
from orchestrator.cards.markdown import Ready, escape, table
from orchestrator.cards.statement import NOT_STATED, DataStatement, read_statement
from orchestrator.ledger import PREDICTIONS_SCHEMA, Ledger
from orchestrator.report.build import build_report
from tests.unit.report_fixtures import make_context, make_photos, make_predictions, make_record

CONFIG = {
    "trial": "t",
    "condition": "proposed",
    "protocol": "paper",
    "seed": 1,
    "fold": 0,
    "definition": {"crop": True, "attention": "eca", "staged": True, "rare_class_excluded": True}
    | {"loss": "cross_entropy", "landmarks": False},
    "model": {"backbone": "tiny", "weights": "random", "landmark_features": 32},
    "classes": ["anger", "joy", "sadness"],
    "weights": "none",
    "data_fingerprint": "abc",
    "versions": {"python": "3.11.7"},
    "image_size": 64,
    "input": "face crop",
    "accuracy": 0.95,
    "accuracy_chosen_on": 0.9,
}
PROTOCOLS = {
    "protocols": {
        "clean": {
            "protocol": "clean",
            "photos": 30,
            "roles": {
                "train": {"an|ger": 5, "joy": 9},
                "select": {"an|ger": 1, "joy": 2},
                "report": {"an|ger": 4, "joy": 6},
            },
            "num_left_out": {"conflict": 3, "leak": 0},
            "left_out": {"conflict": {"an|ger": 3, "joy": 0}, "leak": {"an|ger": 0, "joy": 0}},
        }
    },
    "refused": {"grouped_kfold": "Protocol grouped_kfold is left out. Too few photos."},
    "label_patch": {"relabelled": 2},
}


def write_run(folder: Folder, records, configs=None) -> None:
    for record in records:
        rows = make_predictions([record])
        stored = {name: value for name, value in record.items() if name != "labels"}
        stored |= {"predictions": f"predictions/{record['key']}.parquet", "excluded": None}
        schema = pa.Table.from_pandas(rows, schema=PREDICTIONS_SCHEMA, preserve_index=False)
        Ledger(folder).write(stored, schema, schema.slice(0, 0))
    for name, config in (configs or {"proposed": CONFIG}).items():
        folder.write_text(f"models/{name}/config.json", json.dumps(config))


def cards_of(tmp_path, records, configs=None, **changes):
    """The cards of a run of these records: by folder of the model, and the data card under `data`."""
    folder = Folder.at(tmp_path)
    write_run(folder, records, configs)
    context = make_context(keys=tuple(record["key"] for record in records), **changes)
    written = build_report(folder, context)
    names = {"data": "data_card.md"} | {
        name: f"models/{name}/README.md" for name in (Folder.at(tmp_path) / "models").folders()
    }
    assert set(names.values()) <= set(written)
    return {name: (tmp_path / path).read_text() for name, path in names.items()}


def test_the_hub_reads_the_mean_of_the_condition_not_the_number_of_the_best_seed(tmp_path):
    records = [make_record("proposed", seed, right, train={"epochs": 3}) for seed, right in enumerate((14, 19, 15))]
    text = cards_of(tmp_path, records)["proposed"]
    results = {result.metric_type: result for result in ModelCard(text).data.eval_results}
    assert results["accuracy"].metric_value == pytest.approx(16 / 20)
    assert "3 seeds" in results["accuracy"].metric_name
    assert results["accuracy"].dataset_args == {"protocol": "paper", "fingerprint": "abc"}
    assert ModelCard(text).data.license is None
    assert "95.0 % on the photos reported" in text
    assert "optimistic" in text


def test_model_card_has_the_sections_that_model_cards_have(tmp_path):
    text = cards_of(tmp_path, [make_record("proposed", seed) for seed in (0, 1)])["proposed"]
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == [
        "Model details",
        "Intended use",
        "Out-of-scope use",
        "Factors",
        "Metrics",
        "Evaluation data",
        "Training data",
        "Quantitative analyses",
        "Ethical considerations",
        "Caveats and recommendations",
    ]
    for needed in ("No clinical use", "No decisions about a single person", "No surveillance", "may show children"):
        assert needed in text
    assert "Wilson over photos, 20 photos" in text
    assert "| sadness" in text
    assert "too good" in text  # protocol paper
    assert "\n\n\n" not in text
    assert not re.search(r"\b(nan|None|NaN|inf)\b", text)


def test_model_of_a_condition_that_is_not_in_the_plan_gets_a_card_without_results(tmp_path):
    configs = {"eca-clean": CONFIG | {"condition": "eca", "protocol": "clean"}}
    text = cards_of(tmp_path, [make_record("proposed", 0)], configs)["eca-clean"]
    assert "did not ask for this condition" in text
    assert ModelCard(text).data.eval_results is None


def test_cards_of_generated_photos_say_so_at_the_top(tmp_path):
    cards = cards_of(tmp_path, [make_record("proposed", 0)], generated=True)
    for text in cards.values():
        assert text.index("enerated") < text.index("## ")
        assert "synthetic" in text
    assert "no person is shown" in cards["data"]
    assert "not stated; ask" not in cards["data"].lower()


def test_cards_hold_no_photo_and_no_absolute_path_and_are_the_same_again(tmp_path):
    photos = make_photos({("joy", "train"): (3, 4), ("anger", "test"): (2, 2)})
    change = {"photos": photos, "crops": "/somewhere/crops/abc", "summary": {"Place": "/tmp/x"}}
    first = cards_of(tmp_path, [make_record("proposed", 0), make_record("proposed", 1)], **change)
    for text in first.values():
        assert not re.search(r"\.(png|jpg)|/tmp|/somewhere|/home", text)
    again = cards_of(tmp_path, [make_record("proposed", 0), make_record("proposed", 1)], **change)
    assert first == again


def test_data_card_counts_photos_by_class_role_and_rule():
    photos = make_photos({("an|ger", "train"): (3, 4), ("joy", "train"): (2, 2), ("joy", "test"): (1, 1)})
    study = {"CropConfig": {"image_size": 64, "margin_frac": 0.2}, "rare_class": "an|ger"}
    text = data_card(make_context(photos=photos), DataStatement(), study=study, protocols=PROTOCOLS)
    card = DatasetCard(text)
    assert card.data.size_categories == ["n<1K"]
    assert card.data.license is None
    assert re.search(r"\| an\\\|ger +\| train +\| 4 +\| 3 ", text)
    assert re.search(r"\| an\\\|ger +\| 5 +\| 1 +\| 4 +\|", text)
    assert re.search(r"\| all classes +\| 14 +\| 3 +\| 10 +\|", text)
    assert re.search(r"\| Class +\| Copies with several classes +\|", text)
    assert "2 relabelled" in text
    assert "Protocol grouped_kfold is left out. Too few photos." in text
    assert text.count(NOT_STATED) == 6
    assert "were not audited" in text
    assert "- margin_frac: 0.2" in text


def test_data_card_of_a_folder_that_knows_little_is_still_a_card():
    text = data_card(make_context(), DataStatement(), study={}, protocols={})
    assert "does not say what cropping found" in text
    assert "does not say how photos are divided" in text
    assert DatasetCard(text).data.pretty_name == "faces"


def test_what_people_state_of_the_photos_stands_in_the_cards(tmp_path):
    stated = "licence: CC BY 4.0\nconsent: Of the parents, in writing.\n"
    Folder.at(tmp_path).write_text("data_statement.yaml", stated)
    cards = cards_of(tmp_path, [make_record("proposed", 0)])
    assert "Licence: CC BY 4.0" in cards["data"]
    assert "Of the parents, in writing." in cards["proposed"]
    assert NOT_STATED in cards["data"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("license: CC0\n", "no field `license`.*licence"),
        ("licence: 4.0\n", "`licence` must be a text, not 4.0"),
        ("licence:\n", "`licence` must be a text"),
        ("- a\n", "holds no fields"),
        ("a: [\n", "is no YAML"),
    ],
)
def test_a_statement_that_cannot_be_understood_is_refused_before_anything_is_written(tmp_path, text, words):
    folder = Folder.at(tmp_path)
    folder.write_text("data_statement.yaml", text)
    with pytest.raises(UserError, match=words):
        read_statement(folder, generated=False)
    with pytest.raises(UserError):
        build_report(folder, make_context())
    assert folder.names() == ["data_statement.yaml"]


def test_texts_are_harmless_in_markdown():
    assert escape("a|<b>*c*\n_d_ e_f") == "a\\|&lt;b>\\*c\\* \\_d\\_ e_f"
    assert table(["x|y"], [["<i>"]]).splitlines()[0].strip("| ") == "x\\|y"
    assert isinstance(table(["x"], []), Ready)


def test_size_categories_are_those_of_the_hub():
    assert [size_category(count) for count in (999, 1000, 999_999, 1_000_000)] == [
        "n<1K",
        "1K<n<10K",
        "100K<n<1M",
        "1M<n<10M",
    ]
