"""The three stages over many photos at once, for devices that wait longer for orders than they take to compute.

Nothing that is ordered depends on what was found, so that the host never waits before the one copy that brings the
faces back. The price is fixed room for candidates; the rare photo that needs more is searched again on the CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from datasets.mtcnn.batch_canvas import Canvas, lay_out, share_canvases
from datasets.mtcnn.batch_proposals import propose
from datasets.mtcnn.batch_pyramid import running_sums
from datasets.mtcnn.batch_refine import ANSWER_COLUMNS, second_stage, third_stage
from datasets.mtcnn.batch_room import Room
from datasets.mtcnn.cpu import CpuSearch
from datasets.mtcnn.faces import Faces
from datasets.mtcnn.networks import load_networks
from datasets.mtcnn.precision import full_precision
from datasets.mtcnn.pyramid import pyramid_scales

MAX_PIXELS = 64_000_000
"""Of a photo. Larger ones are searched on the CPU: a device's libraries may not count that many values in a tensor."""


class BatchSearch:
    """Finds every face of (H, W, 3) uint8 photos on a torch device, with the results of a full `CpuSearch`.

    It always searches the whole pyramid: on a GPU that costs less than to look at each level before the next. Photos
    that the device has no memory for, not even one at a time, are searched on the CPU. room: the same for all canvases,
    in place of one by the size of the photos.
    """

    def __init__(self, device: str | torch.device, *, min_face_size: float, room: Room | None = None) -> None:
        self._device, self._min_face_size, self._room = torch.device(device), min_face_size, room
        self._p_net, self._r_net, self._o_net = load_networks(self._device)

    @cached_property
    def _fallback(self) -> CpuSearch:
        return CpuSearch(min_face_size=self._min_face_size, stop_early=False)

    def __call__(self, images: Sequence[np.ndarray]) -> list[Faces]:
        """The faces of each photo, in order."""
        faces = [Faces.none() for _ in images]
        sizes = [(image.shape[0], image.shape[1]) for image in images]
        due = [index for index, size in enumerate(sizes) if pyramid_scales(*size, self._min_face_size)]
        for group in share_canvases([sizes[index] for index in due]):
            chosen = [due[place] for place in group]
            for index, found in zip(chosen, self._search([images[index] for index in chosen]), strict=True):
                faces[index] = found
        return faces

    def _search(self, photos: list[np.ndarray]) -> list[Faces]:
        """The faces of photos that share a canvas, or of each half of them where memory is short."""
        if photos[0].size > 3 * MAX_PIXELS:
            return self._fallback(photos)
        try:
            answers = self._on_device(photos)
        except RuntimeError as error:
            if not _is_short_of_memory(error):
                raise
            answers = None  # what follows comes after the handler, which keeps the failed search's tensors alive
        if answers is not None:
            return [self._checked(photo, answer) for photo, answer in zip(photos, answers, strict=True)]
        if len(photos) == 1:
            return self._fallback(photos)
        half = len(photos) // 2
        return self._search(photos[:half]) + self._search(photos[half:])

    def _on_device(self, photos: list[np.ndarray]) -> np.ndarray:
        """The answers of `look`, in the host's memory."""
        canvas = lay_out(photos, self._min_face_size, pinned=self._device.type == "cuda")
        with torch.inference_mode(), full_precision():
            return self.look(canvas.to(self._device)).cpu().numpy()

    def look(self, canvas: Canvas) -> Tensor:
        """The faces of a canvas, one row a photo as by `third_stage`, on the device. The host waits for nothing."""
        num_photos, rows, columns, _ = canvas.pixels.shape
        room = self._room or Room.for_photos(num_photos, rows * columns)
        sums = running_sums(canvas.pixels)
        found = propose(self._p_net, canvas, sums, room)
        found = second_stage(self._r_net, sums, canvas.sizes, found, (room.second, room.passed))
        return third_stage(self._o_net, sums, canvas.sizes, found, room.third)

    def _checked(self, photo: np.ndarray, answer: np.ndarray) -> Faces:
        """The faces in one photo's answer; of a photo that was crowded or unsettled, those of another search."""
        if answer[:2].any():
            return self._fallback([photo])[0]
        slots = answer[2:].reshape(-1, ANSWER_COLUMNS)
        found = slots[slots[:, -1] > 0]
        landmarks, levels = found[:, 5:15].reshape(-1, 5, 2), found[:, 15].astype(np.int64)
        return Faces(found[:, :4].copy(), found[:, 4].copy(), landmarks, levels)


def _is_short_of_memory(error: RuntimeError) -> bool:
    """Torch's own error, or what it passes on of its libraries, as in CUBLAS_STATUS_ALLOC_FAILED."""
    return isinstance(error, torch.OutOfMemoryError) or "ALLOC_FAILED" in str(error)
