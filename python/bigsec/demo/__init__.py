"""A day of an invented data centre, with attacks in it: what `bigsec demo` scans.

Nothing here is real. Addresses from outside are documentation addresses (RFC 5737), names end in
`.example` (RFC 2606).
"""

from bigsec.demo.generate import generate
from bigsec.demo.story import Story

__all__ = ["Story", "generate"]
