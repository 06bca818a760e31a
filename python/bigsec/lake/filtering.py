"""The filter language: Lucene's query syntax over the columns of events, made into a condition.

    src_ip:10.0.0.0/8 AND user_name:(root OR admin*) NOT status:failure
    time:[now-4h TO now] http_response.code:>=500 "union select" process.cmd_line:/whoami|nltest/

Clauses that stand side by side must all hold. A word without a column is looked for anywhere in the
event. `unmapped.NAME:VALUE` asks for a field by the source's own name.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

from luqum import tree  # type: ignore[import-untyped]
from luqum.exceptions import ParseError  # type: ignore[import-untyped]
from luqum.thread import parse  # type: ignore[import-untyped]

from bigsec.errors import Problem, QueryError
from bigsec.lake import comparing, words
from bigsec.lake.columns import UNMAPPED, Column, columns, near
from bigsec.lake.comparing import ValueFault
from bigsec.lake.condition import Condition, every, negated, some

__all__ = ["condition_of"]

LENGTH_MAX: Final = 8_000
DEPTH_MAX: Final = 50
CLAUSES_MAX: Final = 500
"""Whoever needs more terms than this loads them as indicators."""

_EXISTS: Final = "_exists_"
_PLACE: Final = re.compile(r"position (\d+)")
_OPERATORS: Final = {
    (tree.From, True): ">=",
    (tree.From, False): ">",
    (tree.To, True): "<=",
    (tree.To, False): "<",
}


def condition_of(text: str, now: datetime | None = None) -> Condition:
    """What a filter demands of an event; an empty one demands nothing.

    Raises QueryError with the column of the fault and its mend.
    """
    if len(text) > LENGTH_MAX:
        raise _fault(text, 0, 0, f"the filter has {len(text)} characters", f"at most {LENGTH_MAX}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _fault(text, error.start, 1, "this is no character", "write UTF-8") from None
    if not text.strip():
        return Condition("true")
    return _Compiler(text, now or datetime.now(UTC)).compile(_parsed(text))


class _Compiler:
    def __init__(self, text: str, now: datetime) -> None:
        self._text = text
        self._now = now
        self._clauses = 0

    def compile(self, node: Any, column: str | None = None, depth: int = 0) -> Condition:
        """The condition of a node; column: the one that stands before the group it is in."""
        if depth > DEPTH_MAX:
            raise self._at(node, "the filter nests too deep", f"at most {DEPTH_MAX} levels")

        def inner(child: Any) -> Condition:
            return self.compile(child, column, depth + 1)

        match node:
            case tree.SearchField():
                if column is not None:
                    mend = f"take `{node.name}` out of the parentheses"
                    raise self._at(node, f"`{node.name}:` within `{column}:( )`", mend)
                return self.compile(node.expr, node.name, depth + 1)
            case tree.BaseGroup():
                return inner(node.expr)
            case tree.OrOperation():
                return some([inner(child) for child in node.children])
            case tree.AndOperation() | tree.UnknownOperation():
                return every([inner(child) for child in node.children])
            case tree.Plus():
                return inner(node.a)
            case tree.Not() | tree.Prohibit():
                return negated(inner(node.a))
            case _:
                return self._clause(node, column)

    def _clause(self, node: Any, column: str | None) -> Condition:
        self._clauses += 1
        if self._clauses > CLAUSES_MAX:
            mend = f"at most {CLAUSES_MAX} terms; load more of them as indicators"
            raise self._at(node, "the filter has too many terms", mend)
        try:
            if column is None:
                return self._anywhere(node)
            if column == _EXISTS:
                return comparing.exists(self._column(node, words.plain(node.value)))
            if column.startswith(UNMAPPED):
                return self._unmapped(node, column.removeprefix(UNMAPPED))
            return self._compared(node, self._column(node, column))
        except ValueFault as fault:
            raise self._at(node, fault.message, fault.mend) from None

    def _compared(self, node: Any, column: Column) -> Condition:
        match node:
            case tree.Word():
                if node.value == "*":
                    return comparing.exists(column)
                wild = words.wild(node.value)
                return comparing.equal(column, words.plain(node.value), wild, self._now)
            case tree.Phrase():
                return comparing.equal(column, words.phrase(node.value), None, self._now)
            case tree.Regex():
                if column.kind not in {"text", "ip"}:
                    raise ValueFault(f"`{column.path}` is no text", "a pattern is for text only")
                return comparing.pattern(column.sql, self._expression(node))
            case tree.OpenRange():
                operator = _OPERATORS[(type(node), bool(node.include))]
                return comparing.bound(column, self._word(node.a), operator, self._now)
            case tree.Range():
                return self._range(node, column)
        raise self._unknown(node)

    def _range(self, node: Any, column: Column) -> Condition:
        low = ">=" if node.include_low else ">"
        high = "<=" if node.include_high else "<"
        parts = [
            comparing.bound(column, self._word(end), operator, self._now)
            for end, operator in ((node.low, low), (node.high, high))
            if getattr(end, "value", None) != "*"
        ]
        return every(parts) if parts else comparing.exists(column)

    def _anywhere(self, node: Any) -> Condition:
        """Text anywhere in the event: in its columns, in the source's own fields, in its text."""
        match node:
            case tree.Word():
                text = words.plain(node.value)
                wild = words.wild(node.value)
                pattern = None if wild is None else f"%{wild.lower()}%"
            case tree.Phrase():
                text, pattern = words.phrase(node.value), None
            case tree.Regex():
                return _anywhere("regexp_matches({}, ?, 'i')", self._expression(node))
            case _:
                raise self._unknown(node)
        if pattern is None:
            return _anywhere("contains(lower({}), ?)", text.lower())
        return _anywhere("lower({}) LIKE ? ESCAPE '\\'", pattern)

    def _unmapped(self, node: Any, name: str) -> Condition:
        """A field by the source's own name, whatever case it is written in."""
        given = words.plain(name).lower()
        field = "lower(u.name) = ?"
        match node:
            case tree.Word() if node.value == "*":
                inside = Condition("true")
            case tree.Word():
                wild = words.wild(node.value)
                inside = comparing.like("u.value", words.plain(node.value), wild)
            case tree.Phrase():
                inside = comparing.like("u.value", words.phrase(node.value), None)
            case tree.Regex():
                inside = comparing.pattern("u.value", self._expression(node))
            case _:
                mend = "compare with a word, a phrase or a pattern"
                raise self._at(node, "a field of a source's own is text", mend)
        sql = f"(len(list_filter(unmapped, lambda u: {field} AND {inside.sql})) > 0)"
        return Condition(sql, [given, *inside.values])

    def _column(self, node: Any, name: str) -> Column:
        column = columns().get(name)
        if column is None:
            place = max(self._text.rfind(name, 0, (node.pos or 0) + len(name)), 0)
            meant = near(name)
            known = f"perhaps {', '.join(meant)}; " if meant else ""
            mend = f"{known}a field by the source's own name is `{UNMAPPED}{name}`"
            raise _fault(self._text, place, len(name), f"no column is called `{name}`", mend)
        return column

    def _word(self, node: Any) -> str:
        match node:
            case tree.Word():
                return words.plain(node.value)
            case tree.Phrase():
                return words.phrase(node.value)
        raise self._unknown(node)

    def _expression(self, node: Any) -> str:
        end = (node.pos or 0) + len(node.value)
        if self._text[end : end + 1].strip(")] "):
            mend = 'text that begins with / stands in quotes: "/etc/passwd"'
            raise self._at(node, "a pattern with text right behind it", mend)
        expression: str = node.value[1:-1].replace("\\/", "/")
        return expression

    def _unknown(self, node: Any) -> QueryError:
        kind = type(node).__name__.lower()
        mend = "words, phrases, patterns, ranges, AND, OR, NOT and parentheses are understood"
        return self._at(node, f"`{node}` ({kind}) cannot be asked for here", mend)

    def _at(self, node: Any, message: str, mend: str) -> QueryError:
        return _fault(self._text, node.pos or 0, node.size or 0, message, mend)


