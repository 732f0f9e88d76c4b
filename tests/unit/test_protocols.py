"""Which photo plays which role: the rules one by one, and what holds of every table of photos."""

from collections import Counter
from dataclasses import replace

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.errors import UserError
from datasets.folds import orders
from datasets.left_out import RULES, left_out
from datasets.protocols import (
    REPORT,
    ROLE_NAMES,
    SELECT,
    TRAIN,
    UNUSED,
    PhotoTable,
    assign_roles,
    check_protocol,
    describe,
)


def table(*rows: str, classes: tuple[str, ...] = ("anger", "fear", "joy")) -> PhotoTable:
    """Rows such as `train/joy/a 7 s1 keep`: the path, and optionally the photograph, the subject (- for none), keep."""
    fields = [[*row.split(), "", "", ""] for row in rows]
    paths = [cells[0] for cells in fields]
    return PhotoTable(
        path=np.array(paths),
        label=np.array([classes.index(path.split("/")[1]) for path in paths], np.int64),
        split=np.array([path.split("/")[0] for path in paths]),
        subject=np.array([None if cells[2] in ("", "-") else cells[2] for cells in fields], object),
        photograph=np.array([int(cells[1] or 1000 + index) for index, cells in enumerate(fields)], np.int64),
        kept_conflict=np.array([cells[3] == "keep" for cells in fields]),
        classes=classes,
    )


def many(counts: dict[str, int], *, split: str = "train", classes: tuple[str, ...] | None = None) -> PhotoTable:
    names = [f"{split}/{label}/{index:03d}" for label, num in counts.items() for index in range(num)]
    return table(*names, classes=classes or tuple(counts))


def join(*tables: PhotoTable) -> PhotoTable:
    columns = ("path", "label", "split", "subject", "kept_conflict")
    joined = {name: np.concatenate([getattr(photos, name) for photos in tables]) for name in columns}
    return PhotoTable(
        **joined, photograph=np.arange(len(joined["path"])), classes=max((t.classes for t in tables), key=len)
    )


def rules_by_path(photos: PhotoTable, protocol: str) -> dict[str, str]:
    rule = left_out(photos, protocol)
    return {str(path): RULES[code] for path, code in zip(photos.path, rule.tolist(), strict=True) if code}


def roles_by_path(photos: PhotoTable, protocol: str, **settings) -> dict[str, int]:
    roles = assign_roles(photos, protocol, **({"seed": 0} | settings))
    return dict(zip(photos.path.tolist(), roles.tolist(), strict=True))


def test_paper_takes_the_folders_as_they_are():
    photos = table("train/joy/a 1 s1", "test/joy/b 1 s1", "train/fear/c 1 s1", "val/joy/d", "test/anger/e")
    assert roles_by_path(photos, "paper") == {
        "train/joy/a": TRAIN,
        "test/joy/b": REPORT,
        "train/fear/c": TRAIN,
        "val/joy/d": UNUSED,
        "test/anger/e": REPORT,
    }
    assert rules_by_path(photos, "paper") == {}


@pytest.mark.parametrize("protocol", ["clean", "grouped_kfold"])
def test_photograph_of_two_classes_goes_with_all_its_copies(protocol):
    photos = table("train/joy/a 1", "train/fear/b 1", "test/joy/c 1", "train/joy/d 2")
    conflict = dict.fromkeys(("train/joy/a", "train/fear/b", "test/joy/c"), "conflict")
    assert rules_by_path(photos, protocol) == conflict


@pytest.mark.parametrize("protocol", ["clean", "grouped_kfold"])
def test_kept_photo_of_a_conflict_stays_and_the_others_go(protocol):
    photos = table("train/joy/a 1 - keep", "train/fear/b 1", "test/joy/c 1")
    assert rules_by_path(photos, protocol) == {"train/fear/b": "conflict", "test/joy/c": "conflict"}


def test_kept_photos_that_disagree_go():
    photos = table("train/joy/a 1 - keep", "train/fear/b 1 - keep", "train/joy/c 1")
    assert set(rules_by_path(photos, "clean").values()) == {"conflict"}
    assert len(rules_by_path(photos, "clean")) == 3


def test_keep_without_a_conflict_changes_nothing():
    photos = table("train/joy/a 1", "train/joy/b 1 - keep", "test/joy/c 2 - keep", "train/joy/d 2")
    assert rules_by_path(photos, "clean") == {"train/joy/b": "copy", "train/joy/d": "leak"}


