#!/usr/bin/env bash
# `make test-bluez`: our client on bleak's BlueZ backend, against a real bluetoothd in a guest.
# Needs Debian's packages (apt) and QEMU; says so and succeeds where they are not to be had.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-.venv/bin/python}

leave_out() {
  echo "The BlueZ tests were left out: $1."
  exit 0
}

[ "$(uname -sm)" = "Linux x86_64" ] || leave_out "they need Linux on x86_64"
missing=()
for pair in qemu-system-x86_64:qemu-system-x86 modprobe:kmod cpio:cpio setpriv:util-linux; do
  PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
    leave_out "missing here: ${missing[*]} (as root they are installed with apt-get)"
  echo "Installing ${missing[*]} ..."
  { apt-get update -qq && apt-get install -qq -y --no-install-recommends "${missing[@]}"; } \
    >/dev/null || leave_out "apt-get cannot install ${missing[*]}"
fi

status=0
guest=$(PATH=$PATH:/usr/sbin:/sbin tests/bluez/guest/build.sh) || status=$?
[ $status != 3 ] || leave_out "the guest cannot be built here (reason above)"
[ $status = 0 ] || exit $status
KSOS_BLUEZ_GUEST=$guest exec "$python" -m pytest tests/bluez -m bluez -p no:cacheprovider "$@"
