"""Everything that `urenwacht serve` answers, on a processed region. Standard library, but for the check of answers
against dashboard/openapi.yaml."""
import datetime
import http.client
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import zlib

import jsonschema
import yaml

import lib_serve
from lib_serve import check, psql, token, until

COMMAND, SOURCE, DSN = os.environ["UW_COMMAND"], os.environ["UW_SOURCE"], os.environ["URENWACHT_DSN"]
WORK = sys.argv[1]
SPEC = yaml.safe_load(open(SOURCE + "/dashboard/openapi.yaml", encoding="utf-8"))
seen_paths = set()


def ask(method, path, who=None, body=None, headers=None, raw=None):
    return lib_serve.ask(SERVER.port, method, path, who, body, headers, raw)


def validate(method, template, status, content):
    responses = SPEC["paths"][template][method.lower()]["responses"]
    response = responses.get(str(status), responses.get("default"))
    if "$ref" in response:
        response = SPEC["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    media = response.get("content", {})
    kind = "application/json" if "application/json" in media else "application/problem+json"
    if kind in media:
        schema = dict(media[kind]["schema"])
        jsonschema.Draft202012Validator({**schema, "components": SPEC["components"]}).validate(json.loads(content))


def call(method, template, who, status=200, query="", body=None, headers=None, **places):
    """Asks a path of the contract; the status and the schema of the answer have to be right."""
    path = template
    for name, value in places.items():
        path = path.replace("{" + name + "}", urllib.parse.quote(str(value), safe=""))
    got, got_headers, content = ask(method, path + query, who, body, headers)
    why = ""
    if got != status:
        why = f"status {got}: {content[:200]!r}"
    else:
        seen_paths.add((method.lower(), template))
        if content and got not in (204, 304):
            try:
                validate(method, template, got, content)
            except jsonschema.ValidationError as error:
                why = f"{error.message[:200]} at {list(error.absolute_path)}"
    check(f"{method} {template}{query[:60]} is {status}", why == "", why)
    return json.loads(content) if content[:1] in b"{[" and content else None


# ---------------------------------------------------------------------------

os.makedirs(WORK + "/page/assets")
open(WORK + "/page/index.html", "w").write("<!doctype html><title>t</title>")
open(WORK + "/page/assets/index-1a2b3c4d.js", "w").write("1")
open(WORK + "/page/assets/words-1a2b3c4d.js", "w").write("'the same words again and again';\n" * 100)
ADMIN = token("Admin", "admin")
REGION = token("Regio", "regional")
FRAUD = token("Frank", "fraud")
places = psql("SELECT municipality FROM urenwacht.alert GROUP BY 1 ORDER BY 1").split()
HERE, THERE = places[0], places[1]
CM = token("Coby", "contract-manager", "--municipality", HERE)
SERVER = lib_serve.Program("serve", lambda port: ["serve", "--port", str(port), "--set", "serve.secure_cookie=false", "--set",
                                                  "serve.page=" + WORK + "/page"], ready="/readyz")
API = "/api/v1"
# The server's limit is 30 seconds.
SLOW_SECONDS = 180


class Half:
    """Half a request, and a thread that waits for its end, however long the rest of this suite takes."""

    def __init__(self):
        self.socket = socket.create_connection(("127.0.0.1", SERVER.port), timeout=SLOW_SECONDS)
        self.socket.sendall(b"GET /api/v1/alerts HTTP/1.1\r\nHost: x\r\nX")
        self.answer = None
        self.thread = threading.Thread(target=self.wait, daemon=True)
        self.thread.start()

    def wait(self):
        try:
            self.answer = self.socket.recv(10)
        except TimeoutError:
            pass
        except OSError:
            self.answer = b""


slow = Half()


def test_contract():
    for path in ("/healthz", "/readyz", "/metrics", "/api/v1/openapi.yaml"):
        status, _, content = ask("GET", path)
        check("GET " + path, status == 200 and len(content) > 4, status)
        seen_paths.add(("get", path))
    call("GET", API + "/session", CM)
    call("GET", API + "/dimensions", CM)
    call("GET", API + "/progress", CM)
    for who in (ADMIN, CM, REGION, FRAUD):
        call("GET", API + "/alerts", who, query="?limit=5")
    for sort in ("severity", "-severity", "effective_on", "-effective_on", "observed_at", "-observed_at"):
        call("GET", API + "/alerts", ADMIN, query="?limit=3&sort=" + sort)
    for query in ("kind=EVALUATION_DUE,SURPLUS_LOW", "severity=CRITICAL", "status=OPEN,RESOLVED", "law=WMO", "model=Pxq",
                  "provider=41410001", "product=01A01", "effective_from=2025-06-01&effective_to=2025-07-01",
                  "assignee=", "state=NEW,ASSIGNED", "municipality=" + HERE, "client=c-000001", "decision=x%27y"):
        call("GET", API + "/alerts", ADMIN, query="?limit=3&" + query)
    for query, condition in (
            ("valid_on=2026-01-15", "EXISTS (SELECT FROM urenwacht_api.decision v WHERE (v.client, v.municipality, v.decision) = "
             "(a.client, a.municipality, a.decision) AND v.status = 'ACTIVE' AND v.valid_from <= '2026-01-15' AND "
             "(v.valid_to IS NULL OR v.valid_to >= '2026-01-15'))"),
            ("active_on=2025-09-10", "(client, municipality, decision, segment_from, period_from) IN (SELECT client, municipality, "
             "decision, segment_from, period_from FROM urenwacht.account WHERE period_from <= '2025-09-10' AND "
             "(period_to IS NULL OR period_to >= '2025-09-10'))")):
        got = call("GET", API + "/alerts/counts", ADMIN, query="?by=kind&" + query)["items"]
        stored = dict(line.split("|") for line in psql("SELECT kind, count(*) FROM urenwacht.alert a WHERE status = 'OPEN' AND "
                                                       + condition + " GROUP BY kind").splitlines())
        whole = int(psql("SELECT count(*) FROM urenwacht.alert WHERE status = 'OPEN'"))
        check("alerts with " + query, {i["kind"]: str(i["count"]) for i in got} == stored and
              0 < sum(i["count"] for i in got) < whole, (got, stored))
    def ids(path, key, query):
        return [i[key] for i in call("GET", API + path, ADMIN, query="?limit=1000&" + query)["items"]]
    some = call("GET", API + "/alerts", ADMIN, query="?limit=100&kind=EVALUATION_DUE")["items"]
    wanted = sorted(a["alert_id"] for a in some)
    check("a list tells which ids are in it", sorted(ids("/alerts", "alert_id", "alert_id=" + ",".join(wanted))) == wanted and
          ids("/alerts", "alert_id", "kind=CARE_STALLED&alert_id=" + ",".join(wanted)) == [])
    for bad in (wanted[0] + ",", wanted[0][:-1], wanted[0] + wanted[1], "x" * 36, ",".join(wanted[:1] * 101)):
        call("GET", API + "/alerts", ADMIN, 400, query="?alert_id=" + bad)
    part = some[0]["decision"][:-1].lower()
    found = call("GET", API + "/alerts", ADMIN, query="?limit=1000&search=" + urllib.parse.quote(part))["items"]
    stored = int(psql(f"SELECT count(*) FROM urenwacht.alert WHERE status = 'OPEN' AND decision ILIKE '%{part}%'"))
    check("a part of a decision's id finds it", 0 < len(found) == min(stored, 1000) and
          all(part in a["decision"].lower() for a in found), (part, len(found), stored))
    check("and is only a text", ids("/alerts", "alert_id", "search=%25") == [])
    for staff, condition in (("", "payload->>'staff' IS NULL"), ("m0001-01,m0002-02", "payload->>'staff' IN ('m0001-01', 'm0002-02')")):
        stored = int(psql("SELECT count(*) FROM urenwacht.anomaly WHERE status = 'OPEN' AND " + condition))
        check(f"signals of staff {staff!r}", len(ids("/anomalies", "anomaly_id", "staff=" + staff)) == stored, stored)
    for by in ("kind", "kind,severity,municipality", "product,law,model", "state,assignee,month", "provider"):
        call("GET", API + "/alerts/counts", CM, query="?by=" + by)
    alert = call("GET", API + "/alerts", CM, query="?limit=1&kind=EVALUATION_DUE")["items"][0]
    call("GET", API + "/alerts/{alert_id}", CM, alert_id=alert["alert_id"])
    for sort in ("observed_at", "-provider", "kind"):
        call("GET", API + "/anomalies", FRAUD, query="?limit=3&sort=" + sort)
    call("GET", API + "/anomalies/counts", FRAUD, query="?by=provider,staff,state")
    for anomaly in call("GET", API + "/anomalies", FRAUD, query="?limit=30")["items"]:
        detail = call("GET", API + "/anomalies/{anomaly_id}", FRAUD, anomaly_id=anomaly["anomaly_id"])
        roles = {e["role"] for e in detail["evidence"]}
        check("its evidence is there", "SUBJECT" in roles and ("other" not in anomaly["payload"] or "OTHER" in roles), roles)
    for sort in ("decision", "-valid_from"):
        call("GET", API + "/decisions", CM, query="?limit=3&sort=" + sort)
    call("GET", API + "/decisions", CM, query="?limit=3&valid_on=2025-06-01&model=Pxq&law=WMO")
    for decision in call("GET", API + "/decisions", CM, query="?limit=8")["items"]:
        where = {"municipality": decision["municipality"], "decision": decision["decision"]}
        call("GET", API + "/decisions/{municipality}/{decision}", CM, **where)
        told = call("GET", API + "/decisions/{municipality}/{decision}/explanation", CM, **where)
        check("the explanation agrees with the database", told["check"]["ok"] and told["anomalies"] == [], told["check"])
        call("GET", API + "/facts", CM, query=f"?municipality={HERE}&decision={decision['decision']}&limit=5")
    evaluations_due()
    for query in ("", "&sort=-used_percent", "&used_percent_min=80&active_on=2025-06-01", "&sort=period_from&law=WMO"):
        call("GET", API + "/accounts", CM, query="?limit=5" + query)
    for grain in ("weekly", "monthly"):
        call("GET", API + "/aggregates/{grain}", CM, grain=grain, query="?by=municipality,provider,model,law&from=2025-06-01")
    total = call("GET", API + "/aggregates/{grain}", CM, grain="monthly", query="?total=true")["items"][0]
    stored = psql(f"SELECT sum(delivered_minutes) FROM urenwacht.monthly WHERE municipality = '{HERE}'")
    check("the total is the table's", total["delivered_minutes"] == int(stored), (total, stored))
    plan = psql("EXPLAIN (VERBOSE) SELECT a.*, d.law, d.care, d.model, d.frequency FROM urenwacht_api.aggregate a, urenwacht_api.decision d")
    check("names of codes are no calls", "'{WMO,JEUGDWET" in plan and "_name(" not in plan, plan)
    for grain, period in (("weekly", "week_from"), ("monthly", "month_from")):
        for by in ("municipality", "provider", "product", "product_category,law", "care,model", "municipality,provider,product,law"):
            got = call("GET", API + "/aggregates/{grain}", ADMIN, grain=grain, query="?by=" + by)["items"]
            names = ["period_from", *by.split(","), "clients", "delivered_minutes", "no_show_minutes", "allotted_minutes", "priced_minutes"]
            rows = psql(f"SELECT concat_ws('|', {period}, {by}, sum(clients), sum(delivered_minutes), sum(no_show_minutes), "
                        f"sum(allotted_minutes), sum(priced_minutes)) FROM urenwacht.{grain} GROUP BY {period}, {by}").splitlines()
            check(f"{grain} sums by {by} are the table's", sorted("|".join(str(item[name]) for name in names) for item in got) ==
                  sorted(rows) and rows, (len(got), len(rows)))
    psql("INSERT INTO urenwacht_data.aggregate_sum SELECT md5(key::text)::uuid, grain, period_from, 1, 1, 1, 1, 1, 1, 1, 1 "
         "FROM urenwacht_data.aggregate_sum; INSERT INTO urenwacht_data.aggregate_key SELECT md5(id::text)::uuid, rules_version - 1, "
         "writer, municipality, provider, product_category, product, law, care, model FROM urenwacht_data.aggregate_key")
    for grain in ("weekly", "monthly"):
        got = call("GET", API + "/aggregates/{grain}", CM, grain=grain, query="?total=true")["items"][0]
        check(f"sums of older rules are left out of the {grain} ones", got["delivered_minutes"] == int(stored), (got, stored))
    psql("DELETE FROM urenwacht_data.aggregate_sum s USING urenwacht_data.aggregate_key k WHERE k.id = s.key AND k.rules_version < "
         "urenwacht_data.shown_rules(); DELETE FROM urenwacht_data.aggregate_key WHERE rules_version < urenwacht_data.shown_rules()")


def evaluations_due():
    """The dues of decisions are those of the explanation and of the alerts, and can be asked for by month."""
    listed = call("GET", API + "/decisions", CM, query="?limit=1000&sort=evaluation_due")["items"]
    firsts = [d["evaluations_due"][0] if d["evaluations_due"] else "9999" for d in listed]
    check("decisions by their first due", firsts == sorted(firsts) and firsts[0] < firsts[-1] == "9999", (firsts[0], firsts[-1]))
    def key(row):
        return row["decision"], row["client"]
    dues = {key(d): d["evaluations_due"] for d in listed}
    part = [d for d in listed if d["evaluations_due"]][:6] + [d for d in listed if not d["evaluations_due"]][:3]
    for decision in part:
        told = call("GET", API + "/decisions/{municipality}/{decision}/explanation", CM, municipality=HERE,
                    decision=decision["decision"], query="?client=" + decision["client"])
        active = told["status"] == "ACTIVE"
        check("the dues of a decision are those explained", decision["evaluations_due"] ==
              [due["due"] for due in told["evaluations"]["dues"] if active and due["held"] == 0], decision["evaluations_due"])
    as_of = datetime.date.fromisoformat(call("GET", API + "/progress", CM)["as_of"])
    alerts = call("GET", API + "/alerts", CM, query="?limit=1000&kind=EVALUATION_DUE")["items"]
    notice = (as_of + datetime.timedelta(days=14)).isoformat()
    check("those that have come are the alerts", sorted((*key(a), a["effective_on"]) for a in alerts) ==
          sorted((*of, due) for of, days in dues.items() for due in days if due <= notice), len(alerts))
    months = sorted({due[:7] for days in dues.values() for due in days})
    for month in (months[0], max(m for m in months if m <= notice[:7]), months[-1], "1999-01"):
        wanted = {of for of, days in dues.items() if any(due.startswith(month) for due in days)}
        got = call("GET", API + "/decisions", CM, query=f"?limit=1000&evaluation_month={month}-17")["items"]
        check(f"evaluations of {month}", {key(d) for d in got} == wanted, (len(got), len(wanted)))
        by = call("GET", API + "/decisions/counts", CM, query=f"?by=provider,status&evaluation_month={month}-01")["items"]
        check("are counted", sum(row["count"] for row in by) == len(wanted) and all(row["status"] == "ACTIVE" for row in by), by)
    csv = ask("GET", API + f"/decisions?format=csv&evaluation_month={months[0]}-01", CM)[2].decode().splitlines()
    check("and written as CSV", csv[0].endswith(",evaluations_due") and months[0] in csv[1].split(",")[-1], csv[:2])
    part = listed[0]["decision"][1:-1].lower()
    got = call("GET", API + "/decisions", CM, query="?limit=1000&search=" + urllib.parse.quote(part))["items"]
    check("a part of its id finds a decision", {key(d) for d in got} == {of for of in dues if part in of[0].lower()}, part)
    call("GET", API + "/decisions", CM, 400, query="?evaluation_month=2026-13-01")
    call("GET", API + "/decisions/counts", CM, 400, query="?by=client")


def test_access():
    def listed(who, path):
        return json.loads(ask("GET", API + path, who)[2])["items"]
    check("a contract manager sees its municipality only", {a["municipality"] for a in listed(CM, "/alerts?limit=1000")} == {HERE})
    check("and no other by asking", listed(CM, "/alerts?municipality=" + THERE) == [])
    for path in ("/decisions?", "/accounts?", "/alerts/counts?by=kind&", "/aggregates/monthly?by=provider&",
                 "/aggregates/weekly?by=provider&"):
        mine, theirs = listed(CM, path + "municipality=" + HERE), listed(CM, path + "municipality=" + THERE)
        check(f"{path} has nothing of others for it", mine and not theirs and listed(ADMIN, path + "municipality=" + THERE),
              (len(mine), len(theirs)))
    other = listed(ADMIN, "/alerts?limit=1&municipality=" + THERE)[0]
    call("GET", API + "/alerts/{alert_id}", CM, 404, alert_id=other["alert_id"])
    facts = f"/facts?municipality={THERE}&decision={urllib.parse.quote(other['decision'])}"
    check("nor facts of another", listed(CM, facts) == [] and listed(ADMIN, facts))
    call("PUT", API + "/alerts/{alert_id}/assignment", CM, 404, body={"assignee": "x"}, alert_id=other["alert_id"])
    call("GET", API + "/decisions/{municipality}/{decision}", CM, 404, municipality=THERE, decision=other["decision"])
    call("GET", API + "/decisions/{municipality}/{decision}/explanation", CM, 404, municipality=THERE, decision=other["decision"])
    call("GET", API + "/anomalies", CM, 403)
    call("GET", API + "/tokens", REGION, 403)
    some = listed(FRAUD, "/anomalies?limit=1")[0]["anomaly_id"]
    call("PUT", API + "/anomalies/{anomaly_id}/case", REGION, 403, body={"state": "NEW", "assignee": None}, anomaly_id=some)
    for bad in (None, "x", "uw_" + "A" * 43, ADMIN + "x", ADMIN[:-1]):
        call("GET", API + "/alerts", bad, 401)
    rows = psql("BEGIN; SET LOCAL ROLE urenwacht_dashboard; SELECT (SELECT count(*) FROM urenwacht_api.alert) + (SELECT count(*) "
                "FROM urenwacht_data.anomaly_state) + (SELECT count(*) FROM urenwacht_data.declaration_fact) + (SELECT "
                "count(*) FROM urenwacht_data.aggregate_sum) + (SELECT count(*) FROM urenwacht_data.alert_history); COMMIT")
    check("the role sees nothing unless told", rows == "0", rows)
    refused = subprocess.run(["psql", "-X", DSN, "-c", "BEGIN; SET LOCAL ROLE urenwacht_dashboard; SELECT * FROM urenwacht_data.token"],
                             capture_output=True, text=True)
    check("the role does not see tokens", "permission denied" in refused.stderr, refused.stderr)
    check("no token is stored", psql(f"SELECT count(*) FROM urenwacht_data.token t WHERE t::text LIKE '%{ADMIN}%'") == "0")
    made = call("POST", API + "/tokens", ADMIN, 201, body={"name": "Tijdelijk", "role": "regional", "municipalities": [HERE], "days": 1})
    call("GET", API + "/session", made["secret"])
    call("GET", API + "/tokens", ADMIN)
    call("DELETE", API + "/tokens/{id}", ADMIN, 204, id=made["id"])
    call("GET", API + "/session", made["secret"], 401)
    call("POST", API + "/tokens", ADMIN, 400, body={"name": "x", "role": "contract-manager"})


def test_session():
    status, headers, content = ask("POST", API + "/session", body={"token": CM})
    cookie = headers["Set-Cookie"]
    seen_paths.add(("post", API + "/session"))
    check("a token becomes a cookie", status == 200 and "HttpOnly" in cookie and "SameSite=Strict" in cookie, (status, cookie))
    csrf, jar = json.loads(content)["csrf_token"], {"Cookie": cookie.split(";")[0]}
    call("GET", API + "/session", None, headers=jar)
    alert = json.loads(ask("GET", API + "/alerts?limit=1", None, headers=jar)[2])["items"][0]["alert_id"]
    call("PUT", API + "/alerts/{alert_id}/assignment", None, 403, body={"assignee": "x"}, headers=jar, alert_id=alert)
    call("PUT", API + "/alerts/{alert_id}/assignment", None, 403, body={"assignee": "x"}, headers={**jar, "X-CSRF-Token": "0" * 64},
         alert_id=alert)
    call("PUT", API + "/alerts/{alert_id}/assignment", None, 200, body={"assignee": "x"}, headers={**jar, "X-CSRF-Token": csrf},
         alert_id=alert)
    call("DELETE", API + "/session", None, 204, headers={**jar, "X-CSRF-Token": csrf})
    call("GET", API + "/session", None, 401, headers=jar)
    call("POST", API + "/session", None, 401, body={"token": "uw_" + "B" * 43})


RANK = "CASE severity WHEN 'CRITICAL' THEN 2 WHEN 'WARNING' THEN 1 ELSE 0 END"
ORDERS = {"-severity": f"-{RANK}, effective_on, alert_id", "severity": f"{RANK}, effective_on, alert_id",
          "effective_on": "effective_on, alert_id", "-effective_on": "effective_on DESC, alert_id DESC",
          "observed_at": "observed_at, alert_id", "-observed_at": "observed_at DESC, alert_id DESC"}


def test_orders():
    """Pages in every order are what sorting all rows gives, with and without what the indexes are by."""
    places = psql("SELECT string_agg(DISTINCT municipality, ',') FROM urenwacht.alert")
    for who, query, condition in (
            (ADMIN, "", "true"),
            (CM, "", f"municipality = '{HERE}'"),
            (ADMIN, f"&municipality={places},9999,{HERE}", "true"),
            (ADMIN, "&municipality=" + ",".join(f"{code:04d}" for code in range(200, 300)), "municipality BETWEEN '0200' AND '0299'"),
            (ADMIN, "&kind=EVALUATION_DUE,CARE_STALLED&severity=WARNING,CRITICAL",
             "kind IN ('EVALUATION_DUE', 'CARE_STALLED') AND severity <> 'INFO'"),
            (CM, "&effective_from=2025-06-01&effective_to=2025-12-31&state=NEW",
             f"municipality = '{HERE}' AND effective_on BETWEEN '2025-06-01' AND '2025-12-31'")):
        for sort, order in ORDERS.items():
            wanted = psql(f"SELECT alert_id FROM urenwacht.alert WHERE status = 'OPEN' AND {condition} ORDER BY {order}").split()
            got, cursor = [], ""
            while cursor is not None and len(got) <= len(wanted):
                page = json.loads(ask("GET", f"{API}/alerts?limit=83&sort={sort}{query}" + (cursor and "&after=" + cursor), who)[2])
                got += [item["alert_id"] for item in page["items"]]
                cursor = page["next"]
            check(f"alerts by {sort}{query[:40]}, page by page", got == wanted and len(wanted) > 83, (len(got), len(wanted)))
    plan = psql("SET enable_seqscan = off; SET enable_bitmapscan = off; EXPLAIN SELECT alert_id FROM urenwacht_api.alert WHERE status = "
                "ANY (string_to_array('RESOLVED', ',')) ORDER BY observed_at DESC, alert_id DESC LIMIT 51")
    check("what was resolved last is read by its index", "using alert_state_resolved" in plan, plan)


def test_workflow():
    alert = json.loads(ask("GET", API + "/alerts?kind=EVALUATION_DUE&effective_to=2025-12-31&sort=-effective_on&limit=1", CM)[2])["items"][0]
    one = {"alert_id": alert["alert_id"]}
    done = call("PUT", API + "/alerts/{alert_id}/assignment", CM, body={"assignee": "Piet \u00c9"}, **one)
    check("it is assigned", done["state"] == "ASSIGNED" and done["assignee"] == "Piet \u00c9", done)
    done = call("PUT", API + "/alerts/{alert_id}/acknowledgement", CM, body={"note": "gezien; '; DROP TABLE x"}, **one)
    check("it is acknowledged", done["state"] == "ACKNOWLEDGED" and done["acknowledged_by"] == "Coby", done)
    done = call("PUT", API + "/alerts/{alert_id}/snooze", CM, body={"until": "2190-01-01"}, **one)
    check("it is snoozed", done["state"] == "SNOOZED", done)
    done = call("PUT", API + "/alerts/{alert_id}/snooze", CM, body={"until": None, "note": "terug"}, **one)
    check("it is back", done["state"] == "ACKNOWLEDGED", done)
    for body in ({}, {"until": "2025-02-30"}, {"until": 5}, {"until": None, "x": 1}):
        call("PUT", API + "/alerts/{alert_id}/snooze", CM, 400, body=body, **one)
    actions = call("GET", API + "/alerts/{alert_id}", CM, **one)["actions"]
    check("who did what is kept", [a["action"] for a in actions] == ["SNOOZE", "SNOOZE", "ACKNOWLEDGE", "ASSIGN"], actions)
    held = call("POST", API + "/alerts/{alert_id}/evaluation", CM, 202, body={"held_on": alert["effective_on"], "outcome": "CONTINUE"},
                **one)
    check("the evaluation answers the due", held["closes"], held)
    call("POST", API + "/alerts/{alert_id}/evaluation", CM, 400, body={"held_on": "2199-01-01", "outcome": "CONTINUE"}, **one)
    subprocess.run([COMMAND, "process", "--until-idle", "--as-of", "2026-01-15"], check=True, capture_output=True, timeout=600)
    after = call("GET", API + "/alerts/{alert_id}", CM, **one)
    check("the processor resolves the alert", after["status"] == "RESOLVED", after["status"])
    call("POST", API + "/alerts/{alert_id}/evaluation", CM, 409, body={"held_on": "2025-01-01", "outcome": "END"}, **one)
    anomaly = {"anomaly_id": json.loads(ask("GET", API + "/anomalies?limit=1", FRAUD)[2])["items"][0]["anomaly_id"]}
    case = call("PUT", API + "/anomalies/{anomaly_id}/case", FRAUD, body={"state": "IN_RESEARCH", "assignee": "Frank"}, **anomaly)
    check("the case is in research", case["state"] == "IN_RESEARCH" and case["changed_by"] == "Frank", case)
    call("PUT", API + "/anomalies/{anomaly_id}/case", FRAUD, 400, body={"state": "GUILTY", "assignee": None}, **anomaly)
    call("POST", API + "/anomalies/{anomaly_id}/diary", FRAUD, 201, body={"note": "gebeld"}, **anomaly)
    diary = call("GET", API + "/anomalies/{anomaly_id}", FRAUD, **anomaly)["diary"]
    check("the diary has both", [d["action"] for d in diary] == ["NOTE", "STATE"], diary)


def test_pages():
    stop, written = threading.Event(), []

    def write():
        while not stop.is_set():
            number = len(written) + 1
            psql("INSERT INTO urenwacht_data.alert_state (alert_id, revision, status, kind, severity, client, municipality, decision, "
                 f"provider, effective_on, payload, observed_at) VALUES (gen_random_uuid(), 1, 'OPEN', 'CARE_STALLED', 'WARNING', "
                 f"'extra', '{HERE}', 'extra-{number}', '00000000', date '2025-01-01' + {number}, '{{}}', now())")
            written.append(number)
    for path, key in (("/alerts", "alert_id"), ("/decisions", "decision"), ("/accounts?sort=-used_percent", None)):
        whole, _, lines = ask("GET", API + path + ("&" if "?" in path else "?") + "format=csv&limit=100000", CM)
        check("CSV of " + path, whole == 200, whole)
        before = set(psql(f"SELECT alert_id FROM urenwacht.alert WHERE municipality = '{HERE}' AND status = 'OPEN'").split())
        writer = threading.Thread(target=write, daemon=True)
        if key == "alert_id":
            writer.start()
        got, cursor, page_count = [], None, 0
        while page_count < 3000:
            query = ("&" if "?" in path else "?") + "limit=31" + ("&after=" + cursor if cursor else "")
            page = json.loads(ask("GET", API + path + query, CM)[2])
            got += [json.dumps(i) if key is None else i[key] for i in page["items"]]
            page_count += 1
            cursor = page["next"]
            # However fast the pages come: others come between them.
            if key == "alert_id" and page_count <= 2:
                seen = len(written)
                check("another one comes meanwhile", cursor is not None and until(lambda: len(written) > seen), page_count)
            if cursor is None:
                break
        if key == "alert_id":
            stop.set()
            writer.join()
            psql("DELETE FROM urenwacht_data.alert_state WHERE client = 'extra'")
            check("pages have every alert once, while others come", before <= set(got) and len(got) == len(set(got)),
                  (len(before), len(got), len(set(got))))
        else:
            check(f"pages of {path} are the CSV", len(got) == lines.count(b"\r\n") - 1 and len(got) == len(set(got)),
                  (len(got), lines.count(b"\r\n")))
    status, headers, content = ask("GET", API + "/alerts?limit=9", CM)
    tag = headers["ETag"]
    status, _, content = ask("GET", API + "/alerts?limit=9", CM, headers={"If-None-Match": tag})
    check("the same list is 304", (status, content) == (304, b""), status)
    status, _, _ = ask("GET", API + "/alerts?limit=8", CM, headers={"If-None-Match": tag})
    check("another one is not", status == 200, status)
    status, headers, content = ask("GET", API + "/alerts?limit=2", CM, headers={"Accept": "text/csv"})
    check("Accept gives CSV and a cursor", headers["Content-Type"].startswith("text/csv") and headers["Next-Cursor"] and
          content.count(b"\r\n") == 3, content[:100])


def test_evidence():
    """A conflict of versions says which fields differ, with what each report says of them."""
    conflicts = psql("SELECT anomaly_id, client, municipality, decision, subject_version FROM urenwacht_data.anomaly_state "
                     "WHERE kind = 'VERSION_CONFLICT' AND status = 'OPEN' ORDER BY 1 LIMIT 3").splitlines()
    check("there are conflicts of versions", conflicts, conflicts)
    meta = {"partition", "kafka_offset", "accepted_at", "redelivery", "event_id", "event_id_upper", "recorded_at"}
    for line in conflicts:
        anomaly_id, client, municipality, decision, version = line.split("|")
        rows = [json.loads(row) for row in psql(
            "SELECT to_jsonb(d) FROM urenwacht_data.decision_fact d WHERE NOT redelivery AND (client, municipality, decision, "
            f"version) = ('{client}', '{municipality}', '{decision}', {version})").splitlines()]
        wanted = {name for name in rows[0] if name not in meta and len({json.dumps(row[name]) for row in rows}) > 1}
        detail = call("GET", API + "/anomalies/{anomaly_id}", FRAUD, anomaly_id=anomaly_id)
        said = [fact["differs"] for fact in detail["evidence"]]
        check(f"the evidence names {wanted} as what differs, of each report", len(said) == len(rows) > 1 and wanted and
              all(set(differs) == wanted for differs in said) and said[0] != said[1], (wanted, said))
    line = psql("SELECT anomaly_id FROM urenwacht.anomaly WHERE kind = 'OUTSIDE_DECISION' AND status = 'OPEN' LIMIT 1")
    detail = call("GET", API + "/anomalies/{anomaly_id}", FRAUD, anomaly_id=line)
    check("other facts have no such fields", [fact["differs"] for fact in detail["evidence"]] == [None] * len(detail["evidence"]), detail)


def test_packing():
    """gzip and deflate give the same as without them, under tags of their own; what is live or secret is not packed."""
    inflate = {"gzip": lambda b: zlib.decompress(b, 31), "deflate": zlib.decompress}
    index = open(WORK + "/page/index.html", encoding="utf-8").read()
    for path, who, accept in ((API + "/alerts?limit=50", CM, "*/*"), (API + "/alerts?limit=50", CM, "text/csv"),
                              (API + "/aggregates/monthly?by=provider", CM, "*/*"), ("/api/v1/openapi.yaml", None, "*/*")):
        _, headers, plain = ask("GET", path, who, headers={"Accept": accept})
        tags = {headers["ETag"]}
        check(f"{path} as {accept} is plain when nothing else is asked for", "Content-Encoding" not in headers and
              "Accept-Encoding" in headers["Vary"], headers)
        for name in ("gzip", "deflate"):
            send = {"Accept": accept, "Accept-Encoding": "br, " + name}
            status, headers, packed = ask("GET", path, who, headers=send)
            tags.add(headers["ETag"])
            check(f"{path} as {accept} with {name}", status == 200 and headers.get("Content-Encoding") == name and
                  inflate[name](packed) == plain and len(packed) < len(plain) / 2, (status, headers, len(packed), len(plain)))
            status, again, nothing = ask("GET", path, who, headers={**send, "If-None-Match": headers["ETag"]})
            check("and 304 with its tag", (status, nothing, again["ETag"]) == (304, b"", headers["ETag"]), (status, again))
        check("three forms have three tags", len(tags) == 3, tags)
    status, headers, small = ask("GET", API + "/alerts?limit=1&client=nobody", CM, headers={"Accept-Encoding": "gzip"})
    check("a small answer is not packed", "Content-Encoding" not in headers and json.loads(small)["items"] == [], headers)
    _, headers, content = ask("GET", "/", headers={"Accept-Encoding": "gzip, deflate, br"})
    content = inflate["gzip"](content) if headers.get("Content-Encoding") == "gzip" else content
    check("the page is the page", content.decode() == index)
    _, headers, content = ask("GET", "/assets/words-1a2b3c4d.js", headers={"Accept-Encoding": "gzip"})
    check("a file of the page is packed", headers.get("Content-Encoding") == "gzip" and headers["Vary"] == "Accept-Encoding" and
          inflate["gzip"](content) == open(WORK + "/page/assets/words-1a2b3c4d.js", "rb").read(), headers)
    _, headers, _ = ask("POST", API + "/session", body={"token": CM}, headers={"Accept-Encoding": "gzip"})
    check("a session is not packed", "Content-Encoding" not in headers, headers)
    connection = http.client.HTTPConnection("127.0.0.1", SERVER.port, timeout=30)
    connection.request("GET", API + "/stream", headers={"Authorization": "Bearer " + CM, "Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    check("the stream is not packed", answer.status == 200 and answer.getheader("Content-Encoding") is None, answer.getheaders())
    connection.close()


def test_bad():
    for query in ("limit=0", "limit=1001", "limit=x", "limit=-1", "sort=client", "sort=severity;DROP", "after=x", "after=" + "A" * 3000,
                  "kind=NOPE", "kind=%27%3BDROP", "municipality=036", "municipality=0363%27", "effective_from=2025-13-01",
                  "nope=1", "format=csv&limit=100001", "limit=1&limit=2", "status=", "state=x", "format=xml", "client=%FF", "client=%00"):
        call("GET", API + "/alerts", ADMIN, 400, query="?" + query)
    for text in ("'; DROP TABLE urenwacht_data.token; --", "' OR '1'='1", "$1", "\\", "%", "\u0085", "x" * 250):
        for name in ("client", "decision", "provider", "product", "assignee"):
            status, _, content = ask("GET", API + f"/alerts?{name}=" + urllib.parse.quote(text), ADMIN)
            check(f"{name} is only a text: {text[:20]!r}", status == 200 and json.loads(content)["items"] == [], (status, content[:80]))
    check("the tables are there", int(psql("SELECT count(*) FROM urenwacht_data.token")) >= 5)
    for path in ("/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/assets/..%2f..%2fetc/passwd", "/etc/passwd.", "//x", "/a%00.js",
                 "/assets/../index.html", API, API + "/", API + "/nope", API + "/alerts/x", "/api/v2/alerts"):
        status, _, content = ask("GET", path, ADMIN)
        check("nothing at " + path, status == 404 and b"root:" not in content, (status, content[:80]))
    for path, status in (("/", 200), ("/alerts/1", 200), ("/assets/index-1a2b3c4d.js", 200), ("/assets/none.js", 404)):
        got, headers, _ = ask("GET", path)
        check(f"the page: {path}", got == status and "default-src 'none'" in headers["Content-Security-Policy"], got)
    check("hashed files are kept", "immutable" in ask("GET", "/assets/index-1a2b3c4d.js")[1]["Cache-Control"])
    check("methods", ask("DELETE", API + "/alerts", ADMIN)[0] == 405 and ask("POST", "/", ADMIN, body={})[0] == 405 and
          ask("PATCH", API + "/alerts", ADMIN)[0] == 405)
    check("a huge body is 413", ask("POST", API + "/session", raw=b"x" * 70000, headers={"Content-Type": "application/json"})[0] == 413)
    check("no JSON is 400", ask("POST", API + "/session", raw=b"{", headers={"Content-Type": "application/json"})[0] == 400)
    check("no type is 415", ask("POST", API + "/session", raw=b"{}")[0] == 415)
    check("deep JSON is 400", ask("POST", API + "/session", raw=b"[" * 60000, headers={"Content-Type": "application/json"})[0] == 400)
    flood = socket.create_connection(("127.0.0.1", SERVER.port), timeout=120)
    try:
        flood.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"y" * 100) for i in range(5000)))
        answer = flood.recv(200)
    except TimeoutError:
        answer = b"nothing: 200 "
    except OSError:
        answer = b""
    check("a flood of headers is refused", b" 200 " not in answer and b" 404 " not in answer, answer)


