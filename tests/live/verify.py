#!/usr/bin/env python3
"""Everything that must hold of a case when all of its events have been processed.

usage: verify.py --expected EXPECTED.json [--events N] [--dead-letters N] [--details]

Database and topics are those of the environment (URENWACHT_DSN, UW_TOPICS, UW_GROUP; see lib.sh). It checks that
- the views equal the expected state, and the aggregates where it has them;
- each revision of an alert or anomaly was published once, in order, under its client as the key, readable with the
  schema of the tree by another implementation of Avro, and that the last one is what the view shows;
- as many records were published as the outbox ever held;
- with --events, so many messages are in the topics, and all of them were applied;
- what is applied reaches the end of every topic, and the group's committed offsets say so too, with the number of
  the last published record;
- the provider of each open alert is the expected one, and with --details its figures too, where the expected state
  has them (oracle.py --full); those in a payload are the latest only when all events were judged at once.
Prints what differs and 'N passed, N failed'; exit 0 only when nothing does.
"""
import argparse
import collections
import datetime
import json
import os
import sys

import compare
import lib_kafka

# The columns that only a new revision changes. Another provider alone makes none.
COLUMNS = {
    "alerts": ("alert", "alert_id", ["kind", "client", "municipality", "decision", "segment_from", "period_from",
                                     "threshold", "severity", "effective_on"]),
    "anomalies": ("anomaly", "anomaly_id", ["kind", "client", "municipality", "decision", "subject"]),
}
DETAILS = {"used": "used_minutes", "allotted": "allotted_minutes", "minimum": "minimum_minutes",
           "delivered": "delivered_minutes", "no_show": "no_show_minutes", "expected": "expected_minutes",
           "ratio_percent": "ratio_percent"}


class Tally:
    """Counts, and shows the first differences of each sort."""

    def __init__(self):
        self.passed = self.failed = 0
        self.shown = collections.Counter()

    def note(self, good, sort, text):
        if good:
            self.passed += 1
            return
        self.failed += 1
        self.shown[sort] += 1
        if self.shown[sort] <= 5:
            print(f"{sort}: {text}")


def plain(value):
    """Dates, instants and ids of a record of Avro as the text that a view shows."""
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: plain(v) for name, v in value.items()}
    return str(value) if type(value).__name__ == "UUID" else value


def payload_of(record):
    """What a record of Avro says beyond its columns, without what is null."""
    figures = plain(record.get("figures", {}))
    evidence = plain(record.get("evidence", {}))
    return {name: value for name, value in {**figures, **evidence}.items() if value is not None}


def check_revisions(messages, output, tally):
    """Each id's revisions rise from 1 by one; returns the last record by id."""
    schema = lib_kafka.schema_file(COLUMNS[output][0])
    id_name = COLUMNS[output][1]
    last = {}
    for message in messages:
        where = f"{message.topic()}/{message.partition()}/{message.offset()}"
        try:
            record = lib_kafka.decode(schema, message.value())
        except ValueError as error:
            tally.note(False, "unreadable", f"{where}: {error}")
            continue
        record_id = str(record[id_name])
        before = last[record_id]["revision"] if record_id in last else 0
        tally.note(record["revision"] == before + 1, "revision",
                   f"{where}: {record_id} has {record['revision']} after {before}")
        headers = {name: value.decode() for name, value in message.headers() or []}
        want = {"id": record_id, "revision": str(record["revision"]), "kind": record["kind"], "status": record["status"]}
        tally.note(headers == want, "headers", f"{where}: {headers} instead of {want}")
        tally.note(message.key() == record["client"].encode(), "key", f"{where}: {message.key()}")
        last[record_id] = record
    return last


def check_view(last, output, tally):
    """The view has exactly the last revisions."""
    view, id_name, columns = COLUMNS[output]
    query = ("SELECT t.*, to_char(observed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') AS observed"
             f" FROM urenwacht.{view} t")
    rows = {row[id_name]: row for row in compare.rows_of(os.environ["URENWACHT_DSN"], query)}
    for record_id in sorted(rows.keys() | last.keys()):
        row, record = rows.get(record_id), last.get(record_id)
        if row is None or record is None:
            tally.note(False, "view", f"{record_id} is only {'published' if row is None else 'in the view'}")
            continue
        have = {name: plain(record[name]) for name in ["revision", "status"] + columns}
        want = {name: row[name] for name in have}
        tally.note(have == want, "view", f"{record_id}: published {have}, in the view {want}")
        tally.note(plain(record["observed_at"]) == row["observed"], "observed_at", record_id)
        shown = {name: value for name, value in row["payload"].items() if value is not None}
        tally.note(payload_of(record) == shown, "payload", f"{record_id}: {payload_of(record)} and {shown}")


