#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# All checks, or those named. Each is quiet when it passes; all run even if one fails.
#
# usage: run.sh [--list] [NAME ...]
set -euo pipefail

ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=$ROOT/build
HERE=$ROOT/tools/check
PYTHON=/usr/bin/python3
BOARDS=(sandbox sandbox_tpm generic_x86_64)
NAMES=(format layers tidy text lock elf confine symbols repeat clang-tidy)

c_files() {
  "$PYTHON" -c "import sys; sys.path.insert(0, '$HERE'); import files
print('\n'.join(str(path) for path in files.sources('.c', '.h')))"
}

check_format() {
  c_files | (cd "$ROOT" && xargs clang-format-14 --dry-run -Werror --ferror-limit=3)
}

check_layers() {
  "$PYTHON" "$HERE/layers.py"
}

check_tidy() {
  "$PYTHON" "$HERE/tidy.py"
}

check_text() {
  "$PYTHON" "$HERE/text.py"
}

# The lock is well formed, and what is cached is what it says.
check_lock() {
  "$PYTHON" "$ROOT/tools/deps/fetch.py" --check --cache "${ANTEROOM_CACHE:-$HOME/.cache/anteroom}"
}

# Every board builds, and gives what the house promises.
check_elf() {
  local board
  for board in "${BOARDS[@]}"; do
    bash "$ROOT/tools/dev" build "$board"
  done
  for board in "${BOARDS[@]}"; do
    "$PYTHON" "$HERE/elf.py" "$BUILD/$board/anteroomd" "$BUILD/$board/anteroomctl"
  done
}

# A started box has given up what it says; on the board that needs no device of this machine.
check_confine() {
  bash "$ROOT/tools/dev" build sandbox
  "$PYTHON" "$HERE/confine.py" "$BUILD/sandbox/anteroomd"
}

check_symbols() {
  bash "$ROOT/tools/dev" _build target_tests
  "$PYTHON" "$HERE/symbols.py" "$BUILD/target-tests"
}

check_repeat() {
  bash "$HERE/repeat.sh" "$ROOT" sandbox
}

check_clang-tidy() {
  bash "$ROOT/tools/dev" _build host
  # What the host build compiles, without the tests.
  sed -n 's/^ *"file": "\(.*\.c\)".*/\1/p' "$BUILD/host/compile_commands.json" | sort -u |
    grep -E "^$ROOT/(firmware|hal|board)/" |
    (cd "$ROOT" && xargs -P "$(nproc)" -n 4 clang-tidy-14 --quiet -p "$BUILD/host")
}

if [ "${1:-}" = --list ]; then
  printf '%s\n' "${NAMES[@]}"
  exit 0
fi
bash "$ROOT/tools/deps/packages.sh" build test check
[ $# -gt 0 ] || set -- "${NAMES[@]}"
mkdir -p "$BUILD/check"
passed=0
failed=0
for name in "$@"; do
  if ! declare -F "check_$name" >/dev/null; then
    echo "check: no check '$name'; there are: ${NAMES[*]}" >&2
    exit 2
  fi
  log=$BUILD/check/$name.log
  began=$SECONDS
  printf 'check: %-12s ' "$name"
  # Not in a condition: there bash would ignore set -e inside of the check.
  set +e
  (
    set -e
    "check_$name"
  ) >"$log" 2>&1 </dev/null
  status=$?
  set -e
  if [ $status -eq 0 ]; then
    printf 'ok      %d s\n' "$((SECONDS - began))"
    passed=$((passed + 1))
    grep -E '^(elf|confine|symbols|repeat): ' "$log" | sed 's/^/        /' || true
  else
    printf 'FAILED  %d s, see %s\n' "$((SECONDS - began))" "build/check/$name.log"
    tail -n 60 "$log"
    failed=$((failed + 1))
  fi
done
echo "check: $passed passed, $failed failed"
[ $failed -eq 0 ]
