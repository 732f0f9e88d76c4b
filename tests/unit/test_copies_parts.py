"""The steps by which copies are found: views, index, alignment, groups."""

import numpy as np
import pytest

from datasets.copies.exact import exact_groups
from datasets.copies.geometry import MIRROR, VIEWS, view
from datasets.copies.grouping import Grouping, Links
from datasets.copies.index import WHOLE, Index
from datasets.copies.verify import compare
from datasets.measures import signature
from datasets.sample import draw_photo
from datasets.sample_expressions import EXPRESSIONS


def test_half_of_the_views_are_mirrored():
    assert (np.linalg.det(VIEWS) < 0).tolist() == [False] * (len(VIEWS) // 2) + [True] * (len(VIEWS) // 2)
    np.testing.assert_array_equal(VIEWS[len(VIEWS) // 2], MIRROR)


def test_index_finds_nearly_all_that_is_similar():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(1500, 64))
    rows = np.repeat(centres, 3, 0) + 0.35 * rng.normal(size=(4500, 64))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    assert len(rows) > WHOLE
    query, row, similarity = Index(rows).similar(rows, 0.7)
    truth = np.argwhere(rows @ rows.T >= 0.7)
    found = set(zip(query.tolist(), row.tolist(), strict=True))
    assert len(found & {tuple(pair) for pair in truth.tolist()}) >= 0.99 * len(truth)
    assert (similarity >= 0.7).all()


@pytest.mark.parametrize("mirrored", [False, True])
def test_compare_recovers_the_map(mirrored):
    photo = draw_photo(EXPRESSIONS["joy"], np.random.default_rng(5)).resize((480, 360))
    seen = photo.crop((24, 0, 480, 342))  # 5 % from the left and from below
    truth = view(0.95, 0.95, x=0.05, y=-0.05)
    if mirrored:
        seen = seen.transpose(0)
        truth = truth @ MIRROR
    signatures = np.stack([np.frombuffer(signature(image), np.uint8).reshape(96, 96) for image in (seen, photo)])
    start = (MIRROR if mirrored else np.eye(3))[None]
    score, found = compare(signatures, np.array([0]), np.array([1]), start)
    assert score[0] > 0.85
    np.testing.assert_allclose(found[0], truth, atol=0.01)


def links(pairs: dict[tuple[int, int], float]) -> Links:
    a, b = np.array(list(pairs)).T
    return Links(a, b, np.array(list(pairs.values())), np.tile(np.eye(3), (len(a), 1, 1)))


def grouping(num: int, alike: set[tuple[int, int]]) -> Grouping:
    def check(a, b, maps):
        scores = [float(tuple(sorted(pair)) in alike) for pair in zip(a.tolist(), b.tolist(), strict=True)]
        return np.array(scores), maps

    return Grouping(num, check, 0.5)


def test_a_chain_of_look_alikes_is_cut_at_its_weakest_link():
    chain = grouping(4, alike={(0, 1), (1, 2), (2, 3)})
    chain.add(links({(0, 1): 0.9, (1, 2): 0.7, (2, 3): 0.8}))
    assert sorted(chain.members.values()) == [[0, 1], [2, 3]]


def test_groups_join_where_the_others_could_be_copies_too():
    chain = grouping(4, alike={(0, 2), (0, 3), (1, 2), (1, 3), (0, 1)})
    chain.add(links({(0, 1): 0.9, (1, 2): 0.7, (2, 3): 0.8}))
    assert [sorted(members) for members in chain.members.values()] == [[0, 1, 2, 3]]
    assert chain.weakest(0, 3) == 0.7
    assert chain.weakest(1, 0) == 0.9


def test_maps_of_a_group_follow_its_links():
    half, moved = view(0.5, 0.5), view(x=0.1)
    group = grouping(3, alike={(0, 2)})
    group.add(Links(np.array([0, 1]), np.array([1, 2]), np.array([0.8, 0.9]), np.stack([half, moved])))
    np.testing.assert_allclose(group.guess(0, 2), moved @ half)
    np.testing.assert_allclose(group.guess(2, 1), np.linalg.inv(moved))


def test_exact_groups_follow_both_hashes():
    assert exact_groups(["a", "b", "a", None, ""], ["p", "q", "r", "r", "q"]).tolist() == [0, 1, 0, 0, 1]