def read_events(answer, limit, deadline):
    events, last, data = [], None, None
    while len(events) < limit and time.monotonic() < deadline:
        line = answer.readline().decode()
        if line == "":
            break
        line = line.rstrip("\n")
        if line.startswith("id: "):
            last = line[4:]
        elif line.startswith("data: "):
            data = json.loads(line[6:])
        elif line == "" and data is not None:
            events.append((data.get("alert_id") or data["anomaly_id"], data["revision"], data["client"]))
            data = None
    return events, last


def test_stream():
    want = int(psql("SELECT (SELECT count(*) FROM urenwacht.alert_revision) + (SELECT count(*) FROM urenwacht.anomaly_revision)"))
    got, last, restarts = [], None, 0
    # As many as are open, however the events fell into batches.
    check("there are enough events for a restart", want > 802, want)
    deadline = time.monotonic() + 300
    while len(got) < want and time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", SERVER.port, timeout=120)
        headers = {"Authorization": "Bearer " + ADMIN}
        if last:
            headers["Last-Event-ID"] = last
        connection.request("GET", API + "/stream" + ("" if last else "?from=beginning"), headers=headers)
        answer = connection.getresponse()
        events, place = read_events(answer, min(want - len(got), 401), deadline)
        got, last = got + events, place or last
        answer.close()
        connection.close()
        if len(got) >= 802 and restarts == 0:
            restarts += 1
            check("it stops in order", SERVER.stop() == 0)
            SERVER.start()
    check("a stream that is resumed has each revision once", len(got) == want and len(set(e[:2] for e in got)) == want,
          (want, len(got), len(set(e[:2] for e in got))))
    seen_paths.add(("get", API + "/stream"))
    newest = {}
    for event in got:
        if event[1] <= newest.get(event[0], 0):
            check("revisions come in order", False, event)
            break
        newest[event[0]] = event[1]
    status, _, content = ask("GET", API + "/stream?last_event_id=!!", ADMIN)
    check("a wrong id is 400", status == 400, status)
    check("anomalies are not for a contract manager", ask("GET", API + "/stream?topics=anomalies", CM)[0] == 403)


