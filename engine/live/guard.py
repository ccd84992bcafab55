"""Lets in only what a page that was served here asks for.

What is asked for runs with the rights of whoever serves.  So neither another
site, which a browser may have open beside, nor a name that somebody has made
lead to this machine gets as far as that.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

BYTES_ALLOWED = 1_000_000


class Refused(Exception):
    """An answer that is none, and why."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class Guard:
    """Knows the server's address, and a secret that ends with it."""

    def __init__(self, host: str) -> None:
        """Take the address and port that browsers are to name."""
        self.host = host
        self._secret = secrets.token_bytes()

    def token(self, page: str) -> str:
        """Return what the page, and no other, is to send."""
        word = hmac.new(self._secret, page.encode(), hashlib.sha256)
        return word.hexdigest()

    def is_at_home(self, environ: Mapping[str, Any]) -> bool:
        """Return whether the request names the address, not another name."""
        return bool(environ.get("HTTP_HOST") == self.host)

    def order(self, environ: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a page asks for; raises Refused."""
        body = _body(environ)  # to be read, whatever the answer is
        if environ["REQUEST_METHOD"] != "POST":
            why = "Only POST is answered here."
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, why)
        origin = environ.get("HTTP_ORIGIN")
        if not self.is_at_home(environ) or origin != f"http://{self.host}":
            why = f"Only pages of http://{self.host} are answered."
            raise Refused(HTTPStatus.FORBIDDEN, why)
        if environ.get("CONTENT_TYPE") != "application/json":
            why = "Only JSON is read."
            raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, why)
        order = _read(body)
        token = str(environ.get("HTTP_X_TOKEN", ""))
        wanted = self.token(str(order.get("page")))
        if not hmac.compare_digest(token.encode(), wanted.encode()):
            why = "This page is from another start of the server: reload it."
            raise Refused(HTTPStatus.FORBIDDEN, why)
        return order


def _body(environ: Mapping[str, Any]) -> bytes:
    length = environ.get("CONTENT_LENGTH") or "0"
    # Of thousands of digits Python makes no number.
    is_short = length.isdecimal() and len(length) < 10
    if not is_short or int(length) > BYTES_ALLOWED:
        why = f"More than {BYTES_ALLOWED // 1_000_000} MB is not read."
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, why)
    return bytes(environ["wsgi.input"].read(int(length)))


def _read(body: bytes) -> dict[str, Any]:
    try:
        order = json.loads(body.decode("utf-8"))
        # Half of a character can be written in JSON, and in no file.
        json.dumps(order, ensure_ascii=False).encode("utf-8")
    except UnicodeError:
        why = "The code is not UTF-8: take out what is no character."
        raise Refused(HTTPStatus.BAD_REQUEST, why) from None
    except (ValueError, RecursionError):
        why = "This is no JSON."
        raise Refused(HTTPStatus.BAD_REQUEST, why) from None
    if not isinstance(order, dict):
        raise Refused(HTTPStatus.BAD_REQUEST, "This is no order.")
    return order