def _anywhere(test: str, value: str) -> Condition:
    """The test on all text of an event. The record as it came has all of it, unless it wrote some
    in another way: with escapes, or as XML."""
    raw = test.format("raw_data")
    # Windows events; a priority of syslog has a number there.
    xml = "raw_data[1:2] IN ('<E', '<?')"
    whole = f"raw_data IS NOT NULL AND NOT contains(raw_data, chr(92)) AND NOT {xml}"
    sql = f"CASE WHEN {whole} THEN {raw} ELSE {test.format(_every_text())} END"
    return Condition(f"({sql})", [value, value])


def _every_text() -> str:
    """All columns of an event in one text: a missing one adds nothing."""
    parts = [one.sql for one in columns().values() if one.kind in {"text", "ip"}]
    own = "array_to_string(list_transform(unmapped, lambda u: u.value), chr(10))"
    return f"concat_ws(chr(10), {', '.join(parts)}, {own})"


def _parsed(text: str) -> Any:
    try:
        return parse(text)
    except ParseError as error:
        told = str(error)
        found = _PLACE.search(told)
        place = min(int(found[1]), len(text) - 1) if found else len(text)
    except RecursionError:
        place = 0
    if text.count('"') % 2:
        place, what, mend = text.rfind('"'), "a quote without its end", 'add `"`, or write `\\"`'
    elif text.count("(") != text.count(")"):
        what, mend = "a parenthesis without its other half", "add it, or escape it with `\\`"
    elif place >= len(text):
        what, mend = "the filter ends where a term should follow", "add it, or take the last word"
    else:
        what = f"`{text[place]}` cannot stand here"
        mend = 'put the value in quotes: "2001:db8::1", "/etc/passwd", "a(b)"'
    raise _fault(text, place, 1, what, mend)


def _fault(text: str, place: int, length: int, message: str, mend: str) -> QueryError:
    problem = Problem(
        "BS3201",
        "query.invalid",
        message,
        file="filter",
        line=1,
        column=place + 1,
        length=max(length, 1),
        mend=mend,
        excerpt=text[:LENGTH_MAX].replace("\n", " "),
    )
    told = f"column {place + 1}: {message}; {mend}"
    return QueryError("BS3201", "query.invalid", told, (problem,))
