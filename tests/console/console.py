#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The console in a browser: it opens once for each link, shows what there is
and what happens, runs nothing that comes from a name, and says so when the
service is gone.

    console.py CONFIG
"""
import http.client
import json
import os
import subprocess
import sys
import urllib.parse

from browser import Browser

NAME = "<img src=x onerror=alert(1)>"
STATUS = "document.getElementById('status')"


def hawser(*words):
    return subprocess.run(["hawser", *words], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.strip()


class Service:
    def __init__(self, config):
        self.config = config
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            ["hawserd", "--state", "state", "--config", self.config],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout.readline() == "hawserd: ready\n"

    def kill(self):
        self.process.kill()
        self.process.wait()


def ask(url, path, **headers):
    """A request without the browser: (status, headers, body)."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)
    connection.request("GET", path, headers={k.replace("_", "-"): v
                                             for k, v in headers.items()})
    reply = connection.getresponse()
    return reply.status, reply.headers, reply.read().decode()


def check_door():
    link = hawser("console")
    token = link[link.index("?"):]
    for path in "/console", "/console/state", "/console/history?fs=x":
        status, headers, _ = ask(link, path)
        assert status == 401, (path, status)
        assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert ask(link, "/console" + token[:-1] + "x")[0] == 401
    status, headers, _ = ask(link, "/console" + token)
    cookie = headers["Set-Cookie"]
    assert status == 303 and "HttpOnly" in cookie and "SameSite" in cookie
    cookie = cookie.split(";")[0]
    assert ask(link, "/console" + token)[0] == 401, "a second time"
    assert ask(link, "/console", Cookie=cookie)[0] == 200
    status, _, body = ask(link, "/console/state", Cookie=cookie)
    assert status == 200 and json.loads(body)["file_systems"] == []
    for bad in ("/console/state", "/console/history?fs=x&hours=3"):
        assert ask(link, bad, Cookie=cookie,
                   Sec_Fetch_Site="cross-site")[0] == 403
    assert ask(link, "/console/../etc", Cookie=cookie)[0] == 404
    body = ask(link, "/console/history?fs=nope&hours=3", Cookie=cookie)[2]
    assert "does not exist" in body, body
    assert ask(link, "/consoles")[0] != 200


def show(b):
    b.open(hawser("console").split("?")[0])
    assert "hawser console" in b.run("document.body.innerText")
    b.complaints.clear()  # that it was refused
    b.open(hawser("console"))
    assert "token" not in b.run("location.href")
    b.wait(STATUS + ".dataset.state === 'live'")
    text = b.run("document.body.innerText")
    for command in ("hawser fs create", "hawser mount-target create",
                    "hawser volume create", "create-access-point"):
        assert command in text, text


def show_what_comes(b):
    fs = hawser("fs", "create", "--name", NAME)
    b.wait("document.querySelector('#fs button')?.innerText.includes(%s)" %
           json.dumps(NAME))
    assert b.run("document.images.length") == 1, "the name was taken for HTML"
    address = hawser("mount-target", "create", fs).split()[1]
    hawser("volume", "create", "--name", "disk", "--size", "1G")
    b.wait("document.getElementById('targets').innerText.includes(%s)" %
           json.dumps(address))
    b.wait("document.querySelectorAll('#listeners .chip.good').length >= 1")
    load = subprocess.Popen(["hawser", "perf", "nfs", address + ":/", "-w",
                             "write", "-s", "4m", "-t", "60"],
                            stdout=subprocess.DEVNULL)
    b.wait("/written: [1-9]/.test(document.querySelector("
           "'#throughput svg').getAttribute('aria-label'))")
    b.wait("!!document.querySelector('#throughput path.lane.c1')")
    b.wait("document.getElementById('clients').innerText.includes(%s)" %
           json.dumps(address))
    load.kill()
    load.wait()
    # By the keyboard: the point before the last.
    b.run("document.querySelector('#throughput svg').focus()")
    b.call("Input.dispatchKeyEvent", type="keyDown", key="ArrowLeft",
           code="ArrowLeft")
    assert b.run("!!document.querySelector('#throughput .cursor')")
    b.run("document.querySelector('[data-span=\"3\"]').click()")
    b.wait("document.querySelector('[data-span=\"3\"]').ariaPressed === 'true'")


def lose(b, service):
    service.kill()
    b.wait(STATUS + ".innerText.includes('connection lost, retrying')")
    assert b.run("document.querySelectorAll('#fs tbody tr').length") == 1
    service.start()
    b.wait(STATUS + ".innerText.includes('session ended')")
    b.open(hawser("console"))
    b.wait(STATUS + ".dataset.state === 'live'")


def main():
    service = Service(sys.argv[1])
    os.environ["HAWSER_RPC"] = os.path.abspath("state/rpc.sock")
    service.start()
    b = Browser()
    try:
        check_door()
        show(b)
        show_what_comes(b)
        assert b.complaints == [], b.complaints
        b.resize(400, 800)
        b.wait("document.documentElement.scrollWidth <= 400", 5)
        lose(b, service)
    finally:
        b.close()
        service.kill()


main()
