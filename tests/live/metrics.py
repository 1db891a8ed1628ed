"""What `urenwacht process` and `urenwacht serve` tell Prometheus and containers about themselves, held against the
database; and whether the rules and the dashboard of deploy/ use nothing else."""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import confluent_kafka
from grafana_foundation_sdk.cog import encoder, plugins
from grafana_foundation_sdk.models import dashboard as model

import lib_serve
from lib_serve import check, finish, psql

COMMAND, SOURCE, DSN = os.environ["UW_COMMAND"], os.environ["UW_SOURCE"], os.environ["URENWACHT_DSN"]
WORK = sys.argv[1]


class Program(lib_serve.Program):
    def __init__(self, name, says, *arguments):
        super().__init__(name, lambda _: arguments, says)

    def ask(self, path, method="GET"):
        status, _, content = lib_serve.exchange(self.port, method, path)
        return status, content.decode()

    def figures(self):
        """All figures by name and labels; every line has to be one that Prometheus reads, under a HELP and a TYPE."""
        found, typed = {}, {}
        for line in self.ask("/metrics")[1].splitlines():
            if line.startswith("# TYPE "):
                name, kind = line[7:].split(" ")
                if name in typed:
                    check("a name is told once", False, name)
                typed[name] = kind
            elif not line.startswith("# HELP "):
                match = re.fullmatch(r'([a-z_]+)(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? (-?[0-9.e+]+)', line)
                base = re.sub(r"_(bucket|sum|count)$", "", match.group(1)) if match else None
                if not match or not (match.group(1) in typed or typed.get(base) == "histogram"):
                    check("every line is a figure", False, line)
                    continue
                found[match.group(1) + (match.group(2) or "")] = float(match.group(4))
        return found

    def until(self, what, holds, seconds=300):
        deadline = time.monotonic() + seconds
        figures = self.figures()
        while not holds(figures) and time.monotonic() < deadline:
            time.sleep(0.1)
            figures = self.figures()
        check(what, holds(figures), {k: v for k, v in figures.items() if "bucket" not in k and "revisions" not in k})
        return figures

    def until_ready(self, what, status, words, seconds=180):
        deadline = time.monotonic() + seconds
        got = self.ask("/readyz")
        while (got[0] != status or words not in got[1]) and time.monotonic() < deadline:
            time.sleep(0.02)
            got = self.ask("/readyz")
        check(what, got[0] == status and words in got[1], got)


def processor(name, *arguments):
    return Program(name, "figures on", "process", "--as-of", "2026-01-15", "--metrics-listen", "127.0.0.1:0",
                   *arguments)


P = "urenwacht_processor_"


def total(figures, name, **labels):
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    return sum(v for k, v in figures.items() if re.match(re.escape(P + name) + r"(\{|$)", k) and
               all(label in k for label in wanted))


def produce_junk(count):
    producer = confluent_kafka.Producer({"bootstrap.servers": os.environ["URENWACHT_KAFKA_BOOTSTRAP_SERVERS"]})
    for number in range(count):
        producer.produce("urenwacht.declarations", key=f"c-{number}", value=b"\x00junk")
    producer.flush(120)


def test_waiting():
    away = processor("away", "--brokers", "127.0.0.1:1", "--set", "timeouts.kafka_ms=500")
    away.until_ready("not ready while Kafka is away, and why", 503, "waiting to try again")
    check("but alive", away.ask("/healthz") == (200, "alive\n"), away.ask("/healthz"))
    check("its figures are there all the same", away.figures()[P + "ready"] == 0)
    check("it stops", away.stop() == 0)
    for address in ("127.0.0.1", "localhost:8481"):
        status = subprocess.run([COMMAND, "process", "--metrics-listen", address], capture_output=True, timeout=60)
        check(f"'{address}' is refused", status.returncode == 2 and b"with a port" in status.stderr, status.stderr)


