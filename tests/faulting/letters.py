"""Faults of the events themselves."""
import time

import confluent_kafka

import lib_kafka


def plant(case, count):
    """Sends so many messages that nobody can read, over some time; remembers where each one went."""
    producer = confluent_kafka.Producer(lib_kafka.settings(**{"linger.ms": 1, "acks": "all"}))

    def delivered(error, message):
        if error is not None:
            raise RuntimeError(str(error))
        case.poison.append((message.topic(), message.partition(), message.offset()))

    kinds = [b"", b"\xc3\x01", b"\xc3\x01" + bytes(8), b"\x00\x00\x00\x00\x01\x02", b"not avro at all", bytes(2000),
             None]
    for i in range(count):
        producer.produce(f"{case.id}.{case.random.choice(lib_kafka.INPUTS)}", case.random.choice(kinds),
                         key=f"poison-{i}".encode() if i % 5 else None, on_delivery=delivered)
        producer.poll(0)
        time.sleep(0.02)
    producer.flush(30)


def poison(case):
    """messages that nobody can read between good ones, and kill -9 among them"""
    count, kills = (2000, 20) if case.suite.long else (150, 2)
    case.feed(seconds=max(6, count * 0.02))
    for _ in range(kills + 1):
        process = case.processor("--instance", "one")
        plant(case, count // (kills + 1))
        case.pause(0.3, 1.0)
        case.inject()
        process.end()
    case.feed_end()
    case.settle("--instance", "one")


CASES = {"poison": poison}
