"""`ksos language`: the language that the watch shows."""

from typing import Annotated

import typer

from firmware_protocol.settings import Language
from firmware_protocol.settings.person import LANGUAGES
from ksos_link.cli import render
from ksos_link.cli.at_watch import Experimental, Strict
from ksos_link.cli.command import JsonLines, OneJson, epilog, open_app
from ksos_link.cli.invocation import invocation
from ksos_link.cli.setting_verbs import add_show, change_setting
from ksos_link.errors import UsageError

app = open_app("The language of the watch: show, set, list.")
add_show(app, Language, "ksos language show")
# ISO 639-1 with a script or region where two share one; in the order of LANGUAGES
_CODES = (
    *("zh-hans", "en", "fr", "de", "it", "es", "ja", "pl", "cs", "ro", "lt", "nl", "sl", "hu"),
    *("ru", "uk", "sk", "da", "hr", "id", "ko", "hi", "pt", "tr", "th", "vi", "my", "fil"),
    *("zh-hant", "el", "ar", "sv", "fi", "fa", "no", "ms", "pt-br", "bn", "km"),
)
LANGUAGES_BY_CODE = dict(zip(_CODES, LANGUAGES, strict=True))


def language_named(text: str) -> str:
    """The language of a name or a code.

    Raises:
        UsageError: there is none.
    """
    word = text.lower()
    name = LANGUAGES_BY_CODE.get(word.replace("_", "-"), word.replace("-", "_"))
    if name not in LANGUAGES:
        raise UsageError(f"There is no language {text[:40]}.", "See: ksos language list")
    return name


@app.command(name="set", epilog=epilog("ksos language set german", "ksos language set pt-br"))
def set_language(
    ctx: typer.Context,
    language: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="Name or code of the language; see `ksos language list`.",
            autocompletion=lambda: list(LANGUAGES),
        ),
    ],
    json: OneJson = False,
    experimental: Experimental = False,
    strict: Strict = False,
) -> None:
    """Set the language that the watch shows."""
    values = {"language": language_named(language)}
    call = invocation(ctx)
    call.open_log("language")
    change_setting(call, Language, values, json=json, experimental=experimental, strict=strict)


@app.command(name="list", epilog=epilog("ksos language list"))
def list_languages(json: JsonLines = False) -> None:
    """List the languages by code and name; which of them a watch has, it does not tell."""
    if json:
        for code, name in LANGUAGES_BY_CODE.items():
            render.print_json({"code": code, "language": name})
        return
    render.print_table(("code", "language"), list(LANGUAGES_BY_CODE.items()))
