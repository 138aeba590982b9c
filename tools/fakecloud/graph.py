# SPDX-License-Identifier: Apache-2.0
"""Microsoft Graph: /v1.0/communications/callRecords and below, with its limits and its manners.
Users, /me and devices are in directory.py.

Page faults (see faults.py): next_link self | other_origin | http | relative | metadata | missing;
empty_page (no items, but a link to them); repeat (an item once more, in a listing one of the page
before); giant (all items on one page); raise_version (the record gets a new version after this
answer); revoke (all tokens die after this answer).
"""
import json
import re
import urllib.parse
import uuid
from collections import OrderedDict

from . import limits, odata
from .calls import GRAPH, spell
from .clock import http_date
from .directory import PATHS, Directory, refusal
from .records import dice
from .server import Response

LIST = "/v1.0/communications/callRecords"
LISTINGS_MAX = 64  # snapshots of a listing that is being paged
_ROUTE = re.compile(r"/v1\.0/communications/callRecords(?:/([^/()']+)|\('([^/()']+)'\))"
                    r"(?:/(sessions|participants_v2))?")
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class GraphError(Exception):
    """An error answer: status, code, message, headers."""

    def __init__(self, status, code, message="", headers=None):
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}


class Graph:
    """The service. Every answer that carries data is told to the oracle."""

    def __init__(self, settings, cloud):
        self.s, self.cloud = settings, cloud
        self.records, self.content = cloud.records, cloud.content
        self.limits = limits.Limits(settings["limits"], cloud.scenario["time_factor"])
        self.listings = OrderedDict()
        self.next_listing = 1
        self.request_ids = {"missing": 0, "repeated": 0, "malformed": 0}
        self._ids = OrderedDict()
        self.directory = Directory(cloud.entra.people)
        self.url = self.trap_url = ""

    def now(self):
        return self.cloud.clock.now() + self.s["clock_offset_s"]

    @staticmethod
    def classify(request):
        """Which class of request this is, for limits, faults and statistics."""
        if request.path == LIST:
            request.kind = "list"
            return
        if request.path in PATHS:
            request.kind = PATHS[request.path]
            return
        match = _ROUTE.fullmatch(request.path)
        if match:
            request.record_id = match.group(1) or match.group(2)
            request.kind = {"sessions": "sessions", "participants_v2": "participants",
                            None: "record"}[match.group(3)]

    def handle(self, request, do):
        request_id = str(uuid.uuid4())
        client_id = self._client_id(request)
        try:
            token = self._admit(request)
            body = self._serve(request, do, token)
            response = Response(200, body.encode(), {"OData-Version": "4.0"},
                                "application/json;odata.metadata=minimal;odata.streaming=true;"
                                "IEEE754Compatible=false;charset=utf-8")
        except GraphError as error:
            response = self._error(error, request_id, client_id)
        except odata.Invalid as invalid:
            error = GraphError(400, "BadRequest", str(invalid))
            response = self._error(error, request_id, client_id)
        response.headers.update({"Date": http_date(self.now()), "request-id": request_id})
        if client_id:
            response.headers["client-request-id"] = client_id
        if do.get("revoke"):
            self.cloud.entra.revoke()
        if do.get("raise_version") and request.record_id:
            self._raise(request.record_id)
        return response

    def _client_id(self, request):
        text = request.header("client-request-id")
        if not text:
            self.request_ids["missing"] += 1
        elif not _GUID.fullmatch(text):
            self.request_ids["malformed"] += 1
        elif text in self._ids:
            self.request_ids["repeated"] += 1
        self._ids[text] = True
        if len(self._ids) > 100000:
            self._ids.popitem(last=False)
        return text

    def _raise(self, record_id):
        index = self.records.find(record_id)
        if index is not None:
            self.records.raise_version(index, self.cloud.clock.elapsed())

    def _error(self, error, request_id, client_id):
        inner = {"date": http_date(self.now()), "request-id": request_id,
                 "client-request-id": client_id}
        body = {"error": {"code": error.code, "message": error.message, "innerError": inner}}
        return Response(error.status, json.dumps(body).encode(), error.headers, "application/json")

    # -- admission

    def _admit(self, request):
        scheme, _, token = request.header("authorization").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise GraphError(401, "InvalidAuthenticationToken", "Access token is empty.",
                             {"WWW-Authenticate": 'Bearer realm="", error="invalid_token"'})
        entra = self.cloud.entra
        token = entra.look_at(token)
        verdict = token if isinstance(token, tuple) else refusal(entra, token, request.kind)
        if verdict:
            status, code, message = verdict
            headers = {"WWW-Authenticate": 'Bearer realm="", authorization_uri="%s/common/oauth2/'
                       'authorize", client_id="00000003-0000-0000-c000-000000000000", '
                       'error="invalid_token"' % entra.authority_url}
            raise GraphError(status, code, message, headers if status == 401 else None)
        if request.kind == "other":
            raise GraphError(400, "BadRequest", "Resource not found for the segment.")
        if request.method != "GET":
            raise GraphError(405, "Request_BadRequest", "Specified HTTP method is not allowed.")
        if request.kind not in PATHS.values():
            self._throttle("list" if request.kind == "list" else "record", request.record_id)
        return token

    def _throttle(self, kind, key):
        now = self.cloud.clock.elapsed()
        wait_s = self.limits.check(kind, key, now)
        if wait_s <= 0:
            return
        if self.limits.throttled == 1:
            self.cloud.note("Graph says 429 for the first time: Retry-After is to be obeyed")
        text, meant_s = limits.retry_after(self.s["retry_after"], wait_s, self.now())
        if meant_s:
            self.limits.announce(kind, key, now, min(meant_s, wait_s + 1))
        raise GraphError(429, "TooManyRequests", "Please retry again later.",
                         {"Retry-After": text} if text is not None else None)

    # -- answers

    def _serve(self, request, do, token):
        if request.kind in PATHS.values():
            self.directory.url = self.url
            return self.directory.serve(request.kind, request, token)
        if request.kind == "list":
            return self._list(request, do)
        index = self.records.find(request.record_id)
        moment = self.cloud.clock.elapsed()
        if index is None or self.records.level(index, moment) < 0 or self.records.gone(index) \
                or moment < self.records.plan(index).ready_s:
            raise GraphError(404, "NotFound", "")
        level = self.records.level(index, moment)
        if request.kind == "record":
            return self._record(request, index, level, do)
        return self._items(request, index, level, do)

    def _list(self, request, do):
        opts = odata.options(request, ("$filter", "$select", "$skiptoken"))
        names = odata.select(opts.get("$select"), odata.RECORD_FIELDS)
        if "$skiptoken" in opts:
            number, start = odata.read_token(opts["$skiptoken"], "l", "o")
            if number not in self.listings:
                raise odata.Invalid("Skip token is no longer valid.")
        else:
            number, start = self._snapshot(opts.get("$filter")), 0
        order = self.listings[number]
        size = len(order) if do.get("giant") else odata.page_size(request, self.s["page"])
        page = order[start:start + size]
        if self.s["unordered"]:
            page = sorted(page, key=lambda i: dice("page", number, i)[0])
        items = [self._head_text(i, names) for i in page]
        if do.get("repeat") and start > 0:
            items.append(self._head_text(order[start - 1], names))
        keep = [(k, v) for k, v in opts.items() if k != "$skiptoken"]
        link = None
        if start + size < len(order):
            link = self._link(LIST, keep, odata.make_token(l=number, o=start + size))
        again = self._link(LIST, keep, odata.make_token(l=number, o=start, again=1))
        self.cloud.oracle.listed(page, self.cloud.clock.elapsed())
        return self._page(GRAPH, items, (link, again), request, do)

    def _snapshot(self, text):
        low, high = odata.window(text)
        order = self.records.window(low, high, self.cloud.clock.elapsed())
        number = self.next_listing
        self.next_listing += 1
        if self.s["unordered"]:
            order = sorted(order, key=lambda i: dice("list", i)[0])
        self.listings[number] = order
        if len(self.listings) > LISTINGS_MAX:
            self.listings.popitem(last=False)
        return number

    def _head_text(self, index, names):
        head = self.content.head(index, self.records.level(index, self.cloud.clock.elapsed()))
        if names is not None:
            head = {k: head[k] for k in names if k in head}
        return spell(head, self.records.plan(index))

    def _record(self, request, index, level, do):
        opts = odata.options(request, ("$select", "$expand"))
        names = odata.select(opts.get("$select"), odata.RECORD_FIELDS)
        wanted = odata.expand(opts.get("$expand"))
        head = self.content.head(index, level)
        if names is not None:
            head = {k: head[k] for k in names if k in head}
        parts = ['"@odata.context":%s' % json.dumps(GRAPH + "/$entity")]
        parts += ["%s:%s" % (json.dumps(k), json.dumps(v, ensure_ascii=False))
                  for k, v in head.items()]
        plan = self.records.plan(index)
        for name in wanted:
            size = 1 << 30 if do.get("giant") else self._largest(name)
            texts, more = self._slice(index, level, name, 0, size, wanted[name])
            link = self._inner_link(plan, name, len(texts), wanted[name]) if more else None
            links = link, self._inner_link(plan, name, 0, wanted[name])
            parts += self._array(plan, name, texts, links, request, do)
        if "sessions" in wanted:
            self._moved(plan, 1)
        return "{" + ",".join(parts) + "}"

    def _largest(self, name):
        return self.s["sessions_page"] if name == "sessions" else self.s["participants_page"]

    def _slice(self, index, level, name, start, size, segments=True):
        """Texts of some sessions or participants, and whether more follow."""
        if name == "sessions":
            total = self.content.sessions(index, level)
            texts = [self.content.session(index, level, n, segments)
                     for n in range(start, min(start + size, total))]
        else:
            total = self.content.participants(index, level)
            texts = [self.content.participant(index, level, n)
                     for n in range(start, min(start + size, total))]
        return texts, start + len(texts) < total

    def _array(self, plan, name, texts, links, request, do):
        texts, link = self._spoil(texts, links, request, do)
        parts = ['"%s":[%s]' % (name, ",".join(texts))]
        if link:
            parts.insert(plan.style % 2, '"%s@odata.nextLink":%s' % (name, json.dumps(link)))
        return parts

    def _items(self, request, index, level, do):
        name = "sessions" if request.kind == "sessions" else "participants_v2"
        allowed = ("$select", "$skiptoken") + (("$expand",) if name == "sessions" else ())
        opts = odata.options(request, allowed)
        if "$select" in opts:
            odata.select(opts["$select"], odata.SESSION_FIELDS)
            raise odata.Invalid("$select of %s is not served by this fake." % name)
        if opts.get("$expand", "segments") != "segments":
            raise odata.Invalid("Parsing OData Select and Expand failed.")
        start = odata.read_token(opts["$skiptoken"], "o")[0] if "$skiptoken" in opts else 0
        size = 1 << 30 if do.get("giant") else odata.page_size(request, self._largest(name))
        texts, more = self._slice(index, level, name, start, size, "$expand" in opts)
        plan = self.records.plan(index)
        link = self._inner_link(plan, name, start + len(texts), "$expand" in opts) if more else None
        if name == "sessions":
            self._moved(plan, start // size + 1)
        links = link, self._inner_link(plan, name, start, "$expand" in opts, again=1)
        return self._page("%s('%s')/%s" % (GRAPH, plan.id, name), texts, links, request, do)

    def _moved(self, plan, page):
        """A scheduled version that comes in the middle of the paging, once."""
        if plan.rise_after_page is not None and page >= plan.rise_after_page:
            plan.rise_after_page = None
            self.records.raise_version(plan.index, self.cloud.clock.elapsed())
            self.cloud.note("a call of %d people gets a new version while it is read (page %d)"
                            % (plan.participants, page))

    # -- links

    def _inner_link(self, plan, name, offset, segments, **more):
        style = self.s["link_style"]
        quoted = plan.style % 2 == 1 if style == "mixed" else style == "quoted"
        path = LIST + ("('%s')" if quoted else "/%s") % plan.id + "/" + name
        keep = [("$expand", "segments")] if segments and name == "sessions" else []
        return self._link(path, keep, odata.make_token(o=offset, **more))

    def _link(self, path, keep, token):
        query = keep + [("$skiptoken", token)]
        return self.url + path + "?" + "&".join(
            "%s=%s" % (k, urllib.parse.quote(v, safe=":,")) for k, v in query)

    def _page(self, context, items, links, request, do):
        items, link = self._spoil(items, links, request, do)
        parts = ['"@odata.context":%s' % json.dumps(context), '"value":[%s]' % ",".join(items)]
        if link:
            place = 1 if len(items) % 2 == 0 else 2
            parts.insert(place, '"@odata.nextLink":%s' % json.dumps(link))
        return "{" + ",".join(parts) + "}"

    def _spoil(self, items, links, request, do):
        """Faults of a page: its items and its link. links: to the next page, to this one again."""
        link, again = links
        if do.get("empty_page"):
            items, link = [], again
        if do.get("repeat") and items:
            items = items + items[:1]
        kind = do.get("next_link")
        if kind:
            here = link or self.url + request.target
            link = {"self": self.url + request.target, "missing": None,
                    "other_origin": here.replace(self.url, self.trap_url),
                    "http": here.replace("https://", "http://"),
                    "relative": here.replace(self.url, ""),
                    "metadata": here.replace("/communications", "/$metadata#communications")}[kind]
        return items, link
