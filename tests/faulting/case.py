"""A case: one fault on a database, topics and a group of its own, with events coming in all the while."""
import os
import random
import signal
import subprocess
import threading
import time

import confluent_kafka
import confluent_kafka.admin

import lib_kafka
from faulting import verdict, witness
from faulting.servers import Process, Watcher, sql

# Of what takes a second or two on a machine that does nothing else.
PATIENCE_SECONDS = 120
FEED_PATIENCE_SECONDS = 180
IDLE_PATIENCE_SECONDS = 240
# Kafka's max.poll.interval.ms, and some time to go on.
REBALANCE_PATIENCE_SECONDS = 300 + 30
# Lines of a piece of the stream that are sent when a fault is over.
KEPT_BACK = 20


class Failed(Exception):
    """What a case says when something took another way than it must."""


class Case:
    def __init__(self, suite, name, partitions=3, settings=(), stream=None, dsn=None):
        self.suite, self.servers, self.name = suite, suite.servers, name
        self.stream = stream or suite.stream
        self.random = random.Random(f"{suite.seed}/{name}")
        self.id = f"faults-{suite.run}-{name}"
        self.folder = f"{suite.folder}/{name}"
        self.partitions = partitions
        self.processes, self.injections, self.healings, self.in_flight, self.poison, self.notes = [], [], [], [], [], []
        # At each fault: clients of a long backlog that were not judged yet.
        self.unjudged = []
        self.serial, self.feeder, self.feed_problem = 0, None, None
        # For the command's own check, which judges by the program's rules.
        self.verify_environment = {}
        # Messages that were in the topics and are not to be counted.
        self.skipped = 0
        # A record may come a second time: only when the broker itself forgot to end a transaction.
        self.repeats, self.repeated, self.forgotten_ends = False, 0, set()
        self.admin = None
        self.expected_path, self.as_of = self.stream.expected_path, self.stream.as_of
        self.base_dsn = dsn or self.servers.dsn
        self.dsn = self.base_dsn.rsplit("/", 1)[0] + "/" + self.id
        self.watcher = None
        os.makedirs(self.folder)
        self.configure(settings)

    # ---- the place ----

    def configure(self, settings):
        standard = {
            "kafka.session.timeout.ms": "1500", "kafka.heartbeat.interval.ms": "200",
            "kafka.transaction.timeout.ms": "5000",
            "timeouts.kafka_ms": "8000", "timeouts.database_ms": "6000",
            "retry.max_ms": "500", "batch.max_events": "25", "batch.linger_ms": "5",
            "group.id": self.id, "topics.partitions": str(self.partitions),
        }
        for kind in lib_kafka.INPUTS + lib_kafka.OUTPUTS:
            standard[f"topics.{kind}"] = f"{self.id}.{kind}"
        standard.update(settings)
        standard.update(self.suite.settings)
        if standard.get("kafka.group.protocol") == "consumer":
            # The broker decides about these.
            for name in ("kafka.session.timeout.ms", "kafka.heartbeat.interval.ms"):
                del standard[name]
        self.settings = standard

    def environment(self, **more):
        config = f"{self.suite.folder}/empty.yaml"
        return {**os.environ, "URENWACHT_CONFIG": config, "URENWACHT_DSN": self.dsn,
                "UW_TOPICS": self.id, "UW_GROUP": self.id, **self.suite.library, **more}

    def open(self):
        self.servers.admin(f'CREATE DATABASE "{self.id}" OWNER urenwacht')
        os.environ.update(UW_TOPICS=self.id, UW_GROUP=self.id, URENWACHT_DSN=self.dsn)
        self.must("migrate")
        self.must("topics", "--create")
        witness.install(self)
        self.watcher = Watcher(self.dsn)

    def close(self, keep=False):
        self.suite.stopping = True
        for process in self.processes:
            if process.running():
                process.send(signal.SIGCONT)
                process.end()
        if self.feeder is not None:
            self.feeder.join(15)
        self.suite.stopping = False
        if self.watcher is not None:
            self.watcher.close()
        if keep:
            return
        try:
            self.servers.admin(f'DROP DATABASE IF EXISTS "{self.id}" WITH (FORCE)')
            client = self.admin_client()
            for future in client.delete_topics([f"{self.id}.{kind}" for kind in lib_kafka.INPUTS + lib_kafka.OUTPUTS],
                                               operation_timeout=10).values():
                try:
                    future.result(15)
                except confluent_kafka.KafkaException:
                    pass
        except (RuntimeError, subprocess.TimeoutExpired):
            pass

    def admin_client(self):
        # Kept: futures end with their client.
        if self.admin is None:
            self.admin = confluent_kafka.admin.AdminClient(lib_kafka.settings())
        return self.admin

    def sql(self, text):
        rows = sql(self.dsn, text)
        if rows is None:
            raise Failed(f"no answer to: {text}")
        return rows

    # ---- processes ----

    def words(self, *words):
        settings = [word for name, value in self.settings.items() for word in ("--set", f"{name}={value}")]
        return [self.suite.command, *words, *settings]

    def start(self, *words, name=None, environment=None, **settings):
        self.serial += 1
        log = f"{self.folder}/{self.serial:03d}-{name or words[0]}.log"
        line = self.words(*words) + [w for k, v in settings.items() for w in ("--set", f"{k.replace('__', '.')}={v}")]
        # The name in the database tells processes apart, also those that share an instance's name.
        told_apart = {"PGAPPNAME": f"{name or words[0]}-{self.serial}"}
        process = Process(line, log, self.environment(**told_apart, **(environment or {})))
        self.processes.append(process)
        return process

    def must(self, *words, patience=PATIENCE_SECONDS):
        process = self.start(*words)
        status = process.wait(patience)
        if status != 0:
            raise Failed(f"urenwacht {words[0]} ended with {status}: {last_line(process.says())}")
        return process

    def processor(self, *words, name="process", environment=None, **settings):
        return self.start("process", "--as-of", self.as_of, *words, name=name, environment=environment, **settings)

    # ---- events ----

    def feed_lines(self, lines, rate=None):
        """Sends the lines; again and again where a broker is away, which only makes redeliveries."""
        until = time.monotonic() + FEED_PATIENCE_SECONDS
        self.serial += 1
        path = f"{self.folder}/{self.serial:03d}-piece.jsonl"
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(lines)
        paced = ["--rate", str(rate)] if rate else []
        while time.monotonic() < until and not self.suite.stopping:
            process = self.start("feed", *paced, path, name="feed")
            while process.running() and time.monotonic() < until and not self.suite.stopping:
                time.sleep(0.05)
            if process.end() == 0:
                return
            paced = []
            time.sleep(0.3)
        self.feed_problem = "the feed did not get through"

    def feed(self, seconds=None, lines=None):
        """Sends the stream in the background, so that it takes about so long."""
        lines = self.stream.lines if lines is None else lines
        rate = max(1, int(len(lines) / seconds)) if seconds else None
        self.feeder = threading.Thread(target=self.feed_lines, args=(lines, rate), daemon=True)
        self.feeder.start()

    def feeding(self):
        return self.feeder is not None and self.feeder.is_alive()

    def feed_end(self):
        self.feeder.join(FEED_PATIENCE_SECONDS + 5)
        if self.feed_problem or self.feeder.is_alive():
            raise Failed(self.feed_problem or "the feed does not end")

    def ends(self, patience=PATIENCE_SECONDS):
        """The end of each partition of the input topics; raises KafkaException when the broker does not answer."""
        client = confluent_kafka.Consumer(lib_kafka.settings(**{"group.id": "reader"}))
        try:
            places = [(f"{self.id}.{kind}", p) for kind in lib_kafka.INPUTS for p in range(self.partitions)]
            return {place: client.get_watermark_offsets(confluent_kafka.TopicPartition(*place), patience)[1]
                    for place in places}
        finally:
            client.close()

    def sent(self):
        """Messages in the input topics, or None when the broker does not answer soon."""
        try:
            return sum(self.ends(5.0).values())
        except confluent_kafka.KafkaException:
            return None

    def count_unjudged(self):
        """Clients whose facts are stored and that wait to be judged for the first time; 0 without an answer."""
        rows = sql(self.dsn, "SELECT count(*) FROM urenwacht_data.client_known WHERE rules_version = 0", 5)
        return int(rows[0]) if rows else 0

    # ---- faults ----

    def pause(self, least, most):
        time.sleep(self.random.uniform(least, most))

    def inject(self, flying=True):
        """Notes that a fault comes now; returns the moment."""
        if flying:
            sent = self.sent()
            if sent is not None:
                self.in_flight.append(max(0, sent - self.watcher.applied))
            self.unjudged.append(self.count_unjudged())
        self.injections.append(time.monotonic())
        return self.injections[-1]

    def heal(self):
        """Notes that what was taken away is there again."""
        self.healings.append(time.monotonic())

    def look_at_broker(self):
        """Notes what the broker did not end; its log holds two runs, so after each start."""
        self.forgotten_ends |= self.servers.forgotten_ends(self.id)

    def wait_until(self, what, condition, patience=PATIENCE_SECONDS):
        began = time.monotonic()
        while not condition():
            if time.monotonic() > began + patience:
                if patience >= REBALANCE_PATIENCE_SECONDS or not self.servers.forgets_members():
                    raise Failed(f"{what}: not within {patience} s")
                patience = REBALANCE_PATIENCE_SECONDS
                self.notes.append("the broker lost its timers of groups when it started: a member that is gone may be"
                                  " waited for until the rebalance times out, 300 s")
            time.sleep(0.05)

    def wait_applied(self):
        """Everything that was sent has been applied."""
        self.wait_until("all events applied", lambda: self.watcher.applied == self.sent())

    def wait_progress(self):
        """More is applied than now, or all there is: a machine may be through with a stream before it is looked at."""
        before = self.watcher.applied
        self.wait_until("more events applied", lambda: self.watcher.applied > before or
                        not self.feeding() and self.watcher.applied == self.sent())

    def await_fault_point(self, process, what, more=()):
        """The process kills itself there. Where it has done all there is without coming to that point, some more lines come,
        and when those are sent, one comes again and again: a redelivery, which is applied, and whose position is
        published. Returns the lines that were not needed."""
        until, more = time.monotonic() + PATIENCE_SECONDS, list(more)
        while process.running() and time.monotonic() < until:
            if not self.feeding() and self.watcher.applied == self.sent():
                self.feed_lines(more[:KEPT_BACK] or self.stream.lines[:1])
                more = more[KEPT_BACK:]
            time.sleep(0.5)
        status = process.end()
        if f"fault point {what}" not in process.says():
            raise Failed(f"{what} was not reached: ended with {status}: {last_line(process.says())}")
        return more

    # ---- the end ----

    def stop(self, process, patience=30):
        """SIGTERM, after which it has five seconds, where it is given the processor."""
        status = process.end(signal.SIGTERM, patience)
        if status != 0:
            raise Failed(f"SIGTERM ended with {status}: {last_line(process.says())}")

    def settle(self, *words, environment=None, **settings):
        """A processor takes what is left, and ends when there is nothing more."""
        settings = {"batch__max_events": "500", **settings}
        process = self.processor("--until-idle", *words, name="last", environment=environment, **settings)
        rebalancing = REBALANCE_PATIENCE_SECONDS if self.servers.forgets_members() else 0
        status = process.wait(IDLE_PATIENCE_SECONDS + rebalancing)
        if status != 0:
            raise Failed(f"the last processor ended with {status}: {last_line(process.says())}")
        return process

    def judge(self):
        self.look_at_broker()
        if self.forgotten_ends:
            self.repeats = True
            self.notes.append(f"the broker left transactions without their end {len(self.forgotten_ends)} times:"
                              " their records may come twice, with the same bytes")
        judged = verdict.judge(self)
        if self.repeated:
            self.notes.append(f"{self.repeated} alerts and anomalies came twice with the same bytes")
        searches = sum(process.says().count("looking for them in their topics") for process in self.processes)
        if searches:
            self.notes.append(f"Kafka's offsets did not say what is published {searches} times: found in the topics")
        return judged


def last_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"