def test_clean_keeps_test_and_drops_its_copies_and_people_elsewhere():
    photos = table(
        "test/joy/t 1 s1", "train/joy/a 1", "val/joy/b 1", "train/joy/c 2 s1", "val/joy/d 3 s1", "train/joy/e 4 s2",
        "val/joy/f 5 s3", "train/joy/g 5", "train/joy/h 6 s3", "val/joy/i 7",
    )  # fmt: skip
    assert rules_by_path(photos, "clean") == {
        "train/joy/a": "leak",
        "val/joy/b": "leak",
        "train/joy/c": "subject",
        "val/joy/d": "subject",
        "train/joy/g": "leak",
        "train/joy/h": "subject",
    }


def test_copy_without_a_subject_shows_the_subject_of_the_other_copy():
    photos = table("test/joy/t 1 s1", "train/joy/a 2 s1", "train/joy/b 2", "train/joy/c 3")
    assert rules_by_path(photos, "clean") == {"train/joy/a": "subject", "train/joy/b": "subject"}


def test_photo_that_a_conflict_takes_out_of_test_drops_nobody_from_train():
    photos = table("test/joy/t 1 s1", "test/fear/u 1", "train/joy/a 2 s1", "test/joy/v 3 s2", "train/joy/b 4 s2")
    out = rules_by_path(photos, "clean")
    assert out == {"test/joy/t": "conflict", "test/fear/u": "conflict", "train/joy/b": "subject"}


def test_of_several_copies_the_first_path_stays():
    photos = table("train/joy/c 1", "train/joy/a 1", "train/joy/b 1", "test/joy/z 2", "test/joy/y 2")
    assert set(rules_by_path(photos, "clean")) == {"train/joy/b", "train/joy/c", "test/joy/z"}
    pooled = table("train/joy/a 1", "test/joy/z 1", "val/joy/b 1")
    assert rules_by_path(pooled, "grouped_kfold") == {"train/joy/a": "copy", "val/joy/b": "copy"}


def test_clean_selects_on_the_val_split_where_the_source_has_one():
    photos = join(many({"joy": 9, "sad": 9}), many({"joy": 2, "sad": 1}, split="val"))
    roles = roles_by_path(photos, "clean")
    assert {path for path, role in roles.items() if role == SELECT} == {path for path in roles if path[:3] == "val"}
    assert roles == roles_by_path(photos, "clean", seed=5)


def test_clean_selects_on_a_part_of_train_drawn_from_the_seed():
    photos = join(many({"joy": 100, "sad": 20, "fear": 5}), many({"joy": 9, "sad": 9}, split="test"))
    chosen = {seed: roles_by_path(photos, "clean", seed=seed) for seed in range(3)}
    for roles in chosen.values():
        count = Counter(path.split("/")[1] for path, role in roles.items() if role == SELECT)
        assert count == {"joy": 20, "sad": 4, "fear": 1}
    assert len({str(roles) for roles in chosen.values()}) == 3


def test_folds_of_photos_on_their_own_differ_by_one_photo_a_class():
    photos = many({"joy": 57, "sad": 23, "fear": 6})
    for seed in range(3):
        for fold in range(5):
            roles = assign_roles(photos, "grouped_kfold", seed=seed, fold=fold)
            for index, total in enumerate((57, 23, 6)):
                count = np.bincount(roles[photos.label == index], minlength=4)
                assert abs(count[REPORT] - total / 5) < 1
                assert abs(count[SELECT] - 0.2 * (total - count[REPORT])) < 1
                assert count[UNUSED] == 0


def test_repeats_part_the_photos_otherwise():
    photos = many({"joy": 40, "sad": 20})
    partitions = set()
    for seed in range(4):
        folds = [assign_roles(photos, "grouped_kfold", seed=seed, fold=fold) == REPORT for fold in range(5)]
        partitions.add(frozenset(frozenset(np.flatnonzero(rows).tolist()) for rows in folds))
    assert len(partitions) == 4


