"""Faults of the network: connections that are cut, delayed, half-closed and swallowed."""
import re
import time
from urllib.parse import urlsplit

from faulting.case import Failed
from faulting.proxy import Proxy
from faulting.servers import Skipped


def upset(case, proxy, process):
    """Each way in turn, in an order that the seed decides."""
    def delay():
        proxy.mode, proxy.delay_seconds = "delay", 0.3
        time.sleep(2)

    def swallow():
        proxy.mode = "swallow"
        time.sleep(10 if case.suite.long else 3)
        # A server that is lost without a word is noticed by a timeout only; then the line is there again.
        proxy.cut()

    ways = [proxy.cut, proxy.half_close, delay, swallow] * (5 if case.suite.long else 1)
    case.random.shuffle(ways)
    for way in ways:
        case.pause(0.2, 0.8)
        case.inject()
        way()
        proxy.mode = "pass"
        if not process.running():
            raise Failed(f"the processor ended with {process.popen.returncode}: {process.says()[-300:]}")
        case.wait_progress()


def postgres_line(case):
    """connections to PostgreSQL are cut, delayed, half-closed and swallowed"""
    parts = urlsplit(case.dsn)
    proxy = Proxy((parts.hostname, parts.port), seed=case.suite.seed)
    try:
        case.feed(seconds=100 if case.suite.long else 22)
        dsn = case.dsn.replace(f":{parts.port}/", f":{proxy.port}/")
        process = case.processor("--instance", "one", environment={"URENWACHT_DSN": dsn})
        case.wait_progress()
        upset(case, proxy, process)
        case.feed_end()
        case.stop(process)
    finally:
        proxy.close()
    case.settle("--instance", "one")


def commit_line(case):
    """the connection to PostgreSQL is cut just when COMMIT is sent"""
    parts = urlsplit(case.dsn)
    proxy = Proxy((parts.hostname, parts.port), seed=case.suite.seed)
    times = 60 if case.suite.long else 8
    try:
        pieces = case.stream.pieces(times + 1)
        case.feed_lines(pieces[0])
        # Without TLS, so that the proxy can see what is said; the statement's name stands in the message.
        dsn = case.dsn.replace(f":{parts.port}/", f":{proxy.port}/") + "?sslmode=disable"
        process = case.processor("--instance", "one", environment={"URENWACHT_DSN": dsn})
        case.wait_applied()
        for piece in pieces[1:]:
            # Whatever comes after this has to be committed.
            before = proxy.cuts
            proxy.cut_when(b"\0commit\0", case.random.choice((0.0, 0.0, 0.001, 0.005, 0.02)))
            case.feed(seconds=1, lines=piece)
            case.wait_until("a COMMIT is cut", lambda: proxy.cuts > before)
            case.inject(flying=False)
            case.feed_end()
            case.pause(0, 0.5)
        case.wait_applied()
        case.stop(process)
    finally:
        proxy.close()
    case.settle("--instance", "one")


def kafka_line(case):
    """connections to the broker are cut, delayed, half-closed and swallowed"""
    found = re.search(r"KAFKA_PROXIED='([^:]+):(\d+) ([^:]+):(\d+)'", case.servers.local("env", "--admin"))
    if not found:
        raise Skipped("the stack's broker has no listener for a proxy")
    behind, front = (found[1], int(found[2])), int(found[4])
    proxy = Proxy(behind, front, seed=case.suite.seed)
    try:
        case.feed(seconds=160 if case.suite.long else 30)
        process = case.processor("--instance", "one",
                                 environment={"URENWACHT_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{front}"})
        case.wait_progress()
        upset(case, proxy, process)
        case.feed_end()
        case.stop(process)
    finally:
        proxy.close()
    case.settle("--instance", "one")


CASES = {"postgres-line": postgres_line, "commit-line": commit_line, "kafka-line": kafka_line}
