"""The attacks of the demo: what order they have, and who tells each."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime

from bigsec.demo.inside import data_theft, windows_chain
from bigsec.demo.journal import Journal
from bigsec.demo.outside import guessed_root, miner, web_shell
from bigsec.demo.story import Story

Teller = Callable[[Journal, datetime, random.Random], Story]

# Each adds its lines and says what must be found. Times run back from the end of the day; stories
# lie more than an hour apart, or on different hosts.
STORIES: tuple[Teller, ...] = (miner, guessed_root, web_shell, windows_chain, data_theft)