class Listening:
    """A stream that a thread reads: its lines, and whether it has ended."""

    def __init__(self, who, query):
        self.lines, self.ended = [], threading.Event()
        self.connection = http.client.HTTPConnection("127.0.0.1", SERVER.port, timeout=120)
        self.connection.request("GET", API + "/stream" + query, headers={"Authorization": "Bearer " + who})
        self.socket = self.connection.sock
        self.answer = self.connection.getresponse()
        self.status = self.answer.status
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        try:
            for line in self.answer:
                self.lines.append(line.decode().rstrip("\n"))
        except (OSError, http.client.HTTPException):
            pass
        self.ended.set()

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the other side was first
        self.thread.join(30)
        self.answer.close()
        self.connection.close()

    def events(self):
        data = [json.loads(line[6:]) for line in list(self.lines) if line.startswith("data: ")]
        return [f"{item.get('alert_id') or item['anomaly_id']} {item['revision']}" for item in data]


def test_stream_rights():
    """What a stream has is what the table has by the same filter, of what its token may see, until that is revoked."""
    brief = token("Kort", "contract-manager", "--municipality", HERE)
    alerts = "SELECT alert_id || ' ' || revision FROM urenwacht.alert_revision WHERE "
    anomalies = "SELECT anomaly_id || ' ' || revision FROM urenwacht.anomaly_revision WHERE "
    # Of test_workflow one is resolved; what else is depends on how the events fell into batches.
    here, provider = f"municipality = '{HERE}'", psql("SELECT min(provider) FROM urenwacht.alert_revision WHERE status = 'RESOLVED'")
    cases = [(brief, "", alerts + here), (brief, f"&municipality={HERE},{THERE}", alerts + here),
             (FRAUD, "&topics=anomalies", anomalies + "true"), (FRAUD, "", alerts + "true UNION ALL " + anomalies + "true"),
             (REGION, "&kind=EVALUATION_DUE,CARE_STALLED&severity=WARNING", alerts + "kind IN ('EVALUATION_DUE', 'CARE_STALLED') AND "
              "severity = 'WARNING'"), (ADMIN, "&topics=alerts&status=RESOLVED&provider=" + provider, alerts +
              f"status = 'RESOLVED' AND provider = '{provider}'")]
    streams = [Listening(who, "?from=beginning" + query) for who, query, _ in cases]
    for stream, (_, query, sql) in zip(streams, cases):
        wanted = sorted(psql(sql).splitlines())
        whole = until(lambda: len(stream.events()) >= len(wanted))
        check(f"the stream with {query!r} has what the table has", whole and sorted(stream.events()) == wanted and wanted,
              (len(stream.events()), len(wanted)))
    none = Listening(CM, "?from=beginning&municipality=" + THERE)
    check("of another municipality there is nothing, whoever asks", none.status == 200 and until(lambda: none.lines) and not none.events())
    number = psql("SELECT id FROM urenwacht_data.token WHERE name = 'Kort'")
    listed = [line for line in lib_serve.run("token", "list").splitlines() if "Kort" in line]
    check("tokens are listed, without their secrets", len(listed) == 1 and number in listed[0].split() and HERE in listed[0] and
          brief not in listed[0], listed)
    lib_serve.run("token", "revoke", number)
    check("revoked, it opens no stream", ask("GET", API + "/stream", brief)[0] == 401)
    check("and those that it had end", until(lambda: streams[0].ended.is_set() and streams[1].ended.is_set()))
    check("the others go on", not any(stream.ended.is_set() for stream in streams[2:]))
    # It took longer than the time after which a silent stream has to say something.
    check("who hears nothing hears that it lives", until(lambda: none.lines.count(":") >= 2), none.lines)
    positions = [line[4:] for line in none.lines if line.startswith("id: ")]
    again = Listening(CM, "?last_event_id=" + positions[-1]) if positions else none
    check("and up to where it was read, from which it goes on", positions and again.status == 200 and until(lambda: again.lines) and
          not again.events(), (positions, again.lines[:3]))
    for stream in (*streams, none, again):
        stream.close()