def test_processor():
    began = time.time()
    subprocess.run([COMMAND, "simulate", "--clients", "150", "--from", "2025-01-01", "--until", "2025-12-31", "--seed",
                    "3"], check=True, capture_output=True)
    produce_junk(7)
    one = processor("one", "--set", "batch.max_events=1000")
    # Half a request for as long as it works: the main loop does not know of it.
    half = socket.create_connection(("127.0.0.1", one.port))
    half.sendall(b"GET /metrics HTTP/1.1\r\nX")
    one.until_ready("ready when it has its partitions", 200, "ready")
    figures = one.until("the lag is gone", lambda f: total(f, "lag_events") == 0 and total(f, "lag_seconds") == 0 and
                        total(f, "events_total") > 1000 and total(f, "clients_due") == 0 and
                        total(f, "events_total") == int(psql("SELECT sum(events + refused) FROM urenwacht_data.partition_state")) and
                        # A batch is published while the next one is applied.
                        total(f, "records_published_total") == int(psql("SELECT sum(next_sequence - 1) FROM urenwacht_data.partition_state"))
                        and total(f, "commits_total", target="kafka") > 0)
    half.close()
    check("all partitions are its own", figures[P + "partitions_owned"] == figures[P + "partitions"] == 12)
    check("refused events are the dead letters", total(figures, "events_total", outcome="refused") ==
          total(figures, "dead_letters_total") == total(figures, "records_published_total", topic="dead-letters") == 7)
    check("redeliveries are told apart", total(figures, "events_total", outcome="redelivered") > 0)
    for kind in ("alert", "anomaly"):
        rows = psql(f"SELECT kind || ' ' || lower(status) || ' ' || count(*) FROM urenwacht.{kind}_revision GROUP BY kind, status")
        stored = {tuple(row.split()[:2]): int(row.split()[2]) for row in rows.splitlines()}
        told = {key: total(figures, f"{kind}_revisions_total", kind=key[0], status=key[1]) for key in stored}
        check(f"revisions of {kind}s by kind and status are the table's", told == stored and
              sum(stored.values()) == total(figures, f"{kind}_revisions_total"), (told, stored))
    published = total(figures, "records_published_total")
    stored = int(psql("SELECT sum(next_sequence - 1) FROM urenwacht_data.partition_state"))
    check("records published are those decided", published == stored, (published, stored))
    batches = total(figures, "batch_duration_seconds_count")
    check("batches and commits", batches > 3 and total(figures, "commits_total", target="postgresql") >= batches and
          # Of a backlog most batches have stored facts only, and publish nothing.
          total(figures, "commits_total", target="kafka") > 0 and
          total(figures, "commits_total") == total(figures, "commit_duration_seconds_count"), batches)
    times = [v for k, v in figures.items() if k.startswith(P + "last_commit_timestamp_seconds")]
    check("the last commits were since it started", len(times) == 2 and all(began - 1 < at < time.time() + 1 for at in times), times)
    held = {name: total(figures, "cache_" + name) for name in ("clients", "facts", "bytes", "max_bytes")}
    loaded = total(figures, "cache_lookups_total", result="miss")
    # How often a client is found depends on how its events fall into batches, which is a matter of time.
    check("the cache", held["clients"] == 150 and held["facts"] > 1000 and 0 < held["bytes"] < held["max_bytes"] and
          loaded >= 150 and any(k.startswith(P + "cache_lookups_total") and "hit" in k for k in figures), (held, loaded))
    check("versions", any(k.startswith("urenwacht_build_info{version=") and "librdkafka=" in k for k in figures))
    check("the process", figures["process_resident_memory_bytes"] > 1e6 and figures["process_cpu_seconds_total"] > 0 and
          began - 60 < figures["process_start_time_seconds"] < time.time() + 60, figures["process_start_time_seconds"])
    check("nothing else is answered", one.ask("/")[0] == 404 and one.ask("/metrics", "POST")[0] == 405 and
          one.ask("/api/v1/alerts")[0] == 404 and one.ask("/metrics", "HEAD") == (200, ""))
    check("no client is named", "c-0" not in one.ask("/metrics")[1])
    test_stuck(one)
    return one


