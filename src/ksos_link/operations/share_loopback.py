"""Where a browser comes back to after a person agreed: an address on this machine, for once."""

import http.server
import secrets
import threading
import time
import urllib.parse
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Final, Self

from ksos_link.errors import PolicyError

_PAGE: Final = (
    b"<!doctype html><meta charset=utf-8><title>ksos</title>"
    b"<p>ksos has heard you. You may close this page."
)
_REQUEST_WAIT_S: Final = 5.0


class Redirect:
    """Listens on a free loopback port while it is open; nobody else can reach it."""

    def __init__(self) -> None:
        self._answers: SimpleQueue[dict[str, str]] = SimpleQueue()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._answers))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )

    @property
    def url(self) -> str:
        """What the browser is told to come back to."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(self, state: str, wait_s: float) -> dict[str, str]:
        """What the browser brought with the state that it was sent out with.

        Raises:
            PolicyError: nobody came in time. Whoever comes with another state is not heard.
        """
        until = time.monotonic() + wait_s
        while True:
            try:
                answer = self._answers.get(timeout=max(0.0, until - time.monotonic()))
            except Empty as error:
                raise PolicyError(
                    "Nobody agreed in the browser in time; nothing was kept.",
                    "Start it again, and agree on the page that opens.",
                ) from error
            if secrets.compare_digest(answer.get("state", "").encode(), state.encode()):
                return answer


def _handler(answers: SimpleQueue[dict[str, str]]) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        """Takes what stands in the address, and says so."""

        timeout = _REQUEST_WAIT_S

        def do_GET(self) -> None:
            parts = urllib.parse.urlsplit(self.path)
            if parts.path == "/" and parts.query:
                answers.put(dict(urllib.parse.parse_qsl(parts.query)))
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(_PAGE)))
            self.end_headers()
            self.wfile.write(_PAGE)

        def log_message(self, *_: Any) -> None:
            """The address holds a code: it is not for any log."""

    return Handler
