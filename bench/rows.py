"""What is measured. Every function measures once and returns what it found; bench/run repeats and compares."""
import datetime
import json
import os
import re
import subprocess
import time

from stack import CHECKOUT, INPUTS, Failure, Process, say

LATENCY_AS_OF = "2026-12-31"
CACHE_BYTES = 128 << 20

# The order in which the processor writes them, facts first.
FACTS = ["decision_fact", "declaration_fact", "no_show_fact", "evaluation_fact"]
OUTCOMES = ["account_state", "alert_state", "alert_history", "anomaly_state", "anomaly_history", "aggregate_key",
            "aggregate_sum", "client"]

# What must be the same whatever the batches and instances were: revisions and the figures in a payload are those
# of the moment, and need not be.
STATE = [
    ("account", "SELECT * FROM urenwacht.account"),
    ("alert", "SELECT alert_id, kind, severity, client, municipality, decision, provider, segment_from, period_from,"
              " threshold, effective_on FROM urenwacht.alert WHERE status = 'OPEN'"),
    ("anomaly", "SELECT anomaly_id, kind, client, municipality, decision, provider, subject FROM urenwacht.anomaly"
                " WHERE status = 'OPEN'"),
    ("weekly", "SELECT * FROM urenwacht.weekly"),
    ("monthly", "SELECT * FROM urenwacht.monthly"),
]

LAST_LINE = re.compile(r"(\d+) events \((\d+) redelivered, (\d+) refused\) in (\d+) batches, (\d+) records published, "
                       r"(\d+\.\d+) s")


def last_json(process):
    for line in reversed(process.text().splitlines()):
        found = re.search(r"\{.*\}", line)  # Maven may have coloured what stands before it
        if found:
            return json.loads(found.group(0))
    raise Failure(f"{process.log} holds no JSON")


# ---- without servers ----

def core_fold(stack, sizes):
    return last_json(stack.part("fold", sizes["clients"], sizes["declarations"], sizes["seed"]))


def core_batch(stack, sizes):
    return last_json(stack.part("core", sizes["clients"], sizes["declarations"], 20000, sizes["seed"]))


def decode(stack, sizes):
    text = stack.part("decode", 1 if sizes["short"] else 2).text()
    rates = {name.strip(): float(rate) for name, rate in re.findall(r"^(.*?)\s+(\d+) /s$", text, re.M)}
    return {"events_per_s": rates["declarations decoded, our schema"],
            "other_schema_events_per_s": rates["declarations decoded, another's schema"]}


# ---- with servers ----

def processor(stack, prefix, group, dsn, *more, name="process"):
    arguments = [stack.command, "process", "--as-of", stack.last_days.get(prefix, LATENCY_AS_OF), "--set",
                 f"group.id={group}", "--set", f"cache.max_bytes={CACHE_BYTES}", *stack.topics(prefix), *more]
    return stack.spawn(name, arguments, dsn)


def end_to_end(stack, prefix, events, instances=1, workers=1, keep=False):
    """From the first poll of the first processor to the end of the last, everything committed and published."""
    database = stack.make_database()
    dsn = stack.dsn_of(database)
    stack.settle()
    before = stack.servers_cpu()
    processes = [processor(stack, prefix, database, dsn, "--until-idle", "--workers", str(workers),
                           name=f"{database}-{i + 1}") for i in range(instances)]
    figures = {"workers": workers, "events": 0, "records": 0, "batches": 0, "seconds": 0.0, "processor_cpu_s": 0.0,
               "rss_bytes": 0}
    for process in processes:
        if process.wait() != 0:
            raise Failure(f"{process.log}: a processor ended with {process.status}")
    after = stack.servers_cpu()
    for process in processes:
        found = LAST_LINE.findall(process.text())
        if not found:
            raise Failure(f"{process.log} has no last line")
        figures["events"] += int(found[-1][0])
        figures["batches"] += int(found[-1][3])
        figures["records"] += int(found[-1][4])
        figures["seconds"] = max(figures["seconds"], float(found[-1][5]))
        figures["processor_cpu_s"] += process.cpu_s
        figures["rss_bytes"] = max(figures["rss_bytes"], process.rss_bytes)
        figures["peak_bytes"] = max(figures.get("peak_bytes", 0), process.peak_bytes)
    if figures["events"] != events:
        raise Failure(f"{figures['events']} events were applied, {events} are in the topics")
    figures["postgres_cpu_s"] = after["postgres"] - before["postgres"]
    figures["kafka_cpu_s"] = after["kafka"] - before["kafka"]
    figures["events_per_s"] = events / figures["seconds"]
    figures["database"] = database
    if not keep:
        stack.drop_database(database)
    return figures


def copy_out(stack, database, folder):
    os.makedirs(folder, exist_ok=True)
    dsn = stack.dsn_of(database)
    for table in FACTS + OUTCOMES:
        stack.sql(dsn, f"\\copy urenwacht_data.{table} TO '{folder}/{table}' (FORMAT binary)")


