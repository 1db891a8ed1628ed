#!/usr/bin/env python3
"""Events in two encodings for the suite of dead letters, and a look at what was replayed.

usage: dead_letters.py send EVENTS.jsonl SCHEMA_ID
       dead_letters.py replays

`send` writes the accepted events of a set to the topics of the running case: declarations in the wire format of a
schema registry, under an id and with a schema whose fields stand in another order; the others in single-object
encoding. Prints the number of all and of those in the wire format. The schema is printed by `dead_letters.py schema`.

`replays` looks at every record with the header urenwacht.replay-of: it has the key, the value and the headers of the
record that it names, and lies in the same partition behind it. Prints how many there are and of how many records.
"""
import collections
import copy
import json
import os
import pathlib
import sys
import zlib

import confluent_kafka

import lib_kafka

SOURCE = pathlib.Path(os.environ["UW_SOURCE"])
sys.path[:0] = [str(SOURCE / "tests" / "oracle"), str(SOURCE / "tests" / "schemas")]
import make_golden  # noqa: E402
import oracle  # noqa: E402

HEADER = "urenwacht.replay-of"
ERRORS = "__streams.errors."


def foreign_schema():
    schema = copy.deepcopy(lib_kafka.schema_file("declaration"))
    schema["fields"].reverse()
    return schema


def send(path, schema_id):
    schemas = {topic: lib_kafka.schema_file(name) for topic, name in make_golden.TOPICS.items()}
    foreign = foreign_schema()
    producer = confluent_kafka.Producer(lib_kafka.settings(**{"enable.idempotence": True, "linger.ms": 5}))
    known = producer.list_topics(timeout=lib_kafka.PATIENCE_SECONDS).topics
    counts = {topic: len(known[lib_kafka.topic_name(topic)].partitions) for topic in schemas}
    with open(path, encoding="utf-8", newline="\n") as lines:
        accepted, _ = oracle.read_events(lines)
    unknown = 0
    for topic, value in accepted:
        datum = make_golden.datum(value)
        if topic == "declarations":
            data = lib_kafka.encode_confluent(schema_id, foreign, datum)
            unknown += 1
        else:
            data = lib_kafka.encode(schemas[topic], datum)
        key = value["client"].encode()
        # Few have very many headers, which must not keep the others from being replayed.
        producer.produce(lib_kafka.topic_name(topic), data, key, zlib.crc32(key) % counts[topic],
                         headers=[("trace", str(unknown).encode()), ("nothing", None)] * (700 if unknown == 7 else 1))
    producer.flush()
    print(len(accepted), unknown)


def replays():
    records = lib_kafka.read_all([lib_kafka.topic_name(kind) for kind in lib_kafka.INPUTS])
    by_place = {(m.topic(), m.partition(), m.offset()): m for m in records}
    origins, problems = collections.Counter(), 0
    for record in records:
        headers = record.headers() or []
        named = [value.decode() for name, value in headers if name == HEADER]
        if not named:
            continue
        topic, partition, offset = named[-1].rsplit("/", 2)
        place = (topic, int(partition), int(offset))
        origins[place] += 1
        origin = by_place[place]
        kept = [(name, value) for name, value in origin.headers() or []
                if not name.startswith(ERRORS) and name != HEADER]
        if (record.key(), record.value(), headers[:-1]) != (origin.key(), origin.value(), kept) or len(named) != 1 or \
                (record.topic(), record.partition()) != place[:2] or record.offset() <= place[2]:
            problems += 1
            print(f"{record.topic()}/{record.partition()}/{record.offset()} is not what {named} was")
    print(sum(origins.values()), len(origins))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    if sys.argv[1] == "send":
        send(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1] == "schema":
        print(json.dumps({"schema": json.dumps(foreign_schema())}))
    else:
        replays()