def test_stuck(one):
    """A table cannot be written: the batch is tried again and again, and what comes meanwhile waits."""
    one.stop()
    again = processor("again", "--set", "timeouts.database_ms=1000", "--set", "batch.max_events=20", "--set",
                      "retry.max_ms=200")
    again.until_ready("ready after a restart", 200, "ready")
    lock = subprocess.Popen(["psql", "-X", "-q", DSN], stdin=subprocess.PIPE, text=True)
    lock.stdin.write("BEGIN; LOCK TABLE urenwacht_data.client IN SHARE MODE;\n")
    lock.stdin.flush()
    subprocess.run([COMMAND, "simulate", "--clients", "40", "--from", "2025-01-01", "--until", "2025-12-31", "--seed",
                    "4"], check=True, capture_output=True)
    again.until_ready("not ready while its commits fail", 503, "waiting to try again")
    again.until("what waits is counted, and how old it is", lambda f: total(f, "lag_events") > 100 and
                max(f[k] for k in f if k.startswith(P + "lag_seconds")) > 1 and
                total(f, "commit_failures_total", target="postgresql") > 0)
    check("alive all the while", again.ask("/healthz")[0] == 200)
    lock.stdin.write("COMMIT;\n")
    lock.stdin.close()
    lock.wait(60)
    again.until_ready("ready again", 200, "ready")
    again.until("and nothing waits any more", lambda f: total(f, "lag_events") == 0 and total(f, "clients_due") == 0)
    check("it stops in order", again.stop() == 0)


def test_members():
    """Of two instances and one partition one has nothing, and is ready all the same."""
    extra = ["--set", "group.id=metrics-two", "--set", "kafka.session.timeout.ms=3000"]
    for topic in ("decisions", "declarations", "no-shows", "evaluations", "alerts", "anomalies", "dead-letters"):
        extra += ["--set", f"topics.{topic}=metrics.{topic}"]
    database = DSN.rsplit("/", 1)[0] + "/metrics_two"
    subprocess.run(["psql", "-X", "-q", os.environ["URENWACHT_ADMIN_DSN"], "-c", "DROP DATABASE IF EXISTS metrics_two",
                    "-c", "CREATE DATABASE metrics_two OWNER urenwacht"], check=True)
    extra += ["--dsn", database]
    subprocess.run([COMMAND, "migrate", *extra], check=True, capture_output=True)
    subprocess.run([COMMAND, "topics", "--create", *extra, "--set", "topics.partitions=1"], check=True, capture_output=True)
    both = [processor("first", *extra), processor("second", *extra)]
    for each in both:
        each.until_ready("a member is ready with or without a partition", 200, "ready")
    deadline = time.monotonic() + 180
    owned = []
    while sorted(owned) != [0, 1] and time.monotonic() < deadline:
        owned = [each.figures()[P + "partitions_owned"] for each in both]
        time.sleep(0.1)
    check("one has the partition, the other none", sorted(owned) == [0, 1], owned)
    check("both are ready", lib_serve.until(lambda: [each.ask("/readyz")[0] for each in both] == [200, 200]))
    for each in both:
        each.process.send_signal(signal.SIGTERM)
    check("both stop", [each.process.wait(120) for each in both] == [0, 0])


def test_serve():
    serve = Program("serve", "serving on", "serve", "--port", "0")
    serve.until_ready("serve is ready", 200, "")
    figures = serve.figures()
    for kind in ("alert", "anomaly"):
        rows = psql(f"SELECT kind || ' ' || count(*) FROM urenwacht.{kind} WHERE status = 'OPEN' GROUP BY kind")
        name = "urenwacht_open_" + ("alerts" if kind == "alert" else "anomalies")
        stored = {f'{name}{{kind="{row.split()[0]}"}}': int(row.split()[1]) for row in rows.splitlines()}
        check(f"open {kind}s by kind", stored == {k: v for k, v in figures.items() if k.startswith(name)}, stored)
    check("dead letters", figures["urenwacht_dead_letters"] == 7)
    check("nobody waits to be judged", figures["urenwacht_clients_due"] == 0)
    check("the stream's last event came since this began",
          BEGAN - 1 < figures["urenwacht_stream_last_event_timestamp_seconds"] < time.time() + 1)
    return serve


