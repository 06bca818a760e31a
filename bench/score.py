"""Make the predictions for a set of labelled data through the public API, and score them.

    python bench/score.py SET [--data DIR] [--json]

DIR has the layout of a folder of `../shared/data`; without it, that very folder is taken (a module
of `sets` that takes the folder of another set names it as `DATA`). Sets that have a scorer of
their own beside the data are judged by it, in a process of its own; the others are compared with
what their README says must come out.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from corpus import SHARED
from sets import Inputs, Void, load

EXIT_VOID, EXIT_USAGE = 1, 2


def main(arguments: list[str]) -> int:
    """Score one set; 1 where nothing came out, so that no figure means anything."""
    sets = load()
    options = parser(sorted(sets)).parse_args(arguments)
    folder = getattr(sets[options.set], "DATA", options.set)
    data = options.data or SHARED / folder
    if not data.is_dir():
        print(f"no such folder: {data}", file=sys.stderr)
        return EXIT_USAGE
    inputs = Inputs(
        data=data.resolve(),
        shared=SHARED,
        scorer=options.scorer,
        events=options.events,
        rules=options.rules,
    )
    try:
        for case in sets[options.set].score(inputs):
            if options.json:
                for row in case.rows():
                    print(json.dumps({"set": options.set, "case": case.name, **row}), flush=True)
            else:
                print(f"== {options.set}: {case.name}")
                print("\n".join(line.text for line in case.lines), flush=True)
    except Void as error:
        print(f"void: {error}", file=sys.stderr)
        return EXIT_VOID
    return 0


def parser(names: list[str]) -> argparse.ArgumentParser:
    """The options, one for everything that may lie elsewhere."""
    made = argparse.ArgumentParser(prog="score.py", description=(__doc__ or "").split("\n", 1)[0])
    made.add_argument("set", choices=names, metavar="SET", help=", ".join(names))
    made.add_argument("--data", type=Path, help="folder of the set")
    made.add_argument("--scorer", type=Path, default=SHARED.parent / "score" / "score.py")
    made.add_argument("--events", type=Path, help="folder of the events, where not beside the set")
    made.add_argument("--rules", type=Path, help="folder or .tar.zst of rules, where not beside it")
    made.add_argument("--json", action="store_true", help="one row a line")
    return made


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