def test_repeats_part_people_with_unequal_numbers_of_photos_otherwise():
    sizes = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]
    names = [f"train/{['joy', 'fear'][n % 2]}/{s:02d}{n:02d} - s{s}" for s in sizes for n in range(s)]
    photos = table(*[name.replace(" - ", f" {index} ") for index, name in enumerate(names)], classes=("fear", "joy"))
    partitions = set()
    for seed in range(5):
        folds = [assign_roles(photos, "grouped_kfold", seed=seed, fold=fold) == REPORT for fold in range(5)]
        partitions.add(frozenset(frozenset(photos.subject[rows].tolist()) for rows in folds))
        for index, total in enumerate(np.bincount(photos.label)):
            assert max(abs((photos.label[rows] == index).sum() - total / 5) for rows in folds) <= 13 / 2
    assert len(partitions) >= 3  # one alone, if the largest always went first


def test_rare_class_is_in_every_fold_among_people_with_all_classes():
    rng = np.random.default_rng(0)
    label = rng.choice(3, 600, p=[0.03, 0.27, 0.7])
    photos = PhotoTable(
        path=np.array([f"{index:03d}" for index in range(600)]),
        label=label,
        split=np.array(["train"] * 600),
        subject=np.array([f"s{number}" for number in rng.integers(0, 40, 600)], object),
        photograph=np.arange(600),
        kept_conflict=np.zeros(600, bool),
        classes=("fear", "joy", "sad"),
    )
    check_protocol(photos, "grouped_kfold", num_folds=5, select_frac=0.2, source_name="photos")
    shares = [
        [
            np.bincount(label[assign_roles(photos, "grouped_kfold", seed=seed, fold=fold) == REPORT], minlength=3)
            for fold in range(5)
        ]
        for seed in range(6)
    ]
    off_ideal = np.abs(np.array(shares) - np.bincount(label) / 5)
    assert off_ideal.max() <= 0.35 * len(label) / 5
    assert (np.array(shares) > 0).all()
    assert off_ideal[..., 0].mean() < 1.5


CLASSES = ("anger", "fear", "joy")