def test_health_script(one, serve):
    """The container's health check, as it is run in the container but for the port."""
    script = SOURCE + "/deploy/container/healthcheck"
    for name, program, path in (("process", one, "/healthz"), ("serve", serve, "/healthz")):
        ran = subprocess.run(["bash", script, str(program.port)], timeout=60)
        check(f"the container's check finds {name} healthy", ran.returncode == 0, (path, ran.returncode))
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        ran = subprocess.run(["bash", script, str(unused.getsockname()[1])], timeout=60, capture_output=True)
    check("and nobody unhealthy", ran.returncode == 1, ran.returncode)


def names_in(text):
    return set(re.findall(r"\b(?:urenwacht|process)_[a-z_]+", text))


def test_names(one, serve):
    """Whatever the rules and the dashboard ask for is told by somebody."""
    told = {re.sub(r"\{.*", "", key) for program in (one, serve) for key in program.figures()}
    for place in ("prometheus/rules.yaml", "grafana/urenwacht.json", "prometheus/rules.test.yaml"):
        asked = names_in(open(f"{SOURCE}/deploy/{place}", encoding="utf-8").read())
        check(f"every figure of {place} exists", asked and not asked - told, sorted(asked - told))
    documented = names_in(open(f"{SOURCE}/docs/metrics.md", encoding="utf-8").read())
    bases = {re.sub(r"_(bucket|sum|count)$", "", n) if re.sub(r"_(bucket|sum|count)$", "", n) + "_bucket" in told else n
             for n in told}
    check("docs/metrics.md has every figure and no other", documented == bases, sorted(documented ^ bases))


def lost_in(asked, kept, path=""):
    """What of a JSON document is not in another one, or otherwise."""
    if isinstance(asked, dict) and isinstance(kept, dict):
        return [what for key in asked for what in (lost_in(asked[key], kept[key], f"{path}.{key}") if key in kept else [path + "." + key])]
    if isinstance(asked, list) and isinstance(kept, list) and len(asked) == len(kept):
        return [what for i, (a, k) in enumerate(zip(asked, kept)) for what in lost_in(a, k, f"{path}[{i}]")]
    return [] if asked == kept else [path]


def test_dashboard():
    """Grafana's own model of a dashboard takes every field of ours; what it does not know it would leave out."""
    plugins.register_default_plugins()
    dashboard = json.load(open(SOURCE + "/deploy/grafana/urenwacht.json", encoding="utf-8"))
    kept = json.loads(encoder.JSONEncoder().encode(model.Dashboard.from_json(dashboard)))
    check("Grafana knows every field of the dashboard", not lost_in(dashboard, kept), lost_in(dashboard, kept))
    spoiled = json.loads(json.dumps(dashboard))
    spoiled["panels"][0]["fieldConfig"]["defaults"]["unnit"] = "s"
    kept = json.loads(encoder.JSONEncoder().encode(model.Dashboard.from_json(spoiled)))
    check("and would tell one that it does not know", lost_in(spoiled, kept) == [".panels[0].fieldConfig.defaults.unnit"], lost_in(spoiled, kept))
    panels = dashboard["panels"]
    places = [(x, y) for p in panels for x in range(p["gridPos"]["x"], p["gridPos"]["x"] + p["gridPos"]["w"])
              for y in range(p["gridPos"]["y"], p["gridPos"]["y"] + p["gridPos"]["h"])]
    check("no panel lies on another, or beside the 24 columns", len(places) == len(set(places)) and max(x for x, _ in places) < 24)
    check("panels are told apart by their number", len({p["id"] for p in panels}) == len(panels))


