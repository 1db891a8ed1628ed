"""Faults of topics and offsets: deleted, truncated, made anew, forgotten, grown."""
import re

import confluent_kafka
from confluent_kafka import admin as kafka_admin

import lib_kafka
from faulting.case import Failed, PATIENCE_SECONDS, last_line
from faulting.letters import plant


def wait_all(futures, patience=30):
    for future in futures.values():
        future.result(patience)


def topic_names(case):
    topics = case.admin_client().list_topics(timeout=10).topics
    return {name for name in topics if name.startswith(case.id + ".")}


def delete(case, kind):
    name = f"{case.id}.{kind}"
    wait_all(case.admin_client().delete_topics([name], operation_timeout=20))
    case.wait_until("the topic is gone", lambda: name not in topic_names(case))


def must_stop(case, words, *arguments, **settings):
    """A processor ends with exit code 2 and a line that has these words."""
    process = case.processor("--until-idle", "--instance", "one", *arguments, name="stops", **settings)
    status = process.wait(PATIENCE_SECONDS)
    if status != 2 or not all(word in process.says() for word in words):
        raise Failed(f"ended with {status}, not 2 and {words}: {last_line(process.says())}")


def dead_letters_away(case):
    """the dead-letter topic is deleted and made again while poison comes"""
    lines = case.stream.lines
    case.feed_lines(lines[:len(lines) // 2])
    case.settle("--instance", "one")
    delete(case, "dead-letters")
    case.inject()
    plant(case, 20)
    case.feed(seconds=2, lines=lines[len(lines) // 2:])
    must_stop(case, ["dead-letters"])
    case.must("topics", "--create")
    case.feed_end()
    case.settle("--instance", "one")


def oversized(case):
    """an alert's topic takes no large record for a while: a stop that names it, then right continuation"""
    client = case.admin_client()
    resource = kafka_admin.ConfigResource(kafka_admin.ConfigResource.Type.TOPIC, f"{case.id}.dead-letters")

    def limit(size):
        entry = kafka_admin.ConfigEntry("max.message.bytes", str(size),
                                        incremental_operation=kafka_admin.AlterConfigOpType.SET)
        wait_all(client.incremental_alter_configs([kafka_admin.ConfigResource(
            resource.restype, resource.name, incremental_configs=[entry])]))

    case.feed_lines(case.stream.lines)
    limit(4096)
    producer = confluent_kafka.Producer(lib_kafka.settings(**{"message.max.bytes": 2000000}))
    # Bytes of chance, which do not get smaller by compression.
    producer.produce(f"{case.id}.declarations", case.random.randbytes(200000), key=b"large", on_delivery=lambda _, m:
                     case.poison.append((m.topic(), m.partition(), m.offset())))
    producer.flush(20)
    case.inject()
    must_stop(case, ["dead-letters", "max.message.bytes"])
    limit(3145728)
    case.settle("--instance", "one")


def forgotten(case):
    """the group's offsets are deleted after a stop in good order: the database knows what was published"""
    lines = case.stream.lines
    half = len(lines) // 2
    case.feed_lines(lines[:half])
    case.settle("--instance", "one")
    case.inject()
    forget_group(case)
    case.feed_lines(lines[half:half + half // 2])
    process = case.processor("--instance", "one")
    case.wait_progress()
    case.stop(process)
    case.inject()
    forget_group(case)
    case.feed_lines(lines[half + half // 2:])
    case.settle("--instance", "one")


def forget_group(case):
    client = case.admin_client()

    def gone():
        try:
            wait_all(client.delete_consumer_groups([case.id], request_timeout=10))
            return True
        except confluent_kafka.KafkaException as error:
            return error.args[0].code() == confluent_kafka.KafkaError.GROUP_ID_NOT_FOUND
    case.wait_until("the group is deleted", gone)


def in_doubt(case):
    """By partition: outbox records that the database does not know as published, and how many of them a subscriber sees."""
    rows = case.sql("SELECT o.partition, encode(o.value, 'hex') FROM urenwacht_data.outbox o"
                    " JOIN urenwacht_data.partition_state s ON s.partition = o.partition"
                    " WHERE o.sequence > s.published_sequence")
    seen = {message.value().hex() for message in lib_kafka.read_all([f"{case.id}.{kind}" for kind in lib_kafka.OUTPUTS])}
    counts = {}
    for row in rows:
        partition, value = row.split("|")
        total, published = counts.get(int(partition), (0, 0))
        counts[int(partition)] = total + 1, published + (value in seen)
    return counts


def crash_unsure(case, point, pieces):
    """kill -9 at a fault point, again if need be, until the last publication is not in the database: it was made
    (after-publish) or not (before-publish). Takes a piece of the events for each; returns what is in doubt."""
    for turn in range(4, 9):
        # A batch of a backlog may have stored facts only. Its clients are judged in several steps, or else what is sent
        # later is: something of the partition was published before, which the database knows.
        piece, fault = pieces.pop(0), f"{point}:{turn}"
        case.feed_lines(piece[:len(piece) // 2])
        process = case.processor("--instance", "one", environment={"URENWACHT_FAULT": fault}, batch__due_clients="5")
        left = case.await_fault_point(process, fault, piece[len(piece) // 2:])
        pieces[:0] = [left] if left else []
        counts = in_doubt(case)
        if any(published if point == "after-publish" else total - published for total, published in counts.values()):
            return counts
    raise Failed(f"after {point} nothing is in doubt")


def unsure(case, forget):
    """Two crashes between the commits, with the offsets lost or older after each: the topics say what is published."""
    pieces = case.stream.pieces(10)
    for point, some in (("before-publish", pieces[:5]), ("after-publish", pieces[5:])):
        counts = crash_unsure(case, point, some)
        case.inject()
        forget(case)
        says = case.settle("--instance", "one").says()
        told = {int(partition): (int(last) - int(first) + 1, int(found)) for partition, found, first, last in
                re.findall(r"partition (\d+): (\d+) of outbox records (\d+) to (\d+) are published", says)}
        if told != counts:
            raise Failed(f"{point}: it found {told}, there is {counts} (records in doubt, published)")
        for piece in some:
            case.feed_lines(piece)
    case.settle("--instance", "one")


def forgotten_unsure(case):
    """the group's offsets are deleted after crashes between the commits: the topics say what is published"""
    unsure(case, forget_group)


def older_offsets(case):
    """the group's offsets are older than what the database knows, after the same crashes"""
    unsure(case, age_group)


def age_group(case):
    """Offsets of the group that say half of what the database knows as published."""
    states = [row.split("|") for row in
              case.sql("SELECT partition, published_sequence FROM urenwacht_data.partition_state")]
    positions = {(f"{case.id}.{kind}", int(partition)): (0, f"urenwacht/1 outbox={int(published) // 2}")
                 for partition, published in states for kind in lib_kafka.INPUTS}
    # As long as the killed one counts as a member it is refused.
    case.wait_until("the group's offsets are set", lambda: lib_kafka.commit(case.id, positions) == {0})


def truncated(case):
    """records are deleted before they were read: a stop that says which"""
    lines = case.stream.lines
    case.feed_lines(lines[:len(lines) // 2])
    case.settle("--instance", "one")
    case.feed_lines(lines[len(lines) // 2:])
    ends = case.ends()
    place = f"{case.id}.declarations", 1
    wait_all(case.admin_client().delete_records([confluent_kafka.TopicPartition(*place, ends[place])]))
    case.inject()
    must_stop(case, [f"topic {place[0]}, partition 1", "retention deleted what was not read yet"])
    # As docs/operations.md has it: the position goes to the first offset, the events come again.
    first = ends[place]
    was = int(case.sql("SELECT declarations_offset FROM urenwacht_data.partition_state WHERE partition = 1")[0])
    case.sql(f"UPDATE urenwacht_data.partition_state SET declarations_offset = {first} WHERE partition = 1")
    case.skipped = first - was
    case.feed_lines(lines)
    case.settle("--instance", "one")


def last_message(place):
    """Key and value of the last message of a partition, or None."""
    client = confluent_kafka.Consumer(lib_kafka.settings(**{"group.id": "reader"}))
    try:
        low, high = client.get_watermark_offsets(confluent_kafka.TopicPartition(*place), 20)
        if high == low:
            return None
        client.assign([confluent_kafka.TopicPartition(*place, high - 1)])
        message = client.poll(20)
        if message is None or message.error():
            raise Failed(f"{place}: its last message cannot be read")
        return message.key(), message.value()
    finally:
        client.close()


def end_by_transactions(case):
    """Each partition gets a committed transaction, with its last event once more, and then an aborted one."""
    producer = confluent_kafka.Producer(lib_kafka.settings(**{"transactional.id": f"{case.id}-source"}))
    producer.init_transactions(30)
    lasts = {place: last_message(place) for place in case.ends(20)}
    for commit in (True, False):
        producer.begin_transaction()
        for place, last in lasts.items():
            if last is not None:
                producer.produce(place[0], last[1], key=last[0], partition=place[1])
            if last is not None and not commit:
                # What was aborted was no event, and stands there as well.
                case.skipped += 1
            case.skipped += int(last is not None)
        if commit:
            producer.commit_transaction(30)
        else:
            producer.flush(30)
            producer.abort_transaction(30)


def emptied(case):
    """transactions write the events, and retention empties the topics to the end: no stop, all of it was read"""
    lines = case.stream.lines
    case.feed_lines(lines[:len(lines) // 2])
    end_by_transactions(case)
    case.settle("--instance", "one")
    # Behind the last event stand an aborted one and two markers.
    ends = {place: end for place, end in case.ends(20).items() if end > 0}
    wait_all(case.admin_client().delete_records(
        [confluent_kafka.TopicPartition(*place, end) for place, end in ends.items()]))
    case.inject()
    case.settle("--instance", "one")
    case.feed_lines(lines[len(lines) // 2:])
    case.settle("--instance", "one")


def made_anew(case):
    """the input topics are deleted and made anew: a stop that says so"""
    case.feed_lines(case.stream.lines)
    case.settle("--instance", "one")
    verdict = case.judge()
    case.inject()
    for kind in lib_kafka.INPUTS:
        delete(case, kind)
    must_stop(case, [f"{case.id}.", "does not exist"])
    case.must("topics", "--create")
    case.feed_lines(case.stream.lines[:20])
    must_stop(case, ["the topic was truncated or made anew"])
    # What was there stays as it was; what comes next is for people to decide.
    return verdict


def more_partitions(case):
    """the input topics get more partitions: a stop"""
    case.feed_lines(case.stream.lines)
    case.settle("--instance", "one")
    verdict = case.judge()
    case.inject()
    wait_all(case.admin_client().create_partitions(
        [kafka_admin.NewPartitions(f"{case.id}.{kind}", case.partitions + 2) for kind in lib_kafka.INPUTS]))
    must_stop(case, ["partitions"])
    return verdict


CASES = {"dead-letters-away": dead_letters_away, "oversized": oversized, "forgotten": forgotten,
         "forgotten-unsure": forgotten_unsure, "older-offsets": older_offsets, "truncated": truncated, "emptied": emptied, "made-anew": made_anew,
         "more-partitions": more_partitions}
