"""The three stages on a CPU, by compiled loops."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import torch

from datasets.mtcnn.faces import Faces
from datasets.mtcnn.networks import load_weights
from datasets.mtcnn.proposals import NUM_COLUMNS, PNet, merge_levels, search_level
from datasets.mtcnn.pyramid import CELL, is_grey, pyramid_scales
from datasets.mtcnn.refine import after_second, after_third, cut_out, inside
from datasets.mtcnn.trunk import LaterNetwork

COARSE_SHARE = 0.22
"""The search for the largest face starts with cells of at least this share of the photo's shorter side."""
FINEST_SHARE = 0.35
"""It ends when every level is searched whose cells have at least this share of the found face's shorter side. A face is
proposed by cells of its own size, give or take the networks' corrections: where every level was searched, the cell that
led to the largest face had 0.44 to 2.4 times its side, over 2,200 photos with faces of a ninth to all of the frame."""


@dataclass
class _Search:
    """One photo and how far its search has come."""

    flat: np.ndarray  # (H, W * C) uint8
    num_channels: int
    scales: list[float]  # coarsest first
    due: int  # levels to have been searched before the next look
    found: list[np.ndarray] = field(default_factory=list)
    faces: Faces = field(default_factory=Faces.none)
    answers: dict[tuple[int, bytes], np.ndarray] = field(default_factory=dict)  # by network and box

    @property
    def size(self) -> tuple[int, int]:
        return self.flat.shape[0], self.flat.shape[1] // self.num_channels


class CpuSearch:
    """Finds the faces of photos given as (H, W, 3) uint8 arrays; as many at once as torch has threads.

    `stop_early`: coarse to fine, until the largest face is found; else every level of the pyramid.
    """

    def __init__(self, *, min_face_size: float, stop_early: bool) -> None:
        self._min_face_size, self._stop_early = min_face_size, stop_early
        self._threads = ThreadPoolExecutor(torch.get_num_threads()) if torch.get_num_threads() > 1 else None
        self._r_net, self._o_net = LaterNetwork("rnet"), LaterNetwork("onet")
        state = load_weights("pnet")
        self._p_net = {channels: PNet.from_state(state, grey=channels == 1) for channels in (1, 3)}

    def __call__(self, images: Sequence[np.ndarray]) -> list[Faces]:
        """The faces of each photo, in order. R-Net and O-Net take the candidates of all photos together."""
        searches = [self._start(image) for image in images]
        waiting = [search for search in searches if search.scales]
        while waiting:
            self._look(waiting)
            waiting = [search for search in waiting if self._goes_on(search)]
        return [search.faces for search in searches]

    def _start(self, image: np.ndarray) -> _Search:
        height, width = image.shape[:2]
        scales = pyramid_scales(height, width, self._min_face_size)[::-1]
        if not scales:
            return _Search(np.empty((0, 0), np.uint8), 3, [], 0)
        image, num_channels = np.ascontiguousarray(image).view(), 3
        image.flags.writeable = False  # one type for the compiled loops, whether or not the caller's array is writable
        if is_grey(image):
            image, num_channels = np.ascontiguousarray(image[:, :, 0]), 1
        due = len(scales)
        if self._stop_early:
            due = max(1, sum(CELL / scale >= COARSE_SHARE * min(height, width) for scale in scales))
        flat = image.reshape(height, -1)
        flat.flags.writeable = False
        return _Search(flat, num_channels, scales, due)

    def _goes_on(self, search: _Search) -> bool:
        """Whether more levels are due: down to `FINEST_SHARE` of the largest face, or one more without a face."""
        searched = len(search.found)
        if len(search.faces):
            left, top, right, bottom = search.faces.boxes[search.faces.largest_first()[0]]
            finest = FINEST_SHARE * min(right - left, bottom - top)
            search.due = sum(CELL / scale >= finest for scale in search.scales)
        else:
            search.due = min(searched + 1, len(search.scales))
        return search.due > searched

    def _look(self, searches: Sequence[_Search]) -> None:
        """Search the levels that are due and set the faces of each photo."""
        levels, boxes = [], []
        at_once = self._threads.map if self._threads is not None and len(searches) > 1 else map
        for search, (of_photo, candidates) in zip(searches, at_once(self._propose, searches), strict=True):
            kept = inside(candidates, *search.size)
            levels.append(of_photo[kept])
            boxes.append(candidates[kept])
        for at, answers in enumerate(_ask(self._r_net, searches, boxes)):
            kept, corrected = after_second(boxes[at], answers)
            clear = inside(corrected, *searches[at].size)
            levels[at], boxes[at] = levels[at][kept[clear]], corrected[clear]
        for at, answers in enumerate(_ask(self._o_net, searches, boxes)):
            kept, corrected, points = after_third(boxes[at], answers)
            searches[at].faces = Faces(corrected, answers[kept, 0], points, levels[at][kept])

    def _propose(self, search: _Search) -> tuple[np.ndarray, np.ndarray]:
        """Level (n,) and box (n, 4) of each candidate that the levels searched so far leave."""
        net = self._p_net[search.num_channels]
        for scale in search.scales[len(search.found) : search.due]:
            search.found.append(search_level(search.flat, search.num_channels, net, scale))
        # Finest first, as the reference lists them: of equal scores the first stays.
        ranks = range(len(search.found) - 1, -1, -1)
        found = np.concatenate([search.found[rank] for rank in ranks]).reshape(-1, NUM_COLUMNS)
        level = np.concatenate([np.full(len(search.found[rank]), rank, np.int64) for rank in ranks])
        kept, boxes = merge_levels(found)
        return level[kept], boxes


def _ask(network: LaterNetwork, searches: Sequence[_Search], boxes: Sequence[np.ndarray]) -> list[np.ndarray]:
    """A later network's answers to the candidates of each photo, (n, num_answers). None is asked for twice."""
    keys = [[(network.side, box.tobytes()) for box in of_photo] for of_photo in boxes]
    new = [
        [index for index, key in enumerate(of_photo) if key not in search.answers]
        for search, of_photo in zip(searches, keys, strict=True)
    ]
    ends = np.cumsum([len(of_photo) for of_photo in new])
    crops = np.empty((ends[-1], 3, network.side, network.side), np.float32)
    for search, of_photo, which, end in zip(searches, boxes, new, ends, strict=True):
        cut_out(search.flat, search.num_channels, of_photo[which], crops[end - len(which) : end])
    for search, names, which, answers in zip(searches, keys, new, np.split(network(crops), ends[:-1]), strict=True):
        search.answers.update(zip((names[index] for index in which), answers, strict=True))
    return [
        np.array([search.answers[name] for name in names], np.float32).reshape(-1, network.num_answers)
        for search, names in zip(searches, keys, strict=True)
    ]
