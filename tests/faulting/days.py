"""Faults of time and of versions: clocks that jump, days that turn, programs that are mixed during an upgrade."""
import datetime
import os

from faulting.case import Failed
from faulting.servers import Skipped


def library():
    """libfaketime, where the machine has it."""
    for folder in ("/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime", "/usr/lib/faketime"):
        path = f"{folder}/libfaketime.so.1"
        if os.path.exists(path):
            return path
    raise Skipped("libfaketime is not installed")


def clock(case):
    """the day turns while events come in, the clock of the next instance is a day behind, then days ahead"""
    preload = library()

    def run(day, hour, *words):
        # Monotonic time is left alone, as a jump of a real clock leaves it.
        environment = {"LD_PRELOAD": preload, "FAKETIME": f"@{day} {hour}", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                       "DONT_FAKE_MONOTONIC": "1", "TZ": "UTC"}
        return case.start("process", "--instance", "one", *words, environment=environment)

    case.feed(seconds=8)
    # Two seconds before midnight in Amsterdam.
    process = run("2026-03-01", "22:59:57")
    case.wait_until("the day turns", lambda: "a new day: as of 2026-03-02" in process.says(), 30)
    case.inject()
    case.stop(process)
    # A day behind: the partitions stay at the later day.
    process = run("2026-03-01", "12:00:00")
    case.wait_progress(40)
    case.stop(process)
    case.feed_end()
    process = run("2026-03-02", "12:00:00", "--until-idle")
    if process.wait(60) != 0:
        raise Failed(f"ended: {process.says()[-300:]}")
    days = set(case.sql("SELECT DISTINCT as_of::text FROM urenwacht.progress"))
    if days != {"2026-03-02"}:
        raise Failed(f"the partitions stand at {sorted(days)}")


def day_turns(case):
    """as_of goes on by days while events come in, and processors are killed in the middle of it"""
    last = datetime.date.fromisoformat(case.stream.as_of)
    count = 30 if case.suite.long else 6
    case.feed(seconds=count * 1.2)
    for days in range(count, -1, -1):
        case.as_of = (last - datetime.timedelta(days=days * 9)).isoformat()
        process = case.processor("--instance", "one", batch__due_clients="5")
        case.pause(0.6, 1.6)
        case.inject()
        process.end()
    case.feed_end()
    case.settle("--instance", "one")


def upgrade(case):
    """instances of two versions that judge by other rules' numbers share the work during an upgrade"""
    case.feed(seconds=14)
    # The check would judge by the program's own number.
    case.verifiable = False
    old = [case.processor("--instance", name) for name in ("a", "b")]
    case.wait_progress(40)
    for name in ("a", "b"):
        case.pause(0.8, 1.6)
        case.inject()
        case.stop(old.pop(0))
        old.append(case.processor("--instance", name, environment={"URENWACHT_TEST_RULES_VERSION": "1000"}))
        case.wait_progress(40)
    case.feed_end()
    for process in old:
        case.stop(process)
    case.settle("--instance", "a", environment={"URENWACHT_TEST_RULES_VERSION": "1000"})


CASES = {"clock": clock, "day-turns": day_turns, "upgrade": upgrade}
