"""Faults of the processor itself: it is killed, stopped, frozen, joined and left."""
import signal
import time

from faulting import witness
from faulting.case import Failed, KEPT_BACK, last_line

FAULT_POINTS = ("after-commit", "before-commit", "before-publish", "after-publish", "before-claim", "after-claim")


def kill(case):
    """kill -9 at random moments, again and again in one stream"""
    times = 50 if case.suite.long else 8
    pieces = case.stream.pieces(times)
    for piece in pieces:
        case.feed(lines=piece)
        process = case.processor("--instance", "one" if case.random.random() < 0.5 else "two",
                                 "--workers", case.random.choice(("1", "1", "2", "3")))
        if case.random.random() < 0.7:
            # Among the batches; the others may hit anything from the start on.
            before = case.watcher.applied
            case.wait_until("the killed one's successor goes on", lambda: case.watcher.applied > before or
                            case.sent() == case.watcher.applied)
            case.pause(0, 0.3)
        else:
            case.pause(0.02, 1.5)
        case.inject()
        process.end()
        case.feed_end()
    case.settle("--instance", "one")


def fault_points(case):
    """kill -9 just before and just after commits, publications and claims"""
    # One process claims as many partitions as there are.
    counts = {point: (1, 2, 3 if point.endswith("claim") else 5) for point in FAULT_POINTS}
    turns = [(point, n) for point in FAULT_POINTS for n in (counts[point] if case.suite.long else (2,))]
    case.random.shuffle(turns)
    for (point, n), piece in zip(turns, case.stream.pieces(len(turns))):
        case.feed(lines=piece)
        process = case.processor("--instance", "one", "--workers", case.random.choice(("1", "2")),
                                 environment={"URENWACHT_FAULT": f"{point}:{n}"}, name=point)
        case.await_fault_point(process, f"{point}:{n}")
        case.inject()
        case.feed_end()
    case.settle("--instance", "one")


def freeze(case):
    """SIGSTOP beyond the session's and the transactions' timeouts; another takes over; SIGCONT"""
    log = witness.ServerLog(case)
    case.feed(seconds=60 if case.suite.long else 14)
    turns = 4 if case.suite.long else 1
    other = case.processor("--instance", "heir")
    case.wait_progress()
    for turn in range(turns):
        frozen = case.processor("--instance", f"frozen-{turn}")
        case.wait_until("it gets partitions", lambda: "assigned" in frozen.says() and owners(case) == 2)
        case.pause(0.2, 0.6)
        moment = case.inject()
        frozen.send(signal.SIGSTOP)
        case.wait_until("another takes over", lambda: owners(case) == 1)
        # Past the timeout of its transactions too, one of which may have been cut in the middle.
        time.sleep(max(0, moment + 6.5 - time.monotonic()))
        epochs = dict(row.split("|") for row in case.sql("SELECT partition, epoch FROM urenwacht_data.partition_state"))
        frozen.send(signal.SIGCONT)
        case.wait_until("it is alive again", lambda: "rejoin" in frozen.says() or "joining anew" in frozen.says() or
                        "lost" in frozen.says() or not frozen.running())
        case.pause(0.5, 1.0)
        if not frozen.running():
            raise Failed(f"the fenced one ended with {frozen.popen.returncode}: {last_line(frozen.says())}")
        for row in case.sql("SELECT partition, epoch FROM urenwacht_data.partition_state"):
            partition, epoch = row.split("|")
            if int(epoch) < int(epochs[partition]):
                raise Failed(f"the epoch of partition {partition} went back")
        case.stop(frozen)
    case.feed_end()
    case.stop(other)
    case.settle("--instance", "heir")
    unexpected = log.unexpected()
    if unexpected:
        raise Failed(f"the database's log has: {unexpected[0][:300]}")


def owners(case):
    """Instances that have partitions; the second worker of NAME is NAME-2, and part of it."""
    return int(case.sql("SELECT count(DISTINCT split_part(owner, '-', 1)) FROM urenwacht_data.partition_state")[0])


