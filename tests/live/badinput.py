#!/usr/bin/env python3
"""Bad messages among good ones: sends them with exact bytes, and checks what became of them.

usage: badinput.py send PLAN EXPECTED.json EVENTS.jsonl AS_OF [--registry DIR]
       badinput.py check PLAN

`send` writes to the topics of the running case: the events of the set, encoded by another implementation of Avro;
between them, in an order that depends on nothing but a seed, everything that must be refused; and what only looks odd
and must be accepted. It leaves the state that must come of the good ones in EXPECTED.json (of the oracle), and in PLAN
where each bad one lies, its bytes and the reason that must be given. With --registry the values are those of
make_golden.py, each with its writer's schema, in the wire format of a schema registry; the schemas are left in DIR
for lib_registry.py.

`check` holds the dead letters against PLAN: each bad message is there exactly once, with its bytes, its key, its
headers and behind them what is wrong and where it was read; and nothing else is.
"""
import argparse
import base64
import collections
import datetime
import io
import json
import os
import pathlib
import random
import sys

import confluent_kafka
import fastavro

import lib_kafka

SOURCE = pathlib.Path(os.environ["UW_SOURCE"])
sys.path[:0] = [str(SOURCE / "tests" / "oracle"), str(SOURCE / "tests" / "schemas")]
import make_golden  # noqa: E402
import oracle  # noqa: E402

SCHEMAS = {topic: lib_kafka.schema_file(name) for topic, name in make_golden.TOPICS.items()}
ERRORS = "__streams.errors."


class Message:
    """What is sent; `reason` is None where it must be accepted as `event`, the (topic, value) of the oracle."""

    def __init__(self, name, topic, key, value, headers=(), reason=None, event=None):
        self.name, self.topic, self.key, self.value = name, topic, key, value
        self.headers, self.reason, self.event = list(headers), reason, event
        self.place = None


def encoded(topic, value):
    return lib_kafka.encode(SCHEMAS[topic], make_golden.datum(value))


def good(topic, value, name="good", headers=()):
    return Message(name, topic, value["client"].encode(), encoded(topic, value), headers, None, (topic, value))


def read_back(topic, data):
    """The event that a value stands for, as a line of JSON has it."""
    record = lib_kafka.decode(SCHEMAS[topic], data)
    out = {}
    for name, item in record.items():
        if isinstance(item, datetime.datetime):
            item = round((item - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) / datetime.timedelta(
                milliseconds=1))
        elif isinstance(item, datetime.date):
            item = item.isoformat()
        elif name == "event_id":
            item = str(item)
        out[name] = item
    return out


# ---- what is sent --------------------------------------------------------------------------------------------

def set_messages(path):
    """The accepted events of a set."""
    with open(path, encoding="utf-8", newline="\n") as lines:
        accepted, _ = oracle.read_events(lines)
    return [good(topic, value) for topic, value in accepted]


def rule_messages():
    """The verdicts of tests/data/acceptance.jsonl, as far as the schema can carry the value at all."""
    messages = []
    for number, line in enumerate((SOURCE / "tests/data/acceptance.jsonl").read_text(encoding="utf-8").splitlines(), 1):
        case = json.loads(line)
        topic, value = case["topic"], case["value"]
        if set(value) != {field["name"] for field in SCHEMAS[topic]["fields"]}:
            continue  # the schema has no place for more or less
        try:
            data = encoded(topic, value)
            carried = read_back(topic, data)
        except Exception:  # fastavro has many ways to say that a value does not fit
            continue
        # As text, since True would equal 1. Other terms would not have been written.
        if any(json.dumps(carried[name]) != json.dumps(value[name]) for name in value if name != "terms"):
            continue
        key = str(case.get("key", value["client"])).encode("utf-8", "surrogatepass")
        reason = None if case["accepted"] else "RULE" if "key" not in case else "WRONG_KEY"
        messages.append(Message(f"acceptance.jsonl:{number}", topic, key, data, (), reason, (topic, value)))
    return messages


