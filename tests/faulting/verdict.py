"""What was lost, what was doubled, and what is wrong in another way."""
import collections
import os
import time

import compare
import confluent_kafka
import lib_kafka
from faulting import stream, witness

SHOWN = 4
STABLE_SECONDS = 150
DEAD_LETTER = "__streams.errors."


class Verdict:
    def __init__(self):
        self.lost = self.doubled = self.wrong = 0
        self.notes = []

    def note(self, sort, count, text):
        if count:
            setattr(self, sort, getattr(self, sort) + count)
            if len(self.notes) < SHOWN * 3:
                self.notes.append(f"{sort}: {text}")

    @property
    def good(self):
        return not (self.lost or self.doubled or self.wrong)


def wait_stable(case):
    """A transaction that a dead instance left open hides what comes after it until the broker ends it."""
    places = {(f"{case.id}.{kind}", p) for kind in lib_kafka.OUTPUTS for p in range(case.partitions)}
    admin, until = case.admin_client(), time.monotonic() + STABLE_SECONDS
    newest = {confluent_kafka.TopicPartition(*place): confluent_kafka.admin.OffsetSpec.latest() for place in places}
    while True:
        ends = [{(place.topic, place.partition): future.result(20).offset for place, future in
                 admin.list_offsets(newest, isolation_level=level, request_timeout=20).items()}
                for level in (confluent_kafka.IsolationLevel.READ_COMMITTED,
                              confluent_kafka.IsolationLevel.READ_UNCOMMITTED)]
        if ends[0] == ends[1]:
            return True
        if time.monotonic() > until:
            return False
        time.sleep(0.2)


def judge_state(case, verdict):
    """The views, against what the oracle expects."""
    expected = stream.load(case.expected_path)
    for name, query in compare.QUERIES.items():
        have = collections.Counter(map(compare.text_of, compare.rows_of(case.dsn, query.replace("%s", "'%'"))))
        want = collections.Counter(map(compare.text_of, expected[name]))
        missing, extra = want - have, have - want
        for sort, rows in (("lost", missing), ("doubled", extra)):
            verdict.note(sort, sum(rows.values()), f"{name}: {'; '.join(sorted(rows)[:2])}")


def judge_revisions(messages, output, view_name, id_name, case, verdict):
    """Each revision once, rising by one, and the last one is what the view shows."""
    schema, last, seen = lib_kafka.schema_file(output), {}, {}
    for message in messages:
        record = lib_kafka.decode(schema, message.value())
        record_id, revision = str(record[id_name]), record["revision"]
        before = last[record_id]["revision"] if record_id in last else 0
        where = f"{message.topic()}/{message.partition()}/{message.offset()}: revision {revision} after {before}"
        again = case.repeats and seen.get((record_id, revision)) == message.value()
        case.repeated += int(revision <= before and again)
        seen[record_id, revision] = message.value()
        verdict.note("doubled", int(revision <= before and not again), where)
        verdict.note("lost", max(0, revision - before - 1), where)
        if revision > before:
            last[record_id] = record
    rows = {row[id_name]: row for row in compare.rows_of(case.dsn, f"SELECT * FROM urenwacht.{view_name}")}
    for record_id in sorted(rows.keys() | last.keys()):
        row, record = rows.get(record_id), last.get(record_id)
        have, want = (item["revision"] if item else 0 for item in (record, row))
        verdict.note("lost", max(0, want - have), f"{view_name} {record_id}: published {have}, the view has {want}")
        verdict.note("doubled", max(0, have - want), f"{view_name} {record_id}: published {have}, the view has {want}")
        if have == want:
            verdict.note("wrong", int(record["status"] != row["status"]), f"{record_id}: another status is published")


def judge_dead_letters(messages, case, verdict):
    """Each planted poison once, named by topic, partition and offset."""
    have = collections.Counter()
    for message in messages:
        headers = {name: value.decode() for name, value in message.headers() or [] if name.startswith(DEAD_LETTER)}
        have[headers[DEAD_LETTER + "topic"], int(headers[DEAD_LETTER + "partition"]),
             int(headers[DEAD_LETTER + "offset"])] += 1
    want = collections.Counter(case.poison)
    verdict.note("lost", sum((want - have).values()), f"dead letters: {sorted((want - have))[:3]}")
    verdict.note("doubled", sum((have - want).values()), f"dead letters: {sorted((have - want))[:3]}")


def judge_progress(case, verdict):
    """Everything in the topics was counted once, and both servers know that the end was reached."""
    names = [lib_kafka.topic_name(kind) for kind in lib_kafka.INPUTS]
    ends = case.ends(20)
    rows = {(r["topic"], r["partition"]): r["next_offset"] for r in
            compare.rows_of(case.dsn, "SELECT * FROM urenwacht.progress")}
    for place, end in ends.items():
        have = rows.get(place, 0)
        verdict.note("lost", max(0, end - have), f"{place} is applied to {have} of {end}")
        verdict.note("wrong", max(0, have - end), f"{place} is applied to {have} of {end}")
    states = compare.rows_of(case.dsn, "SELECT * FROM urenwacht_data.partition_state")
    sent, taken = sum(ends.values()) - case.skipped, sum(s["events"] + s["refused"] for s in states)
    verdict.note("lost", max(0, sent - taken), f"{taken} of {sent} events counted")
    verdict.note("doubled", max(0, taken - sent), f"{taken} of {sent} events counted")
    published = {s["partition"]: s["next_sequence"] - 1 for s in states}
    for place, (offset, metadata) in lib_kafka.committed(os.environ["UW_GROUP"], names).items():
        if offset < 0 and ends[place] == 0:
            continue
        want = f"urenwacht/1 outbox={published.get(place[1])}"
        verdict.note("wrong", int(offset != ends[place] or metadata != want),
                     f"committed {place}: {offset} of {ends[place]}, '{metadata}' instead of '{want}'")
    return sum(published.values())


def judge_verify(case, verdict):
    """The command's own check of everything stored, where the command has it."""
    if not case.suite.has_verify:
        return
    process = case.start("verify", name="verify", environment=case.verify_environment)
    status = process.wait(120)
    verdict.note("wrong", int(status != 0), f"urenwacht verify ended with {status}: {process.says()[-400:]}")


def judge(case):
    verdict = Verdict()
    verdict.note("wrong", int(not wait_stable(case)), "a transaction stays open")
    judge_state(case, verdict)
    by_topic = collections.defaultdict(list)
    for message in lib_kafka.read_all([lib_kafka.topic_name(kind) for kind in lib_kafka.OUTPUTS]):
        by_topic[message.topic()].append(message)
    judge_revisions(by_topic[lib_kafka.topic_name("alerts")], "alert", "alert", "alert_id", case, verdict)
    judge_revisions(by_topic[lib_kafka.topic_name("anomalies")], "anomaly", "anomaly", "anomaly_id", case, verdict)
    judge_dead_letters(by_topic[lib_kafka.topic_name("dead-letters")], case, verdict)
    held, seen = judge_progress(case, verdict), sum(len(messages) for messages in by_topic.values())
    verdict.note("lost", max(0, held - seen), f"the outbox held {held} records, {seen} are published")
    again = 0 if case.repeats else max(0, seen - held)
    verdict.note("doubled", again, f"the outbox held {held} records, {seen} are published")
    judge_verify(case, verdict)
    witness.judge(case, verdict)
    return verdict
