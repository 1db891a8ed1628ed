"""Webhooks of `urenwacht serve` with receivers on loopback: what is sent, in which order, how often, and to whom not.

Most events are written to the topic of alerts by this program, so that every test has decisions of its own: each works
in a municipality of its own, which its webhooks filter by."""
import base64
import collections
import http.server
import io
import itertools
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
import uuid

import confluent_kafka
import fastavro
import jsonschema
import yaml

import lib_kafka
import lib_serve
from lib_serve import check, psql, run, token, until

SOURCE, DSN = os.environ["UW_SOURCE"], os.environ["URENWACHT_DSN"]
WORK = sys.argv[1]
API = "/api/v1/webhooks"
SPEC = yaml.safe_load(open(SOURCE + "/dashboard/openapi.yaml", encoding="utf-8"))
asked = set()


# ---------------------------------------------------------------------------
# The receiver

# What the documentation tells receivers to do is what this one does.
example = re.search(r"```python\n(.*?)```", open(SOURCE + "/docs/webhooks.md", encoding="utf-8").read(), re.S).group(1)
exec(example)  # is_ours(secret, headers, body)

Got = collections.namedtuple("Got", "path headers body event id status at")


class Receiver:
    """Keeps all requests. `rules` maps a path to what it does with one: a status, (status, headers), or None when it has
    answered by itself."""

    def __init__(self, certificate=None):
        self.got, self.rules, self.lock, self.active, self.most = [], {}, threading.Lock(), 0, 0
        self.scheme = "http" if certificate is None else "https"
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                receiver.take(self)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads, request_queue_size = True, 256

            def handle_error(self, *_):
                pass  # clients that hang up are what is tested

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(f"{WORK}/{certificate}.pem", f"{WORK}/{certificate}.key")
            # The handshake is made by the thread of the connection, so that one client does not keep the others.
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        event = json.loads(body)
        with self.lock:
            self.active += 1
            self.most = max(self.most, self.active)
            rule = self.rules.get(handler.path, 204)
        answer = rule(handler, event) if callable(rule) else rule
        with self.lock:
            self.active -= 1
            status, headers = answer if isinstance(answer, tuple) else (answer, {})
            self.got.append(Got(handler.path, handler.headers, body, event, handler.headers["webhook-id"], status,
                                time.monotonic()))
        if status is not None:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

    def of(self, path, accepted=True):
        with self.lock:
            return [g for g in self.got if g.path == path and (not accepted or g.status is None or 200 <= g.status < 300)]

    def url(self, path):
        return f"{self.scheme}://127.0.0.1:{self.port}{path}"


# ---------------------------------------------------------------------------
# Certificates: an authority of our own, another one, and what they have signed

def openssl(*arguments):
    subprocess.run(["openssl", *arguments], cwd=WORK, check=True, capture_output=True)


def make_authority(name):
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", name + ".key", "-out", name + ".pem", "-days", "3650",
            "-subj", "/CN=" + name, "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    os.makedirs(f"{WORK}/{name}.issued")
    open(f"{WORK}/{name}.index", "w").close()
    with open(f"{WORK}/{name}.cnf", "w", encoding="ascii") as file:
        file.write(f"[ca]\ndefault_ca = it\n[it]\ndatabase = {name}.index\nnew_certs_dir = {name}.issued\n"
                   f"certificate = {name}.pem\nprivate_key = {name}.key\nrand_serial = yes\ndefault_md = sha256\n"
                   "policy = any\nunique_subject = no\ncopy_extensions = copy\n[any]\ncommonName = supplied\n")


def make_certificate(name, authority, subject, begins="20200101000000Z", ends="20491231000000Z"):
    """For the address or name `subject`, which is what receivers are called by."""
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name,
            "-addext", "subjectAltName=" + subject)
    openssl("ca", "-batch", "-notext", "-config", authority + ".cnf", "-in", name + ".csr", "-out", name + ".pem",
            "-startdate", begins, "-enddate", ends)


make_authority("ours")
make_authority("other")
make_certificate("good", "ours", "IP:127.0.0.1,DNS:localhost")
make_certificate("elsewhere", "ours", "DNS:receiver.example,IP:127.0.0.3")
make_certificate("expired", "ours", "IP:127.0.0.1", ends="20210101000000Z")
make_certificate("foreign", "other", "IP:127.0.0.1")

SECURE = {name: Receiver(name) for name in ("good", "elsewhere", "expired", "foreign")}
RECEIVER = Receiver()
ELSEWHERE = Receiver()

# ---------------------------------------------------------------------------
# Servers

# Longer than this program stands still on a busy machine: what was given up comes once more.
TIMEOUT_MS = 6000
PLAIN = ["--port", "0", "--set", "serve.page="]
OPEN = [*PLAIN, "--set", "webhooks.allow=127.0.0.1", "--set", "webhooks.allow_http=true",
        "--set", "webhooks.ports=" + ",".join(str(r.port) for r in (RECEIVER, ELSEWHERE, *SECURE.values())), "--set",
        f"webhooks.ca_file={WORK}/ours.pem", "--set", "webhooks.retry_min_ms=100", "--set",
        "webhooks.retry_max_ms=800", "--set", f"webhooks.timeout_ms={TIMEOUT_MS}", "--set", "webhooks.max_queued=1000", "--set",
        "webhooks.max_per_token=40"]
