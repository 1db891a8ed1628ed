"""Faults of time and of versions: clocks that jump, days that turn, programs that are mixed during an upgrade."""
import datetime
import os
import subprocess

from faulting.case import Failed, PATIENCE_SECONDS
from faulting.servers import Skipped


class Clock:
    """The time that the processes of a case see; it may be set while they run."""

    def __init__(self, case):
        source = f"{os.path.dirname(os.path.realpath(__file__))}/jumping_clock.c"
        library, self.path = f"{case.folder}/clock.so", f"{case.folder}/seconds"
        try:
            done = subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], capture_output=True,
                                  text=True)
        except FileNotFoundError as error:
            raise Skipped("no compiler for the clock") from error
        if done.returncode:
            raise Failed(f"cc: {done.stderr[-300:]}")
        self.environment = {"LD_PRELOAD": library, "UW_CLOCK_SECONDS": self.path}

    def set(self, day, hour):
        """The date and the hour in UTC that it is from now on."""
        wanted = datetime.datetime.fromisoformat(f"{day}T{hour}+00:00")
        seconds = int((wanted - datetime.datetime.now(datetime.timezone.utc)).total_seconds())
        with open(f"{self.path}.new", "w", encoding="ascii") as file:
            file.write(str(seconds))
        os.replace(f"{self.path}.new", self.path)


def clock(case):
    """the day turns while events come in; the clock jumps back over midnight and ahead by days"""
    wall = Clock(case)

    def run(*words):
        return case.start("process", "--instance", "one", *words, environment=wall.environment)

    def stands_at():
        return set(case.sql("SELECT DISTINCT as_of::text FROM urenwacht.progress"))

    # Three seconds before midnight in Amsterdam.
    wall.set("2026-02-28", "22:59:57")
    case.feed(seconds=10)
    process = run()
    case.wait_until("the day turns", lambda: "a new day: as of 2026-03-01" in process.says())
    case.inject()
    # Back before midnight: the day that was reached stays.
    wall.set("2026-02-28", "20:00:00")
    case.pause(1.5, 2.0)
    # Ahead by two days at once.
    wall.set("2026-03-02", "08:00:00")
    case.wait_until("the day turns again", lambda: "a new day: as of 2026-03-02" in process.says())
    case.inject()
    case.wait_until("all is judged", lambda: stands_at() == {"2026-03-02"})
    case.stop(process)
    # The clock of the next one is a day behind: the partitions stay where they are.
    wall.set("2026-03-01", "12:00:00")
    process = run()
    case.pause(1.5, 2.0)
    case.stop(process)
    case.feed_end()
    process = run("--until-idle")
    if process.wait(PATIENCE_SECONDS) != 0 or stands_at() != {"2026-03-02"}:
        raise Failed(f"ended at {sorted(stands_at())}: {process.says()[-300:]}")


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
    newer = {"URENWACHT_TEST_RULES_VERSION": "1000"}
    old = [case.processor("--instance", name) for name in ("a", "b")]
    case.wait_progress()
    for name in ("a", "b"):
        case.pause(0.8, 1.6)
        case.inject()
        case.stop(old.pop(0))
        old.append(case.processor("--instance", name, environment=newer))
        case.wait_progress()
    case.feed_end()
    for process in old:
        case.stop(process)
    case.settle("--instance", "a", environment=newer)
    case.verify_environment = newer


CASES = {"clock": clock, "day-turns": day_turns, "upgrade": upgrade}
