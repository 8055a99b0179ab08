#!/usr/bin/env bash
# Builds the guest of the BlueZ tests from Debian packages, without root: a kernel and a 10 MB
# initramfs with bluetoothd in it. Prints the folder that holds vmlinuz and appliance.gz.
# Exit code 3: the packages are not to be had here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=$(cd "$here/../../.." && pwd)/build/bluez-guest
recipe=$(cat "$here"/{build.sh,init,system.conf,main.conf} | sha256sum | cut -c1-12)

kernel_package() { apt-cache depends linux-image-amd64 2>/dev/null | awk '/Depends:/ {print $2; exit}'; }
unavailable() { echo "$1" >&2; exit 3; }

command -v apt-get >/dev/null || unavailable "there is no apt-get"
kernel=$(kernel_package) || true
if [ -z "$kernel" ] && [ "$(id -u)" = 0 ]; then
  apt-get update -qq >&2 || unavailable "apt-get update failed"
  kernel=$(kernel_package) || true
fi
[ -n "$kernel" ] || unavailable "apt knows no linux-image-amd64"

out=$cache/$recipe-$kernel
if [ -e "$out/appliance.gz" ]; then
  echo "$out"
  exit 0
fi
mkdir -p "$cache"
work=$(mktemp -d "$cache/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir debs root kern img

mapfile -t packages < <(
  apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
    --no-replaces --no-enhances bluez dbus-daemon socat busybox-static | grep '^[a-z0-9]' |
    grep -vE '^(debconf|dpkg|perl|tar|cdebconf|init-system|libpam|adduser|passwd|login)' | sort -u
)
fetch() { (cd debs && apt-get download -q "$kernel" "${packages[@]}" >"$work/apt.log" 2>&1); }
if ! fetch; then
  [ "$(id -u)" = 0 ] && apt-get update -qq >&2 || true  # the lists may be older than the archive
  fetch || { tail -n 5 "$work/apt.log" >&2; unavailable "the packages could not be downloaded"; }
fi
for deb in debs/*.deb; do
  case $deb in debs/linux-image*) dpkg-deb -x "$deb" kern ;; *) dpkg-deb -x "$deb" root ;; esac
done
cp kern/boot/vmlinuz-* vmlinuz
release=$(ls kern/lib/modules)
depmod -b kern "$release"

triplet=x86_64-linux-gnu
mkdir -p img/{bin,m,proc,sys,dev,run/dbus,tmp,lib64,lib/$triplet,var/lib/bluetooth} \
  img/etc/{bluetooth,dbus-1}
cp root/bin/busybox img/bin/
for applet in sh mount insmod cat ip sleep cut echo; do ln -s busybox "img/bin/$applet"; done
# without hmac .. jitterentropy_rng before hci_*, the kernel has no LE Secure Connections
for module in virtio_pci virtio_net virtio_console hmac sha512_generic ctr drbg jitterentropy_rng \
  af_alg algif_hash algif_skcipher cmac ecb hci_uart; do
  modprobe -d kern -S "$release" --show-depends $module 2>/dev/null | awk '/^insmod/ {print $2}' |
    while read -r file; do
      name=$(basename "$file")
      grep -qsx "$name" img/order || { cp "$file" img/m/; echo "$name" >>img/order; }
    done
done
loader=root/lib64/ld-linux-x86-64.so.2
libraries=$work/root/lib/$triplet:$work/root/usr/lib/$triplet
libraries=$libraries:$work/root/lib/$triplet/systemd:$work/root/usr/lib/$triplet/systemd
cp -L $loader img/lib64/
for program in usr/bin/{dbus-daemon,btattach,socat} usr/libexec/bluetooth/bluetoothd; do
  mkdir -p "img/$(dirname "$program")"
  cp "root/$program" "img/$program"
  $loader --library-path "$libraries" --list "root/$program" | awk '/=> \// {print $3}' |
    while read -r library; do cp -Lu "$library" img/lib/$triplet/; done
done
cp "$here/system.conf" img/etc/dbus-1/
cp "$here/main.conf" img/etc/bluetooth/
echo 'root:x:0:0:root:/:/bin/sh' >img/etc/passwd
echo 'root:x:0:' >img/etc/group
echo 0123456789abcdef0123456789abcdef >img/etc/machine-id
cp "$here/init" img/init
chmod +x img/init
(cd img && find . | cpio -o -H newc --quiet | gzip -1 >../appliance.gz)
mkdir -p "$out"
mv vmlinuz "$out/"
mv appliance.gz "$out/"  # last: it marks the folder as complete
echo "$out"