class Subscriber:
    def __init__(self, number):
        self.number, self.last, self.buffer, self.got, self.socket = number, None, b"", [], None

    def connect(self, selector):
        self.buffer, self.headed, self.pending = b"", False, b""
        self.socket = socket.create_connection(("127.0.0.1", SERVER.port), timeout=120)
        query = "kind=EVALUATION_DUE,SURPLUS_EXHAUSTED" + ("" if self.last else "&from=beginning")
        resume = f"Last-Event-ID: {self.last}\r\n" if self.last else ""
        self.socket.sendall(f"GET {API}/stream?{query} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN}\r\n{resume}\r\n".encode())
        self.socket.setblocking(False)
        selector.register(self.socket, selectors.EVENT_READ, self)

    def feed(self, data):
        """Chunked transfer, then lines of the stream; False when it is over."""
        self.buffer += data
        if not self.headed:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return True
            if b" 200 " not in self.buffer[:20]:
                return False
            self.buffer, self.headed = self.buffer[end + 4:], True
        while True:
            end = self.buffer.find(b"\r\n")
            if end < 0:
                break
            size = int(self.buffer[:end], 16)
            if len(self.buffer) < end + 4 + size:
                break
            if size == 0:
                return False
            self.pending += self.buffer[end + 2:end + 2 + size]
            self.buffer = self.buffer[end + 4 + size:]
        *blocks, self.pending = self.pending.split(b"\n\n")
        for block in blocks:
            event = None
            for line in block.split(b"\n"):
                if line.startswith(b"id: "):
                    event_id = line[4:].decode()
                    self.last = event_id
                elif line.startswith(b"data: "):
                    event = line[6:]
            if event is not None:
                at = event.find(b'"revision": ')
                self.got.append((event[14:50], event[at + 12:at + 15].split(b",")[0]))
        return True