def framing_messages():
    value = dict(make_golden.DECLARATION, client="framing")
    data = encoded("declarations", value)

    def bad(name, data, reason, key=b"framing", topic="declarations", headers=()):
        return Message(name, topic, key, data, headers, reason)

    messages = [
        bad("tombstone", None, "EMPTY_VALUE"),
        bad("empty", b"", "EMPTY_VALUE"),
        bad("one byte", b"\xc3", "TRUNCATED"),
        bad("text", b'{"client": "framing"}', "NOT_AVRO"),
        bad("other second byte", b"\xc3\x02" + data[2:], "NOT_AVRO"),
        bad("unknown fingerprint", data[:2] + bytes(8) + data[10:], "UNKNOWN_SCHEMA"),
        bad("trailing byte", data + b"\x00", "TRAILING_BYTES"),
        bad("twice", data + data, "TRAILING_BYTES"),
        bad("wire format without a registry", b"\x00\x00\x00\x00\x01" + data[10:], "NOT_AVRO"),
        bad("another topic's record", encoded("declarations", value), "WRONG_SCHEMA", topic="evaluations"),
        bad("an alert", b"\xc3\x01" + lib_kafka.fingerprint(lib_kafka.schema_file("alert")) + data[10:], "WRONG_SCHEMA"),
        bad("a MiB of nothing", bytes(random.Random(1).randbytes(1 << 20)), "TOO_LARGE"),
        bad("a MiB behind a value", data + bytes(1 << 20), "TOO_LARGE"),
        bad("another key", data, "WRONG_KEY", key=b"framing2"),
        bad("another case of the key", data, "WRONG_KEY", key=b"Framing"),
        bad("a longer key", data, "WRONG_KEY", key=b"framing\x00"),
        bad("no key", data, "WRONG_KEY", key=None),
        bad("empty key", data, "WRONG_KEY", key=b""),
        bad("key that is no text", data, "WRONG_KEY", key=b"\xff\xfe\x00framing"),
        bad("headers", b"\xc3\x01", "TRUNCATED", headers=[
            ("trace", b"\x00\xff\x80"), ("trace", b"second"), ("nothing", None), ("empty", b""),
            ("naïef", "é".encode()), (ERRORS + "exception", b"from an earlier time"), ("x" * 300, b"y" * 5000)]),
    ]
    for length in sorted({2, 9, 10, 11, len(data) - 1} | set(range(12, len(data), 9))):
        messages.append(bad(f"cut after {length}", data[:length], "TRUNCATED"))
    for name in ("huge-length", "negative-length", "number", "large"):
        broken = (SOURCE / f"tests/data/avro/broken-{name}.bin").read_bytes()
        messages.append(bad(f"broken-{name}.bin", broken, None))
    messages.append(good("declarations", value, "odd headers on a good one", [("a", None), ("a", b"\xff")]))
    return messages


def golden():
    made = make_golden.Golden()
    for part in (make_golden.plain, make_golden.resolved, make_golden.unions, make_golden.enums_and_names,
                 make_golden.rules):
        part(made)
    return made


def registry_messages(folder):
    """The cases of make_golden.py, reframed; the number of a schema is its place in the list."""
    made = golden()
    ids = {}
    folder.mkdir(parents=True, exist_ok=True)
    for number, schema in enumerate(made.schemas, 1):
        ids[bytes.fromhex(schema["fingerprint"])[::-1]] = number
        text = made.files[schema["file"]].decode()
        (folder / f"{number}.json").write_text(json.dumps({"schema": text}))
    for number, schema in enumerate(SCHEMAS.values(), len(made.schemas) + 1):
        ids[lib_kafka.fingerprint(schema)] = number
        (folder / f"{number}.json").write_text(json.dumps({"schema": json.dumps(schema)}))
    messages = []
    for case in made.cases:
        data, topic = made.files[case["bytes"]], case["topic"]
        event = json.loads(case["line"])["value"] if "line" in case else None
        client = (event or make_golden.HEAD)["client"].encode()
        number = ids.get(data[2:10])
        framed = b"\x00" + (number or 9999).to_bytes(4, "big") + data[10:]
        messages.append(Message(case["name"], topic, client, framed, (), case.get("refused"), (topic, event)))
        # The same in the other encoding: only the newest schemas are known by their fingerprint.
        known = data[2:10] in {lib_kafka.fingerprint(s) for s in SCHEMAS.values()}
        reason = case.get("refused") if known else "UNKNOWN_SCHEMA"
        messages.append(Message(case["name"] + ", single object", topic, client, data, (), reason, (topic, event)))
    return messages


# ---- sending and checking ------------------------------------------------------------------------------------

