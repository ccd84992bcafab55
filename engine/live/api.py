"""What pages of the served site order, and what they are answered."""

import hashlib
import json
import queue
import threading
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from engine.live import results
from engine.live.guard import Refused
from engine.live.session import STOPPED, Begun, Done, Ended, Event, Notice
from engine.live.sessions import Refusal, Sessions
from engine.program import Block, Program, script

SECONDS_BETWEEN_SIGNS = 0.25
"""That a page was left is not noticed before something is sent to it."""
LEFT = "The page was left."
BUG = "This failed in the engine; the terminal shows where."

Headers = list[tuple[str, str]]
Order = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What a page is answered."""

    body: Iterable[bytes]
    headers: Headers
    status: HTTPStatus = HTTPStatus.OK


class Orders:
    """Carries out what pages order."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._known = {
            "warm": self._warm,
            "run": self._run,
            "stop": self._stop,
            "script": self._script,
        }

    def answer(self, name: str, order: Order) -> Answer:
        """Return the answer to an order; raises Refused."""
        if name not in self._known:
            raise Refused(HTTPStatus.NOT_FOUND, "There is no such order.")
        return self._known[name](order)

    def _warm(self, order: Order) -> Answer:
        threading.Thread(target=self._sessions.warm, daemon=True).start()
        return _json({})

    def _stop(self, order: Order) -> Answer:
        self._sessions.stop(order["page"], STOPPED)
        return _json({})

    def _script(self, order: Order) -> Answer:
        return _json({"script": script(self._blocks(order))})

    def _run(self, order: Order) -> Answer:
        blocks = self._blocks(order)
        last = order.get("block")
        if not isinstance(last, int) or not 1 <= last <= len(blocks):
            raise Refused(HTTPStatus.BAD_REQUEST, "There is no such block.")
        first = min([last, *_edits(order)])
        events = self._events(order["page"], blocks[:last], first)
        return Answer(events, [("Content-Type", "application/x-ndjson")])

    def _blocks(self, order: Order) -> list[Block]:
        program = self._sessions.programs.get(order["page"])
        if program is None or order.get("program") != digest(program):
            why = "This page has changed since it was opened: reload it."
            raise Refused(HTTPStatus.CONFLICT, why)
        return self._sessions.edited(order["page"], _edits(order))

    def _events(
        self, page: str, blocks: Sequence[Block], first: int
    ) -> Iterator[bytes]:
        """Tell what happens as it does, and now and then that it goes on."""
        told: queue.Queue[dict[str, Any] | None] = queue.Queue()

        def run() -> None:
            try:
                for event in self._sessions.run(page, blocks):
                    told.put(_as_json(event, first))
            except Refusal as error:
                told.put({"fault": str(error)})
            except Exception:
                traceback.print_exc()
                told.put({"fault": BUG})
            told.put(None)

        threading.Thread(target=run, daemon=True).start()
        event: dict[str, Any] | None = {}
        try:
            while event is not None:
                yield json.dumps(event).encode() + b"\n"
                try:
                    event = told.get(timeout=SECONDS_BETWEEN_SIGNS)
                except queue.Empty:
                    event = {}
        finally:
            if event is not None:
                self._sessions.stop(page, LEFT)


def digest(program: Program) -> str:
    """Return a word for what the page shows, and another when it changes."""
    codes = [[type(block).__name__, block.code] for block in program.blocks]
    return hashlib.sha256(json.dumps(codes).encode()).hexdigest()[:16]


def _edits(order: Order) -> dict[int, str]:
    try:
        given = dict(order.get("edits", {}))
        return {int(number): code + "" for number, code in given.items()}
    except (TypeError, ValueError):
        why = "These are no edits."
        raise Refused(HTTPStatus.BAD_REQUEST, why) from None


def _as_json(event: Event, first: int) -> dict[str, Any]:
    """Return the event for the page; what is above ``first`` it shows."""
    match event:
        case Notice(words):
            return {"notice": words}
        case Begun(number):
            return {"begun": number}
        case Ended(number, why, printed):
            html = results.output(number, printed)
            return {"block": number, "fault": why, "html": html}
        case Done(number, block, run):
            good = results.is_as_meant(block, run)
            if good and number < first:
                return {}
            return {
                "block": number,
                "good": good,
                "html": results.shown(number, block, run),
                "words": results.words(block, run),
            }


def _json(answer: dict[str, Any]) -> Answer:
    body = json.dumps(answer).encode()
    return Answer([body], [("Content-Type", "application/json")])
