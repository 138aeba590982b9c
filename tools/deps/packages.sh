#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Install the Debian packages that a subcommand of tools/dev needs, and only those.
#
# usage: packages.sh SET ...      SET: build cloud test check bench interop page
set -euo pipefail

# What each set is for, in the words that are shown to the user.
declare -A WHY=(
  [build]="compile the firmware and its libraries"
  [cloud]="run the fake cloud that stands in for Microsoft 365"
  [test]="build the tests under ASan and UBSan, and run them"
  [check]="check format and style"
  [bench]="measure"
  [interop]="run an authorization server that nobody here wrote"
  [page]="read the status port as people's browsers and monitoring do"
)
declare -A PACKAGES=(
  [build]="gcc libc6-dev binutils make cmake ninja-build patch bzip2 xz-utils git ca-certificates
           debian-archive-keyring python3 python3-kconfiglib"
  [cloud]="python3 python3-cryptography"
  [test]="clang-14 libc6-dev-i386 lib32gcc-12-dev libclang-rt-14-dev llvm-14 python3-pytest
          python3-pytest-xdist swtpm strace"
  [check]="clang-format-14 clang-tidy-14"
  [bench]="valgrind nginx-light python3-cryptography"
  [interop]="nodejs npm"
  [page]="chromium fonts-dejavu-core python3-jsonschema zbar-tools"
)

missing_of() {
  local package
  for package in $1; do
    if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
      printf '%s ' "$package"
    fi
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo --preserve-env=DEBIAN_FRONTEND "$@"
  else
    echo "setup: neither root nor sudo: ask an administrator for: apt-get install $*" >&2
    return 1
  fi
}

all=""
for set in "$@"; do
  # Any node of the machine serves, Debian's is only taken where there is none.
  if [ "$set" = interop ] && command -v node >/dev/null && command -v npm >/dev/null; then
    continue
  fi
  missing=$(missing_of "${PACKAGES[$set]}")
  if [ -n "$missing" ]; then
    echo "setup: to ${WHY[$set]}, installing Debian packages: $missing"
    all+=$missing
  fi
done
[ -n "$all" ] || exit 0

if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
  echo "setup: this needs root once, and there is neither root nor sudo. Run as root:" >&2
  echo "  apt-get update && apt-get install --no-install-recommends $all" >&2
  exit 1
fi
export DEBIAN_FRONTEND=noninteractive
as_root apt-get -q -o Dpkg::Use-Pty=0 update
# shellcheck disable=SC2086 # a list of names
as_root apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends $all
echo "setup: packages installed"