def members(case, static):
    more = {"group__static_membership": "true"} if static else {}
    case.feed(seconds=90 if case.suite.long else 12)
    rounds = 6 if case.suite.long else 1
    for turn in range(rounds):
        group = [case.processor("--instance", "a", **more)]
        case.wait_progress()
        group += [case.processor("--instance", name, **more) for name in ("b", "c")]
        case.wait_until("three share", lambda: owners(case) == 3)
        case.pause(0.3, 1.0)
        gone = group.pop(case.random.randrange(3))
        case.inject()
        if turn % 2 == 0:
            case.stop(gone)
        else:
            gone.end()
        case.wait_until("two share", lambda: owners(case) == 2)
        case.pause(0.3, 1.0)
        case.inject()
        group.pop(case.random.randrange(2)).end()
        case.wait_until("one has all", lambda: owners(case) == 1)
        case.stop(group[0])
    case.feed_end()
    case.settle("--instance", "a", **more)


def group(case):
    """instances join and leave: 1, 3, 2, 1, by SIGTERM and kill -9"""
    members(case, False)


def group_static(case):
    """the same with static membership"""
    members(case, True)


def same_name(case):
    """two processes with one instance name"""
    case.feed(seconds=8)
    first = case.processor("--instance", "twin")
    case.wait_progress()
    case.inject()
    second = case.processor("--instance", "twin")
    case.wait_progress()
    case.pause(1.5, 2.5)
    case.feed_end()
    running = [process for process in (first, second) if process.running()]
    if not running:
        raise Failed(f"both ended: {last_line(first.says())} / {last_line(second.says())}")
    for process in running:
        case.stop(process)
    case.settle("--instance", "twin")


def same_static(case):
    """two processes with one static member's name: one of them ends and says so"""
    case.feed(seconds=8)
    first = case.processor("--instance", "twin", group__static_membership="true")
    case.wait_progress()
    case.inject()
    second = case.processor("--instance", "twin", group__static_membership="true")
    # Most often the older one. But one that was fenced as a producer first joins anew, and is then the newer one. In the
    # newer group protocol the one that was refused first, once it has asked for its name long enough.
    case.wait_until("one of them ends", lambda: not (first.running() and second.running()),
                    240 if case.settings.get("kafka.group.protocol") == "consumer" else 120)
    ended, other = (second, first) if first.running() else (first, second)
    if ended.wait(1) != 1 or "same instance name" not in ended.says():
        raise Failed(f"it ended with {ended.wait(1)}: {last_line(ended.says())}")
    case.feed_end()
    case.stop(other)
    case.settle("--instance", "twin", group__static_membership="true")


def static_back(case):
    """a static member is killed and started again with its name at once"""
    pieces = case.stream.pieces(5 if case.suite.long else 1)
    process = case.processor("--instance", "one", group__static_membership="true")
    for piece in pieces:
        case.feed(seconds=6, lines=piece[:-KEPT_BACK])
        case.wait_progress()
        case.inject()
        process.end()
        if case.settings.get("kafka.group.protocol") == "consumer":
            # Its name is refused until the session of the killed one is over; who asks for it can be stopped all the same.
            # Where the machine is slow to start it, the session is over by then.
            asking = case.processor("--instance", "one", group__static_membership="true")
            case.wait_until("it asks for its name", lambda: "s at most" in asking.says() or "assigned" in asking.says())
            case.stop(asking)
        process = case.processor("--instance", "one", group__static_membership="true")
        case.feed_end()
        case.feed_lines(piece[-KEPT_BACK:])
        case.wait_applied()
        if not process.running():
            raise Failed(f"it ended with {process.popen.returncode}: {last_line(process.says())}")
    case.stop(process)
    case.settle("--instance", "one", group__static_membership="true")


CASES = {"kill": kill, "fault-points": fault_points, "freeze": freeze, "group": group, "group-static": group_static,
         "same-name": same_name, "same-static": same_static,
         "static-back": static_back}