def test_many(subscriber_count):
    """Many at once, with restarts in the middle: each gets each once, in order."""
    want = int(psql("SELECT count(*) FROM urenwacht.alert_revision WHERE kind IN ('EVALUATION_DUE', 'SURPLUS_EXHAUSTED')"))
    # An event takes more than 256 bytes: in a turn of all of them no more than 16 come to each, fewer than there are between
    # the restarts, so that neither can be passed over, however fast the server is.
    check("there are enough events for two restarts", want > 3 * 16 + 1, want)
    selector = selectors.DefaultSelector()
    subscribers = [Subscriber(i) for i in range(subscriber_count)]
    for subscriber in subscribers:
        subscriber.connect(selector)
    restarts, deadline = 0, time.monotonic() + 400
    while sum(len(s.got) for s in subscribers) < want * subscriber_count and time.monotonic() < deadline:
        lost = []
        for key, _ in selector.select(1):
            try:
                data = key.data.socket.recv(4096)
            except OSError:
                data = b""
            if not data or not key.data.feed(data):
                lost.append(key.data)
        for subscriber in lost:
            selector.unregister(subscriber.socket)
            subscriber.socket.close()
            subscriber.connect(selector)
        done = sum(len(s.got) for s in subscribers)
        if restarts < 2 and done > want * subscriber_count * (restarts + 1) // 3:
            restarts += 1
            SERVER.stop(signal.SIGTERM if restarts == 1 else signal.SIGKILL)
            SERVER.start()
    good = sum(len(s.got) == want and len(set(s.got)) == want for s in subscribers)
    check(f"{subscriber_count} subscribers, {want} events each, {restarts} restarts: each gets each once",
          good == subscriber_count and restarts == 2, (good, [len(s.got) for s in subscribers][:5]))
    status = open(f"/proc/{SERVER.process.pid}/status", encoding="utf-8").read()
    peak = int(status.split("VmHWM:")[1].split()[0]) // 1024
    check(f"the server's memory stays bounded ({peak} MiB)", peak < 400 or "asan" in COMMAND, peak)
    for subscriber in subscribers:
        subscriber.socket.close()


