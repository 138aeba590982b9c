# SPDX-License-Identifier: Apache-2.0
"""The cloud: three services behind TLS, a trap, the faults between wire and service, the oracle."""
import asyncio
import os
from collections import deque

from . import faults as faults_
from . import samples
from .calls import Content
from .clock import Clock
from .entra import Entra
from .graph import Graph
from .oracle import Oracle
from .records import Records
from .server import Listener, Response
from .sink import Sink
from .tls import Tls

LOG_MAX = 5000
NOTES_MAX = 200


class Cloud:
    """Everything of one run, within one asyncio loop."""

    def __init__(self, scenario, folder):
        self.scenario, self.folder = scenario, folder
        self.clock = Clock()
        seed, tenant = scenario["seed"], scenario["tenant_id"]
        extra = samples.load(self.clock) if scenario["records"]["samples"] else ()
        self.records = Records(scenario["records"], seed, self.clock, extra)
        self.content = Content(self.records, seed, scenario["records"]["fat"])
        self.oracle = Oracle(self.records, self.content, tenant, scenario["depth"])
        self.entra = Entra(scenario["entra"], tenant, scenario["client_id"], self.clock)
        self.entra.portal.told = self.note
        self.graph = Graph(scenario["graph"], self)
        self.sink = Sink(scenario["sink"], self)
        self.faults = faults_.Faults(scenario["faults"], self.clock)
        self.tls = Tls(folder)
        self.counts, self.log = {}, deque(maxlen=LOG_MAX)
        self.notes = []
        self.trapped = []
        self.running = self.running_max = 0
        self.listeners = {}
        self._outages = [dict(o) for o in scenario["sink"]["outages"]]

    # -- life

    async def start(self):
        services = {"authority": self._authority, "graph": self._graph, "sink": self._sink,
                    "trap": self._trap}
        for name, handler in services.items():
            settings = self.scenario["tls"].get(name, {})
            self.listeners[name] = Listener(name, handler, self.tls.context(settings))
            await self.listeners[name].open()
        self.entra.authority_url, self.entra.graph_url = self.url("authority"), self.url("graph")
        self.graph.url, self.graph.trap_url = self.url("graph"), self.url("trap")

    def url(self, name):
        return "https://127.0.0.1:%d" % self.listeners[name].port

    def state(self):
        """What a client needs to know."""
        return {"authority_url": self.url("authority"), "graph_url": self.url("graph"),
                "sink_url": self.url("sink") + "/events", "trap_url": self.url("trap"),
                "portal_url": self.url("authority") + "/portal",
                "ca_file": os.path.abspath(self.tls.ca_file), "pid": os.getpid(),
                "tenant_id": self.scenario["tenant_id"], "client_id": self.scenario["client_id"],
                "records": self.records.total()}

    async def watch(self):
        """Outages of the sink, as scheduled."""
        while True:
            await asyncio.sleep(0.02)
            elapsed = self.clock.elapsed()
            for outage in self._outages:
                if "until" in outage:
                    if elapsed >= outage["until"]:
                        outage["done"] = True
                        await self.sink_up()
                elif elapsed >= outage.get("after_s", 0) \
                        and self.sink.counts["events"] >= outage.get("after_events", 0):
                    self.sink_down()
                    outage["until"] = elapsed + outage["for_s"]
            self._outages = [o for o in self._outages if "done" not in o]

    def note(self, text):
        """Remember something that a person at the demo may want to see."""
        if len(self.notes) < NOTES_MAX:
            self.notes.append([round(self.clock.elapsed(), 2), text])

    def sink_down(self):
        self.note("the sink goes away: connections are refused")
        self.listeners["sink"].shut()

    async def sink_up(self):
        if self.listeners["sink"].server is None:
            await self.listeners["sink"].open()
            self.note("the sink is back")

    def stop(self):
        for listener in self.listeners.values():
            listener.shut()

    # -- requests

    async def _authority(self, request):
        Entra.classify(request)
        return await self._answer("authority", request, lambda do: self.entra.handle(request))

    async def _graph(self, request):
        Graph.classify(request)
        return await self._answer("graph", request, lambda do: self.graph.handle(request, do))

    async def _sink(self, request):
        request.kind = "events"
        return await self._answer("sink", request, lambda do: self.sink.handle(request))

    async def _trap(self, request):
        """Nobody has a reason to come here; a bearer token that does is a leak."""
        self.trapped.append({"target": request.target[:200],
                             "authorization": bool(request.header("authorization"))})
        return Response(404)

    async def _answer(self, service, request, handle):
        do = self.faults.pick(service, request)
        self.running += 1
        self.running_max = max(self.running, self.running_max)
        try:
            if do.get("delay_s"):
                await asyncio.sleep(do["delay_s"])
            response = faults_.canned(do, request, self.clock.now())
            if response is None:
                response = handle(do)
                response.headers.update({k: str(v) for k, v in do.get("headers", {}).items()})
            elif do.get("process"):
                handle(do)
            faults_.spoil_body(do, response)
            if service != "sink" and do.get("gzip") != "off":
                response.compress(request)
            faults_.spoil_wire(do, response)
        finally:
            self.running -= 1
        self._count(service, request, response, do)
        return response

    def _count(self, service, request, response, do):
        row = self.counts.setdefault("%s.%s" % (service, request.kind), {})
        word = "cut" if response.cut_after == -1 else str(response.status)
        row[word] = row.get(word, 0) + 1
        row["bytes"] = row.get("bytes", 0) + len(response.body)
        self.log.append({"at": round(self.clock.elapsed(), 3), "service": service,
                         "kind": request.kind, "conn": request.conn, "method": request.method,
                         "target": request.target[:400], "answer": word, "fault": bool(do),
                         "bytes_in": len(request.body), "bytes_out": len(response.body)})

    # -- reports

    def stats(self):
        """Cheap figures for a progress view."""
        return {"elapsed_s": round(self.clock.elapsed(), 3), "records": self.records.total(),
                "announced": len(self.oracle.announced), "complete": len(self.oracle.completed),
                "events": self.oracle.events, "batches": self.sink.counts["batches"],
                "bytes_in": self.sink.counts["bytes_in"], "requests": self.counts,
                "sink_up": self.listeners["sink"].server is not None,
                "throttled": self.graph.limits.throttled, "tokens": self.entra.issued,
                "pending": self.records.pending_cheap(self.clock.elapsed()), "notes": self.notes,
                "connections": {n: li.connections for n, li in self.listeners.items()}}

    def report(self, announced_only=False):
        """The whole truth at the end."""
        moment = self.clock.elapsed()
        wire = {n: li.errors for n, li in self.listeners.items() if li.errors}
        return {"records": self.oracle.report(moment, announced_only), "sink": self.sink.report(),
                "requests": self.counts, "running_max": self.running_max,
                "throttled": self.graph.limits.throttled, "early": self.graph.limits.early,
                "client_request_ids": self.graph.request_ids, "tokens_issued": self.entra.issued,
                "token_refusals": self.entra.refusals, "trapped": self.trapped,
                "faults": self.faults.report(), "wire_errors": wire,
                "connections": {n: li.connections for n, li in self.listeners.items()},
                "elapsed_s": round(moment, 3)}
