# SPDX-License-Identifier: Apache-2.0
"""A fake Microsoft cloud: Entra, Graph call records and an upstream sink, and the oracle over them.

It shares no code with the firmware. It decides on its own what exists (records.py, calls.py), says
it over TLS (entra.py, graph.py), checks what comes out at the other end (sink.py) and reports the
difference (oracle.py). cloud.py ties the parts together; __main__.py runs them as one process.
"""
