# SPDX-License-Identifier: Apache-2.0
"""The control port: plain HTTP on loopback, for tests and for the demo. JSON in, JSON out.

GET  /state /stats /report[?announced=1] /log /faults /version/{id}
GET  /credentials   access and refresh tokens given out, client assertions that came in
GET  /device?code=USER_CODE   what became of a device code
POST /faults   one fault or a list              DELETE /faults[/n]
POST /sink     settings of sink.py, and "state": "up" | "down"
POST /entra    settings of entra.py, and "certificate": PEM (register), "forget": true (all),
               "remove_certificate": SHA-256 or PEM, "add_secret": {"value", "expires"},
               "remove_secret", "expire_secret": value or id, "grant", "withdraw": [permissions],
               "revoke": true (access tokens), "revoke_refresh": true (refresh tokens),
               "password_change": user name
POST /graph    settings of graph.py             POST /tls    {"graph": {"cert": "expired"}}
POST /records  {"raise": {"ids": [...]} or {"share": x} or {"count": n}}
POST /shutdown
"""
import asyncio
import json

from .records import dice, share
from .server import Listener, Response


def _update(settings, change):
    for name, value in change.items():
        if name not in settings:
            raise ValueError("no such setting: %s" % name)
        settings[name] = value


class Control:
    """Serves the control port of one cloud."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.done = asyncio.Event()
        self.listener = Listener("control", self.handle)

    async def handle(self, request):
        parts = [p for p in request.path.split("/") if p]
        name = "%s_%s" % (request.method.lower(), parts[0] if parts else "state")
        action = getattr(self, "_" + name, None)
        try:
            if action is None:
                return Response(404, b'{"error":"no such thing"}')
            body = json.loads(request.body) if request.body else None
            result = action(body, parts[1:], dict(request.query))
            if asyncio.iscoroutine(result):
                result = await result
        except (ValueError, KeyError, TypeError) as error:
            text = json.dumps({"error": "%s: %s" % (type(error).__name__, error)})
            return Response(400, text.encode(), {}, "application/json")
        return Response(200, json.dumps(result).encode(), {}, "application/json")

    # -- reading

    def _get_state(self, body, rest, query):
        return self.cloud.state()

    def _get_stats(self, body, rest, query):
        return self.cloud.stats()

    def _get_report(self, body, rest, query):
        return self.cloud.report(bool(query.get("announced")))

    def _get_log(self, body, rest, query):
        return list(self.cloud.log)

    def _get_faults(self, body, rest, query):
        return self.cloud.faults.report()

    def _get_credentials(self, body, rest, query):
        entra = self.cloud.entra
        return {"tokens": list(entra.tokens), "assertions": list(entra.check.assertions),
                "refresh_tokens": list(entra.grants.refreshes)}

    def _get_device(self, body, rest, query):
        for device in self.cloud.entra.grants.devices.values():
            if device.user_code == query["code"]:
                return {"state": device.state, "who": device.person and device.person.name}
        raise ValueError("no such user code")

    def _get_version(self, body, rest, query):
        records = self.cloud.records
        index = records.find(rest[0])
        level = records.level(index, self.cloud.clock.elapsed())
        return {"version": records.plan(index).number(level) if level >= 0 else None}

    # -- changing

    def _post_faults(self, body, rest, query):
        return [self.cloud.faults.add(s) for s in (body if isinstance(body, list) else [body])]

    def _delete_faults(self, body, rest, query):
        self.cloud.faults.clear(int(rest[0]) if rest else None)

    async def _post_sink(self, body, rest, query):
        state = body.pop("state", None)
        _update(self.cloud.sink.s, body)
        if state == "down":
            self.cloud.sink_down()
        elif state == "up":
            await self.cloud.sink_up()
        elif state is not None:
            raise ValueError("state: up or down")

    def _post_entra(self, body, rest, query):
        entra = self.cloud.entra
        registration = entra.registration
        if body.pop("forget", False):
            registration.certificates.clear()
        if "certificate" in body:
            entra.register(body.pop("certificate"))
        if "remove_certificate" in body:
            registration.remove_certificate(body.pop("remove_certificate"))
        if "add_secret" in body:
            registration.add_secret(**body.pop("add_secret"))
        for name in ("remove_secret", "expire_secret"):
            if name in body:
                getattr(registration, name)(body.pop(name))
        registration.grant(*body.pop("grant", ()))
        registration.withdraw(*body.pop("withdraw", ()))
        if body.pop("revoke", False):
            entra.revoke()
        if body.pop("revoke_refresh", False):
            entra.grants.revoke()
        if "password_change" in body:
            entra.grants.change_password(body.pop("password_change"))
        registration.change(body)

    def _post_graph(self, body, rest, query):
        _update(self.cloud.graph.s, body)
        if "limits" in body:
            self.cloud.graph.limits.settings = body["limits"]
            self.cloud.graph.limits.windows.clear()

    def _post_tls(self, body, rest, query):
        for name, settings in body.items():
            self.cloud.tls.apply(self.cloud.listeners[name].context, settings)

    def _post_records(self, body, rest, query):
        return {"raised": self._raise(body["raise"])}

    def _raise(self, rule):
        records, moment = self.cloud.records, self.cloud.clock.elapsed()
        if "ids" in rule:
            chosen = [records.find(i) for i in rule["ids"]]
        else:
            chosen = [i for i in range(records.total()) if records.level(i, moment) >= 0
                      and not records.plan(i).sample
                      and share(dice("raise", i)[0]) < rule.get("share", 1)]
            chosen = chosen[:rule.get("count", len(chosen))]
        for index in chosen:
            records.raise_version(index, moment)
        return [records.plan(i).id for i in chosen]

    def _post_shutdown(self, body, rest, query):
        asyncio.get_running_loop().call_later(0.05, self.done.set)
