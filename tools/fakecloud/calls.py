# SPDX-License-Identifier: Apache-2.0
"""The content of a call record at one of its levels: head, participants, sessions.

Shapes follow the v1.0 schema. Texts are JSON as they go over the wire, in several spellings (raw
UTF-8, escapes, escaped slashes, white space), because all of them are the same data.
"""
import functools
import json
import random

from .clock import TICKS, stamp
from .records import dice, ordinal, uuid_of, with_extra

TYPE = "#microsoft.graph.callRecords."
GRAPH = "https://graph.microsoft.com/v1.0/$metadata#communications/callRecords"
FIRST = ("Adele Alex Zoë Søren Łukasz Debra Diego José Müller 美咲 Ольга Nestor Patti Pradeep Ünal "
         "Miriam عمر Joni Lee Lidia").split()
LAST = ("Vance Wilber Ødegård Nuñez Groß Siciliani Cattaneo O'Neill Mueller Sayers 田中 Graham Wilke "
        "Иванова Gupta Bowen").split()
PLATFORMS = ("windows", "macOS", "iOS", "android", "web", "roomSystem", "surfaceHub", "unknown")
MICROPHONES = ("Microphone (Realtek(R) Audio)", 'Jabra Evolve2 65 "Link 380"',
               "MacBook Pro-Mikrofon", "Default input device", "会議室 マイク", None)
SPEAKERS = ("Speakers (Realtek(R) Audio)", "Logi Rally Bar\t(USB)", "Default output device", None)
IDENTITY_KEYS = ("acsUser", "spoolUser", "phone", "guest", "encrypted", "onPremises",
                 "application")


