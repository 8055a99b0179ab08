"""`ksos dnd`: when the watch stays quiet."""

from firmware_protocol.settings import Dnd
from ksos_link.cli.command import open_app
from ksos_link.cli.setting_verbs import add_set, add_show

app = open_app("When the watch stays quiet: show, set.")
add_show(app, Dnd, "ksos dnd show")
add_set(app, Dnd, "ksos dnd set --night on --start 23:00 --end 7:00", "ksos dnd set --all-day off")
