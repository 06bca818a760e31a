"""Small inputs that want to become large ones. Each is made here, none is a file of the repo."""

from __future__ import annotations

import lzma
import os
import zlib
from collections.abc import Callable, Iterator

import zstandard

MIB = 1 << 20
_ZEROS = bytes(MIB)


def gzip_bomb(mib: int, line: bytes = b"") -> bytes:
    """Zeros, or one line again and again; about a thousandth of their length."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(map(packer.compress, _plain(mib, line))) + packer.flush()


def zstd_bomb(mib: int, line: bytes = b"") -> bytes:
    """The same for zstd, which makes some 30,000 of one byte."""
    packer = zstandard.ZstdCompressor(level=3).compressobj()
    return b"".join(map(packer.compress, _plain(mib, line))) + packer.flush()


def xz_bomb(mib: int, line: bytes = b"") -> bytes:
    """The same for xz, some 7,000 of one."""
    packer = lzma.LZMACompressor(preset=1)
    return b"".join(map(packer.compress, _plain(mib, line))) + packer.flush()


def long_line(mib: int) -> bytes:
    """One line that gzip makes some ninety times smaller: under the ratio, and large."""
    piece = os.urandom(8 << 10).hex().encode() + b"x" * (MIB - (16 << 10))
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return b"".join(packer.compress(piece) for _ in range(mib)) + packer.flush()


def repeated(bomb: bytes, times: int) -> bytes:
    """All three formats may follow each other in one file: 10 GiB without making them."""
    return bomb * times


def _plain(mib: int, line: bytes) -> Iterator[bytes]:
    block = (line * (MIB // len(line) + 1))[:MIB] if line else _ZEROS
    for _ in range(mib):
        yield block


RECORDS: dict[str, Callable[[], bytes]] = {
    "json_depth": lambda: b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
    "json_array_depth": lambda: b'{"a":' + b"[" * 1_000_000,
    "json_giant_field": lambda: b'{"a":"' + b"x" * MIB + b'"}',
    "json_escaped_field": lambda: b'{"a":"' + rb"\u0041" * 170_000 + b'"}',
    "json_million_fields": lambda: b"{" + b",".join(b'"%x":1' % n for n in range(1_000_000)) + b"}",
    "json_same_field": lambda: b"{" + b",".join([b'"a":1'] * 170_000) + b"}",
    "json_giant_number": lambda: b'{"a":' + b"9" * MIB + b"}",
    "json_nested_text": lambda: b'{"log":"' + b'{\\"a\\":' * 100_000 + b'"}',
    "key_value_million": lambda: b" ".join(b"k%x=v" % n for n in range(1_000_000)),
    "key_value_quotes": lambda: b"a=1 b=" + b'"' * MIB,
    "structured_data_nested": lambda: b"<34>1 - h a - - " + b'[a b="' * 150_000,
    "structured_data_elements": lambda: (
        b"<34>1 - h a - - " + b"".join(b'[e%x@1 a="1"]' % n for n in range(70_000)) + b" m"
    ),
    "structured_data_escapes": lambda: b'<34>1 - h a - - [a b="' + rb"\]" * 500_000 + b'"] m',
    "cef_million": lambda: b"CEF:0|v|p|1|1|n|5|" + b" ".join(b"k%x=v" % n for n in range(150_000)),
    "leef_million": lambda: b"LEEF:1.0|v|p|1|1|" + b"\t".join(b"k%x=v" % n for n in range(150_000)),
    "nested_syslog": lambda: b"<34>Oct 11 22:14:15 h a: " * 40_000,
    "auditd_million": lambda: b"type=SYSCALL msg=audit(1700000000.000:1): " + b"a=b " * 250_000,
    "spaces": lambda: b"<34>" + b" " * MIB,
    "quotes": lambda: b'192.0.2.1 - - [10/Oct/2026:13:55:36 +0000] "' + rb"\"" * 500_000,
}
"""Records of about 1 MiB by what they attack in a decoder."""
