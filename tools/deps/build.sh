#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Build the third-party libraries twice, from the sources that fetch.py unpacked:
#   target: musl sysroot and static archives for the firmware (LTO, hardened, small)
#   host:   the same versions against the machine's glibc, for unit tests and fuzzing under ASan and
# UBSan
#
# usage: build.sh ROOT OUT target|host
set -euo pipefail

ROOT=$1
OUT=$2
FLAVOUR=$3
HERE=$ROOT/tools/deps
SRC=$OUT/src
DEST=$OUT/$FLAVOUR
WORK=$OUT/work/$FLAVOUR
PREFIX=$DEST/prefix
JOBS=$(nproc)

# step NAME COMMAND: run quietly with a log, show time; on failure show the end of the log.
# The subshell is not the condition of an if: there bash would ignore set -e inside of it.
step() {
  local name=$1 log=$WORK/$1.log began=$SECONDS status=0
  mkdir -p "$WORK"
  printf 'deps: %-6s %-8s ... ' "$FLAVOUR" "$name"
  set +e
  (
    set -e
    "$2"
  ) >"$log" 2>&1
  status=$?
  set -e
  if [ $status -ne 0 ]; then
    printf 'FAILED, see %s\n' "$log"
    tail -n 30 "$log"
    exit 1
  fi
  printf '%d s\n' "$((SECONDS - began))"
}

build_musl() {
  local sysroot=$DEST/sysroot
  mkdir -p "$WORK/musl" "$sysroot"
  cd "$WORK/musl"
  CC=x86_64-linux-gnu-gcc AR=x86_64-linux-gnu-ar RANLIB=x86_64-linux-gnu-ranlib \
    "$SRC/musl/configure" --target=x86_64-linux-musl --prefix=/usr --syslibdir=/lib \
    --disable-shared --disable-wrapper --enable-optimize=string \
    CFLAGS="-Os -g0 -fstack-protector-strong -ffunction-sections -fdata-sections \
      -ffile-prefix-map=$OUT=deps"
  make -j"$JOBS"
  make install DESTDIR="$sysroot"
  # musl's own specs: the only steering of gcc that gives a true static-PIE (see
  # tools/cmake/musl.cmake).
  sh "$SRC/musl/tools/musl-gcc.specs.sh" \
    "$sysroot/usr/include" "$sysroot/usr/lib" /lib/ld-musl-x86_64.so.1 >"$sysroot/musl.specs"
  # The kernel's interface headers are the machine's.
  local directory
  for directory in linux asm-generic mtd; do
    ln -sfn "/usr/include/$directory" "$sysroot/usr/include/$directory"
  done
  ln -sfn /usr/include/x86_64-linux-gnu/asm "$sysroot/usr/include/asm"
}

# The flags that differ between firmware and host tests.
flavour_options() {
  if [ "$FLAVOUR" = target ]; then
    printf '%s\n' "-DCMAKE_TOOLCHAIN_FILE=$ROOT/tools/cmake/musl.cmake" \
      "-DANTEROOM_TARGET=$DEST" "-DANTEROOM_ROOT=$ROOT"
  else
    printf '%s\n' -DANTEROOM_OPT_SMALL=-O1 -DANTEROOM_OPT_FAST=-O1
  fi
}

# cmake_build NAME OPTIMISATION SOURCE OPTION...
# CFLAGS is read at the first configure and joins the flags of the tool chain file.
cmake_build() {
  local name=$1 flags=$2 source=$3 options
  shift 3
  [ "$FLAVOUR" = target ] || flags="$flags -g -fPIE -fno-omit-frame-pointer"
  export CFLAGS=$flags
  mapfile -t options < <(flavour_options)
  cmake -G Ninja -S "$source" -B "$WORK/$name" -DCMAKE_BUILD_TYPE=None \
    -DCMAKE_INSTALL_PREFIX="$PREFIX" -DCMAKE_INSTALL_LIBDIR=lib "${options[@]}" "$@"
  cmake --build "$WORK/$name" -j "$JOBS"
  cmake --install "$WORK/$name"
}

build_libs() {
  cmake_build libs "" "$HERE/libs" -DSRC="$SRC" -DMBEDTLS_CONFIG="$HERE/mbedtls_config.h"
}

build_curl() {
  local options opt=-O1
  mapfile -t options < <(sed -n 's/^\([A-Z].*\)/-D\1/p' "$HERE/curl.options")
  [ "$FLAVOUR" = host ] || opt=-Oz
  cmake_build curl "$opt" "$SRC/curl" "${options[@]}" \
    -DMBEDTLS_INCLUDE_DIR="$PREFIX/include" -DMBEDTLS_LIBRARY="$PREFIX/lib/libmbedtls.a" \
    -DMBEDX509_LIBRARY="$PREFIX/lib/libmbedtls.a" -DMBEDCRYPTO_LIBRARY="$PREFIX/lib/libmbedtls.a" \
    -DZLIB_INCLUDE_DIR="$PREFIX/include" -DZLIB_LIBRARY="$PREFIX/lib/libz.a"
}

build_cmocka() {
  cmake_build cmocka -O1 "$SRC/cmocka" -DBUILD_SHARED_LIBS=OFF -DWITH_STATIC_LIB=ON \
    -DWITH_EXAMPLES=OFF -DUNIT_TESTING=OFF
}

rm -rf "$DEST" "$WORK"
[ "$FLAVOUR" = host ] || step musl build_musl
step libs build_libs
step curl build_curl
step cmocka build_cmocka
