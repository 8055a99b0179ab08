"""`ksos goal`: what the wearer wants to reach."""

from firmware_protocol.settings import Goal
from ksos_link.cli.command import open_app
from ksos_link.cli.setting_verbs import add_set, add_show

app = open_app("Daily goals: show, set.")
add_show(app, Goal, "ksos goal show")
add_set(app, Goal, "ksos goal set --steps 8000 --sleep-min 480")
