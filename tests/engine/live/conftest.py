"""Fixtures: pages that are served, and readers who edit and run them."""

from collections.abc import Iterator

import pytest

from engine.live.app import Live
from engine.live.sessions import Sessions
from engine.run.workers import Workers
from tests.engine.live.reader import HOST, Reader, Site


@pytest.fixture
def sessions() -> Iterator[Sessions]:
    sessions = Sessions(2)
    yield sessions
    sessions.close()


@pytest.fixture
def site(workers: Workers, sessions: Sessions) -> Site:
    return Site(workers, sessions, Live(HOST, "/repo/", sessions))


@pytest.fixture
def reader(site: Site) -> Reader:
    """A reader of a page that counts."""
    site.show("count/", "x = 2", "print('x is', x)", "print('twice', 2 * x)")
    return Reader(site, "count/")
