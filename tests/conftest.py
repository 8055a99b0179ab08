"""What holds for all tests."""

import sys

# the fixtures of a real bluetoothd need D-Bus, which only Linux has
collect_ignore = [] if sys.platform == "linux" else ["bluez"]
