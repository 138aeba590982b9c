# SPDX-License-Identifier: Apache-2.0
"""Kconfig: a defconfig that does not take effect as written is an error."""
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]


def generate(tmp_path, defconfig):
    source = tmp_path / "defconfig"
    source.write_text(defconfig)
    command = ["/usr/bin/python3", "-B", str(ROOT / "tools/kconfig/generate.py")]
    command += ["--kconfig", str(ROOT / "Kconfig"), "--defconfig", str(source)]
    command += ["--epoch", "86400", "--out", str(tmp_path / "out")]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_good_defconfig_gives_header_and_fragment(tmp_path):
    assert generate(tmp_path, 'CONFIG_BOARD_NAME="x"\nCONFIG_GRAPH_LANES=2\n').returncode == 0
    header = (tmp_path / "out/autoconf.h").read_text()
    assert "#define CONFIG_GRAPH_LANES 2\n" in header
    assert "#define CONFIG_BOARD_SANDBOX 0\n" in header
    assert "#define CONFIG_BUILD_EPOCH 86400\n" in header
    assert 'set(CONFIG_BOARD_NAME "x")\n' in (tmp_path / "out/config.cmake").read_text()


@pytest.mark.parametrize(
    "line, complaint",
    [
        ("CONFIG_NO_SUCH_SYMBOL=y", "NO_SUCH_SYMBOL"),
        ("CONFIG_GRAPH_LANES=99", "GRAPH_LANES"),
        ("CONFIG_GRAPH_LANES=many", "GRAPH_LANES"),
        ("nonsense", "malformed"),
    ],
)
def test_a_bad_line_is_refused_and_named(tmp_path, line, complaint):
    done = generate(tmp_path, line + "\n")
    assert done.returncode == 1
    assert complaint in done.stderr
    assert not (tmp_path / "out/autoconf.h").exists()