def check_progress(tally, events):
    dsn = os.environ["URENWACHT_DSN"]
    names = [lib_kafka.topic_name(kind) for kind in lib_kafka.INPUTS]
    ends = lib_kafka.ends(names)
    rows = {(r["topic"], r["partition"]): r for r in compare.rows_of(dsn, "SELECT * FROM urenwacht.progress")}
    for place, end in ends.items():
        have = rows[place]["next_offset"] if place in rows else None
        tally.note(have == end, "progress", f"{place} is at {have} of {end}")
    tally.note(rows.keys() == ends.keys(), "progress", "other partitions than the topics have")
    states = compare.rows_of(dsn, "SELECT * FROM urenwacht_data.partition_state")
    if events is not None:
        sent, taken = sum(ends.values()), sum(s["events"] + s["refused"] for s in states)
        tally.note(sent == events, "events", f"{sent} in the topics, {events} were sent")
        tally.note(taken == events, "events", f"{taken} applied, {events} were sent")
    published = {s["partition"]: s["next_sequence"] - 1 for s in states}
    for place, (offset, metadata) in lib_kafka.committed(os.environ["UW_GROUP"], names).items():
        # Of a partition that never had anything to apply, nothing was ever told.
        if offset < 0 and ends[place] == 0:
            continue
        tally.note(offset == ends[place], "committed", f"{place} is at {offset} of {ends[place]}")
        want = f"urenwacht/1 outbox={published.get(place[1])}"
        tally.note(metadata == want, "committed", f"{place} says '{metadata}' instead of '{want}'")


def check_outbox(counts, tally):
    """What the outbox ever held is what was published."""
    query = "SELECT coalesce(sum(next_sequence - 1), 0)::bigint AS held FROM urenwacht_data.partition_state"
    held = compare.rows_of(os.environ["URENWACHT_DSN"], query)[0]["held"]
    tally.note(held == sum(counts.values()), "outbox", f"it held {held} records, published are {dict(counts)}")


def check_details(expected, figures, tally):
    identity = ["kind", "client", "municipality", "decision", "segment_from", "period_from", "threshold"]
    query = "SELECT * FROM urenwacht.alert WHERE status = 'OPEN'"
    rows = {tuple(r[n] for n in identity): r for r in compare.rows_of(os.environ["URENWACHT_DSN"], query)}
    for alert in expected.get("alert_details", []):
        row = rows.get(tuple(alert[n] for n in identity))
        if row is None:
            continue  # compare has said so
        tally.note(row["provider"] == alert["provider"], "provider", f"{row} instead of {alert['provider']}")
        if not figures:
            continue
        have = {name: row["payload"].get(DETAILS[name]) for name in alert["numbers"]}
        tally.note(have == alert["numbers"], "figures", f"{row['alert_id']}: {have} instead of {alert['numbers']}")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--expected", required=True)
    parser.add_argument("--events", type=int)
    parser.add_argument("--dead-letters", type=int, default=0)
    parser.add_argument("--details", action="store_true")
    args = parser.parse_args()

    with open(args.expected, encoding="utf-8") as file:
        expected = json.load(file)
    tally = Tally()
    tally.passed, tally.failed = compare.compare(os.environ["URENWACHT_DSN"], expected)
    by_topic = collections.defaultdict(list)
    for message in lib_kafka.read_all([lib_kafka.topic_name(kind) for kind in lib_kafka.OUTPUTS]):
        by_topic[message.topic()].append(message)
    counts = {kind: len(by_topic[lib_kafka.topic_name(kind)]) for kind in lib_kafka.OUTPUTS}
    for output in COLUMNS:
        check_view(check_revisions(by_topic[lib_kafka.topic_name(output)], output, tally), output, tally)
    tally.note(counts["dead-letters"] == args.dead_letters, "dead letters",
               f"{counts['dead-letters']} instead of {args.dead_letters}")
    check_outbox(counts, tally)
    check_progress(tally, args.events)
    check_details(expected, args.details, tally)
    print(f"{tally.passed} passed, {tally.failed} failed")
    sys.exit(1 if tally.failed else 0)


if __name__ == "__main__":
    main()
