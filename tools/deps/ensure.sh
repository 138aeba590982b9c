#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetch and build the third-party libraries once: a stamp holds the hash of everything that shapes
# the result.
#
# usage: ensure.sh OUT target|host ...      (OUT: usually build/deps)
# ANTEROOM_CACHE: where verified tarballs are kept (default: ~/.cache/anteroom, else build/cache)
set -euo pipefail

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
HERE=$ROOT/tools/deps
mkdir -p "$1"
OUT=$(cd "$1" && pwd)
shift

key() {
  {
    # The paths of checkout and output stand in the generated specs file.
    printf '%s\n' "$ROOT" "$OUT"
    x86_64-linux-gnu-gcc --version | head -n 1
    cat "$HERE/lock.json" "$HERE/fetch.py" "$HERE/build.sh" "$HERE/mbedtls_config.h" \
      "$HERE/curl.options" "$HERE/libs/CMakeLists.txt" "$ROOT/tools/cmake/musl.cmake" \
      "$HERE"/patches/*/*.patch
  } | sha256sum | cut -d' ' -f1
}

cache_directory() {
  if [ -n "${ANTEROOM_CACHE:-}" ]; then
    printf '%s' "$ANTEROOM_CACHE"
  elif [ -n "${HOME:-}" ] && mkdir -p "$HOME/.cache/anteroom" 2>/dev/null; then
    printf '%s' "$HOME/.cache/anteroom"
  else
    printf '%s' "$ROOT/build/cache"
  fi
}

mkdir -p "$OUT"
exec 9>"$OUT/lock" # two builds at once would tread on each other
flock 9
KEY=$(key)
FETCHED=no
for flavour in "$@"; do
  stamp=$OUT/$flavour/stamp
  if [ "$(cat "$stamp" 2>/dev/null)" = "$KEY" ]; then
    continue
  fi
  if [ $FETCHED = no ]; then
    /usr/bin/python3 "$HERE/fetch.py" --out "$OUT/src" --cache "$(cache_directory)"
    FETCHED=yes
  fi
  bash "$HERE/build.sh" "$ROOT" "$OUT" "$flavour"
  printf '%s' "$KEY" >"$stamp"
done
