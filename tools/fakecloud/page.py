# SPDX-License-Identifier: Apache-2.0
"""Tiny plain HTML for the cloud's own pages: no script, nothing from elsewhere."""
import html

from .server import Response

STYLE = ("body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;"
         "color:#1b1b1b;background:#fff}h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}"
         "button{font:inherit;padding:.4rem 1rem;margin:.2rem .4rem .2rem 0}"
         "input,textarea{font:inherit;max-width:100%}textarea{width:100%}"
         "td,th{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}"
         "code{overflow-wrap:anywhere}.no{color:#a00}form{display:inline}")
TEMPLATE = ('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
            'content="width=device-width"><title>%s</title><style>%s</style></head><body><main>\n'
            '<h1>%s</h1>\n%s\n</main></body></html>\n')
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
           "Referrer-Policy": "no-referrer"}


def text(value):
    return html.escape(str(value), quote=True)


def page(title, *parts, status=200):
    """A whole page; the parts are HTML."""
    body = TEMPLATE % (text(title), STYLE, text(title), "\n".join(parts))
    return Response(status, body.encode(), dict(HEADERS), "text/html; charset=utf-8")


def para(value):
    return "<p>%s</p>" % text(value)


def items(values):
    return "<ul>%s</ul>" % "".join("<li>%s</li>" % text(v) for v in values)


def form(action, *parts, kind="", **hidden):
    """A form that posts; hidden members come first."""
    inside = "".join('<input type="hidden" name="%s" value="%s">' % (text(k), text(v))
                     for k, v in hidden.items())
    return '<form method="post" action="%s"%s>%s%s</form>' % (text(action), kind, inside,
                                                              "".join(parts))


def button(name, value, label):
    return '<button type="submit" name="%s" value="%s">%s</button>' % (text(name), text(value),
                                                                       text(label))


def field(name, label, **more):
    extra = "".join(' %s="%s"' % (k, text(v)) for k, v in more.items())
    return '<label>%s <input name="%s"%s></label> ' % (text(label), text(name), extra)


def redirect(location, status=302):
    return Response(status, b"", {"Location": location, **HEADERS})
