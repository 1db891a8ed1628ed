#!/usr/bin/env python3
"""Does a broker that was killed forget to end transactions? (docs/faults.md, "The broker itself can forget")

usage: URENWACHT_LOCAL=FOLDER [UW_KAFKA_VERSION=4.1.2] tests/tools/forgotten_ends.py kill|pause [TURNS]

Takes the broker of that stack of deploy/local. In each turn some transactions are left open in many partitions and
others are committed all the time. kill: the broker is killed by kill -9, the time of what is open passes, and it is
started again. pause: it is stopped by SIGSTOP for longer than its own session with the controller, and goes on. It has
to abort the ones and to end the others, in all partitions or in none. Then each producer's successor commits one more
transaction, and what a read_committed consumer sees of all is compared with what must be. Prints a line a turn; exit 1
when anything differed.
"""
import collections
import os
import random
import signal
import sys
import threading
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path[:0] = [f"{SOURCE}/tests", f"{SOURCE}/tests/live"]
sys.dont_write_bytecode = True

import confluent_kafka  # noqa: E402
import confluent_kafka.admin  # noqa: E402

import lib_kafka  # noqa: E402
from faulting.servers import Servers  # noqa: E402

IDLE, BUSY, PARTITIONS = 4, 6, 12
TIMEOUT_MS = 2000
# Longer than broker.session.timeout.ms in deploy/local.
PAUSE_SECONDS = 10
# The broker reads its logs, and looks for transactions whose time is over every second.
END_SECONDS = 20
LAST = -1


def admin_client():
    return confluent_kafka.admin.AdminClient(lib_kafka.settings(log_level=0))


def begin(name):
    made = confluent_kafka.Producer(lib_kafka.settings(**{
        "transactional.id": name, "transaction.timeout.ms": TIMEOUT_MS, "linger.ms": 0, "log_level": 0}))
    made.init_transactions(60)
    return made


def produce(producer, topic, name, serial):
    producer.begin_transaction()
    for partition in range(PARTITIONS):
        producer.produce(topic, f"{name}/{serial}".encode(), partition=partition)
    producer.flush(20)


class Busy(threading.Thread):
    """Commits one transaction after another until the broker is gone."""

    def __init__(self, topic, name):
        super().__init__(daemon=True)
        self.topic, self.name, self.serial, self.done, self.stopping = topic, name, 0, 0, False
        self.producer = begin(name)
        self.start()

    def run(self):
        try:
            while not self.stopping:
                self.serial += 1
                produce(self.producer, self.topic, self.name, self.serial)
                self.producer.commit_transaction(10)
                self.done = self.serial
        except confluent_kafka.KafkaException:
            pass


def open_partitions(topic):
    """Partitions whose committed end stands before their end; all while the broker does not answer."""
    want = {confluent_kafka.TopicPartition(topic, p): confluent_kafka.admin.OffsetSpec.latest()
            for p in range(PARTITIONS)}
    admin = admin_client()
    try:
        ends = [[future.result(20).offset for future in
                 admin.list_offsets(want, isolation_level=level, request_timeout=20).values()]
                for level in (confluent_kafka.IsolationLevel.READ_COMMITTED,
                              confluent_kafka.IsolationLevel.READ_UNCOMMITTED)]
    except confluent_kafka.KafkaException:
        return PARTITIONS
    return sum(a != b for a, b in zip(*ends))


def kill(servers):
    servers.local("kill-kafka")
    time.sleep(TIMEOUT_MS / 1000)
    servers.patiently("start-kafka")


def pause(servers):
    broker = servers.pids()["kafka"]
    os.kill(broker, signal.SIGSTOP)
    time.sleep(PAUSE_SECONDS)
    os.kill(broker, signal.SIGCONT)
    time.sleep(1)


def outage(servers, way, topic, idle, busy):
    """Returns how many partitions have a transaction that the broker does not end after it."""
    for name in idle:
        produce(begin(name), topic, name, 1)
    workers = [Busy(topic, name) for name in busy]
    time.sleep(random.uniform(0.3, 0.6))
    way(servers)
    for worker in workers:
        worker.stopping = True
    until = time.monotonic() + END_SECONDS
    while (still := open_partitions(topic)) and time.monotonic() < until:
        time.sleep(0.2)
    for worker in workers:
        worker.join(30)
    return still, {worker.name: (worker.done, worker.serial) for worker in workers}


def turn(servers, way, topic):
    # Kept: futures end with their client.
    admin = admin_client()
    for future in admin.create_topics([confluent_kafka.admin.NewTopic(topic, PARTITIONS, 1)]).values():
        future.result(20)
    idle = [f"{topic}-idle-{i}" for i in range(IDLE)]
    busy = [f"{topic}-busy-{i}" for i in range(BUSY)]
    still, known = outage(servers, way, topic, idle, busy)
    for name in idle + busy:
        successor = begin(name)
        produce(successor, topic, name, LAST)
        successor.commit_transaction(60)
    seen = collections.Counter(message.value().decode() for message in lib_kafka.read_all([topic]))
    back = sum(seen[f"{name}/1"] for name in idle)
    lost = sum(PARTITIONS - seen[f"{name}/{serial}"] for name in busy
               for serial in [*range(1, known[name][0] + 1), LAST])
    torn = sum(0 < seen[f"{name}/{serial}"] < PARTITIONS for name in busy
               for serial in range(known[name][0] + 1, known[name][1] + 1))
    return still, back, lost, torn


def main():
    servers = Servers(SOURCE, os.environ["URENWACHT_LOCAL"], own=False)
    servers.up()
    way = {"kill": kill, "pause": pause}[sys.argv[1]]
    turns = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    total = [0, 0, 0, 0]
    for number in range(1, turns + 1):
        counts = turn(servers, way, f"ends-{os.getpid()}-{number}")
        total = [a + b for a, b in zip(total, counts)]
        print(f"{number}: {counts[0]} of {PARTITIONS} partitions with a transaction without its end; of aborted records"
              f" {counts[1]} seen, of committed ones {counts[2]} lost, {counts[3]} transactions torn", flush=True)
    print(f"{turns} times: {total[0]} partitions, {total[1]} seen, {total[2]} lost, {total[3]} torn")
    return 1 if any(total) else 0


if __name__ == "__main__":
    sys.exit(main())
