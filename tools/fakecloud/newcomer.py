# SPDX-License-Identifier: Apache-2.0
"""tools/dev demo --setup: the box starts as it leaves its carton, and somebody sets it up.

Nobody knows it yet: no certificate is registered, nothing is granted. What a person needs is
printed (the box's page, its setup code, the portal of the tenant); then the demo shows what
happens, until every call was collected and for as long as one likes after that.
"""
import subprocess
import time

from .face import Face
from .report import BOLD, GOOD, paint

START_S_MAX = 60
PERMISSIONS = ["CallRecords.Read.All", "User.Read.All", "TeamworkDevice.Read.All"]
STEPS = """
  %(page)s
      1. The box's page: what it waits for, and its certificate (save the file).
         Setup code, for what you ask of it there: %(code)s
  %(portal)s
      2. The portal of the tenant: upload the certificate under Certificates.
  %(page)s
      3. Back at the page: follow the consent link, sign in as Ada Admin, accept. The box notices
         by itself.
  The browser knows nobody who vouches for these pages: go on all the same, they are on this
  machine. The box's certificate has the SHA-256 fingerprint
      %(fingerprint)s
  Ctrl-C ends it.
"""


def settings(port):
    """Changes of the cloud: nothing is granted, and people come back to the box's page."""
    return {"consent": False, "redirect_uris": {"web": [redirect(port)], "public": []}}


def redirect(port):
    return "https://localhost:%d/redirect" % port


def configure(config, port):
    """A page on loopback; everything that may be granted is wanted."""
    config["status"] = {"listen": "127.0.0.1:%d" % port}
    config["sign_in"] = {"redirect_uri": redirect(port)}
    config["permissions"] = PERMISSIONS


def setup_code(box):
    done = subprocess.run([box.ctl, "setup-code", "--state", box.state], check=True,
                          capture_output=True, text=True, timeout=30)
    return done.stdout.strip()


def wait_for_page(board, face):
    """The address that the box says it listens at."""
    end = time.monotonic() + START_S_MAX
    while not face.page():
        if board.given_up() or time.monotonic() > end:
            raise RuntimeError("the box opened no page; its log is %s" % board.box.log_file)
        time.sleep(0.05)
    return face.page()


def guide(cloud, board, view):
    """Show a person the way, then what happens, until Ctrl-C. Was everything collected?"""
    face = Face(board)
    facts = {"page": paint(wait_for_page(board, face), BOLD, view.live),
             "portal": paint(cloud.state["portal_url"], BOLD, view.live),
             "code": paint(setup_code(board.box), BOLD, view.live),
             "fingerprint": face.fingerprint}
    view.say(STEPS % facts)
    told = False
    try:
        while not board.given_up() and cloud.process.poll() is None:
            stats = cloud.stats()
            if view.live or (stats["announced"] and not told):
                view.show(stats, face)    # plain lines only while something moves
            if not told and stats["complete"] == stats["records"]:
                told = True
                view.say(paint("\n  Authorised, and every one of %d calls was collected and "
                               "delivered.\n" % stats["records"], GOOD, view.live))
            time.sleep(0.1)
    except KeyboardInterrupt:
        view.say("")
    return told