# A proxy of the environment is not used; nobody listens there.
ENVIRONMENT = {**os.environ, "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9",
               "all_proxy": "http://127.0.0.1:9"}


def serve(name, arguments):
    return lib_serve.Program(name, lambda _: ["serve", *arguments], environment=ENVIRONMENT)


def ask(method, path, who, body=None, server=None):
    status, _, content = lib_serve.ask((server or ONE).port, method, path, who, body)
    return status, content


def call(method, template, who, status=200, body=None, query="", server=None, **places):
    """Asks a path of the contract; the answer has to be what the contract says."""
    path = template
    for name, value in places.items():
        path = path.replace("{" + name + "}", str(value))
    got, content = ask(method, path + query, who, body, server)
    asked.add((method.lower(), template))
    if got != status:
        check(f"{method} {template} is {status}", False, f"{got} {content[:300]!r}")
        return None
    responses = SPEC["paths"][template][method.lower()]["responses"]
    response = responses.get(str(status), responses.get("default"))
    if "$ref" in response:
        response = SPEC["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    media = response.get("content", {})
    kind = "application/json" if "application/json" in media else "application/problem+json"
    if kind in media:
        try:
            schema = {**media[kind]["schema"], "components": SPEC["components"]}
            jsonschema.Draft202012Validator(schema).validate(json.loads(content))
        except jsonschema.ValidationError as error:
            check(f"{method} {template} answers as described", False, error.message)
    return json.loads(content) if content else None


def make(who, path, municipality=None, receiver=RECEIVER, **filters):
    wanted = dict(filters)
    if municipality:
        wanted["municipality"] = municipality
    return call("POST", API, who, 201, {"name": path, "url": receiver.url(path), "filter": wanted})


def show(webhook, who=None):
    return call("GET", API + "/{id}", who or ADMIN, id=webhook["id"])


def deliveries(webhook, query="", who=None):
    return call("GET", API + "/{id}/deliveries", who or ADMIN, query="?limit=1000" + query, id=webhook["id"])["items"]


def act(webhook, action, status=200, body=None, who=None):
    return call("POST", API + "/{id}/" + action, who or ADMIN, status, body, id=webhook["id"])


# ---------------------------------------------------------------------------
# Events

SCHEMA = lib_kafka.schema_file("alert")
HEAD, PARSED = b"\xc3\x01" + lib_kafka.fingerprint(SCHEMA), fastavro.parse_schema(SCHEMA)
PRODUCER = confluent_kafka.Producer(lib_kafka.settings(**{"linger.ms": 1, "enable.idempotence": True}))


def alert(municipality, decision, revision, client="c-9", status="OPEN"):
    """One revision of the one alert that a decision has here."""
    name = f"{municipality}/{decision}/{client}"
    return {"alert_id": str(uuid.uuid5(uuid.NAMESPACE_URL, name)), "revision": revision, "status": status,
            "kind": "SURPLUS_LOW", "severity": "WARNING", "client": client, "municipality": municipality,
            "decision": decision, "provider": "12345678", "segment_from": None, "period_from": None, "threshold": 80,
            "effective_on": 20000, "observed_at": 1767225600000 + revision,
            "figures": {field["name"]: None for figures in SCHEMA["fields"] if figures["name"] == "figures"
                        for field in figures["type"]["fields"]}}


def publish(alerts):
    for value in alerts:
        out = io.BytesIO(HEAD)
        out.seek(0, io.SEEK_END)
        fastavro.schemaless_writer(out, PARSED, value)
        PRODUCER.produce(lib_kafka.topic_name("alerts"), out.getvalue(), value["client"])
    PRODUCER.flush(30)


def event_id(value):
    return f"{value['alert_id']}-r{value['revision']}"


def in_order(got):
    """Of every decision the revisions come in their order, when those that were sent again are left out."""
    newest, seen = {}, set()
    for g in got:
        data = g.event["data"]
        if g.id not in seen and data["revision"] <= newest.get(data["alert_id"], 0):
            return False
        seen.add(g.id)
        newest[data["alert_id"]] = max(newest.get(data["alert_id"], 0), data["revision"])
    return True


# ---------------------------------------------------------------------------

def test_chain():
    """What the processor decides arrives, all of it, and as it stands in the database."""
    all_of_it = make(ADMIN, "/chain")
    # Who is alone waits for others, for a while, until some have been there together.
    RECEIVER.rules["/chain"] = lambda *_: until(lambda: RECEIVER.most > 1, 1) and time.sleep(0.01) or 204
    run("simulate", "--clients", "45", "--from", "2025-01-01", "--until", "2025-07-31", "--seed", "3")
    # Days change and resolve alerts, in however few batches the events come.
    for day in ("2025-02-15", "2025-04-01", "2025-05-15", "2025-07-01", "2025-08-15"):
        run("process", "--until-idle", "--as-of", day)
    want = set(psql("SELECT alert_id || '-r' || revision || ' ' || status || ' ' || (revision = 1 OR EXISTS (SELECT FROM "
                    "urenwacht.alert_revision p WHERE p.alert_id = r.alert_id AND p.revision = r.revision - 1 AND p.status = "
                    "'RESOLVED')) FROM urenwacht.alert_revision r UNION SELECT anomaly_id || '-r' || revision || ' ' || status || "
                    "' ' || (revision = 1 OR EXISTS (SELECT FROM urenwacht.anomaly_revision p WHERE p.anomaly_id = r.anomaly_id "
                    "AND p.revision = r.revision - 1 AND p.status = 'RESOLVED')) FROM urenwacht.anomaly_revision r").split("\n"))
    until(lambda: len(RECEIVER.of("/chain")) >= len(want))
    got = RECEIVER.of("/chain")
    ids = {line.split()[0] for line in want}
    check(f"all {len(want)} events arrive once", len(got) == len(want) > 100 and {g.id for g in got} == ids, (len(got), len(want)))
    words = {("OPEN", "true"): "opened", ("OPEN", "false"): "changed", ("RESOLVED", "false"): "resolved"}
    types = {line.split()[0]: words.get(tuple(line.split()[1:]), "?") for line in want}
    wrong = [g for g in got if g.event["type"].rsplit(".", 1)[1] != types[g.id]]
    check("openings, changes and resolutions are told apart", not wrong and set(types.values()) >= {"opened", "resolved"},
          [(g.id, g.event["type"], types[g.id]) for g in wrong[:3]])
    check("they come in order", in_order([g for g in got if "alert_id" in g.event["data"]]))
    check("they are CloudEvents", all(
        g.headers["Content-Type"].startswith("application/cloudevents+json") and g.event["specversion"] == "1.0" and
        g.event["id"] == g.id and g.event["source"] == "/urenwacht" and g.event["datacontenttype"] == "application/json" and
        g.event["subject"] == g.event["data"]["municipality"] + "/" + g.event["data"]["decision"] and
        g.event["time"] == g.event["data"]["observed_at"] for g in got))
    check("they are signed as the documentation says", all(is_ours(all_of_it["secret"], g.headers, g.body) for g in got))
    check("another body or secret does not fit", not is_ours(all_of_it["secret"], got[0].headers, got[0].body + b" ") and
          not is_ours("whsec_" + base64.b64encode(b"x" * 32).decode(), got[0].headers, got[0].body))
    check("at most four at once go to one receiver", 1 < RECEIVER.most <= 4, RECEIVER.most)
    call("DELETE", API + "/{id}", ADMIN, 204, id=all_of_it["id"])
    call("GET", API + "/{id}", ADMIN, 404, id=all_of_it["id"])


def test_order():
    """What fails holds back its own decision and no other."""
    webhook = make(ADMIN, "/order", "1001")
    failures = collections.Counter()

    def rule(_, event):
        # Four times at least, and until all others are there, however long these take.
        if event["id"] == event_id(slow[0]) and (failures[event["id"]] < 4 or len(RECEIVER.of("/order")) < 20):
            failures[event["id"]] += 1
            return 500
        return 200
    RECEIVER.rules["/order"] = rule
    slow = [alert("1001", "slow", r) for r in range(1, 5)]
    quick = [alert("1001", f"quick{d}", r) for r in range(1, 6) for d in range(4)]
    publish(slow + quick)
    until(lambda: len(RECEIVER.of("/order")) == 24)
    every, good = RECEIVER.of("/order", accepted=False), RECEIVER.of("/order")
    check("all arrive after failures", [g.id for g in good if g.event["subject"] == "1001/slow"] == [event_id(a) for a in slow] and
          len(good) == 24, len(good))
    check("in order per decision", in_order(good) and in_order([g for g in every]), [g.id for g in every])
    check("no other decision waits", max(g.at for g in good if g.event["subject"] != "1001/slow") <
          min(g.at for g in good if g.event["subject"] == "1001/slow"))
    attempts = [g.at for g in every if g.id == event_id(slow[0])]
    pauses = [b - a for a, b in zip(attempts, attempts[1:])]
    check("pauses grow", len(pauses) >= 4 and all(p > 0.07 * 2 ** min(i, 3) for i, p in enumerate(pauses)), pauses)
    check("the body is the same each time", len({g.body for g in every if g.id == event_id(slow[0])}) == 1)
    done = next(d for d in deliveries(webhook) if d["event_id"] == event_id(slow[0]))
    check("the log says how it went", done["attempts"] == len(attempts) and done["state"] == "DELIVERED" and done["last_status"] == 200 and
          done["last_error"] is None, done)


def test_answers():
    """Redirects, receivers that are slow, that talk too much, that are busy, that are gone."""
    hooks = {name: make(ADMIN, "/" + name, code) for name, code in
             (("redirect", "1101"), ("slow", "1102"), ("endless", "1103"), ("busy", "1104"), ("gone", "1105"))}
    slow_count, endless, busy = [], [], []
    asked_again, answered = threading.Event(), []

    def slow(handler, _):
        slow_count.append(time.monotonic())
        if len(slow_count) == 1:
            answered.append(asked_again.wait(120))
        else:
            asked_again.set()
        return 200

    def talk(handler, _):
        handler.send_response(200)
        handler.send_header("Content-Length", str(1 << 40))
        handler.end_headers()
        sent = 0
        try:
            while sent < 1 << 28:
                sent += handler.wfile.write(b"x" * 65536)
        except OSError:
            pass
        endless.append(sent)
        handler.close_connection = True

    def retry_after(*_):
        busy.append(time.monotonic())
        return (503, {"Retry-After": "2"}) if len(busy) == 1 else 200
    RECEIVER.rules.update({"/redirect": (302, {"Location": ELSEWHERE.url("/lured")}), "/slow": slow, "/endless": talk,
                           "/busy": retry_after, "/gone": 410})
    publish([alert(f"110{i}", "d", 1) for i in range(1, 6)])
    # The answer is known, not only asked for: before that the next alert may be on its way beside the first.
    until(lambda: any(d["attempts"] > 0 for d in deliveries(hooks["busy"])))
    publish([alert("1104", "other", 1)])
    until(lambda: show(hooks["gone"])["state"] == "DISABLED")
    gone = show(hooks["gone"])
    check("410 disables", gone["state"] == "DISABLED" and gone["state_reason"] == "GONE" and gone["queued"] == 1, gone)
    until(lambda: len(RECEIVER.of("/redirect", False)) >= 3)
    check("redirects are failures and not followed", not ELSEWHERE.got and
          "redirect" in deliveries(hooks["redirect"])[0]["last_error"], deliveries(hooks["redirect"]))
    until(lambda: endless)
    until(lambda: deliveries(hooks["endless"])[0]["state"] == "DELIVERED")
    check("an endless answer is cut off, and its status counts", endless and endless[0] < 16 << 20 and
          deliveries(hooks["endless"])[0]["state"] == "DELIVERED", (endless, deliveries(hooks["endless"])))
    until(lambda: len(slow_count) == 2 and deliveries(hooks["slow"])[0]["state"] == "DELIVERED")
    check("a receiver that takes too long is given up and asked again", len(slow_count) == 2 and answered == [True] and
          slow_count[1] - slow_count[0] > TIMEOUT_MS / 1000 * 0.9, (slow_count, answered))
    until(lambda: len(busy) == 3)
    check("Retry-After holds the whole webhook back", len(busy) == 3 and busy[1] - busy[0] > 1.9, busy)
    check("no other webhook is held up by these", until(lambda: show(hooks["busy"])["failing_since"] is None))
    publish([alert("1105", "d", 2)])
    until(lambda: show(hooks["gone"])["queued"] == 2)
    check("nothing is sent to who is gone", len(RECEIVER.of("/gone", False)) == 1)
    RECEIVER.rules["/gone"] = 200
    act(hooks["gone"], "resume")
    until(lambda: len(RECEIVER.of("/gone")) == 2)
    check("resumed, it goes on where it was", [g.event["data"]["revision"] for g in RECEIVER.of("/gone")] == [1, 2])
    for webhook in hooks.values():
        call("DELETE", API + "/{id}", ADMIN, 204, id=webhook["id"])


def test_rotation():
    webhook = make(ADMIN, "/rotate", "1201")
    first = webhook["secret"]
    second = act(webhook, "secret", body={"overlap_hours": 1})
    publish([alert("1201", "d", 1)])
    until(lambda: len(RECEIVER.of("/rotate")) == 1)
    got = RECEIVER.of("/rotate")[0]
    check("while a secret changes there are two signatures", len(got.headers["webhook-signature"].split()) == 2 and
          is_ours(first, got.headers, got.body) and is_ours(second["secret"], got.headers, got.body))
    check("until when is told", second["secrets_until"] is not None and second["secret"] != first)
    third = act(webhook, "secret", body={"overlap_hours": 0})
    publish([alert("1201", "d", 2)])
    until(lambda: len(RECEIVER.of("/rotate")) == 2)
    got = RECEIVER.of("/rotate")[1]
    check("then one", len(got.headers["webhook-signature"].split()) == 1 and is_ours(third["secret"], got.headers, got.body) and
          not is_ours(second["secret"], got.headers, got.body))
    act(webhook, "secret", 400, {"overlap_hours": 169})
    act(webhook, "secret", 400, {"hours": 1})
    fourth = act(webhook, "secret")
    check("a day when nothing is said", fourth["secrets_until"] is not None)
    text = json.dumps([show(webhook), call("GET", API, ADMIN), deliveries(webhook)])
    check("no secret is shown again", "whsec_" not in text and not any(s["secret"][6:] in text for s in (second, third, fourth)))
    refused = subprocess.run(["psql", "-X", DSN, "-c", "BEGIN; SET LOCAL ROLE urenwacht_dashboard; SET LOCAL urenwacht.municipalities "
                              "= '*'; SET LOCAL urenwacht.signals = 'yes'; SELECT secret FROM urenwacht_data.webhook_secret"],
                             capture_output=True, text=True)
    check("the role of requests cannot read secrets", "permission denied" in refused.stderr, refused.stderr)


def test_replay():
    webhook = make(ADMIN, "/replay", "1301")
    stream = http.client.HTTPConnection("127.0.0.1", ONE.port, timeout=120)
    stream.request("GET", "/api/v1/stream?municipality=1301", headers={"Authorization": "Bearer " + ADMIN})
    lines = stream.getresponse()
    publish([alert("1301", "d", r) for r in range(1, 4)])
    until(lambda: len(RECEIVER.of("/replay")) == 3)
    place = None
    while place is None or not line.startswith("data: "):
        line = lines.readline().decode()
        if line.startswith("id: "):
            place = line[4:].strip()
    stream.close()
    time.sleep(1.1)  # instants are whole seconds here
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    publish([alert("1301", "d", 4), alert("1301", "e", 1)])
    until(lambda: len(RECEIVER.of("/replay")) == 5)
    one = next(d for d in deliveries(webhook, "&state=DELIVERED") if d["event_id"] == event_id(alert("1301", "d", 2)))
    full = call("GET", API + "/{id}/deliveries/{delivery_id}", ADMIN, id=webhook["id"], delivery_id=one["id"])
    check("a delivery is shown with its event", full["event"] == RECEIVER.of("/replay")[1].event)
    call("POST", API + "/{id}/deliveries/{delivery_id}/replay", ADMIN, 202, id=webhook["id"], delivery_id=one["id"])
    until(lambda: len(RECEIVER.of("/replay")) == 6)
    check("one delivery is sent again, with its id", RECEIVER.of("/replay")[5].id == one["event_id"])
    act(webhook, "replay", 202, {"since": since})
    until(lambda: len(RECEIVER.of("/replay")) == 8)
    again = [g.id for g in RECEIVER.of("/replay")[6:]]
    check("everything since an instant is sent again", sorted(again) == sorted([event_id(alert("1301", "d", 4)),
                                                                              event_id(alert("1301", "e", 1))]), again)
    until(lambda: not show(webhook)["behind"])
    act(webhook, "replay", 202, {"from": place})
    until(lambda: len(RECEIVER.of("/replay")) == 12)
    again = [g.event["data"]["revision"] for g in RECEIVER.of("/replay")[8:] if g.event["subject"] == "1301/d"]
    check("everything after an event of the stream, in order", again == [2, 3, 4] and until(lambda: not show(webhook)["behind"]),
          again)
    publish([alert("1301", "d", 5)])
    until(lambda: len(RECEIVER.of("/replay")) == 13)
    check("and then it goes on as before", RECEIVER.of("/replay")[12].event["data"]["revision"] == 5 and
          len(RECEIVER.of("/replay")) == 13)
    for body in ({}, {"since": "yesterday"}, {"since": "2199-01-01T00:00:00Z"}, {"from": "!"}, {"since": since, "from": place},
                 {"since": "2026-02-30T00:00:00Z"}, {"since": "2026-01-01T00:00:00+01:00"}):
        act(webhook, "replay", 400, body)
    call("POST", API + "/{id}/deliveries/{delivery_id}/replay", ADMIN, 404, id=webhook["id"], delivery_id=10 ** 12)
    act(webhook, "test", 202)
    until(lambda: len(RECEIVER.of("/replay")) == 14)
    check("a test arrives", RECEIVER.of("/replay")[-1].event["type"] == "nl.urenwacht.webhook.test")


def test_states():
    """Paused, its queue fills, and what does not fit waits in Kafka; nothing is lost."""
    webhook = make(ADMIN, "/pause", "1401")
    act(webhook, "pause")
    events = [alert("1401", f"d{i % 20}", i // 20 + 1) for i in range(1200)]
    publish(events)
    full = until(lambda: show(webhook)["behind"])
    paused = show(webhook)
    check("a full queue leaves the rest where it is, and says so", full and paused["queued"] <= 1000 and paused["state"] == "PAUSED",
          paused)
    check("nothing is sent while it is paused", not RECEIVER.of("/pause", False))
    act(webhook, "resume")
    until(lambda: len(RECEIVER.of("/pause")) >= 1200)
    got = RECEIVER.of("/pause")
    check("resumed, all arrive, in order", {g.id for g in got} == {event_id(a) for a in events} and len(got) == 1200 and in_order(got),
          len(got))
    check("and it is no longer behind", until(lambda: not show(webhook)["behind"]) and show(webhook)["gap_at"] is None)


def test_giving_up():
    webhook = make(ADMIN, "/never", "1501")
    RECEIVER.rules["/never"] = lambda _, event: 500 if event["data"]["revision"] == 1 else 200
    publish([alert("1501", "d", 1), alert("1501", "d", 2)])
    waits = until(lambda: [d["state"] for d in deliveries(webhook)] == ["WAITING", "READY"] and len(RECEIVER.of("/never", False)) >= 2)
    check("the second one waits", waits and {g.event["data"]["revision"] for g in RECEIVER.of("/never", False)} == {1},
          deliveries(webhook))
    psql(f"UPDATE urenwacht_data.webhook_delivery SET first_attempt_at = now() - interval '25 hours' WHERE webhook_id = {webhook['id']} "
         "AND state = 'READY'")
    until(lambda: len(RECEIVER.of("/never")) == 1)
    ended = until(lambda: [d["state"] for d in deliveries(webhook)] == ["DELIVERED", "FAILED"])
    check("after a day it is given up, and the next one goes", ended, deliveries(webhook))
    check("that is seen", show(webhook)["failed"] == 1)
    metrics = ask("GET", "/metrics", None)[1].decode()
    value = {line.split()[0]: line.split()[1] for line in metrics.splitlines() if line.startswith("urenwacht_webhook")}
    check("and counted", value.get("urenwacht_webhook_failed") == "1" and value.get("urenwacht_webhook_given_up_total") == "1" and
          int(value['urenwacht_webhook_attempts_total{outcome="delivered"}']) > 1000 and
          value.get('urenwacht_webhook_task{task="send"}') == "1" and "urenwacht_webhook_oldest_seconds" in value, value)


def test_access():
    manager, region = make(COBY, "/coby"), make(REGION, "/regio", "1601")
    fraud = make(FRAUD, "/fraud", topics="anomalies")
    publish([alert("1601", "d", 1), alert("1602", "d", 1)])
    until(lambda: RECEIVER.of("/regio") and RECEIVER.of("/coby"))
    check("a contract manager gets events of its municipalities only",
          [g.event["subject"] for g in RECEIVER.of("/coby")] == ["1601/d"], RECEIVER.of("/coby"))

    def listed(who):
        return {w["id"] for w in call("GET", API, who)["items"]}
    check("it sees the webhooks that see no more than it does", listed(COBY) == {manager["id"]}, listed(COBY))
    check("colleagues see them too", manager["id"] in listed(COLLEAGUE) and manager["id"] not in listed(STRANGER))
    check("who sees everything sees all", listed(ADMIN) >= {manager["id"], region["id"], fraud["id"]} and
          listed(FRAUD) == listed(ADMIN))
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/deliveries")):
        call(method, API + "/{id}" + path, COBY, 404, id=region["id"])
    for action in ("pause", "resume", "owner", "secret", "test"):
        act(region, action, 404, who=COBY)
    act(region, "replay", 404, {"since": "2026-01-01T00:00:00Z"}, who=COBY)
    wish = {"name": "x", "url": RECEIVER.url("/x"), "filter": {}}
    call("PUT", API + "/{id}", COBY, 404, wish, id=region["id"])
    some = deliveries(region)[0]["id"]
    call("GET", API + "/{id}/deliveries/{delivery_id}", COBY, 404, id=region["id"], delivery_id=some)
    call("GET", API + "/{id}/deliveries/{delivery_id}", COBY, 404, id=manager["id"], delivery_id=some)
    call("POST", API + "/{id}/deliveries/{delivery_id}/replay", COBY, 404, id=region["id"], delivery_id=some)
    call("POST", API, COBY, 403, {**wish, "filter": {"topics": "anomalies"}})
    call("GET", API, None, 401)
    for bad in ({}, {**wish, "x": 1}, {**wish, "name": ""}, {**wish, "url": 5}, {**wish, "filter": {"kind": "NONE"}},
                {**wish, "filter": []}, {**wish, "url": "ftp://x/"}, {**wish, "name": "x" * 101}):
        call("POST", API, ADMIN, 400, bad)
    changed = call("PUT", API + "/{id}", COLLEAGUE, 200, {**wish, "url": RECEIVER.url("/coby2")}, id=manager["id"])
    check("whoever changes it does not change what it may see", changed["made_by"] == "Coby" and changed["municipalities"] == ["1601"])
    publish([alert("1601", "d", 2)])
    check("events go to the new URL", until(lambda: RECEIVER.of("/coby2")))
    check("anomalies are not sent to who did not ask, alerts not to the fraud team",
          not RECEIVER.of("/fraud") and all("alert_id" in g.event["data"] for g in RECEIVER.of("/regio")))
    coby_id = psql("SELECT id FROM urenwacht_data.token WHERE name = 'Coby'")
    RECEIVER.rules["/coby2"] = 500
    publish([alert("1601", "d", 3)])
    until(lambda: len(RECEIVER.of("/coby2", False)) >= 2)
    run("token", "revoke", coby_id)
    # One may be on its way.
    sent = len(RECEIVER.of("/coby2", False))
    check("with the token the webhook stops", until(lambda: show(manager)["state"] == "STOPPED"), show(manager))
    cancelled = until(lambda: show(manager)["queued"] == 0 and deliveries(manager)[0]["state"] == "CANCELLED")
    check("at once, and what was queued is cancelled", cancelled and len(RECEIVER.of("/coby2", False)) <= sent + 1,
          (sent, len(RECEIVER.of("/coby2", False)), deliveries(manager)[:1]))
    for action, body in (("resume", None), ("pause", None), ("test", None), ("replay", {"since": "2026-01-01T00:00:00Z"})):
        act(manager, action, 409, body)
    RECEIVER.rules["/coby2"] = 200
    taken = act(manager, "owner", who=COLLEAGUE)
    check("a colleague takes it over", taken["state"] == "ACTIVE" and taken["made_by"] == "Collega" and taken["state_reason"] is None)
    publish([alert("1601", "d", 4), alert("1602", "d", 2)])
    until(lambda: len(RECEIVER.of("/coby2")) >= 2)
    check("and it goes on", [g.event["data"]["revision"] for g in RECEIVER.of("/coby2")] == [2, 4], RECEIVER.of("/coby2"))


def test_delete():
    """The sender takes a delivery and then its webhook; whoever deletes the webhook must not do it the other way round."""
    webhook = make(ADMIN, "/delete", "1651")
    act(webhook, "pause")
    publish([alert("1651", "d", 1)])
    check("an event is queued", until(lambda: show(webhook)["queued"] == 1), show(webhook))
    # The part of the sender is played by a transaction that waits between its two steps.
    sender = subprocess.Popen(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", DSN], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
    sender.stdin.write("BEGIN;\nSELECT 'taken' FROM urenwacht_data.webhook_delivery WHERE webhook_id = "
                       f"{webhook['id']} FOR UPDATE;\n")
    sender.stdin.flush()
    check("the sender has the delivery", sender.stdout.readline() == "taken\n")
    answers = []
    deleting = threading.Thread(target=lambda: answers.append(ask("DELETE", f"{API}/{webhook['id']}", ADMIN)))
    deleting.start()
    waits = until(lambda: psql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' "
                               "AND query LIKE '%webhook%'") != "0")
    check("whoever deletes waits for it", waits and not answers, answers)
    said, _ = sender.communicate(f"UPDATE urenwacht_data.webhook SET failures = failures WHERE id = {webhook['id']};\nCOMMIT;\n", timeout=120)
    check("and the sender gets its webhook", sender.returncode == 0, said)
    deleting.join(120)
    check("then it is deleted", [status for status, _ in answers] == [204], answers)
    call("GET", API + "/{id}", ADMIN, 404, id=webhook["id"])


def test_limits():
    few = token("Weinig", "regional")
    for i in range(40):
        call("POST", API, few, 201, {"name": str(i), "url": RECEIVER.url("/few"), "filter": {"municipality": "1701"}})
    call("POST", API, few, 409, {"name": "x", "url": RECEIVER.url("/few")})
    webhook = show({"id": psql("SELECT max(id) FROM urenwacht_data.webhook")})
    check("a token has a limited number of webhooks", webhook["name"] == "39")
    call("POST", API + "/{id}/owner", few, 409, id=make(ADMIN, "/more", "1701")["id"])
    psql("DELETE FROM urenwacht_data.webhook WHERE name ~ '^[0-9]+$'")
    # In all, of whatever token: those that are filled up with are another's, who sees more.
    other = psql("SELECT id FROM urenwacht_data.token WHERE name = 'Admin'")
    psql("INSERT INTO urenwacht_data.webhook (token_id, made_by, signals, name, url, filter, state, state_reason) "
         f"SELECT {other}, 'Admin', true, 'vol', 'https://example.nl/', '{{}}', 'PAUSED', 'BY_HAND' "
         "FROM generate_series(1, 999 - (SELECT count(*) FROM urenwacht_data.webhook))")
    call("POST", API, COLLEAGUE, 201, {"name": "de laatste", "url": RECEIVER.url("/last")})
    status, content = ask("POST", API, COLLEAGUE, {"name": "een te veel", "url": RECEIVER.url("/last")})
    check("the thousandth webhook is the last, and it is said why", status == 409 and "in all: 1000" in content.decode() and
          psql("SELECT count(*) FROM urenwacht_data.webhook") == "1000", (status, content))
    psql("DELETE FROM urenwacht_data.webhook WHERE name IN ('vol', 'de laatste')")


def log_of(name):
    return psql("SELECT count(*), count(*) FILTER (WHERE event_id LIKE 'old-%'), min(event_id) FROM urenwacht_data.webhook_delivery "
                f"WHERE webhook_id = (SELECT id FROM urenwacht_data.webhook WHERE name = '{name}')")


def test_long_log():
    """A log that is too long, and older than is kept; test_long_log_is_tidied looks later what became of it."""
    webhook = make(ADMIN, "/log", "1709")
    psql("INSERT INTO urenwacht_data.webhook_delivery (webhook_id, event_id, event_type, municipality, lane, body, state, finished_at) "
         f"SELECT {webhook['id']}, CASE WHEN n > 100002 THEN 'old-' ELSE 'new-' END || lpad(n::text, 6, '0'), 'x', '1709', n, '', "
         "'DELIVERED', now() - CASE WHEN n > 100002 THEN interval '8 days' ELSE interval '1 hour' END "
         "FROM generate_series(1, 100005) n ORDER BY n")


def test_secure():
    """TLS: an authority of our own is trusted, and only it; names and dates are looked at."""
    hooks = {name: make(ADMIN, "/" + name, "1751", receiver) for name, receiver in SECURE.items()}
    publish([alert("1751", "d", 1)])
    until(lambda: SECURE["good"].of("/good"))
    check("a receiver with a certificate of our authority gets it",
          [g.event["data"]["revision"] for g in SECURE["good"].of("/good")] == [1], deliveries(hooks["good"]))
    wanted = {"elsewhere": "subject name", "expired": "expired", "foreign": "certificate"}

    def tried(name):
        return any(d["attempts"] > 0 and d["last_error"] for d in deliveries(hooks[name]))
    until(lambda: all(tried(name) for name in wanted))
    for name, words in wanted.items():
        delivery = deliveries(hooks[name])[0]
        check(f"a receiver whose certificate is {name} gets nothing, and the log says why", not SECURE[name].got and
              delivery["last_status"] is None and words in (delivery["last_error"] or ""), delivery)
    for webhook in hooks.values():
        call("DELETE", API + "/{id}", ADMIN, 204, id=webhook["id"])


def test_guard():
    """Nothing goes where the configuration does not allow it."""
    strict = serve("strict", [*PLAIN, "--set", "webhooks.enabled=false"])
    for url, why in (("https://127.0.0.1/", "not public"), ("https://2130706433/", "not public"), ("https://[::1]/", "not public"),
                     ("https://169.254.169.254/", "not public"), ("https://10.0.0.1/", "not public"), ("http://example.nl/", "https"),
                     ("https://example.nl:8080/", "port"), ("https://u:p@example.nl/", "user"),
                     ("https://[::ffff:127.0.0.1]/", "not public")):
        status, content = ask("POST", API, ADMIN, {"name": "x", "url": url}, strict)
        check(f"{url} is refused unless it is allowed", status == 400 and why in content.decode(), content)
    check("the strict server stops in order", strict.stop() == 0)
    # Whatever is in the table: what is connected to is looked at. The last one is a name, which means 127.0.0.1 and ::1.
    hooks = [make(ADMIN, f"/guard{i}", "1801") for i in range(3)]
    for webhook, url in zip(hooks, (f"http://127.0.0.2:{ELSEWHERE.port}/", f"http://127.0.0.1:{DATABASE_PORT}/",
                                    f"http://localhost:{RECEIVER.port}/named")):
        psql(f"UPDATE urenwacht_data.webhook SET url = '{url}' WHERE id = {webhook['id']}")
    publish([alert("1801", "d", 1)])
    until(lambda: all(d["attempts"] > 0 for w in hooks for d in deliveries(w)[:1] or [{"attempts": 0}]))
    errors = [(deliveries(w)[0]["last_error"] or "", deliveries(w)[0]["last_status"]) for w in hooks]
    check("an address that is not allowed is not connected to", "refused here: the address" in errors[0][0], errors)
    check("nor a port", "refused here: the port" in errors[1][0], errors)
    check("a name is allowed by its address", until(lambda: RECEIVER.of("/named")), errors)
    for webhook in hooks:
        call("DELETE", API + "/{id}", ADMIN, 204, id=webhook["id"])


def test_kill():
    """Two servers; the one at work is killed twice in the middle, the other one goes on."""
    webhook = make(ADMIN, "/kill", "1901")
    second = serve("two", OPEN)
    # From the hundredth of a part on answers wait for the kill, so that it is in the middle however fast everything is.
    come, killed, over = itertools.count(1), [], [threading.Event(), threading.Event()]

    def rule(*_):
        part = len(killed)
        if part < 2 and next(come) > 100:
            over[part].wait(TIMEOUT_MS / 1000 / 2)
        return 200
    RECEIVER.rules["/kill"] = rule
    events = [alert("1901", f"d{i % 40}", i // 40 + 1) for i in range(1200)]

    def at_work():
        return next((s for s in (ONE, second) if s.figure('urenwacht_webhook_task{task="send"}') == 1), None)
    for part in range(3):
        publish(events[part * 400:(part + 1) * 400])
        if part < 2:
            before = len(RECEIVER.of("/kill"))
            check("one of the servers is at work", until(lambda: len(RECEIVER.of("/kill")) >= before + 100 and at_work()))
            victim = at_work() or ONE
            victim.stop(signal.SIGKILL)
            killed.append(len(RECEIVER.of("/kill")))
            come = itertools.count(1)
            over[part].set()
            victim.start()
    want = {event_id(a) for a in events}
    complete = until(lambda: {g.id for g in RECEIVER.of("/kill")} == want)
    got = RECEIVER.of("/kill")
    check("nothing is lost", complete, (len(got), len(want), killed))
    bodies = collections.defaultdict(set)
    for g in got:
        bodies[g.id].add(g.body)
    check(f"what comes twice ({len(got) - len(want)} of {len(want)}) is the same, and little", all(len(b) == 1 for b in bodies.values())
          and len(got) - len(want) <= 2 * (16 + 4), len(got) - len(want))
    check("in order per decision", in_order(got))
    check("it happened in the middle", len(killed) == 2 and 0 < killed[0] < killed[1] < 1200, killed)
    left = until(lambda: show(webhook)["queued"] == 0)
    check("the queue is empty", left and all(d["state"] == "DELIVERED" for d in deliveries(webhook)))
    check("the second server stops in order", second.stop() == 0)


def test_long_log_is_tidied():
    tidied = until(lambda: log_of("/log") == "100000|0|new-000003")
    check("the log keeps the newest hundred thousand of seven days", tidied, log_of("/log"))
    psql("DELETE FROM urenwacht_data.webhook WHERE name = '/log'")


DATABASE_PORT = re.search(r":(\d+)/", DSN).group(1)
ADMIN = token("Admin", "admin")
REGION = token("Regio", "regional")
FRAUD = token("Frank", "fraud")
COBY = token("Coby", "contract-manager", "--municipality", "1601")
COLLEAGUE = token("Collega", "contract-manager", "--municipality", "1601,1603")
STRANGER = token("Vreemd", "contract-manager", "--municipality", "1602")
ONE = serve("one", OPEN)
began = time.monotonic()
for name, test in [(n, t) for n, t in globals().items() if n.startswith("test_")]:
    if re.search(os.environ.get("UW_CASES", ""), name):
        at = time.monotonic()
        test()
        print(f"       {name}: {time.monotonic() - at:.1f} s", flush=True)
if not os.environ.get("UW_CASES"):
    missing = {(method, path) for path, item in SPEC["paths"].items() for method in item
               if method != "parameters" and path.startswith(API)} - asked
    check("every path of the contract was asked", not missing, missing)
check("it stops in order", ONE.stop() == 0)
log = "".join(open(f"{WORK}/{n}", encoding="utf-8").read() for n in os.listdir(WORK) if n.endswith(".log"))
check("no client, secret, token or URL is in the log", not re.search(r"c-9|c-0|whsec_|uw_|127\.0\.0\.1:\d+/", log), log[-500:])
check("nothing of the sanitizers is in the log", "Sanitizer" not in log and "runtime error" not in log, log[:3000])
lib_serve.finish()