def send_all(messages):
    producer = confluent_kafka.Producer(lib_kafka.settings(**{
        "enable.idempotence": True, "partitioner": "murmur2_random", "message.max.bytes": 4000000, "linger.ms": 5,
        "max.in.flight.requests.per.connection": 1}))
    for message in messages:
        def delivered(error, report, message=message):
            if error is not None:
                raise confluent_kafka.KafkaException(error)
            message.place = (report.topic(), report.partition(), report.offset())
        producer.produce(lib_kafka.topic_name(message.topic), message.value, message.key,
                         headers=message.headers or None, on_delivery=delivered)
        producer.poll(0)
    if producer.flush(lib_kafka.PATIENCE_SECONDS):
        sys.exit("not all messages were taken")


def text(data):
    return None if data is None else base64.b64encode(data).decode()


def send(args):
    messages = set_messages(args.events)
    messages += registry_messages(pathlib.Path(args.registry)) if args.registry else framing_messages() + rule_messages()
    random.Random(7).shuffle(messages)
    send_all(messages)
    # What the oracle refuses because of the client's key is told by its list, not by our own judgement.
    for message in messages:
        if message.reason is None and message.event is None:
            message.reason = "any"
    accepted = [m.event for m in messages if m.reason is None]
    expected = oracle.compute(accepted, datetime.date.fromisoformat(args.as_of), (), True)
    expected["clients"] = sorted({value["client"] for _, value in accepted})
    with open(args.expected, "w", encoding="utf-8") as file:
        json.dump(expected, file)
    plan = [{"name": m.name, "place": m.place, "key": text(m.key), "value": text(m.value), "reason": m.reason,
             "headers": [[name, text(value)] for name, value in m.headers]} for m in messages if m.reason is not None]
    with open(args.plan, "w", encoding="utf-8") as file:
        json.dump(plan, file)
    print(f"{len(messages)} {len(plan)}")


def problems(case, letter):
    """What is wrong with a dead letter."""
    headers = [[name, text(value)] for name, value in letter.headers() or []]
    kept, added = headers[:len(case["headers"])], headers[len(case["headers"]):]
    said = {name: base64.b64decode(value).decode() for name, value in added}
    topic, partition, offset = case["place"]
    place = {"topic": topic, "partition": str(partition), "offset": str(offset)}
    if kept != case["headers"]:
        yield f"headers {kept} instead of {case['headers']}"
    if text(letter.key()) != case["key"]:
        yield f"key {letter.key()}"
    if text(letter.value()) != case["value"]:
        yield "other bytes"
    if set(said) != {ERRORS + name for name in ("exception", "message", "topic", "partition", "offset")}:
        yield f"headers {said}"
        return
    if case["reason"] not in ("any", said[ERRORS + "exception"]):
        yield f"reason {said[ERRORS + 'exception']} ({said[ERRORS + 'message']}) instead of {case['reason']}"
    if not said[ERRORS + "message"] or "\n" in said[ERRORS + "message"]:
        yield f"message '{said[ERRORS + 'message']}'"
    if {name: said[ERRORS + name] for name in place} != place:
        yield f"place {said} instead of {place}"


def check(args):
    with open(args.plan, encoding="utf-8") as file:
        plan = {tuple(case["place"]): case for case in json.load(file)}
    seen, failed = collections.Counter(), 0
    for letter in lib_kafka.read_all([lib_kafka.topic_name("dead-letters")]):
        # The last ones of a name are ours; the message may have come with others.
        said = {name: (value or b"").decode("utf-8", "replace") for name, value in letter.headers() or []}
        place = (said.get(ERRORS + "topic"), int(said.get(ERRORS + "partition", -1)), int(said.get(ERRORS + "offset", -1)))
        seen[place] += 1
        if place not in plan:
            failed += 1
            print(f"{place} is good, but was refused: {said.get(ERRORS + 'message')}")
            continue
        for problem in problems(plan[place], letter):
            failed += 1
            print(f"{plan[place]['name']}: {problem}")
    for place, case in plan.items():
        if seen[place] != 1:
            failed += 1
            print(f"{case['name']} is there {seen[place]} times")
    print(f"{len(plan)} dead letters, {failed} problems")
    sys.exit(1 if failed else 0)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("send")
    for name in ("plan", "expected", "events", "as_of"):
        command.add_argument(name)
    command.add_argument("--registry")
    command.set_defaults(run=send)
    command = commands.add_parser("check")
    command.add_argument("plan")
    command.set_defaults(run=check)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
