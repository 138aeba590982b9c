# SPDX-License-Identifier: Apache-2.0
"""Time on a machine of 32 bits: the tests of clock, calendar, time servers and timesync, 2038 and
2106 among them, compiled with gcc -m32. The C library has 64 bits of time there, as musl has."""
import os
import subprocess

import pytest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
BASE = ["firmware/base/%s.c" % name for name in
        ("address", "assert", "backoff", "bytes", "clock", "clock_parse", "crc32c", "rc", "slots",
         "span")]
CLOCK = ["hal/clock/front.c", "hal/clock/linux.c"]
ENTROPY = ["hal/entropy/front.c", "hal/entropy/linux.c"]
PROGRAMS = {
    "calendar": ["tests/unit/base/clock.c"],
    "clock": ["tests/contract/clock.c", *CLOCK],
    "timesync": ["tests/unit/timesync/machine.c", "tests/unit/timesync/world.c",
                 "tests/support/http_fake.c", "firmware/timesync/cause.c",
                 "firmware/timesync/judge.c", "firmware/timesync/timesync.c",
                 "firmware/sys/fault.c", *ENTROPY, *CLOCK],
    "sntp": ["tests/unit/net/sntp.c", "firmware/net/sntp.c", "firmware/net/sntp_packet.c",
             "firmware/loop/loop.c", *ENTROPY, *CLOCK],
}
# Names of the C library behind the calls that the tests speak for.
WRAPPED = {"clock_gettime": "__clock_gettime64", "pread": "pread64", "pwrite": "pwrite64"}


def wraps(sources):
    if not {"tests/contract/clock.c", "tests/unit/timesync/world.c"} & set(sources):
        return []
    out = []
    for name, real in WRAPPED.items():
        if name == "pread" and "tests/contract/clock.c" not in sources:
            continue
        out += ["--wrap=%s" % real, "--defsym=__wrap_%s=__wrap_%s" % (real, name)]
    return ["-Wl," + ",".join(out)]


@pytest.fixture(scope="module")
def compiler(tmp_path_factory):
    folder = tmp_path_factory.mktemp("m32")
    source = folder / "probe.c"
    source.write_text("#include <stdio.h>\nint main(void) { return sizeof(long) == 4 ? 0 : 1; }\n")
    command = ["gcc", "-m32", "-static", "-o", str(folder / "probe"), str(source)]
    if subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("no C library of 32 bits here (packages libc6-dev-i386, lib32gcc-12-dev)")
    assert subprocess.run([str(folder / "probe")]).returncode == 0
    return folder


@pytest.mark.parametrize("name", PROGRAMS)
def test_time_has_64_bits_on_32(compiler, name):
    deps = os.environ.get("ANTEROOM_DEPS", os.path.join(ROOT, "build", "deps"))
    cmocka = os.path.join(deps, "src", "cmocka")
    program = str(compiler / name)
    sources = PROGRAMS[name] + BASE
    command = [
        "gcc", "-m32", "-static", "-std=gnu17", "-O1", "-w", "-D_GNU_SOURCE", "-D_TIME_BITS=64",
        "-D_FILE_OFFSET_BITS=64", "-DCLOCK_SANDBOX=0", "-DHAVE_SIGNAL_H",
        "-D__real_pread=__real_pread64", "-D__real_pwrite=__real_pwrite64",
        "-include", os.path.join(ROOT, "build", "sandbox", "autoconf.h"),
        "-idirafter", "/usr/include/x86_64-linux-gnu",  # the kernel's headers serve both
        "-Iinclude", "-Ifirmware", "-Itests/support", "-I" + os.path.join(cmocka, "include"),
        *wraps(sources), "-o", program, *sources, os.path.join(cmocka, "src", "cmocka.c")]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    ran = subprocess.run([program], cwd=ROOT, capture_output=True, text=True,
                         env={**os.environ, "ANTEROOM_TMP": str(compiler)})
    assert ran.returncode == 0, ran.stdout + ran.stderr
