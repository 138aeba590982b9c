# SPDX-License-Identifier: Apache-2.0
"""What the box says of itself, read by programs that nobody here wrote.

The snapshots are made up (tests/unit/status/snapshots.c): every state, the largest that there can
be, one of an attacker's making, an empty one.
"""
import json
import os
import re
import shutil
import subprocess

import jsonschema
import pytest
from world import ROOT

SCHEMA = os.path.join(ROOT, "firmware", "status", "status.schema.json")
PROMTOOL = os.path.join(ROOT, "build", "prometheus", "usr", "bin", "promtool")
SCENES = ("unconfigured awaiting_consent validating propagating collecting degraded attention "
          "signing_in device_code expiring holding no_configuration largest hostile empty").split()
# An attacker's text is no fingerprint; and that is a matter of the format, not of the schema.
ODD = {"hostile"}


def program():
    for build in ("host", "target-tests"):
        path = os.path.join(ROOT, "build", build, "tests", "unit", "status", "unit_status_outputs")
        if os.path.exists(path):
            return path
    pytest.skip("tools/dev test unit builds what writes the outputs")
    return None


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Directory with SCENE.json, .line, .prom, .html of every scene."""
    directory = tmp_path_factory.mktemp("outputs")
    subprocess.run([program()], check=True, capture_output=True,
                   env=dict(os.environ, ANTEROOM_TMP=str(directory)))
    return directory


@pytest.fixture(scope="module")
def schema():
    with open(SCHEMA, encoding="utf-8") as file:
        return json.load(file)


def objects_of(schema):
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for value in schema.values():
            yield from objects_of(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from objects_of(value)


def test_schema_is_one_and_describes_every_member(schema):
    jsonschema.Draft202012Validator.check_schema(schema)
    for each in objects_of(schema):
        assert each["additionalProperties"] is False
        assert sorted(each["required"]) == sorted(each["properties"])
        for name, member in each["properties"].items():
            assert len(member["description"]) > 10, name
            kinds = member.get("type", [])
            if "integer" in kinds:
                assert "minimum" in member and "maximum" in member, name
                assert "Unit:" in member["description"], name


@pytest.mark.parametrize("scene", SCENES)
def test_status_is_as_the_schema_says(outputs, schema, scene):
    status = json.loads((outputs / (scene + ".json")).read_bytes())
    if scene in ODD:
        status["box"]["serial_sha256_start"] = status["port"]["fingerprint"] = ""
        for name in ("credential", "credential_next"):
            status[name]["thumbprint"] = ""
    jsonschema.validate(status, schema, cls=jsonschema.Draft202012Validator)


def test_a_member_that_nobody_described_is_refused(outputs, schema):
    status = json.loads((outputs / "collecting.json").read_bytes())
    status["port"]["more"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(status, schema, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("scene", SCENES)
def test_promtool_finds_nothing_to_say_of_the_metrics(outputs, scene):
    tool = PROMTOOL if os.path.exists(PROMTOOL) else shutil.which("promtool")
    if tool is None:
        pytest.skip("tools/dev test system unpacks promtool")
    text = (outputs / (scene + ".prom")).read_bytes()
    if scene in ("largest", "hostile"):  # there every name is the same, and told twice
        text = unlike_names(text)
    done = subprocess.run([tool, "check", "metrics"], input=text, capture_output=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def unlike_names(text):
    """Samples that differ in nothing but their place get a label that tells them apart."""
    lines = []
    for number, line in enumerate(text.split(b"\n")):
        if b"{" in line and not line.startswith(b"#"):
            line = line.replace(b"{", b'{place="%d",' % number, 1)
        lines.append(line)
    return b"\n".join(lines)


MODULE_PIXELS = 4


def picture_of(svg):
    """A QR code's path as a grey picture (PGM): lines as wide as a module, moved to relatively."""
    side = int(re.search(r'viewBox="-4 -4 (\d+) ', svg).group(1))
    pixels = [bytearray(b"\xff" * side * MODULE_PIXELS) for _ in range(side)]
    x = y = 4
    for dx, dy, length in re.findall(r"m(-?\d+) (-?\d+)h(\d+)", svg):
        x, y, length = x + int(dx), y + int(dy), int(length)
        start = x * MODULE_PIXELS
        pixels[y][start:start + length * MODULE_PIXELS] = bytes(length * MODULE_PIXELS)
        x += length
    head = b"P5 %d %d 255\n" % (side * MODULE_PIXELS, side * MODULE_PIXELS)
    return head + b"".join(bytes(row) * MODULE_PIXELS for row in pixels)


@pytest.mark.parametrize("scene", ["awaiting_consent", "degraded"])
def test_a_phone_reads_the_link_from_the_qr_code(outputs, tmp_path, scene):
    page = (outputs / (scene + ".html")).read_text(encoding="utf-8")
    svg = re.search(r"<svg class=qr.*?</svg>", page).group(0)
    link = re.search(r'href="(https://[^"]*)">Open the consent page', page).group(1)
    picture = tmp_path / "code.pgm"
    picture.write_bytes(picture_of(svg))
    done = subprocess.run(["zbarimg", "-q", "--raw", "--nodbus", picture], capture_output=True,
                          text=True, check=True)
    assert done.stdout.rstrip("\n") == link.replace("&amp;", "&")
