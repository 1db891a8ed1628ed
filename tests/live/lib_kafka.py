"""Reading and writing Kafka for the live suites, through a client and an Avro codec that are not Urenwacht's own."""
import io
import json
import os
import socket
import struct
import time

import confluent_kafka
import confluent_kafka.admin
import fastavro
from confluent_kafka import TopicPartition

INPUTS = ("decisions", "declarations", "no-shows", "evaluations")
OUTPUTS = ("alerts", "anomalies", "dead-letters")
PATIENCE_SECONDS = 120
# Longer than the broker lets a transaction stay open that nobody ends.
TRANSACTION_SECONDS = 150


def topic_name(kind):
    """The name of a topic of the running case."""
    return f"{os.environ['UW_TOPICS']}.{kind}"


def settings(**more):
    return {"bootstrap.servers": os.environ["URENWACHT_KAFKA_BOOTSTRAP_SERVERS"], **more}


def ends(topics):
    """The high watermark by topic and partition, transactions that are still open included."""
    client = confluent_kafka.Consumer(settings(**{"group.id": "reader", "isolation.level": "read_uncommitted"}))
    places = [(t, p) for t in topics for p in client.list_topics(t, PATIENCE_SECONDS).topics[t].partitions]
    marks = {place: client.get_watermark_offsets(TopicPartition(*place), PATIENCE_SECONDS)[1] for place in places}
    client.close()
    return marks


def read_all(topics):
    """All committed messages of the topics, in the order of each partition.

    The transaction of an instance that was killed hides what follows it until the broker or the instance's successor
    ends it, so that reading goes on up to the high watermarks.
    """
    left = ends(topics)
    client = confluent_kafka.Consumer(settings(**{
        "group.id": "reader", "enable.auto.commit": False, "isolation.level": "read_committed",
        "enable.partition.eof": True, "fetch.wait.max.ms": 10}))
    client.assign([TopicPartition(*place, confluent_kafka.OFFSET_BEGINNING) for place in sorted(left)])
    messages, deadline = [], time.monotonic() + TRANSACTION_SECONDS
    while left:
        if time.monotonic() > deadline:
            raise TimeoutError(f"no end of {sorted(left)}")
        for message in client.consume(10000, 0.1):
            place = message.topic(), message.partition()
            if message.error() is None:
                messages.append(message)
            elif message.error().code() != confluent_kafka.KafkaError._PARTITION_EOF:
                raise confluent_kafka.KafkaException(message.error())
            elif message.offset() >= left.get(place, 0):
                left.pop(place, None)
    client.close()
    return messages


class Answer:
    """What the broker said to one request in Kafka's own protocol, which the clients do not send as the tests need it.

    The broker of the tests is the only one, and so every coordinator. Versions from before the flexible ones.
    """

    def __init__(self, api, version, body):
        request = struct.pack(">hhi", api, version, 1) + text("tests") + body
        host, port = os.environ["URENWACHT_KAFKA_BOOTSTRAP_SERVERS"].split(",")[0].rsplit(":", 1)
        with socket.create_connection((host, int(port)), PATIENCE_SECONDS) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            received = connection.makefile("rb")
            length, = struct.unpack(">i", received.read(4))
            self.bytes = io.BytesIO(received.read(length))
        self.take(">i")  # correlation id

    def take(self, form):
        return struct.unpack(form, self.bytes.read(struct.calcsize(form)))

    def take_text(self):
        length = self.take(">h")[0]
        return None if length < 0 else self.bytes.read(length).decode()


def text(value):
    return struct.pack(">h", len(value.encode())) + value.encode()


def committed(group, topics):
    """(offset, metadata) that the group committed, by topic and partition; offset below 0: none.

    By OffsetFetch, version 1: the client's binding reads metadata beyond its end.
    """
    client = confluent_kafka.Consumer(settings(**{"group.id": "reader"}))
    partitions = {t: sorted(client.list_topics(t, PATIENCE_SECONDS).topics[t].partitions) for t in topics}
    client.close()
    request = text(group) + struct.pack(">i", len(partitions))
    for topic, numbers in partitions.items():
        request += text(topic) + struct.pack(f">i{len(numbers)}i", len(numbers), *numbers)
    answer = Answer(9, 1, request)
    offsets = {}
    for _ in range(answer.take(">i")[0]):
        topic = answer.take_text()
        for _ in range(answer.take(">i")[0]):
            partition, offset = answer.take(">iq")
            offsets[topic, partition] = (offset, answer.take_text())
            error = answer.take(">h")[0]
            if error:
                raise RuntimeError(f"OffsetFetch of {topic}/{partition}: error {error}")
    return offsets


