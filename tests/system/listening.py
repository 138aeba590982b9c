# SPDX-License-Identifier: Apache-2.0
"""A box whose status port is open, and what people do there: read it, type the setup code, send a
form of the page."""
import re
import socket
import subprocess

from world import lines_of, wait_until

from port import NoAnswer, Port

TOKEN = re.compile(r'<input[^>]*\bname="?token"?[^>]*\bvalue="?([0-9A-Za-z_-]+)')


def listen(port=0, host="127.0.0.1", **more):
    """A change of the configuration (World's `change`): the port is open there."""
    def change(config):
        config["status"] = {"listen": "%s:%d" % (host, port), **more}
    return change


_held = []    # for as long as this process lives


def free_port():
    """For what has to know it before the box runs. It stays bound, and the kernel gives it to
    nobody who asks for any port; a server that sets SO_REUSEADDR can listen there all the same."""
    held = socket.socket()
    _held.append(held)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held.getsockname()[1]


def opened(box):
    """The last word of the log on the port."""
    found = lines_of(box.log_text(), "status_port")
    return found[-1] if found else None


def port_of(world, box=None, lives=1):
    """The port of a running box, its certificate pinned; of its n-th life where it has several."""
    box = box or world.box
    wait_until(lambda: len(lines_of(box.log_text(), "status_port")) >= lives, "an open port")
    line = opened(box)
    return Port(line["url"], line["fingerprint"] if line["url"].startswith("https") else None)


def ctl(box, *words):
    done = subprocess.run([box.ctl, words[0], "--state", box.state, *words[1:]], check=True,
                          capture_output=True, timeout=60)
    return done.stdout.decode()


def setup_code(box):
    return ctl(box, "setup-code").strip().splitlines()[-1].split()[-1]


def status_of(port):
    answer = port.get("/status")
    assert answer.status == 200, answer.raw
    return answer.json()


def answers(port):
    """Does it answer a good reader? One that it has no room for is sent away, and comes again."""
    try:
        return port.get("/healthz").status in (200, 503)
    except (NoAnswer, OSError):
        return False


def wait_state(port, *states):
    """Wait until the box is in one of these states of its life; /status of then."""
    def there():
        found = status_of(port)
        return found if found["state"]["name"] in states else None
    return wait_until(there, "state " + " or ".join(states))


def token_of(port):
    """What the page's form carries against requests of other sites."""
    return TOKEN.search(port.get("/").text())[1]


def send(port, box, do, value=None, token=None, code=None, **headers):
    """A form of the page, filled in by somebody who knows the code unless told otherwise."""
    form = {"token": token_of(port) if token is None else token,
            "code": setup_code(box) if code is None else code, "do": do}
    if value is not None:
        form["value"] = value
    return port.post(form, **headers)
