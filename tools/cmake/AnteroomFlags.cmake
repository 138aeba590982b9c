# SPDX-License-Identifier: Apache-2.0
# Flags of our own sources. What the firmware's tool chain adds (PIE, LTO, hardening) is in
# musl.cmake.
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_compile_options(
  -std=gnu17 -g -include ${CMAKE_BINARY_DIR}/autoconf.h -fvisibility=hidden
  -Wall -Wextra -Wconversion -Wshadow -Wformat=2 -Wvla -Wstrict-prototypes -Werror)
add_compile_definitions(_GNU_SOURCE)

if(CMAKE_CROSSCOMPILING) # the firmware's tool chain
  set(ANTEROOM_PREFIX ${ANTEROOM_DEPS}/target/prefix)
  if(ANTEROOM_TESTS)
    # Tests link quickly; the LTO build is what the system tests run.
    add_compile_options(-O1 -fno-lto)
  endif()
else()
  set(ANTEROOM_PREFIX ${ANTEROOM_DEPS}/host/prefix)
  add_compile_options(-fno-omit-frame-pointer)
  if(ANTEROOM_SANITIZE)
    set(ANTEROOM_SANITIZERS address,undefined)
    add_compile_options(-O1 -fno-sanitize-recover=all
      -fsanitize=${ANTEROOM_SANITIZERS},fuzzer-no-link)
    add_link_options(-fsanitize=${ANTEROOM_SANITIZERS})
  else()
    add_compile_options(-O2)
  endif()
endif()

# What runs for every record is compiled for speed, the rest for size (firmware build only).
set(ANTEROOM_OPT_SMALL -Oz)
set(ANTEROOM_OPT_FAST -O2)
set(ANTEROOM_FAST_FILES
  base/bytes.c base/crc32c.c base/span.c json/cut.c json/json.c json/scan.c
  CACHE STRING "sources compiled for speed")
