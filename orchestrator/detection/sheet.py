"""A contact sheet: small pictures in rows, each with its caption. Sizes are in pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from PIL import Image, ImageDraw, ImageFont

MARGIN, GAP, LINE, HEADER = 24, 16, 18, 76
PAPER, BEHIND, INK, SOFT, BOX_COLOUR = "#FFFFFF", "#EEF0F2", "#1B1F24", "#59626D", "#D55E00"
_FONTS = (
    Path(mpl.get_data_path()) / "fonts" / "ttf"
)  # DejaVu Sans, as in the figures: it has more scripts than Pillow's


@dataclass(frozen=True)
class Cell:
    """One photo: its pictures side by side, and its caption, the first line dark."""

    pictures: tuple[Image.Image, ...]
    caption: tuple[str, ...]


@dataclass(frozen=True)
class SheetLayout:
    """`columns` cells in a row, each of `pictures` squares with this `side`, and `lines` of caption."""

    columns: int
    pictures: int
    side: int
    lines: int = 2

    @property
    def cell_size(self) -> tuple[int, int]:
        """Width and height of a cell with its caption."""
        return self.pictures * (self.side + 4) - 4, self.side + 6 + self.lines * LINE

    def sheet_size(self, num_cells: int) -> tuple[int, int]:
        """Width and height of a sheet; its width does not depend on the number of cells."""
        width, height = self.cell_size
        rows = -(-num_cells // self.columns)
        return 2 * MARGIN + self.columns * (width + GAP) - GAP, HEADER + rows * (height + GAP) + MARGIN - GAP

    def place(self, index: int) -> tuple[int, int]:
        """Left and top of a cell."""
        width, height = self.cell_size
        return MARGIN + index % self.columns * (width + GAP), HEADER + index // self.columns * (height + GAP)


def draw_sheet(title: str, note: str, cells: Sequence[Cell], layout: SheetLayout) -> Image.Image:
    """The cells in reading order under a title. The same arguments give the same pixels."""
    width, height = layout.sheet_size(len(cells))
    sheet = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    for text, top, ink, font in ((title, 18, INK, _font(20, bold=True)), (note, 46, SOFT, _font(13))):
        draw.text((MARGIN, top), shortened(text, font, width - 2 * MARGIN), ink, font)
    for index, cell in enumerate(cells):
        _draw_cell(sheet, draw, cell, layout, layout.place(index))
    return sheet


def photo_picture(
    frame: Image.Image, size: tuple[int, int], side: int, box: tuple[float, ...] | None = None
) -> Image.Image:
    """The photo at its own proportions inside a square of `side`, with the face's box, even where it leaves the photo.

    `frame`: the photo squeezed to a square; `size`: its width and height; `box`: its left, top, right, bottom; pixels.
    """
    left, top, right, bottom = _joined((0.0, 0.0, *size), box)
    scale = side / max(right - left, bottom - top)
    x, y = (side - scale * (right + left)) / 2, (side - scale * (bottom + top)) / 2  # where the photo's corner falls
    picture = frame.convert("RGB").resize([max(1, round(edge * scale)) for edge in size], Image.Resampling.BICUBIC)
    square = Image.new("RGB", (side, side), BEHIND)
    square.paste(picture, (round(x), round(y)))
    if box is not None:
        corners = [(round(x + box[place] * scale), round(y + box[place + 1] * scale)) for place in (0, 2)]
        (low_x, low_y), (high_x, high_y) = ([min(max(2, edge), side - 3) for edge in corner] for corner in corners)
        draw = ImageDraw.Draw(square)  # a white line around the coloured one, to be seen on any photo
        draw.rectangle((low_x - 1, low_y - 1, high_x + 1, high_y + 1), outline=PAPER, width=4)
        draw.rectangle((low_x, low_y, high_x, high_y), outline=BOX_COLOUR, width=2)
    return square


def _joined(photo: tuple[float, ...], box: tuple[float, ...] | None) -> tuple[float, ...]:
    """The smallest rectangle that holds both."""
    if box is None:
        return photo
    return (*map(min, photo[:2], box[:2]), *map(max, photo[2:], box[2:]))


def shortened(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    """The text on one line of at most `width`, its middle left out where it is longer: a name's end tells it apart."""
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    if font.getlength(text) <= width:
        return text
    for kept in range(min(len(text), width) - 1, 1, -1):
        shorter = text[: kept // 2] + "…" + text[len(text) - (kept - kept // 2) :]
        if font.getlength(shorter) <= width:
            return shorter
    return "…"


def _draw_cell(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, cell: Cell, layout: SheetLayout, place: tuple[int, int]
) -> None:
    left, top = place
    for number, picture in enumerate(cell.pictures):
        sheet.paste(picture, (left + number * (layout.side + 4), top))
    for number, text in enumerate(cell.caption):
        font, ink = _font(13), SOFT if number else INK
        at = (left, top + layout.side + 6 + number * LINE)
        draw.text(at, shortened(text, font, layout.cell_size[0]), ink, font)


def _font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(_FONTS / name), size, layout_engine=ImageFont.Layout.BASIC)
