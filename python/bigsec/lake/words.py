r"""Words and phrases of a filter as the text that they stand for.

In a word `*` stands for any text, `?` for one character, and `\` takes the next character as it is.
In quotes only `\"` and `\\` mean something else, so that `"C:\Windows\*"` is just that.
"""

from __future__ import annotations

__all__ = ["phrase", "plain", "wild"]

_LIKE = {"*": "%", "?": "_"}


def plain(word: str) -> str:
    """The text of a word without wildcards."""
    return "".join(letter for letter, _ in _letters(word))


def wild(word: str) -> str | None:
    """The word as a LIKE pattern, escaped by `\\`; None where it has no wildcards."""
    made: list[str] = []
    found = False
    for letter, escaped in _letters(word):
        if not escaped and letter in _LIKE:
            made.append(_LIKE[letter])
            found = True
        else:
            made.append(f"\\{letter}" if letter in "%_\\" else letter)
    return "".join(made) if found else None


def phrase(quoted: str) -> str:
    """The text between the quotes."""
    return quoted[1:-1].replace('\\"', '"').replace("\\\\", "\\")


def _letters(word: str) -> list[tuple[str, bool]]:
    """Each character, and whether it was escaped."""
    letters: list[tuple[str, bool]] = []
    escaped = False
    for letter in word:
        if letter == "\\" and not escaped:
            escaped = True
            continue
        letters.append((letter, escaped))
        escaped = False
    return letters
