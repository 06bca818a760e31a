"""The entry of the command line: `bigsec`, and `python -m bigsec`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line of this process and exit."""
    from bigsec.cli.app import run

    for stream in (sys.stdout, sys.stderr):
        # A terminal whose encoding lacks a character gets its escape, never a crash.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