class Content:
    """Makes the texts; small ones on the fly, sessions through a cache of fixed size."""

    def __init__(self, records, seed, fat):
        self.records, self.seed, self.fat = records, seed, fat
        self.tenant = uuid_of(seed, "contoso")
        self.user = functools.lru_cache(maxsize=4096)(self._user)
        self.session = functools.lru_cache(maxsize=4096)(self._session)

    # -- counts

    def sessions(self, index, level):
        plan = self.records.plan(index)
        return plan.sessions if plan.sample else with_extra(plan.sessions, level)

    def participants(self, index, level):
        plan = self.records.plan(index)
        return plan.participants if plan.sample else with_extra(plan.participants, level)

    # -- texts

    def head(self, index, level):
        """The record as an object, without sessions and participants_v2."""
        plan = self.records.plan(index)
        if plan.sample:
            return {k: v for k, v in plan.sample.items()
                    if k not in ("sessions", "participants_v2")}
        d = dice(self.seed, "head", index)
        who = self._person(plan, 0)
        meeting = plan.kind == "groupCall"
        modalities = [["audio"], ["audio", "video"],
                      ["audio", "video", "videoBasedScreenSharing"]][d[0] % 3]
        head = {"id": plan.id, "version": plan.number(level), "type": plan.kind,
                "modalities": modalities,
                "lastModifiedDateTime": stamp(plan.end + (900 + 1800 * level) * TICKS, plan.digits),
                "startDateTime": stamp(plan.start, plan.digits),
                "endDateTime": stamp(plan.end, plan.digits),
                "joinWebUrl": self._join_url(d, who) if meeting else None,
                "organizer": None, "participants": [],
                "organizer_v2@odata.context": "%s('%s')/organizer_v2/$entity" % (GRAPH, plan.id),
                "organizer_v2": {"id": who[0], "identity": self._identity(who),
                                 "administrativeUnitInfos": []}}
        if plan.weird:
            head["type"] = "unknownFutureValue"
            head["holographicLayers"] = [{"depth": 0.25, "tags": [[], {}, [[None]]]}]
            head["sequence"] = 9223372036854775807
        return head

    def participant(self, index, level, position):
        plan = self.records.plan(index)
        if plan.sample:
            return spell(plan.sample["participants_v2"][position], plan)
        number = ordinal(plan.participants, level, position)
        who = self._person(plan, number)
        item = {"id": who[0], "administrativeUnitInfos": [], "identity": self._identity(who)}
        if dice(self.seed, "part", index, number)[0] % 9 == 0:
            item["identity"] = {"user": None, "phone": {"id": "+49301234%03d" % (number % 1000),
                                                       "displayName": None, "tenantId": None}}
        return spell(item, plan)

    def _session(self, index, level, position, segments=True):
        plan = self.records.plan(index)
        if plan.sample:
            item = dict(plan.sample["sessions"][position])
        else:
            item = self._session_object(plan, level, ordinal(plan.sessions, level, position))
        if not segments:
            item.pop("segments", None)
            item.pop("segments@odata.context", None)
        text = spell(item, plan)
        if plan.weird:
            text = text.replace('"@odata.type"', '"@odata.type":"#microsoft.graph.identitySet",'
                                '"@odata.type"', 1)
            text = text.replace('"speakerGlitchRate":1.5',
                                '"speakerGlitchRate":1.50000000000000000000001E+0')
        return text

    # -- parts

    def _user(self, number):
        d = dice(self.seed, "user", number)
        name = "%s %s" % (FIRST[d[0] % len(FIRST)], LAST[d[1] % len(LAST)])
        return uuid_of(self.seed, "user", number), name, "u%d@contoso.example" % number

    def _person(self, plan, number):
        return self.user((plan.index * 7919 + number) % 4096)

    def _identity(self, who):
        identity = dict.fromkeys(IDENTITY_KEYS)
        identity["user"] = {"id": who[0], "displayName": who[1], "tenantId": self.tenant,
                            "userPrincipalName": who[2]}
        return identity

    def _join_url(self, d, who):
        return ("https://teams.microsoft.com/l/meetup-join/19%%3ameeting_%08x%08x%%40thread.v2/0"
                "?context=%%7b%%22Tid%%22%%3a%%22%s%%22%%2c%%22Oid%%22%%3a%%22%s%%22%%7d"
                % (d[2], d[3], self.tenant, who[0]))

    def _session_object(self, plan, level, number):
        d = dice(self.seed, "session", plan.index, number)
        rng = random.Random(d[0] << 32 | d[1])
        begin = plan.start + min(number, 50) * TICKS // 10
        span = {"startDateTime": stamp(begin, plan.digits),
                "endDateTime": stamp(plan.end, plan.digits)}
        caller = self._endpoint(rng, self._person(plan, number), level)
        callee = self._endpoint(rng, self._person(plan, number + 1), level) \
            if plan.kind == "peerToPeer" else _service()
        failure = {"stage": "midcall", "reason": 'Media "timed out".\r\nRetry\b\f'} \
            if d[2] % 19 == 0 else None
        labels = ["main-audio", "main-video"][:1 + d[2] % 2] if self.fat else ["main-audio"]
        both = plan.kind == "peerToPeer"
        session_id = uuid_of(self.seed, "session", plan.index, number)
        segment = {"id": session_id, **span, "failureInfo": failure, "caller": caller,
                   "callee": callee,
                   "media": [self._media(rng, label, span, level, both) for label in labels]}
        return {"id": session_id, "modalities": ["audio"], **span, "isTest": False,
                "failureInfo": failure, "caller": caller, "callee": callee,
                "segments@odata.context": "%s('%s')/sessions('%s')/segments"
                                          % (GRAPH, plan.id, session_id),
                "segments": [segment]}

    def _endpoint(self, rng, who, level):
        platform = rng.choice(PLATFORMS)
        feedback = {"rating": "poor", "text": "robotic \u2014 cut out\nat the end \U0001f62c",
                    "tokens": {"Echo": False, "NoSound": True}}
        return {"@odata.type": TYPE + "participantEndpoint",
                "name": "MTR-%08X" % rng.getrandbits(32), "cpuName": "Intel(R) Core(TM) i7 1.90GHz",
                "cpuCoresCount": rng.choice((2, 4, 8, None)), "cpuProcessorSpeedInMhz": 2112,
                "feedback": feedback if level and rng.random() < .3 else None,
                "userAgent": {"@odata.type": TYPE + "clientUserAgent", "platform": platform,
                              "headerValue": "RTCC/7.0 UCWA/7.0 TeamsCX/1.6.00.%d SkypeSpaces/1.%d"
                                             % (rng.randrange(40000), rng.randrange(90000)),
                              "applicationVersion": "1.6.00.%d" % rng.randrange(40000),
                              "productFamily": "teams", "communicationServiceId": None,
                              "azureADAppId": None},
                "identity": self._identity(who),
                "associatedIdentity": {"@odata.type": TYPE + "userIdentity", "id": who[0],
                                       "displayName": who[1], "userPrincipalName": who[2]}}

    def _media(self, rng, label, span, level, both):
        streams = [_stream(rng, span, way, level) for way in ("callerToCallee", "calleeToCaller")]
        if not self.fat:
            return {"label": label, "streams": streams[:1]}
        return {"label": label, "callerDevice": _device(rng), "callerNetwork": _network(rng),
                "calleeDevice": _device(rng) if both else None,
                "calleeNetwork": _network(rng) if both else None, "streams": streams}


def _service():
    return {"@odata.type": TYPE + "serviceEndpoint",
            "userAgent": {"@odata.type": TYPE + "serviceUserAgent", "role": "mediaController",
                          "headerValue": "C3", "applicationVersion": None}}


