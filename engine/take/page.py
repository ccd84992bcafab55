"""What is known of a page when a reader takes it home."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.keep.records import BlockRecord
from engine.program import Block
from engine.take.walk import Piece, Prose


@dataclass(frozen=True)
class Taken:
    """A page with what its blocks did; all that is taken home is of it."""

    title: str
    versions: Mapping[str, str]
    pieces: Sequence[Piece]
    blocks: Sequence[Block]
    results: Sequence[BlockRecord]

    @property
    def ran_with(self) -> str:
        """The versions that the page ran with, as a sentence."""
        names = ", ".join(f"{k} {v}" for k, v in self.versions.items())
        return f"Ran with {names}."

    @property
    def lacks_heading(self) -> bool:
        """Whether the theme, and not the page, shows the title."""
        prose = (p for p in self.pieces if isinstance(p, Prose))
        return not any(p.element.find("h1") for p in prose)
