"""Draw the picture that others show when a page is shared.

Drawn with Pillow in the font that Matplotlib ships, so nothing is fetched
and bytes repeat.
"""

import hashlib
import textwrap
from pathlib import Path

SIZE = (1200, 630)
PAPER, INK, SOFT, RED = "#12161b", "#e4e7ea", "#aab3bd", "#f29a5b"
STEPS = (0.06, 0.2, 0.35, 0.5)


def write_card(path: Path, title: str, description: str) -> None:
    """Write the card as PNG; leave one with the same words as it is."""
    words = f"{title}\n{description}\n{Path(__file__).read_text('utf-8')}"
    mark = path.with_suffix(".sha256")
    digest = hashlib.sha256(words.encode()).hexdigest()
    if path.exists() and mark.exists() and mark.read_text() == digest:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    _draw(path, title, description)
    mark.write_text(digest)


def _draw(path: Path, title: str, description: str) -> None:
    import matplotlib
    from PIL import Image, ImageDraw, ImageFont

    fonts = Path(matplotlib.get_data_path()) / "fonts/ttf"
    large = ImageFont.truetype(fonts / "DejaVuSans-Bold.ttf", 68)
    small = ImageFont.truetype(fonts / "DejaVuSans.ttf", 32)
    image = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(image)
    draw.multiline_text(
        (80, 70), textwrap.fill(title, 25), fill=INK, font=large, spacing=16
    )
    draw.multiline_text(
        (80, 300),
        textwrap.fill(description, 36),
        fill=SOFT,
        font=small,
        spacing=14,
    )
    draw.text((80, 540), "Training loops that run", fill=RED, font=small)
    curve = [_point(i / 50, (2 * i / 50 - 1) ** 2) for i in range(51)]
    draw.line(curve, fill=SOFT, width=5, joint="curve")
    for x in STEPS:
        a, b = _point(x, (2 * x - 1) ** 2)
        draw.ellipse((a - 15, b - 15, a + 15, b + 15), fill=RED)
    image.quantize(32).save(path, optimize=True)


def _point(x: float, y: float) -> tuple[float, float]:
    """Return where a point of the unit square lies on the card."""
    return 800 + 330 * x, 540 - 300 * y
