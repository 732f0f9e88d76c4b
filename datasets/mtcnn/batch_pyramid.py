"""Mean values over windows of the photos on a canvas, by one table of sums: levels of the pyramid and crops alike.

B photos, H rows, W columns, L levels; N pictures are cut out at once.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from datasets.mtcnn.batch_canvas import Canvas

Edges = tuple[Tensor, Tensor]
"""First and behind the last row (or column) of each window, two (N, windows) int64."""


def running_sums(pixels: Tensor) -> Tensor:
    """Sums of all pixels above and to the left: (B, H, W, 3) uint8 to (B, H + 1, W + 1, 3) int32.

    The sums of large photos wrap around. Differences of them do too, and so are right up to 8 megapixels a window.
    """
    num_photos, rows, columns, channels = pixels.shape
    sums = torch.zeros((num_photos, rows + 1, columns + 1, channels), dtype=torch.int32, device=pixels.device)
    # Along a row the sums run fastest in planes, down the columns in any order.
    along = pixels.permute(0, 3, 1, 2).contiguous().cumsum(3, dtype=torch.int32)
    sums[:, 1:, 1:] = along.permute(0, 2, 3, 1)
    return sums.cumsum_(1)


def window_edges(lengths: Tensor, counts: Tensor, most: int) -> Edges:
    """`counts` windows over `lengths` pixels, both (N,) int64, to (N, most): neighbours overlap by a pixel or touch.

    Windows beyond a picture's own count are empty.
    """
    place = torch.arange(most, device=lengths.device)
    length, count = lengths[:, None], counts[:, None]
    divisor, is_own = count.clamp(min=1), place < count
    starts = torch.div(place * length, divisor, rounding_mode="floor")
    ends = torch.div((place + 1) * length + divisor - 1, divisor, rounding_mode="floor")
    return starts * is_own, ends * is_own


def window_means(sums: Tensor, photos: Tensor, rows: Edges, columns: Edges) -> Tensor:
    """Pictures of mean values, scaled for the networks: (N, 3, rows, columns) float32, channels last.

    sums: as by `running_sums`. photos: (N,) int64, the photo that each picture is cut from.
    """
    (tops, bottoms), (lefts, rights) = rows, columns
    photo = photos[:, None, None]
    means = sums[photo, bottoms[:, :, None], rights[:, None]]
    means -= sums[photo, tops[:, :, None], rights[:, None]]
    means -= sums[photo, bottoms[:, :, None], lefts[:, None]]
    means += sums[photo, tops[:, :, None], lefts[:, None]]
    heights, widths = ((ends - starts).clamp(min=1) for starts, ends in (rows, columns))
    values = means.float()
    values /= heights[:, :, None, None]
    values /= widths[:, None, :, None]
    return values.sub_(127.5).mul_(0.0078125).permute(0, 3, 1, 2)


def level_pictures(sums: Tensor, canvas: Canvas) -> Iterator[Tensor]:
    """Each level of all photos, finest first, (B, 3, rows, columns) float32; beyond the own size they mean nothing."""
    num_levels, num_photos, _ = canvas.level_sizes.shape
    photos = torch.arange(num_photos, device=sums.device)
    rows, columns = (
        [
            edges.view(num_levels, num_photos, -1)
            for edges in window_edges(
                canvas.sizes[:, axis].repeat(num_levels),
                canvas.level_sizes[:, :, axis].flatten(),
                canvas.level_shapes[0][axis],
            )
        ]
        for axis in (0, 1)
    )
    for rank, (num_rows, num_columns) in enumerate(canvas.level_shapes):
        tops, bottoms = (edges[rank, :, :num_rows] for edges in rows)
        lefts, rights = (edges[rank, :, :num_columns] for edges in columns)
        yield window_means(sums, photos, (tops, bottoms), (lefts, rights))


def crop_pictures(sums: Tensor, photos: Tensor, pixels: Tensor, side: int) -> Tensor:
    """Boxes of whole pixels resized to (N, 3, side, side). photos: (N,). pixels: (N, 4) int64, within the photos."""
    lefts, tops, rights, bottoms = pixels.unbind(1)
    counts = torch.full_like(lefts, side)
    rows = [edge + tops[:, None] for edge in window_edges(bottoms - tops, counts, side)]
    columns = [edge + lefts[:, None] for edge in window_edges(rights - lefts, counts, side)]
    return window_means(sums, photos, (rows[0], rows[1]), (columns[0], columns[1]))