def copy_limit(stack, folder, events):
    """The same rows into tables with the same indexes, as fast as PostgreSQL takes them from one connection."""
    database = stack.make_database()
    stack.settle()
    before, started = stack.servers_cpu(), time.monotonic()
    stack.sql(stack.dsn_of(database),
              *[f"\\copy urenwacht_data.{table} FROM '{folder}/{table}' (FORMAT binary)" for table in FACTS + OUTCOMES])
    seconds = time.monotonic() - started
    cpu = stack.servers_cpu()["postgres"] - before["postgres"]
    rows = int(stack.sql(stack.dsn_of(database), "SELECT " + " + ".join(
        f"(SELECT count(*) FROM urenwacht_data.{table})" for table in FACTS + OUTCOMES)))
    stack.drop_database(database)
    return {"events": events, "rows": rows, "seconds": seconds, "postgres_cpu_s": cpu, "events_per_s": events / seconds}


def consume(stack, prefix):
    return last_json(stack.part("consume", stack.brokers, *[f"{prefix}.{name}" for name in INPUTS]))


def peer(stack, prefix, folder):
    """The Kafka Streams program on the same topic of declarations, a thread for each core; it measures itself from its first
    record."""
    environment = dict(stack.environment, PEER_BUILD=os.path.join(CHECKOUT, ".local", "peer"))
    process = Process([os.path.join(folder, "run"), stack.brokers, f"{prefix}.declarations",
                       os.path.join(CHECKOUT, "schemas", "declaration.avsc"), "10", str(os.cpu_count())], environment,
                      os.path.join(stack.logs, "peer.log"))
    stack.running.append(process)
    if process.wait() != 0:
        raise Failure(f"the peer failed, see {process.log}")
    return last_json(process)


def state_of(stack, database):
    """A digest of every view, its rows in any one order."""
    return {name: stack.sql(stack.dsn_of(database),
                            f"SELECT count(*) || ' ' || coalesce(md5(string_agg(row, E'\\n' ORDER BY row)), '')"
                            f" FROM (SELECT t::text COLLATE \"C\" AS row FROM ({query}) t) r")
            for name, query in STATE}


def latency(stack, seconds, rate, warm_up_s=10):
    """From produce to the alert that it causes, seen by a consumer of committed records."""
    database = stack.make_database()
    prefix = f"{database}-latency"
    stack.urenwacht(f"{prefix}-topics", "topics", "--create", "--partitions", "12", *stack.topics(prefix))
    process = processor(stack, prefix, database, stack.dsn_of(database), name=prefix)
    try:
        return last_json(stack.part("latency", stack.brokers, prefix, rate, seconds, warm_up_s))
    finally:
        process.kill()
        stack.drop_database(database)


def offsets(stack, database):
    return int(stack.sql(stack.dsn_of(database), "SELECT coalesce(sum(next_offset), 0) FROM urenwacht.progress"))


def restart(stack, prefix, database):
    """A processor that had everything is killed; one more event comes; how long until a new one has applied it."""
    dsn = stack.dsn_of(database)
    # The group waits for a member that is gone until its session ends, but not for one that has a lasting name.
    lasting = ["--set", "group.static_membership=true"]
    first = processor(stack, prefix, database, dsn, *lasting, name="restart-before")
    until = time.monotonic() + 120
    while "assigned" not in first.text():
        if first.child.poll() is not None or time.monotonic() > until:
            raise Failure(f"{first.log}: no partitions")
        time.sleep(0.05)
    time.sleep(1)
    first.kill()
    before = offsets(stack, database)
    extra = os.path.join(stack.logs, "restart.jsonl")
    with open(extra, "w", encoding="ascii") as file:
        recorded_at = datetime.datetime.fromisoformat(stack.last_days[prefix] + "T12:00:00+00:00")
        file.write(json.dumps({"topic": "evaluations", "value": {
            "event_id": "00000000-0000-4000-8000-000000000001", "recorded_at": int(recorded_at.timestamp() * 1000),
            "municipality": "0000", "client": "bench-restart", "decision": "none", "held_on": stack.last_days[prefix],
            "outcome": "CONTINUE"}}) + "\n")
    stack.urenwacht("restart-feed", "feed", *stack.topics(prefix), extra)
    started = time.monotonic()
    second = processor(stack, prefix, database, dsn, *lasting, name="restart-after")
    while offsets(stack, database) == before:
        if second.child.poll() is not None or time.monotonic() > started + 120:
            raise Failure(f"{second.log}: the event is not applied")
        time.sleep(0.02)
    seconds = time.monotonic() - started
    second.kill()
    return {"seconds": seconds}


def peer_folder():
    folder = os.path.join(os.path.dirname(CHECKOUT), "shared", "peers", "kafka-streams")
    if not os.path.isfile(os.path.join(folder, "run")):
        say("the Kafka Streams peer is not in ../shared/peers/kafka-streams; its row is left out")
        return None
    return folder


def revision():
    done = subprocess.run(["git", "-C", CHECKOUT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
                          check=False)
    return done.stdout.strip()
