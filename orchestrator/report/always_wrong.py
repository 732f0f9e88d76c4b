"""Photos that every condition gets wrong, as `always_wrong.csv` of the run folder.

A condition gets a photo right if more than half of its seeds that report the photo do. A photo is listed, under a
protocol, if no condition that reports it gets it right. Conditions that leave out its class do not report it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from datasets.folder import Folder
from orchestrator.report.answers import GroupAnswers, TrialAnswers
from orchestrator.report.calibration_scores import probabilities
from orchestrator.report.skill import beats_majority
from orchestrator.report.wording import counted, listing

ALWAYS_WRONG_FILE = "always_wrong.csv"
COLUMNS = ("photo", "protocol", "true_class", "conditions", "trials", "right", "probability_true_mean", "answers")
FEW_CONDITIONS = 3
"""Below, the sentence says that the photos are those that so few conditions get wrong."""


def always_wrong(answers: Sequence[GroupAnswers]) -> pd.DataFrame:
    """COLUMNS, a row a protocol and photo; in each protocol the photo whose true class is least believed first.

    conditions: that report the photo. trials: their seeds; right: of these. answers: `joy 12, anger 3`, most first.
    """
    protocols = dict.fromkeys(item.group.protocol for item in answers)
    parts = [_of_protocol([item for item in answers if item.group.protocol == name], name) for name in protocols]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(COLUMNS))


def _of_protocol(answers: Sequence[GroupAnswers], protocol: str) -> pd.DataFrame:
    trials = [(place, item, trial) for place, item in enumerate(answers) for trial in item.trials]
    photos, names = pd.factorize(np.concatenate([trial.path_N for _, _, trial in trials]))
    condition = np.repeat([place for place, _, _ in trials], [len(trial.path_N) for _, _, trial in trials])
    right = np.concatenate([trial.right_N for _, _, trial in trials])
    cells = condition * len(names) + photos
    shape = (len(answers), len(names))
    seen_CP = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
    right_CP = np.bincount(cells, weights=right, minlength=shape[0] * shape[1]).reshape(shape)
    wrong_P: np.ndarray = ~np.any(2 * right_CP > seen_CP, axis=0)
    listed = np.flatnonzero(wrong_P[photos])  # rows of the listed photos, of all trials
    rows = pd.DataFrame(
        {
            "photo": names[photos[listed]],
            "true_class": np.concatenate([_named(item, trial.true_N) for _, item, trial in trials])[listed],
            "answer": np.concatenate([_named(item, trial.answer_N) for _, item, trial in trials])[listed],
            "chance": np.concatenate([_chance_of_true(trial) for _, _, trial in trials])[listed],
        }
    )
    found = [
        {
            "photo": photo,
            "protocol": protocol,
            "true_class": mine["true_class"].iloc[0],
            "conditions": int((seen_CP[:, place] > 0).sum()),
            "trials": len(mine),
            "right": int(right_CP[:, place].sum()),
            "probability_true_mean": round(float(mine["chance"].mean()), 6),
            "answers": _tally(mine["answer"].tolist()),
        }
        for (photo, mine), place in zip(rows.groupby("photo", sort=False), _in_turn(photos[listed]), strict=True)
    ]
    frame = pd.DataFrame(found, columns=list(COLUMNS))
    return frame.sort_values(["probability_true_mean", "photo"], ignore_index=True)


def _in_turn(photos: np.ndarray) -> list[int]:
    """Each photo once, in the order of its first row."""
    return list(dict.fromkeys(photos.tolist()))


def _named(item: GroupAnswers, places_N: np.ndarray) -> np.ndarray:
    return np.array(item.group.classes, dtype=object)[places_N]


def _chance_of_true(trial: TrialAnswers) -> np.ndarray:
    return np.take_along_axis(probabilities(trial.logits_NK), trial.true_N[:, None], axis=1)[:, 0]


def _tally(names: list[str]) -> str:
    ranked = sorted(Counter(names).items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {count}" for name, count in ranked)


def write_always_wrong(frame: pd.DataFrame, run_folder: Folder) -> str:
    """Write the file, also without a row; its name."""
    run_folder.write_text(ALWAYS_WRONG_FILE, frame.to_csv(index=False, lineterminator="\n"))
    return ALWAYS_WRONG_FILE


def sentences(frame: pd.DataFrame, answers: Sequence[GroupAnswers], draw_of: Mapping[str, str]) -> list[str]:
    """How many there are under each protocol, by class: counts alone, no photo and no path."""
    told = []
    for protocol in dict.fromkeys(item.group.protocol for item in answers):
        mine = [item for item in answers if item.group.protocol == protocol]
        reported = len({path for item in mine for trial in item.trials for path in trial.path_N})
        wrong = frame[frame["protocol"] == protocol]
        by_class = [f"“{name}” {count}" for name, count in sorted(Counter(wrong["true_class"]).items())]
        head = f"Protocol {protocol}: {len(wrong)} of {counted(reported, 'reported photo')}"
        head += f" ({listing(by_class)})" if by_class else ""
        few = f"; only {counted(len(mine), 'condition')} to agree" if len(mine) < FEW_CONDITIONS else ""
        unskilled = " No condition is shown to beat always answering one class, so this says little of the photos."
        skilled = any(beats_majority(item.group, draw_of) for item in mine)
        told.append(f"{head}{few}.{'' if skilled else unskilled}")
    return told
