"""An HTTP server that takes a sink's events: well, slowly, or not at all."""

from __future__ import annotations

import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .numbered import number_of
from .ports import HOST


class SinkServer:
    """Counts numbered records that arrive; `pause_s` slows each request."""

    def __init__(self, port: int = 0, pause_s: float = 0.0) -> None:
        self.counts: Counter[tuple[str, int]] = Counter()
        self.pause_s = pause_s
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                """One batch of events."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(outer.pause_s)
                for line in body.splitlines():
                    if (numbered := number_of(line)) is not None:
                        outer.counts[numbered] += 1
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer((HOST, port), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def numbers(self, stream: str) -> set[int]:
        """What has arrived of a stream."""
        return {number for own, number in self.counts.copy() if own == stream}

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