def test_slow_client():
    slow.thread.join()
    check("half a request is cut off", slow.answer == b"", slow.answer)


def subscribe(port, count):
    """So many subscribers of the stream, a few at a time, since no more requests wait than the queue has places for: their
    sockets, and the status of each."""
    sockets, statuses = [], []
    while len(sockets) < count:
        some = [socket.create_connection(("127.0.0.1", port), timeout=120) for _ in range(min(100, count - len(sockets)))]
        for one in some:
            one.sendall(f"GET {API}/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADMIN}\r\n\r\n".encode())
        for one in some:
            statuses.append(one.recv(12, socket.MSG_WAITALL)[-3:].decode())
        sockets += some
    return sockets, statuses


def read_until(one, words):
    data = b""
    while words not in data:
        part = one.recv(4000)
        if not part:
            return False
        data += part
    return True


def test_statement_limit():
    server = lib_serve.Program("impatient", lambda port: ["serve", "--port", str(port), "--set", "serve.timeout_ms=500"], ready="/readyz")

    def alerts():
        return lib_serve.ask(server.port, "GET", API + "/alerts?limit=1", ADMIN)
    lock = subprocess.Popen(["psql", "-X", "-q", os.environ["URENWACHT_DSN"]], stdin=subprocess.PIPE, text=True)
    lock.stdin.write("BEGIN; LOCK TABLE urenwacht.alert IN ACCESS EXCLUSIVE MODE;\n")
    lock.stdin.flush()
    answers = []
    told = until(lambda: answers.append(alerts()) or answers[-1][0] == 503)
    check("a statement that waits for too long is 503", told and b'"title": "Not available"' in answers[-1][2], answers[-1])
    lock.stdin.close()
    lock.wait()
    check("and the next one is answered", until(lambda: alerts()[0] == 200))
    check("it stops in order", server.stop() == 0)


