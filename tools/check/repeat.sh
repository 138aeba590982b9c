#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Reproducible build: libraries and firmware once more in a folder with another name; the bytes must
# be equal.
#
# usage: repeat.sh ROOT BOARD      (ROOT/build/BOARD has been built)
set -euo pipefail

ROOT=$1
BOARD=$2
OTHER=$ROOT/build/repeat/a-folder-of-another-name

rm -rf "$ROOT/build/repeat"
mkdir -p "$OTHER"
PYTHONPATH=$ROOT/tools/check /usr/bin/python3 -c "import files
print('\n'.join(str(path) for path in files.all_files()))" |
  tar -C "$ROOT" -cf - -T - | tar -C "$OTHER" -xf -
bash "$OTHER/tools/dev" build "$BOARD"

for program in anteroomd anteroomctl; do
  first=$(sha256sum <"$ROOT/build/$BOARD/$program" | cut -d' ' -f1)
  second=$(sha256sum <"$OTHER/build/$BOARD/$program" | cut -d' ' -f1)
  if [ "$first" != "$second" ]; then
    echo "repeat: $program differs between two folders: $first $second"
    exit 1
  fi
  echo "repeat: $program is the same from two folders: $first"
done
rm -rf "$ROOT/build/repeat"