def commit(group, positions):
    """Commits (offset, metadata) by topic and partition for a group that has no members; the broker's error codes.

    By OffsetCommit, version 2.
    """
    request = text(group) + struct.pack(">i", -1) + text("") + struct.pack(">qi", -1, len(positions))
    for (topic, partition), (offset, metadata) in positions.items():
        request += text(topic) + struct.pack(">iiq", 1, partition, offset) + text(metadata)
    answer = Answer(8, 2, request)
    errors = set()
    for _ in range(answer.take(">i")[0]):
        answer.take_text()
        errors.update(answer.take(">ih")[1] for _ in range(answer.take(">i")[0]))
    return errors


def leave_pending(group, transactional_id, topic, partition):
    """Positions of the group in a transaction that nobody ends, as a broker leaves them that forgot to end it.

    The group's coordinator is given them without the transaction's knowing (TxnOffsetCommit, version 2, after
    InitProducerId, version 1), for which brokers must not verify that it knows.
    """
    admin = confluent_kafka.admin.AdminClient(settings())
    broker = confluent_kafka.admin.ConfigResource(
        confluent_kafka.admin.ConfigResource.Type.BROKER, str(next(iter(admin.list_topics().brokers))))
    for value, kind in (("false", confluent_kafka.admin.AlterConfigOpType.SET),
                        (None, confluent_kafka.admin.AlterConfigOpType.DELETE)):
        broker.incremental_configs = [confluent_kafka.admin.ConfigEntry(
            "transaction.partition.verification.enable", value, incremental_operation=kind)]
        admin.incremental_alter_configs([broker])[broker].result(PATIENCE_SECONDS)
        if value is None:
            return
        deadline = time.monotonic() + PATIENCE_SECONDS
        while error := give_positions(group, transactional_id, topic, partition):
            if time.monotonic() > deadline:
                raise RuntimeError(f"no pending positions: error {error}")
            time.sleep(0.1)


def give_positions(group, transactional_id, topic, partition):
    """The broker's error code; 0: they are pending."""
    answer = Answer(22, 1, text(transactional_id) + struct.pack(">i", 10000))
    _, error, producer, epoch = answer.take(">ihqh")
    if error:
        return error
    answer = Answer(28, 2, text(transactional_id) + text(group) + struct.pack(">qhi", producer, epoch, 1) +
                    text(topic) + struct.pack(">iiqi", 1, partition, 0, -1) + text(""))
    answer.take(">ii")
    answer.take_text()
    return answer.take(">iih")[2]


def create(topic, partitions):
    """A topic with another number of partitions than `urenwacht topics` would choose."""
    admin = confluent_kafka.admin.AdminClient(settings())
    for future in admin.create_topics([confluent_kafka.admin.NewTopic(topic, partitions, 1)]).values():
        future.result(PATIENCE_SECONDS)


def schema_file(name):
    """One of the schemas as they lie in the tree."""
    with open(os.path.join(os.environ["UW_SOURCE"], "schemas", f"{name}.avsc"), encoding="utf-8") as file:
        return json.load(file)


def fingerprint(schema):
    """CRC-64-AVRO of the canonical form, as the eight bytes of the single-object encoding."""
    text = fastavro.schema.to_parsing_canonical_form(fastavro.parse_schema(schema, _force=True))
    return bytes.fromhex(fastavro.schema.fingerprint(text, "CRC-64-AVRO"))


def encode_body(schema, value):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema, _force=True), value)
    return out.getvalue()


def encode(schema, value):
    """Single-object encoding."""
    return b"\xc3\x01" + fingerprint(schema) + encode_body(schema, value)


def encode_confluent(schema_id, schema, value):
    """The wire format of a schema registry's clients."""
    return b"\x00" + struct.pack(">i", schema_id) + encode_body(schema, value)


def decode(schema, data):
    """A value in single-object encoding that was written by exactly this schema."""
    if data[:10] != b"\xc3\x01" + fingerprint(schema):
        raise ValueError(f"not written by {schema['name']}: begins with {data[:10].hex()}")
    body = io.BytesIO(data[10:])
    value = fastavro.schemaless_reader(body, fastavro.parse_schema(schema, _force=True), None)
    if body.read(1):
        raise ValueError("bytes behind the value")
    return value
