"""The connection with Strava's API, by stravalib: bounded in time and size, each failure plain.

The library itself waits without end. Here each answer has a deadline and a size, and tokens are
renewed before they are used, and kept before they are used.
"""

import contextlib
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, cast

from ksos_link.errors import (
    KsosError,
    MalformedError,
    NotFoundError,
    PolicyError,
    RefusedError,
    UsageError,
)
from ksos_link.logbook import silence_libraries
from ksos_link.operations.share_consent import STRAVA
from ksos_link.operations.share_loopback import Redirect
from ksos_link.operations.share_secrets import ShareSecrets

if TYPE_CHECKING:
    from stravalib import Client

CONNECT_HINT: Final = "Connect: ksos share strava --connect"
_SCOPE: Final = "activity:write"
_CONNECT_WAIT_S: Final = 10.0
_ANSWER_WAIT_S: Final = 30.0
_MOST_ANSWER_BYTES: Final = 1 << 22
_CHUNK_BYTES: Final = 1 << 16
_RENEW_BEFORE_S: Final = 120


@dataclass(frozen=True, slots=True)
class StravaPlace:
    """Where Strava is; `ca_file` holds who signs for it, None for those that the system trusts."""

    server: str = "www.strava.com"
    ca_file: Path | None = None


PLACE: Final = StravaPlace()


@dataclass(frozen=True, slots=True)
class StravaTokens:
    """A person's own API application, and what it may do for them. Lives in the keyring only."""

    client_id: int
    client_secret: str
    access_token: str
    refresh_token: str
    expires_at_utc_s: int

    def text(self) -> str:
        """As the keyring holds it."""
        return json.dumps(asdict(self))


def kept_tokens(shelf: ShareSecrets) -> StravaTokens:
    """The tokens of this home.

    Raises:
        StoreError: there is no keyring.
        PolicyError: Strava was never connected, or what is kept is none of ours.
    """
    shelf.needed()
    text = shelf.get(STRAVA)
    try:
        return StravaTokens(**json.loads(text or "null"))
    except (TypeError, ValueError) as error:
        raise PolicyError("Strava is not connected.", CONNECT_HINT) from error


class StravaLink:
    """One connection; nothing passes before one of its methods is called."""

    def __init__(self, shelf: ShareSecrets, place: StravaPlace) -> None:
        self._shelf = shelf
        self.client = _client(place)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.protocol.rsession.close()

    def renew(self, tokens: StravaTokens, now_utc_s: float) -> None:
        """Have an access token that lasts; a new one is kept before it is used.

        Raises:
            KsosError: see `plain_failures`.
        """
        if tokens.expires_at_utc_s - now_utc_s < _RENEW_BEFORE_S:
            with plain_failures():
                info = self.client.refresh_access_token(
                    tokens.client_id, tokens.client_secret, tokens.refresh_token
                )
            tokens = replace(
                tokens,
                access_token=str(info["access_token"]),
                refresh_token=str(info["refresh_token"]),
                expires_at_utc_s=int(info["expires_at"]),
            )
            self._shelf.put(STRAVA, tokens.text())
        self.client.access_token = tokens.access_token

    def connect(
        self, client_id: int, client_secret: str, browse: Callable[[str], None], wait_s: float
    ) -> None:
        """Let the person agree at Strava, and keep the tokens that come of it.

        Raises:
            StoreError: there is no keyring; nothing was asked.
            PolicyError: they did not agree, not to uploads, or not in time.
            KsosError: see `plain_failures`.
        """
        self._shelf.needed()
        state = secrets.token_urlsafe(24)
        with Redirect() as redirect:
            browse(
                self.client.authorization_url(
                    client_id, redirect.url, scope=["read", _SCOPE], state=state
                )
            )
            answer = redirect.wait(state, wait_s)
        if answer.get("error") or not answer.get("code"):
            raise PolicyError("You did not agree at Strava; nothing was kept.", CONNECT_HINT)
        if _SCOPE not in answer.get("scope", "").split(","):
            raise PolicyError(
                "At Strava you did not allow uploads; nothing was kept.",
                "Leave the tick at 'Upload your activities', and try again.",
            )
        with plain_failures():
            info, _ = cast(
                "tuple[dict[str, Any], object]",
                self.client.protocol.exchange_code_for_token(
                    client_id, client_secret, answer["code"]
                ),
            )
        tokens = StravaTokens(
            client_id,
            client_secret,
            str(info["access_token"]),
            str(info["refresh_token"]),
            int(info["expires_at"]),
        )
        self._shelf.put(STRAVA, tokens.text())

    def disconnect(self) -> None:
        """Give the permission back at Strava.

        Raises:
            KsosError: see `plain_failures`.
        """
        with plain_failures():
            # its own method of that name asks a path that is none
            self.client.protocol.post(f"https://{self.client.protocol.server}/oauth/deauthorize")