def test_subscriber_limit():
    server = lib_serve.Program("popular", lambda port: ["serve", "--port", str(port), "--set", "serve.max_connections=6000", "--set",
                                                        "serve.max_per_address=6000"], ready="/readyz")
    sockets, statuses = subscribe(server.port, 5000)
    check("five thousand subscribe", statuses == ["200"] * 5000, sorted(set(statuses)))
    late, refused = subscribe(server.port, 1)
    check("one more is told so", refused == ["429"] and read_until(late[0], b"there are 5000 subscribers already"), refused)
    sockets.pop().close()
    check("until one has left", until(lambda: late.append(subscribe(server.port, 1)) or late[-1][1] == ["200"]), late[-1])
    for one in sockets:
        one.close()
    check("it stops in order", server.stop() == 0)


test_contract()
test_access()
test_session()
test_orders()
test_workflow()
test_pages()
test_evidence()
test_packing()
test_bad()
test_slow_client()
test_stream()
test_stream_rights()
test_many(int(os.environ.get("UW_SUBSCRIBERS", "100")))
test_statement_limit()
test_subscriber_limit()
# The webhooks have a suite of their own, webhooks.py.
missing = {(method, path) for path, item in SPEC["paths"].items() for method in item
           if method != "parameters" and "/webhooks" not in path} - seen_paths
check("every path of the contract was asked", not missing, missing)
check("it stops in order", SERVER.stop() == 0)
log = SERVER.text()
check("no client and no token is in the log", "c-000" not in log and "uw_" not in log and "Bearer" not in log)
lib_serve.finish()
