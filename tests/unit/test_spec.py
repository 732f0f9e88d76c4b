import json

import pytest

from datasets.errors import UserError
from orchestrator.spec import PRESETS, Spec, read_yaml, resolve_spec, write_yaml


def test_yaml_and_flags_are_two_ways_to_write_the_same_spec(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text("data: photos\nimage_size: 96\nconditions: [proposed, eca]\nseeds: 6\n")
    flags = {"data": "photos", "image_size": "96", "conditions": "proposed,eca", "seeds": "6"}
    assert resolve_spec(str(file), {}) == resolve_spec(None, flags)


def test_flags_win_over_the_file_and_the_file_over_the_preset(tmp_path):
    file = tmp_path / "study.yaml"
    file.write_text("preset: paper\nseeds: 8\nepochs: 12\n")
    spec = resolve_spec(str(file), {"seeds": "9"})
    assert (spec.seeds, spec.epochs, spec.backbone, spec.image_size) == (9, 12, "efficientnet_b0", 224)


def test_written_spec_reads_back_as_itself(tmp_path):
    spec = resolve_spec(None, {"data": "photos", "gpus_per_trial": "0.5", "offline": True})
    file = tmp_path / "spec.yaml"
    file.write_text(write_yaml(spec))
    assert resolve_spec(str(file), {}) == spec


def test_only_what_decides_results_is_part_of_the_study():
    spec = resolve_spec(None, {})
    same = spec.replace(out="elsewhere", seeds=9, conditions=("eca",), wandb="off", workers_per_trial=2)
    assert same.study() == spec.study()
    assert spec.replace(jitter=0.1).study() != spec.study()
    assert spec.replace(margin_frac=0.1).study() != spec.study()


def test_schema_documents_every_field():
    schema = Spec.model_json_schema()
    assert json.dumps(schema)
    assert not [name for name, field in schema["properties"].items() if not field.get("description")]
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_valid_and_named(preset):
    assert PRESETS[preset]().preset == preset


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"seedz": 3}, r"unknown key `seedz`. Did you mean `seeds`\?"),
        ({"image_size": "20"}, r"`image_size` should be greater than or equal to 32, got `20`.*--image-size"),
        ({"image_size": "big"}, r"`image_size` should be a whole number, got `big`"),
        ({"backbone": "resnet"}, r"`backbone` should be 'tf_efficientnet_lite0' or 'efficientnet_b0', got `resnet`"),
        ({"head_epochs": "8"}, r"`head_epochs` must be smaller than `epochs`, got 8 and 8"),
        ({"conditions": "proposed,nonsense"}, r"`conditions` has no `nonsense`. Choose groups \(table1"),
        ({"conditions": " "}, r"`conditions` is empty"),
        ({"preset": "slow"}, r"`preset` is one of quick, paper, got `slow`"),
        ({"wandb": "online", "offline": True}, r"`wandb` online contradicts `offline`"),
        ({"gpus_per_trial": "1", "workers_per_trial": "2"}, r"workers of one trial cannot share a GPU"),
        ({"gpus_per_trial": "1.5"}, r"`gpus_per_trial` is a fraction below 1 or a whole number, got 1.5"),
        ({"logit_tau": "inf"}, r"`logit_tau` should be a finite number"),
        ({"crop_geometry": "round"}, r"`crop_geometry` should be 'square' or 'facenet', got `round`"),
        ({"face_search": "all"}, r"`face_search` should be 'largest' or 'exact', got `all`"),
        ({"rotation_threshold": "2"}, r"`rotation_threshold` should be less than or equal to 1, got `2`"),
        ({"face_search": "largest", "face_choice": "most_probable"}, r"--face-search exact or --face-choice largest"),
        ({"align_eyes": True, "crop_geometry": "facenet"}, r"Give --align-eyes or --crop-geometry facenet, not both"),
        ({"preset": ["quick"]}, r"`preset` is one of quick, paper"),
        ({"data": ""}, r"`data` should"),
        ({"out": ""}, r"`out` should be a text of at least 1 character, got ``"),
        ({"seeds": "0"}, r"`seeds` should be greater than or equal to 1"),
    ],
)
def test_mistake_is_named_with_its_field_rule_and_value(flags, message):
    with pytest.raises(UserError, match=message):
        resolve_spec(None, flags)


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: [", "is not valid YAML"), ("- a\n- b\n", "must be a mapping"), (None, "cannot be read")],
)
def test_spec_file_that_is_none_is_refused(tmp_path, text, message):
    file = tmp_path / "spec.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(UserError, match=message):
        read_yaml(str(file))


def test_bare_off_in_yaml_switches_wandb_off(tmp_path):
    file = tmp_path / "spec.yaml"
    file.write_text("wandb: off\n")
    assert resolve_spec(str(file), {}).wandb == "off"


def test_empty_spec_file_is_the_preset(tmp_path):
    file = tmp_path / "spec.yaml"
    file.write_text("# nothing\n")
    assert resolve_spec(str(file), {}) == resolve_spec(None, {})