def test_prometheus(one, serve):
    """A real Prometheus scrapes both with deploy's own files, and every expression of the dashboard gives figures."""
    if shutil.which("prometheus") is None or shutil.which("promtool") is None:
        check("Prometheus is installed", False)
        return
    deploy = SOURCE + "/deploy/prometheus"
    for what, arguments in (("rules are right", ["check", "rules", deploy + "/rules.yaml"]),
                            ("rules fire when they should", ["test", "rules", deploy + "/rules.test.yaml"])):
        ran = subprocess.run(["promtool", *arguments], capture_output=True, text=True)
        check("promtool: " + what, ran.returncode == 0, ran.stdout + ran.stderr)
    for name, program in (("process", one), ("serve", serve)):
        ran = subprocess.run(["promtool", "check", "metrics"], input=program.ask("/metrics")[1], capture_output=True,
                             text=True)
        check(f"promtool finds nothing wrong with the figures of {name}", ran.returncode == 0, ran.stdout + ran.stderr)
    scrape = open(deploy + "/scrape.yaml", encoding="utf-8").read().replace("127.0.0.1:8480", f"127.0.0.1:{serve.port}")
    scrape = scrape.replace("127.0.0.1:8481", f"127.0.0.1:{one.port}")
    with open(WORK + "/prometheus.yml", "w", encoding="utf-8") as file:
        file.write(f"global: {{scrape_interval: 2s, evaluation_interval: 1s}}\nrule_files: [{deploy}/rules.yaml]\n" + scrape)
    for _ in range(5):
        server, port = start_prometheus()
        try:
            if server is not None:
                look(port)
                return
        finally:
            if server is not None:
                server.terminate()
                server.wait(60)
    check("Prometheus starts", False, open(WORK + "/prometheus.log", encoding="utf-8").read())


def start_prometheus():
    """On a port that was free; without a process where somebody else took it meanwhile."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with open(WORK + "/prometheus.log", "wb") as log:
        server = subprocess.Popen(["prometheus", "--config.file", WORK + "/prometheus.yml", "--storage.tsdb.path",
                                   WORK + "/tsdb", "--web.listen-address", f"127.0.0.1:{port}"], stderr=log)
    deadline = time.monotonic() + 180
    while server.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/-/ready")
            answer = connection.getresponse()
            if answer.status == 200 and b"Prometheus" in answer.read():
                return server, port
        except (OSError, http.client.HTTPException):
            pass
    server.kill()
    server.wait(60)
    return None, None


def look(port):
    def query(path):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/api/v1/" + path)
        return json.loads(connection.getresponse().read())["data"]

    def ask(expression):
        from urllib.parse import quote
        return query("query?query=" + quote(expression))["result"]
    deadline = time.monotonic() + 180
    up = []
    while len(up) < 2 and time.monotonic() < deadline:
        time.sleep(0.3)
        try:
            up = ask("count_over_time(up[1m]) >= 4 and up == 1")
        except (OSError, KeyError, ValueError):
            pass
    check("Prometheus scrapes both", len(up) == 2, up)
    rules = [rule for group in query("rules")["groups"] for rule in group["rules"]]
    bad = [rule["name"] for rule in rules if rule["health"] == "err"]
    check(f"Prometheus evaluates {len(rules)} rules", len(rules) > 8 and not bad, bad)
    firing = [rule["name"] for rule in rules if rule["state"] == "firing"]
    check("nothing fires that need not", set(firing) <= {"UrenwachtDayNotJudged"}, firing)
    dashboard = json.load(open(SOURCE + "/deploy/grafana/urenwacht.json", encoding="utf-8"))
    wanted = [(panel["title"], target["expr"].replace("$__rate_interval", "15s").replace("$__interval", "15s"))
              for panel in dashboard["panels"] for target in panel.get("targets", [])]
    # A busy machine misses a scrape now and then, and then there is no figure until the next.
    deadline = time.monotonic() + 180
    empty = [each for each in wanted if not ask(each[1])]
    while empty and time.monotonic() < deadline:
        time.sleep(0.3)
        empty = [each for each in empty if not ask(each[1])]
    check("every expression of the dashboard gives figures", wanted and not empty, empty)


BEGAN = time.time()
test_waiting()
test_processor()
ONE = processor("last")
ONE.until_ready("ready", 200, "ready")
ONE.until("and has nothing to do", lambda f: total(f, "lag_events") == 0 and total(f, "clients_due") == 0)
SERVE = test_serve()
test_health_script(ONE, SERVE)
test_names(ONE, SERVE)
test_dashboard()
test_prometheus(ONE, SERVE)
check("both stop", ONE.stop() == 0 and SERVE.stop() == 0)
test_members()
finish()
