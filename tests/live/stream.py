"""The live stream of `urenwacht serve`: each subscriber gets each event once and in order, whatever happens between."""
import base64
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import confluent_kafka
import confluent_kafka.admin

from lib_serve import Program, check, finish, psql, run, token, until

COMMAND = os.environ["UW_COMMAND"]
BROKERS = os.environ["URENWACHT_KAFKA_BOOTSTRAP_SERVERS"]
SUBSCRIBERS = os.environ["UW_BUILD"] + "/tests/subscribers"
WORK = sys.argv[1]
READERS, ABOUT = (int(number) for number in os.environ.get("UW_STREAM", "200x5000").split("x"))
FULL = READERS * ABOUT > 1000000
# A client's history that comes in one batch gives two events and a half, one that comes in many some ten. So it comes in
# parts, each after the one before has been processed: then there are enough events however the rest falls into batches.
CLIENTS = ABOUT // 14 + 60
PARTS = 10
BATCH = str(max(200, CLIENTS // 5))
# Who does not read, what serve may keep in memory, what it may take in all, and how long everything may last.
SLOW, RING, MEMORY_MIB, SECONDS = (20, "128MiB", 500, 3000) if FULL else (5, "16MiB", 150, 900)


def serve(name, *settings):
    """At the same port over its restarts."""
    return Program(name, lambda port: ["serve", "--port", str(port), *settings], ready="/readyz")


class Readers:
    def __init__(self, server, readers, slow, about, seconds):
        self.process = subprocess.Popen([SUBSCRIBERS, str(server.port), TOKEN, str(readers), str(slow), str(about),
                                         str(seconds), "?from=beginning"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.at, self.events, self.summary = 0, set(), []
        self.thread = threading.Thread(target=self.listen)
        self.thread.start()

    def listen(self):
        for line in self.process.stdout:
            words = line.split()
            if words[0] == "at":
                self.at = int(words[1])
            elif words[0] == "event":
                self.events.add((words[1], int(words[2])))
            else:
                self.summary.append(line.strip())

    def finish(self, wanted):
        self.process.stdin.write(f"{wanted}\n")
        self.process.stdin.flush()

    def wait(self):
        status = self.process.wait()
        self.thread.join()
        return status


def revisions():
    rows = psql("SELECT alert_id || ' ' || revision FROM urenwacht.alert_revision UNION ALL "
                "SELECT anomaly_id || ' ' || revision FROM urenwacht.anomaly_revision")
    return {(row.split()[0], int(row.split()[1])) for row in rows.splitlines()}


def start_processor():
    log = WORK + "/process.log"
    processor = subprocess.Popen([COMMAND, "process", "--as-of", "2026-01-15", "--set", "batch.max_events=" + BATCH],
                                 stderr=open(log, "wb"))
    check("the processor has its partitions", until(lambda: "assigned" in open(log, encoding="utf-8").read()))
    return processor


def applied():
    return int(psql("SELECT coalesce(sum(next_offset), 0) FROM urenwacht.progress"))


def history():
    """The events of the clients, in files of one part each."""
    whole = WORK + "/history.jsonl"
    run("simulate", "--clients", str(CLIENTS), "--from", "2025-01-01", "--until", "2025-12-31", "--seed", "5", "--output", whole)
    with open(whole, encoding="utf-8") as file:
        lines = file.readlines()
    size = -(-len(lines) // PARTS)
    names = [f"{WORK}/history-{number}.jsonl" for number in range(PARTS)]
    for number, name in enumerate(names):
        with open(name, "w", encoding="utf-8") as file:
            file.writelines(lines[number * size:(number + 1) * size])
    return names


def waiting():
    """What the topics of events hold; nothing in them is anything else."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": BROKERS, "group.id": "nobody"})
    ends = 0
    for topic in psql("SELECT DISTINCT topic FROM urenwacht.progress").splitlines():
        for partition in consumer.list_topics(topic, 120).topics[topic].partitions:
            ends += consumer.get_watermark_offsets(confluent_kafka.TopicPartition(topic, partition), 120)[1]
    consumer.close()
    return ends


def test_many():
    processor = start_processor()
    server = serve("many", "--set", "serve.stream_bytes=" + RING)
    # It tells of every ten events.
    readers = Readers(server, READERS, SLOW, 100, SECONDS)
    check("all subscribe", until(lambda: server.figure("urenwacht_stream_subscribers") == READERS + SLOW))
    parts = history()
    began = time.monotonic()
    for number, part in enumerate(parts):
        before = readers.at
        run("feed", part)
        if number in (PARTS // 5, PARTS * 3 // 5):
            # In the middle of this part, or at its end where the processor is quicker than this program.
            check(f"of part {number + 1} something has been delivered", until(lambda: readers.at > before or not readers.thread.is_alive()))
            server.stop(signal.SIGTERM if number == PARTS // 5 else signal.SIGKILL)
            server.start()
        check(f"part {number + 1} is processed", until(lambda: applied() == waiting() and
              server.figure("urenwacht_clients_due") == 0, SECONDS))
    processed = time.monotonic() - began
    processor.terminate()
    check("the processor ends in order", processor.wait(SECONDS) == 0)
    wanted = revisions()
    readers.finish(len(wanted))
    status = readers.wait()
    for line in readers.summary:
        print("  " + line)
    print(f"  serve: at most {server.memory()} MiB resident, with {RING} for events; processing took {processed:.1f} s")
    check(f"{READERS} subscribers, {len(wanted)} events, 2 restarts: each gets each once, in order", status == 0, readers.summary)
    check("and they are those of the database", readers.events == wanted, (len(readers.events), len(wanted)))
    check(f"the server's memory is bounded ({server.peak} MiB)", server.peak <= MEMORY_MIB, server.peak)
    check("it stops in order", server.stop() == 0)
    return wanted


class Stream:
    """One subscriber, read event by event."""

    def __init__(self, server, last=None, query=""):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        headers = {"Authorization": "Bearer " + TOKEN}
        if last:
            headers["Last-Event-ID"] = last
        self.connection.request("GET", "/api/v1/stream" + query, headers=headers)
        self.answer = self.connection.getresponse()
        self.status, self.bytes = self.answer.status, 0

    def next(self):
        """The next event: its kind, its data, its id."""
        kind = data = identity = None
        while True:
            line = self.answer.readline().decode()
            self.bytes += len(line)
            if line == "":
                return None, None, None
            line = line.rstrip("\n")
            if line.startswith("event: "):
                kind = line[7:]
            elif line.startswith("id: "):
                identity = line[4:]
            elif line.startswith("data: "):
                data = json.loads(line[6:])
            elif line == "" and data is not None:
                return kind, data, identity

    def take(self, count):
        events, ids = [], []
        while len(events) < count:
            kind, data, identity = self.next()
            if kind is None or kind == "gap":
                return events, ids, kind
            events.append((data.get("alert_id") or data["anomaly_id"], data["revision"]))
            ids.append(identity)
        return events, ids, None

    def close(self):
        self.answer.close()
        self.connection.close()


def test_from_kafka(server, wanted):
    """Memory holds a part: what came before is read from Kafka, and the rest follows without a seam."""
    kept = server.figure("urenwacht_stream_kept_events")
    check("memory holds a part of the events", 0 < kept < len(wanted) * 2 / 3, (kept, len(wanted)))
    stream = Stream(server, query="?from=beginning")
    events, ids, ended = stream.take(len(wanted))
    stream.close()
    check("from the beginning each comes once", ended is None and len(events) == len(set(events)) and set(events) == wanted,
          (len(events), len(set(events)), len(wanted), ended))
    caught = server.figure("urenwacht_stream_caught_up_total")
    check("it was read from Kafka", caught >= 1, caught)
    for part in (10, 3, 1.2):
        place = int(len(events) / part)
        stream = Stream(server, last=ids[place - 1])
        rest, _, ended = stream.take(len(wanted) - place)
        stream.close()
        check(f"from event {place} on the rest comes once", ended is None and set(rest) == set(events[place:]) and
              len(rest) == len(set(rest)), (len(rest), len(events) - place, ended))
    return events, ids


def test_slow(server, wanted):
    """Who reads nothing is overtaken by the end of memory and cut off, and the others do not notice."""
    before = server.figure("urenwacht_stream_dropped_total")
    readers = Readers(server, 3, 4, len(wanted), SECONDS)
    # Everything is sent to the slow ones too, until their buffers are full; new events then push the ring on.
    check("all subscribe", until(lambda: server.figure("urenwacht_stream_subscribers") >= 7))
    run("simulate", "--clients", "900", "--from", "2025-01-01", "--until", "2025-12-31", "--seed", "6")
    run("process", "--until-idle", "--as-of", "2026-01-15", "--set", "batch.max_events=200")
    more = revisions()
    # Ten seconds after they last took all that was read for them; they stay until then, as the readers do.
    check("slow readers are cut off", until(lambda: server.figure("urenwacht_stream_dropped_total") - before >= 4),
          server.figure("urenwacht_stream_dropped_total") - before)
    readers.finish(len(more))
    status = readers.wait()
    check("the readers have all", status == 0 and readers.events == more, readers.summary)
    check("and are let go", until(lambda: server.figure("urenwacht_stream_subscribers") <= 3),
          server.figure("urenwacht_stream_subscribers"))


class Trickle:
    """A subscriber from the beginning who reads, but slowly."""

    def __init__(self, server):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        self.socket.settimeout(120)
        self.socket.connect(("127.0.0.1", server.port))
        self.socket.sendall(f"GET /api/v1/stream?from=beginning HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
        self.bytes = 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.listen)
        self.thread.start()

    def listen(self):
        try:
            while not self.stopping.wait(0.2):
                taken = len(self.socket.recv(4096))
                self.bytes += taken
                if taken == 0:
                    return
        except OSError:
            pass

    def close(self):
        self.stopping.set()
        self.thread.join()
        self.socket.close()


def beside_slow_readers(server, place, events, ids):
    """Whether, while six read slowly from Kafka, another one gets all from `place` on before any of them has half of it or
    is cut off."""
    before = server.figure("urenwacht_stream_dropped_total")
    slow = [Trickle(server) for _ in range(6)]
    check("slow readers are served", until(lambda: all(reader.bytes > 20000 for reader in slow)), [reader.bytes for reader in slow])
    stream = Stream(server, last=ids[place])
    rest, _, ended = stream.take(len(events) - place - 1)
    stream.close()
    cut = server.figure("urenwacht_stream_dropped_total") - before
    most = max(reader.bytes for reader in slow)
    for reader in slow:
        reader.close()
    check("another one gets everything", ended is None and set(rest) == set(events[place + 1:]) and len(rest) == len(set(rest)),
          (len(rest), len(events) - place - 1, ended))
    check("and they are let go", until(lambda: server.figure("urenwacht_stream_subscribers") == 0),
          server.figure("urenwacht_stream_subscribers"))
    print(f"  of {stream.bytes} bytes a slow reader has at most {most}, {cut:.0f} were cut off")
    return cut == 0 and most < stream.bytes / 2


def test_trickle(server, events, ids):
    """Who reads slowly what is read again from Kafka delays nobody else who needs that too. On a machine that stands still
    for ten seconds slow readers are cut off meanwhile, which would prove nothing: then it is tried again."""
    check("nobody waits for slow readers", any(beside_slow_readers(server, place, events, ids) for place in (10, 20, 30)))


def test_gap(server, ids):
    """Retention deletes what a subscriber has not seen: it is told, and goes on with what is there."""
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": BROKERS})
    consumer = confluent_kafka.Consumer({"bootstrap.servers": BROKERS, "group.id": "gap", "isolation.level": "read_committed",
                                         "enable.partition.eof": True})
    partitions = consumer.list_topics("urenwacht.alerts", timeout=120).topics["urenwacht.alerts"].partitions
    cut = []
    for number in partitions:
        low, high = consumer.get_watermark_offsets(confluent_kafka.TopicPartition("urenwacht.alerts", number), timeout=120)
        cut.append(confluent_kafka.TopicPartition("urenwacht.alerts", number, low + (high - low) // 2))
    for future in admin.delete_records(cut).values():
        future.result(timeout=120)
    left = set()
    consumer.assign([confluent_kafka.TopicPartition("urenwacht.alerts", p.partition, p.offset) for p in cut])
    ended, deadline = 0, time.monotonic() + 180
    while ended < len(cut) and time.monotonic() < deadline:
        message = consumer.poll(1)
        if message is None:
            continue
        if message.error():
            ended += 1
        else:
            headers = dict(message.headers())
            left.add((headers["id"].decode(), int(headers["revision"])))
    consumer.close()
    anomalies = {tuple(row.split()) for row in psql("SELECT anomaly_id || ' ' || revision FROM urenwacht.anomaly_revision").splitlines()}
    left |= {(identity, int(revision)) for identity, revision in anomalies}
    server.stop()
    server.start()
    old = ids[20]
    stream = Stream(server, last=old)
    kind, _, _ = stream.next()
    check("who is behind retention is told of the gap first", kind == "gap", kind)
    seen, seen_ids, ended = stream.take(len(left) - 25)
    stream.close()
    check("and goes on with what is left", ended is None and set(seen) <= left and len(seen) == len(set(seen)), (len(seen), len(left)))
    stream = Stream(server, last=seen_ids[-1])
    rest, _, ended = stream.take(1)
    stream.close()
    check("from then on there is no gap", ended is None and rest[0] in left and rest[0] not in seen, (ended, rest))
    stream = Stream(server, query="?from=beginning")
    all_left, _, ended = stream.take(len(left))
    stream.close()
    check("from the beginning is from what is left, without a gap", ended is None and set(all_left) == left,
          (len(all_left), len(left), ended))


def test_made_anew(server):
    """Ids of topics that were longer than these ones, as after they were made anew."""
    left = int(server.figure("urenwacht_stream_kept_events"))
    number = bytearray()
    for value in [12, 12] + [10**9] * 24:
        while value >= 0x80:
            number.append(value & 0x7f | 0x80)
            value >>= 7
        number.append(value)
    stream = Stream(server, last=base64.urlsafe_b64encode(bytes(number)).decode().rstrip("="))
    kind, _, _ = stream.next()
    events, _, ended = stream.take(left)
    stream.close()
    check("who has seen more than there is is told of the gap, and gets what there is", kind == "gap" and ended is None and
          len(set(events)) == left, (kind, ended, len(events)))


TOKEN = token("Stroom", "admin")
WANTED = test_many()
if not FULL:
    SERVER = serve("few", "--set", "serve.stream_bytes=1MiB")
    EVENTS, IDS = test_from_kafka(SERVER, WANTED)
    test_trickle(SERVER, EVENTS, IDS)
    test_slow(SERVER, WANTED)
    test_gap(SERVER, IDS)
    test_made_anew(SERVER)
    check("it stops in order", SERVER.stop() == 0)
finish()
