#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Run fuzz targets, two at a time, one closing line each.
#
# usage: run.sh BINARIES WORK smoke|all|TARGET SECONDS
#   smoke: all targets, SECONDS in total; all, TARGET: SECONDS each
# WORK/TARGET/ grows the corpus that a target finds; tests/data/fuzz/TARGET is its committed seed.
set -euo pipefail

BINARIES=$1
WORK=$2
WHAT=$3
SECONDS_EACH=$4
DATA=$(cd "$(dirname "$0")/.." && pwd)/data/fuzz
AT_ONCE=2

# Prints one line; the log holds the rest.
run_one() {
  local name=$1 binary=$BINARIES/fuzz_$1 log=$WORK/$1.log
  mkdir -p "$WORK/$name" "$WORK/crashes"
  local corpora=("$WORK/$name")
  [ ! -d "$DATA/$name" ] || corpora+=("$DATA/$name")
  if "$binary" -max_total_time="$SECONDS_EACH" -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="$WORK/crashes/$name-" "${corpora[@]}" >"$log" 2>&1; then
    printf 'fuzz: %-16s %9s runs in %s s, no finding\n' "$name" \
      "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "$SECONDS_EACH"
  else
    printf 'fuzz: %-16s FAILED, see %s\n' "$name" "$log"
    tail -n 40 "$log"
    return 1
  fi
}

names=()
for binary in "$BINARIES"/fuzz_*; do
  [ ! -x "$binary" ] || names+=("$(basename "$binary" | sed 's/^fuzz_//')")
done
if [ ${#names[@]} -eq 0 ]; then
  echo "fuzz: no targets in $BINARIES" >&2
  exit 1
fi
case $WHAT in
  smoke) SECONDS_EACH=$((SECONDS_EACH * AT_ONCE / ${#names[@]})) ;;
  all) ;;
  *)
    if [ ! -x "$BINARIES/fuzz_$WHAT" ]; then
      echo "fuzz: no target '$WHAT'; there are: ${names[*]}" >&2
      exit 2
    fi
    names=("$WHAT")
    ;;
esac
[ "$SECONDS_EACH" -gt 0 ] || SECONDS_EACH=1
mkdir -p "$WORK"

status=0
for ((at = 0; at < ${#names[@]}; at += AT_ONCE)); do
  pids=()
  for name in "${names[@]:at:AT_ONCE}"; do
    run_one "$name" &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do
    wait "$pid" || status=1
  done
done
exit $status
