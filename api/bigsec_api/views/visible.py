"""Text that came from outside, shown so that nothing in it can act or hide."""

from __future__ import annotations

import re
from typing import Final

from markupsafe import Markup, escape

__all__ = ["shortened", "visible"]

# C0 and C1 controls; marks that reorder, join or hide what is shown; halves of surrogate pairs.
_UNSEEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)

_UNSEEN_HTML: Final = Markup('<span class="unseen">{}</span>')


def visible(value: object) -> Markup:
    """The text as HTML, with every character that has no shape of its own as `\\xNN`, `\\uNNNN`."""
    text = str(value)
    parts: list[Markup] = []
    end = 0
    for match in _UNSEEN.finditer(text):
        parts += (escape(text[end : match.start()]), _UNSEEN_HTML.format(_named(match[0])))
        end = match.end()
    parts.append(escape(text[end:]))
    return Markup().join(parts)


def _named(one: str) -> str:
    point = ord(one)
    if point < 0x100:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"


def shortened(value: str, most: int) -> tuple[str, int]:
    """The beginning of a text, and how many characters are left out."""
    return value[:most], max(0, len(value) - most)
