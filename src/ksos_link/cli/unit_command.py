"""`ksos unit`: how the watch writes numbers."""

from firmware_protocol.settings import Units
from ksos_link.cli.command import open_app
from ksos_link.cli.setting_verbs import add_set, add_show

app = open_app("Units, first weekday, 12 or 24 hours: show, set.")
add_show(app, Units, "ksos unit show")
add_set(app, Units, "ksos unit set --distance mile --temperature fahrenheit")
