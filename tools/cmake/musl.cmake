# SPDX-License-Identifier: Apache-2.0
# Tool chain of everything that ends in the firmware: musl, static-PIE, LTO, hardened.
#
# gcc is steered by the specs file that musl itself generates. Two obvious other ways fail in
# silence:
# musl-gcc of Debian 12 makes a dynamic PIE of -static-pie, and --sysroot links glibc's libc.a.
# tools/check/elf.py looks at the result.
#
# Input: ANTEROOM_TARGET, the directory that holds sysroot/ and prefix/ (build/deps/target).

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ANTEROOM_TARGET ANTEROOM_ROOT)

set(CMAKE_C_COMPILER x86_64-linux-gnu-gcc)
set(CMAKE_AR x86_64-linux-gnu-gcc-ar CACHE FILEPATH "")
set(CMAKE_RANLIB x86_64-linux-gnu-gcc-ranlib CACHE FILEPATH "")

set(ANTEROOM_C_FLAGS
  -specs=${ANTEROOM_TARGET}/sysroot/musl.specs
  # SSE4.2 (every x86-64 processor since 2013) has the check sum of the store as an instruction.
  -march=x86-64-v2
  -fPIE -fno-plt -flto -ffunction-sections -fdata-sections
  -fno-asynchronous-unwind-tables -fno-unwind-tables
  -fstack-protector-strong -fstack-clash-protection -ftrivial-auto-var-init=zero
  -fno-delete-null-pointer-checks -fno-strict-overflow -fno-strict-aliasing
  # No path of this machine in the binary; two checkouts give the same bytes.
  -ffile-prefix-map=${ANTEROOM_ROOT}=. -fdebug-prefix-map=${ANTEROOM_TARGET}=deps)
set(ANTEROOM_LINK_FLAGS
  -static-pie -flto-partition=one
  -Wl,--gc-sections,--hash-style=gnu,--build-id=sha1
  -Wl,-z,relro,-z,now,-z,noexecstack,-z,text,-z,pack-relative-relocs)

list(JOIN ANTEROOM_C_FLAGS " " CMAKE_C_FLAGS_INIT)
list(JOIN ANTEROOM_LINK_FLAGS " " CMAKE_EXE_LINKER_FLAGS_INIT)

set(CMAKE_FIND_ROOT_PATH ${ANTEROOM_TARGET}/sysroot ${ANTEROOM_TARGET}/prefix)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