def _duration(rng, scale_ms):
    return "PT0.%03dS" % rng.randrange(scale_ms)


def _ratio(rng):
    return round(rng.random() * .05, 8)


def _stream(rng, span, way, level):
    packets = rng.randrange(1 << 33)
    return {"streamId": str(rng.getrandbits(32)), "streamDirection": way, **span,
            "audioCodec": rng.choice(("satin", "silkWide", "opus", "unknownFutureValue")),
            "videoCodec": None, "averageAudioDegradation": _ratio(rng) if level else None,
            "averageJitter": _duration(rng, 30), "maxJitter": _duration(rng, 200),
            "averagePacketLossRate": _ratio(rng), "maxPacketLossRate": _ratio(rng),
            "averageRatioOfConcealedSamples": _ratio(rng),
            "maxRatioOfConcealedSamples": _ratio(rng), "averageRoundTripTime": _duration(rng, 150),
            "maxRoundTripTime": _duration(rng, 900), "packetUtilization": packets,
            "averageBandwidthEstimate": rng.randrange(10 ** 7), "wasMediaBypassed": None,
            "postForwardErrorCorrectionPacketLossRate": None, "averageVideoFrameRate": None,
            "averageReceivedFrameRate": None, "lowFrameRateRatio": None,
            "averageVideoFrameLossPercentage": None, "averageVideoPacketLossRate": None,
            "lowVideoProcessingCapabilityRatio": None, "rmsFreezeDuration": None,
            "averageFreezeDuration": None, "averageAudioNetworkJitter": _duration(rng, 30),
            "maxAudioNetworkJitter": _duration(rng, 300), "isAudioForwardErrorCorrectionUsed": None}


def _device(rng):
    return {"captureDeviceName": rng.choice(MICROPHONES), "captureDeviceDriver": None,
            "renderDeviceName": rng.choice(SPEAKERS), "renderDeviceDriver": "Microsoft: 10.0.1",
            "sentSignalLevel": -rng.randrange(60), "receivedSignalLevel": -rng.randrange(60),
            "sentNoiseLevel": -rng.randrange(90), "receivedNoiseLevel": -rng.randrange(90),
            "initialSignalLevelRootMeanSquare": round(rng.random() * 300, 6),
            "cpuInsufficentEventRatio": _ratio(rng), "renderNotFunctioningEventRatio": 0,
            "captureNotFunctioningEventRatio": 0, "deviceGlitchEventRatio": 1e-07,
            "lowSpeechToNoiseEventRatio": None, "lowSpeechLevelEventRatio": None,
            "deviceClippingEventRatio": 0.0, "howlingEventCount": 0, "renderMuteEventRatio": 0,
            "renderZeroVolumeEventRatio": 0, "micGlitchRate": round(rng.random() * 30, 4),
            "speakerGlitchRate": 1.5}


def _network(rng):
    mac = "-".join("%02X" % rng.getrandbits(8) for _ in range(6))
    return {"ipAddress": "10.%d.%d.7" % (rng.randrange(256), rng.randrange(256)),
            "subnet": "10.%d.0.0" % rng.randrange(256),
            "linkSpeed": rng.choice((54000000, 4294967295)),
            "connectionType": rng.choice(("wired", "wifi", "unknown")),
            "port": rng.randrange(50000, 50060), "reflexiveIPAddress": "203.0.113.9",
            "relayIPAddress": "198.51.100.4", "relayPort": 3478, "macAddress": mac,
            "wifiMicrosoftDriver": "Microsoft: 10.0.19041.1", "wifiMicrosoftDriverVersion": None,
            "wifiVendorDriver": None, "wifiVendorDriverVersion": None, "wifiChannel": 36,
            "wifiBand": "frequency50GHz", "basicServiceSetIdentifier": "00-00-00-00-00-00-00-00",
            "wifiRadioType": "wifi80211ax", "wifiSignalStrength": rng.randrange(100),
            "wifiBatteryCharge": None, "dnsSuffix": "corp.contoso.example",
            "sentQualityEventRatio": _ratio(rng), "receivedQualityEventRatio": _ratio(rng),
            "delayEventRatio": 0, "bandwidthLowEventRatio": 0, "networkTransportProtocol": "udp",
            "traceRouteHops": []}


def spell(item, plan):
    """JSON text in the record's spelling: 0-3 raw UTF-8, 4-5 escaped, 6 with \\/, 7 with spaces."""
    if plan.style == 7:
        return json.dumps(item, ensure_ascii=False, indent=1)
    text = json.dumps(item, ensure_ascii=plan.style >= 4, separators=(",", ":"))
    return text.replace("/", "\\/") if plan.style == 6 else text