def random_table(seed: int, max_photos: int) -> PhotoTable:
    """From one seed: drawn piece by piece, hypothesis would mostly give tables of a few photos and no people."""
    rng = np.random.default_rng(seed)
    num = int(rng.integers(1 + max_photos // 3, max_photos + 1)) if rng.random() < 0.9 else int(rng.integers(1, 6))
    num_photographs = rng.choice([max(1, num * 3 // 4), 3 * num, 20 * num])
    num_subjects, known = rng.choice([0, num // 6 + 1, num // 3 + 1, num]), rng.random(num) < rng.choice([0.4, 1.0])
    splits = [("train", "test"), ("train", "val", "test"), ("train", "train", "train", "test")][rng.integers(3)]
    return PhotoTable(
        path=rng.permutation([f"p{index:03d}" for index in range(num)]),
        label=rng.choice(3, num, p=[0.2, 0.3, 0.5]),
        split=rng.choice(splits, num),
        subject=np.array([f"s{rng.integers(num_subjects)}" if num_subjects and one else None for one in known], object),
        photograph=rng.integers(0, num_photographs, num),
        kept_conflict=rng.random(num) < 0.2,
        classes=CLASSES,
    )


def tables(max_photos: int = 40) -> st.SearchStrategy[PhotoTable]:
    return st.integers(0, 2**32 - 1).map(lambda seed: random_table(seed, max_photos))


more = hypothesis.settings(max_examples=80)
settings = {"seed": st.integers(0, 50), "num_folds": st.integers(2, 6), "select_frac": st.sampled_from([0.1, 0.2, 0.5])}
grouped = st.sampled_from(["clean", "grouped_kfold"])


@more
@given(photos=tables(), protocol=grouped, fold=st.integers(0, 1), **settings)
def test_no_photograph_and_no_person_plays_two_roles(photos, protocol, fold, **kw):
    roles = assign_roles(photos, protocol, fold=fold, **kw)
    used = np.flatnonzero(roles != UNUSED)
    assert len(set(photos.photograph[used].tolist())) == len(used)
    seen: dict[str, set[int]] = {}
    for row in used.tolist():
        if photos.subject[row]:
            seen.setdefault(photos.subject[row], set()).add(int(roles[row]))
    assert all(len(role) == 1 for role in seen.values())


@more
@given(photos=tables(), protocol=st.sampled_from(["paper", "clean", "grouped_kfold"]), **settings)
def test_roles_do_not_depend_on_the_order_of_photos_or_the_numbers_of_photographs(photos, protocol, **kw):
    rows = np.random.default_rng(len(photos)).permutation(len(photos))
    renumbered = replace(photos.take(rows), photograph=1_000_000 - 7 * photos.photograph[rows])
    assert (assign_roles(renumbered, protocol, **kw) == assign_roles(photos, protocol, **kw)[rows]).all()


@more
@given(photos=tables(), seeds=st.tuples(st.integers(0, 99), st.integers(0, 99)))
def test_what_clean_reports_on_does_not_depend_on_the_seed(photos, seeds):
    first, second = (assign_roles(photos, "clean", seed=seed) == REPORT for seed in seeds)
    assert (first == second).all()
    assert set(photos.split[first].tolist()) <= {"test"}


@more
@given(photos=tables(), **settings)
def test_every_photo_left_is_reported_on_in_one_fold_of_a_seed(photos, num_folds, **kw):
    roles = [assign_roles(photos, "grouped_kfold", fold=fold, num_folds=num_folds, **kw) for fold in range(num_folds)]
    reported = sum((role == REPORT).astype(int) for role in roles)
    assert (reported == (left_out(photos, "grouped_kfold") == 0)).all()
    assert all(((role != UNUSED) == (reported == 1)).all() for role in roles)


@more
@given(photos=tables(max_photos=90), protocol=grouped, **settings)
def test_every_class_is_in_every_role_where_the_check_passes(photos, protocol, num_folds, select_frac, seed):
    try:
        check_protocol(photos, protocol, num_folds=num_folds, select_frac=select_frac, source_name="photos")
    except UserError:
        return
    for fold in range(num_folds if protocol == "grouped_kfold" else 1):
        kw = {"fold": fold, "num_folds": num_folds, "select_frac": select_frac}
        roles = assign_roles(photos, protocol, seed=seed, **kw)
        pairs = set(zip(photos.label.tolist(), roles.tolist(), strict=True)) - {(label, UNUSED) for label in range(3)}
        assert pairs == {(label, role) for label in range(3) for role in (TRAIN, SELECT, REPORT)}


@given(counts=st.tuples(*[st.integers(5, 25)] * 3), fold=st.integers(0, 4), seed=st.integers(0, 9))
def test_shares_of_photos_on_their_own_are_within_one_of_the_ideal(counts, fold, seed):
    photos = many(dict(zip("abc", counts, strict=True)))
    check_protocol(photos, "grouped_kfold", num_folds=5, select_frac=0.2, source_name="photos")
    roles = assign_roles(photos, "grouped_kfold", seed=seed, fold=fold)
    for index, total in enumerate(counts):
        assert abs((roles[photos.label == index] == REPORT).sum() - total / 5) < 1


def linked_to(linked: set[int], photos: PhotoTable) -> set[int]:
    """The rows themselves and those that photographs and people lead to from them."""
    photographs = {photos.photograph[row] for row in linked}
    people = {photos.subject[row] for row in linked} - {None}
    more = {n for n in range(len(photos)) if photos.photograph[n] in photographs or photos.subject[n] in people}
    return linked if more == linked else linked_to(more, photos)


def slow_rules(photos: PhotoTable, protocol: str) -> dict[str, str]:
    """The rules read from the text of docs/protocols.md, one photo at a time."""
    rows = sorted(range(len(photos)), key=lambda row: photos.path[row])
    out: dict[int, str] = {}
    for row in rows:
        copies = [other for other in rows if photos.photograph[other] == photos.photograph[row]]
        kept = {photos.label[other] for other in copies if photos.kept_conflict[other]}
        if len({photos.label[other] for other in copies}) > 1 and not (photos.kept_conflict[row] and len(kept) == 1):
            out[row] = "conflict"
    for source, sides in (("test", ("train", "val")), ("val", ("train",))) if protocol == "clean" else ():
        held = {row for row in rows if row not in out and photos.split[row] == source}
        copied = {photos.photograph[row] for row in held}
        for row in linked_to(held, photos) - out.keys():
            if photos.split[row] in sides:
                out[row] = "leak" if photos.photograph[row] in copied else "subject"
    seen = set()
    for row in rows:
        if row not in out and photos.photograph[row] in seen:
            out[row] = "copy"
        elif row not in out:
            seen.add(photos.photograph[row])
    return {str(photos.path[row]): rule for row, rule in out.items()}


@more
@given(photos=tables(), protocol=grouped)
def test_rules_are_those_of_the_text(photos, protocol):
    assert rules_by_path(photos, protocol) == slow_rules(photos, protocol)


def test_counts_for_the_report():
    photos = table("train/joy/a 1", "train/fear/b 1", "test/joy/c 2", "train/joy/d 2", "train/joy/e 3", "train/joy/f 3")
    counts = describe(photos, assign_roles(photos, "clean", seed=0), "clean")
    assert counts["num_left_out"] == {"conflict": 2, "leak": 1, "subject": 0, "copy": 1}
    assert counts["left_out"]["conflict"] == {"anger": 0, "fear": 1, "joy": 1}
    assert counts["roles"]["report"] == {"anger": 0, "fear": 0, "joy": 1}
    assert sum(sum(by_class.values()) for by_class in counts["roles"].values()) == 2
    assert set(counts["roles"]) == set(ROLE_NAMES.values())
    paper = describe(photos, assign_roles(photos, "paper", seed=0), "paper")
    assert paper["num_left_out"] == {"conflict": 0, "leak": 0, "subject": 0, "copy": 0, "val_not_used": 0}
    assert paper["roles"]["train"] == {"anger": 0, "fear": 1, "joy": 4}


def people(*classes_of_each: str) -> PhotoTable:
    """One person a word; a letter is a photo of that class: `ab b` are two people with three photos."""
    rows = [(f"s{person}", letter) for person, word in enumerate(classes_of_each) for letter in word]
    names = sorted({letter for _, letter in rows})
    lines = [f"train/{letter}/{index:03d} {index} {person}" for index, (person, letter) in enumerate(rows)]
    return table(*lines, classes=tuple(names))


CHECKS = [
    (
        many({"joy": 9, "fear": 4}),
        "grouped_kfold",
        r"class `fear` has 4 photographs left; `num_folds` 5 needs at least 5, one a fold. Lower --folds, remove",
    ),
    (
        people(*["ab"] * 4, "aa"),
        "grouped_kfold",
        "class `b` has 4 photographs left; `num_folds` 5 needs at least 5",
    ),
    (
        people("aab", "bbbb", "ab", "abb", "ab"),
        "grouped_kfold",
        "class `a` has 5 photographs of 4 independent subjects left; `num_folds` 5 needs",
    ),
    (table("train/joy/a"), "grouped_kfold", "class `anger` has 0 photographs left"),
    (
        table("test/joy/t 1", "train/joy/a 1", "test/fear/b", "train/fear/c", classes=("fear", "joy")),
        "clean",
        r"class `joy` has no photo left in the train split \(of 1: 1 copies of reported photos\); each side needs one",
    ),
    (
        table("test/joy/t 1", "train/fear/a 1", "train/fear/b", "train/fear/c", "train/joy/d", classes=("fear", "joy")),
        "clean",
        "class `fear` has no photo left in the test split; each",
    ),
    (
        table("train/joy/b", "train/joy/c", "val/joy/v 3", "test/joy/t 3", classes=("joy",)),
        "clean",
        r"class `joy` has no photo left in the val split \(of 1: 1 copies",
    ),
    (
        table("train/joy/b", "test/joy/c", classes=("joy",)),
        "clean",
        "class `joy` has 1 photograph left in the train split; it needs at least 2",
    ),
    (
        table("train/joy/a 1 s1", "train/joy/b 2 s1", "test/joy/c", classes=("joy",)),
        "clean",
        "class `joy` has 2 photographs of 1 independent subject left in the train split",
    ),
    (table("train/joy/a", "test/fear/c", classes=("fear", "joy")), "paper", "class `fear` has no photo left in the tr"),
]


@pytest.mark.parametrize(("photos", "protocol", "message"), CHECKS)
def test_source_that_does_not_suit_a_protocol_is_refused(photos, protocol, message):
    with pytest.raises(UserError, match=message) as caught:
        check_protocol(photos, protocol, num_folds=5, select_frac=0.2, source_name="kids")
    assert str(caught.value).startswith(f"`--data kids`, protocol `{protocol}`")
    assert f"`{protocol}`." in str(caught.value)


def test_people_who_cannot_be_parted_are_refused_in_our_words():
    photos = people("ab", "ac", "bc")  # whoever is left out of TRAIN, two of the three share a class
    photos = join_people(photos, "test/a/x", "test/b/y", "test/c/z")
    with pytest.raises(UserError, match=r"no way was found to part the subjects so that class `.` has photos both"):
        check_protocol(photos, "clean", num_folds=5, select_frac=0.2, source_name="kids")
    with pytest.raises(UserError, match=r"no way was found to part the subjects so that class `.` has photos in each"):
        check_protocol(
            people("ab", "ac", "bc", "abc"), "grouped_kfold", num_folds=3, select_frac=0.2, source_name="kids"
        )


def join_people(photos: PhotoTable, *more: str) -> PhotoTable:
    return join(photos, table(*more, classes=photos.classes))


@pytest.mark.parametrize("words", ["de abd bde ac bc", "ae abd c a cd bce"])
def test_people_who_are_hard_to_part_are_parted_for_every_seed(words):
    """Found by search: for some seeds the first orders, or all orders of the seed, leave a class out of SELECT."""
    train = people(*words.split())
    photos = join_people(train, *[f"test/{label}/t" for label in train.classes])
    check_protocol(photos, "clean", num_folds=5, select_frac=0.2, source_name="kids")
    for seed in range(12):
        roles = assign_roles(photos, "clean", seed=seed)
        assert len(set(zip(photos.label.tolist(), roles.tolist(), strict=True))) == 3 * len(photos.classes)


def test_people_are_dealt_so_that_every_fold_leaves_every_class_to_select():
    photos = people("c", "bc", "ac", "ac", "bc", "c", "ab")  # of most seeds, the first order does not
    check_protocol(photos, "grouped_kfold", num_folds=3, select_frac=0.2, source_name="kids")
    for seed in range(4):
        for fold in range(3):
            roles = assign_roles(photos, "grouped_kfold", seed=seed, fold=fold, num_folds=3)
            assert len(set(zip(photos.label.tolist(), roles.tolist(), strict=True))) == 9


def test_every_seed_falls_back_on_the_orders_that_the_check_tries():
    fallback = list(orders(None))
    assert list(orders(3))[-len(fallback) :] == list(orders(4))[-len(fallback) :] == fallback
    assert not set(list(orders(3))[: -len(fallback)]) & set(orders(4))


def test_remainders_of_classes_do_not_gather_in_one_fold():
    photos = many(dict.fromkeys("abcdefg", 6))
    sizes = [(assign_roles(photos, "grouped_kfold", seed=2, fold=fold) == REPORT).sum() for fold in range(5)]
    assert sorted(sizes) == [8, 8, 8, 9, 9]


def test_of_two_people_the_one_with_fewer_photos_chooses_the_epoch():
    photos = join_people(people("aaaaaaaaaa", "a"), "test/a/t")
    for seed in range(6):
        roles = assign_roles(photos, "clean", seed=seed)
        assert ((roles == SELECT) == (photos.subject == "s1")).all()


def test_two_folds_leave_two_photographs_of_each_class_outside():
    with pytest.raises(UserError, match="class `b` has 3 photographs left; `num_folds` 2 needs at least 4, two a fold"):
        check_protocol(many({"a": 9, "b": 3}), "grouped_kfold", num_folds=2, select_frac=0.2, source_name="kids")
    unequal = people("aaaaaaaaaa", "a", "a", "a", "b", "b", "b", "b")
    check_protocol(unequal, "grouped_kfold", num_folds=2, select_frac=0.2, source_name="kids")
    for fold in (0, 1):
        roles = assign_roles(unequal, "grouped_kfold", seed=3, fold=fold, num_folds=2)
        assert {(0, TRAIN), (0, SELECT), (1, TRAIN), (1, SELECT)} <= set(zip(unequal.label, roles, strict=True))


@pytest.mark.parametrize(
    ("protocol", "change", "message"),
    [
        ("tidy", {}, "`protocol` 'tidy' is not one of paper, clean, grouped_kfold"),
        ("grouped_kfold", {"fold": 5}, "`fold` 5 is not between 0 and 4; `num_folds` is 5"),
        ("grouped_kfold", {"fold": -1}, "`fold` -1 is not between"),
        ("grouped_kfold", {"num_folds": 1}, "`num_folds` 1 is less than 2"),
        ("clean", {"select_frac": 0.0}, "`select_frac` 0.0 is not between 0 and 1"),
        ("grouped_kfold", {"select_frac": 1.0}, "`select_frac` 1.0 is not between 0 and 1"),
    ],
)
def test_setting_out_of_range_is_refused(protocol, change, message):
    with pytest.raises(UserError, match=message):
        assign_roles(many({"joy": 9}), protocol, seed=0, **change)


@pytest.mark.parametrize("protocol", ["paper", "clean", "grouped_kfold"])
def test_empty_table_has_no_roles(protocol):
    assert len(assign_roles(table(), protocol, seed=0)) == 0
