"""What this site has MkDocs do beyond its theme: cards, and small mends."""

import hashlib
import html
import importlib.util
import re
import shutil
import textwrap
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.pages import Page
from mkdocs.utils import is_markdown_file

INVALID = re.compile(
    r'(<input[^>]*type="checkbox"[^>]*?) autocomplete="off"(?=>)'
    r'|(<label[^>]*?) tabindex=""(?=[ >])'
)
"""What the theme writes, and HTML does not allow, with what stands before."""
MINIFIED = {".js": "application/javascript", ".css": "text/css"}
PAPER, INK, SOFT, RED = "#12161b", "#e4e7ea", "#aab3bd", "#f29a5b"
STEPS = (0.06, 0.2, 0.35, 0.5)


def on_page_context(
    context: dict[str, Any], page: Page, config: MkDocsConfig, nav: Any
) -> dict[str, Any]:
    """Draw the page's card, which its notebook view has too."""
    source = page.meta.get("taken_from", page.file.src_uri)
    if not is_markdown_file(source):
        return context
    context["card"] = f"assets/cards/{source.rpartition('.')[0]}.png"
    if source == page.file.src_uri:
        cache = Path(config.config_file_path or "").parent / ".cache/cards"
        told = str(page.meta.get("description") or "")
        target = Path(config.site_dir, context["card"])
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(card(cache, _title(page), told), target)
    return context


def on_post_page(output: str, **kwargs: Any) -> str:
    """Mend what neither a template nor an option lets a project change."""
    output = INVALID.sub(r"\1\2", output)
    # A page outside of the navigation has no switch for its contents.
    if 'id="__toc"' not in output:
        output = output.replace(' for="__toc"', "")
    return output


on_post_template = on_post_page


def on_post_build(config: MkDocsConfig) -> None:
    """Minify what the explorer loads."""
    for path in Path(config.site_dir, "assets/explorer").glob("*"):
        if path.suffix in MINIFIED:
            path.write_text(minified(path), encoding="utf-8")


def minified(path: Path) -> str:
    """Return a script or a style sheet as it is served."""
    import minify

    kind, text = MINIFIED[path.suffix], path.read_text("utf-8")
    try:
        return str(minify.string(kind, text))
    except minify.MinifyError as error:
        raise PluginError(f"correct {path.name}: {error}") from None


def card(cache: Path, title: str, description: str) -> Path:
    """Return the picture that others show when a page is shared, as PNG.

    The cache keeps it for the same words, drawn by the same code.
    """
    key = f"{title}\n{description}\n{Path(__file__).read_text('utf-8')}"
    path = cache / f"{hashlib.sha256(key.encode()).hexdigest()}.png"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        _draw(partial, title, description)
        partial.replace(path)
    return path


def _draw(path: Path, title: str, description: str) -> None:
    from PIL import Image, ImageDraw, ImageFont

    # In the font that Matplotlib ships nothing is fetched, and bytes repeat.
    # Importing it would make folders at the user's home.
    spec = importlib.util.find_spec("matplotlib")
    assert spec
    assert spec.origin
    fonts = Path(spec.origin).parent / "mpl-data/fonts/ttf"
    large = ImageFont.truetype(fonts / "DejaVuSans-Bold.ttf", 68)
    small = ImageFont.truetype(fonts / "DejaVuSans.ttf", 32)
    image = Image.new("RGB", (1200, 630), PAPER)
    draw = ImageDraw.Draw(image)
    words = textwrap.fill(description, 36)
    draw.text((80, 70), textwrap.fill(title, 25), INK, large, spacing=16)
    draw.text((80, 300), words, SOFT, small, spacing=14)
    draw.text((80, 540), "Training loops that run", RED, small)
    curve = [_point(i / 50) for i in range(51)]
    draw.line(curve, fill=SOFT, width=5, joint="curve")
    for a, b in map(_point, STEPS):
        draw.ellipse((a - 15, b - 15, a + 15, b + 15), fill=RED)
    image.quantize(32).save(path, "PNG", optimize=True)


def _point(x: float) -> tuple[float, float]:
    """Return where the parabola's point at x, of 0 to 1, lies on the card."""
    return 800 + 330 * x, 540 - 300 * (2 * x - 1) ** 2


def _title(page: Page) -> str:
    tops = [html.unescape(h.title) for h in page.toc if h.level == 1]
    return tops[0] if tops else str(page.title)