@contextlib.contextmanager
def plain_failures() -> Iterator[None]:
    """Turn what stravalib and its HTTP client raise into plain errors; ours pass.

    Raises:
        NotFoundError: Strava is out of reach, or did not answer in time.
        MalformedError: it answered nonsense.
    """
    try:
        yield
    except KsosError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MalformedError(
            "Strava answered nonsense.",
            "Repeating is safe: Strava refuses what it has already.",
        ) from error
    except OSError as error:  # the HTTP client's failures are such
        raise NotFoundError(
            "Strava cannot be reached, or does not answer in time.",
            "Is this machine online? Repeating is safe: Strava refuses what it has already.",
        ) from error


def needs_extra() -> KsosError:
    """What is said where stravalib is not installed."""
    return UsageError(
        "Sharing with Strava needs the extra `share`.", "Install it: pip install 'ksos-link[share]'"
    )


def _client(place: StravaPlace) -> "Client":
    """A client of stravalib that neither logs, sleeps, retries nor waits without end."""
    silence_libraries()
    with _quiet_start():
        try:
            from stravalib import Client
        except ImportError as error:
            raise needs_extra() from error

        client = Client(rate_limit_requests=False)
    protocol = client.protocol
    # not from the environment: we keep tokens, and renew them, by ourselves
    protocol.client_id = protocol.client_secret = None
    protocol.server = place.server
    session = protocol.rsession
    session.auth = lambda request: request  # else a password file of the person's may step in
    session.headers["User-Agent"] = "ksos-link"
    verify = None if place.ca_file is None else str(place.ca_file)
    limits = (_CONNECT_WAIT_S, _ANSWER_WAIT_S)
    session.request = partial(  # type: ignore[method-assign]  # the library gives none of these
        session.request, timeout=limits, allow_redirects=False, verify=verify
    )
    session.hooks["response"].append(_check_answer)
    return client


@contextlib.contextmanager
def _quiet_start() -> Iterator[None]:
    """The library warns on the root logger where it finds no tokens in the environment."""
    name = "SILENCE_TOKEN_WARNINGS"
    before = os.environ.get(name)
    os.environ[name] = "true"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _check_answer(answer: Any, *_: object, **__: object) -> None:  # the HTTP client's response
    """Read an answer within its bounds, and say plainly what a refusal means.

    Raises:
        KsosError: Strava refused as a whole; what is wrong with one upload is told by its answer.
    """
    deadline = time.monotonic() + _ANSWER_WAIT_S
    body = b""
    for chunk in answer.iter_content(_CHUNK_BYTES):
        body += chunk
        if len(body) > _MOST_ANSWER_BYTES or time.monotonic() > deadline:
            raise NotFoundError("Strava does not come to an end.", "Try again later.")
    answer._content = body  # noqa: SLF001 read once, within bounds; its own reading has none
    _check_status(int(answer.status_code), body, asks_token="/oauth/token" in str(answer.url))


def _check_status(status: int, body: bytes, *, asks_token: bool) -> None:
    if asks_token and status in (400, 401):
        raise PolicyError(
            "Strava knows no such application, secret or permission.",
            f"Check the client id and its secret. {CONNECT_HINT}",
        )
    if status == 401:
        raise PolicyError("Strava does not know this program any more.", CONNECT_HINT)
    if status == 403 and b"Inactive" in body:
        raise RefusedError(
            "Your API application is inactive at Strava.",
            "Its owner's account needs a subscription: www.strava.com/settings/api.",
        )
    if status in (402, 403):
        raise PolicyError("You did not allow this at Strava.", CONNECT_HINT)
    if status == 429:
        raise RefusedError(
            "Strava takes no more from your application for now.",
            "Try again in 15 minutes, or tomorrow: it limits both.",
        )
    if status >= 500:
        raise NotFoundError(
            "Strava has a failure of its own.", "Try again later; it refuses what it has already."
        )
    if 300 <= status < 400:
        raise MalformedError("Strava sent us elsewhere; nothing was sent there.")
