"""The headers that the site is to be published with, and is served with."""

import base64
import hashlib
import re

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; "
        "style-src 'self' 'unsafe-inline'"
    ),
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
}
"""What the site is to be published with."""
INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def headers(body: bytes, added: bytes) -> dict[str, str]:
    """Return those of a page; scripts behind the mark ``added`` are let in."""
    policy = HEADERS["Content-Security-Policy"] + "; script-src 'self'"
    for script in INLINE_SCRIPT.findall(body.partition(added)[2]):
        digest = base64.b64encode(hashlib.sha256(script).digest())
        policy += f" 'sha256-{digest.decode()}'"
    changed = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    return {**HEADERS, **changed}
