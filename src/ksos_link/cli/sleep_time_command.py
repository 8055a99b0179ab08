"""`ksos sleep-time`: when the wearer means to sleep."""

from firmware_protocol.settings import SleepTime
from ksos_link.cli.command import open_app
from ksos_link.cli.setting_verbs import add_set, add_show

app = open_app("The hours in which the watch looks for sleep: show, set.")
add_show(app, SleepTime, "ksos sleep-time show")
add_set(app, SleepTime, "ksos sleep-time set --on on --start 22:30 --end 6:30")
