#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Unpack a Debian package without installing it: what its scripts would start stays off.
#
# usage: unpack.sh PACKAGE DIRECTORY
set -euo pipefail

package=$1
directory=$2
if [ -f "$directory/.unpacked" ]; then
  exit 0
fi
echo "setup: unpacking Debian's $package (not installed: it would start a server)"
mkdir -p "$directory"
cd "$directory"
download() {
  apt-get -q -o Dpkg::Use-Pty=0 -o APT::Sandbox::User=root download "$package"
}
if ! download 2>/dev/null; then
  if [ "$(id -u)" = 0 ]; then
    apt-get -q -o Dpkg::Use-Pty=0 update
  else
    sudo apt-get -q -o Dpkg::Use-Pty=0 update
  fi
  download
fi
dpkg-deb -x "$package"_*.deb .
rm "$package"_*.deb
touch .unpacked
