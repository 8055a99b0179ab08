"""Strava as its documentation describes it, on this machine's loopback, with a certificate."""

import contextlib
import http.server
import json
import re
import socket
import threading
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from tests.ksos_link.share_counterparts import Certificates

CLIENT_ID, CLIENT_SECRET = 4711, "the-secret-of-the-application"
ACCESS, REFRESH, CODE = "access-token-one", "refresh-token-one", "the-code"


@dataclass
class Upload:
    fields: dict[str, str]
    file: bytes
    polls: int = 0
    activity_id: int | None = None
    error: str | None = None


@dataclass
class Strava:
    """What the service has, and how it shall behave."""

    url: str = ""
    uploads: list[Upload] = field(default_factory=list)
    activities: dict[int, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    access_token: str = ACCESS
    refresh_token: str = REFRESH
    scope: str = "read,activity:write"
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)  # in place of its own
    denied: bool = False
    busy_polls: int = 1
    hangs_up_at: str = ""
    error: str = ""

    @property
    def server(self) -> str:
        return urllib.parse.urlsplit(self.url).netloc

    def of(self, path: str) -> list[tuple[str, str]]:
        return [one for one in self.asked if one[1].startswith(path)]


class StravaHandler(http.server.BaseHTTPRequestHandler):
    """The endpoints of developers.strava.com: authentication, uploads, activities."""

    strava: Strava  # of a subclass
    timeout = 10

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_PUT(self) -> None:
        self._answer("PUT")

    def _answer(self, method: str) -> None:
        path = urllib.parse.urlsplit(self.path).path
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.strava.asked.append((method, path))
        if path == self.strava.hangs_up_at:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif path in self.strava.answers:
            self._send(*self.strava.answers[path])
        elif path == "/oauth/authorize":
            self._authorize(query)
        elif path == "/oauth/token":
            self._token(dict(urllib.parse.parse_qsl(body.decode())))
        elif self.headers.get("Authorization") != f"Bearer {self.strava.access_token}":
            self._json(401, {"message": "Authorization Error", "errors": []})
        else:
            self._answer_known(method, path, query, body)

    def _answer_known(self, method: str, path: str, query: dict[str, str], body: bytes) -> None:
        """Whoever has a token."""
        found = re.fullmatch(r"/api/v3/(uploads|activities)/(\d+)", path)
        if path == "/oauth/deauthorize":
            self._json(200, {"access_token": self.strava.access_token})
        elif (method, path) == ("POST", "/api/v3/uploads"):
            self._take(query, body)
        elif found and (method, found[1]) == ("GET", "uploads"):
            self._poll(int(found[2]))
        elif found and (method, found[1]) == ("PUT", "activities"):
            activity = self.strava.activities[int(found[2])]
            activity |= json.loads(body)
            self._json(200, {"id": int(found[2]), **activity})
        else:
            self._json(404, {"message": "Record Not Found", "errors": []})

    def _authorize(self, query: dict[str, str]) -> None:
        answer = (
            {"state": query["state"], "error": "access_denied"}
            if self.strava.denied
            else {"state": query["state"], "code": CODE, "scope": self.strava.scope}
        )
        assert query["client_id"] == str(CLIENT_ID)
        self.send_response(302)
        self.send_header("Location", f"{query['redirect_uri']}?{urllib.parse.urlencode(answer)}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _token(self, form: dict[str, str]) -> None:
        known = form.get("client_id") == str(CLIENT_ID)
        known &= form.get("client_secret") == CLIENT_SECRET
        if form.get("grant_type") == "refresh_token":
            known &= form["refresh_token"] == self.strava.refresh_token
            named = "RefreshToken"
            self.strava.access_token, self.strava.refresh_token = (
                "access-token-two",
                "refresh-token-two",
            )
        else:
            known &= form.get("code") == CODE
            named = "AuthorizationCode"
        if not known:
            errors = [{"resource": named, "field": "code", "code": "invalid"}]
            self._json(400, {"message": "Bad Request", "errors": errors})
            return
        self._json(
            200,
            {
                "token_type": "Bearer",
                "access_token": self.strava.access_token,
                "refresh_token": self.strava.refresh_token,
                "expires_at": int(time.time()) + 21_600,
                "expires_in": 21_600,
            },
        )

    def _take(self, query: dict[str, str], body: bytes) -> None:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = BytesParser(policy=HTTP).parsebytes(head + body).iter_parts()
        file = next(part for part in parts if part.get_filename() or part.get_param("name"))
        upload = Upload(query, bytes(file.get_payload(decode=True) or b""))
        number = len(self.strava.uploads) + 1
        for before, known in enumerate(self.strava.uploads, 1):
            if known.fields["external_id"] == query["external_id"] and known.activity_id:
                upload.error = (
                    f"{query['external_id']}.fit duplicate of <a href='/activities/"
                    f"{known.activity_id}' target='_blank'>Run {before}</a>"
                )
        upload.error = upload.error or self.strava.error or None
        self.strava.uploads.append(upload)
        self._json(201, self._status(number, upload))

    def _poll(self, number: int) -> None:
        upload = self.strava.uploads[number - 1]
        upload.polls += 1
        if upload.polls > self.strava.busy_polls and upload.error is None:
            upload.activity_id = 9000 + number
            self.strava.activities[upload.activity_id] = {"name": upload.fields.get("name")}
        self._json(200, self._status(number, upload))

    def _status(self, number: int, upload: Upload) -> dict[str, Any]:
        error = upload.error if upload.polls else None
        words = "Your activity is still being processed."
        if upload.activity_id:
            words = "Your activity is ready."
        elif error:
            words = "There was an error processing your activity."
        return {
            "id": number,
            "id_str": str(number),
            "external_id": f"{upload.fields['external_id']}.{upload.fields['data_type']}",
            "error": error,
            "status": words,
            "activity_id": upload.activity_id,
        }

    def _json(self, code: int, value: Any) -> None:
        self._send(code, json.dumps(value).encode())

    def _send(self, code: int, data: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-RateLimit-Limit", "200,2000")
        self.send_header("X-RateLimit-Usage", "1,1")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None: ...


@contextlib.contextmanager
def serving_strava(certificates: Certificates) -> Iterator[Strava]:
    strava = Strava()
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), type("Handler", (StravaHandler,), {"strava": strava})
    )
    server.daemon_threads = True
    server.socket = certificates.context().wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    strava.url = f"https://127.0.0.1:{server.server_port}"
    try:
        yield strava
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
