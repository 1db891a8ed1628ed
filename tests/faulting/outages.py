"""Faults of the servers: restarts, crashes, and times away."""
import threading
import time

from faulting.case import Failed, KEPT_BACK


def steady(case, process):
    if not process.running():
        raise Failed(f"the processor ended with {process.popen.returncode}: {process.says()[-300:]}")


def outage(case, turns, seconds, take, give):
    """Servers are taken away and given back while one processor goes on all the time. Some events are kept back each time
    until all is healed, so that there is work to go on with, however quick the processor was."""
    pieces = case.stream.pieces(turns + 1)
    case.feed(seconds=2, lines=pieces[0])
    process = case.processor("--instance", "one")
    case.wait_progress()
    for piece in pieces[1:]:
        case.feed_end()
        case.feed(seconds=seconds + 3, lines=piece[:-KEPT_BACK])
        case.pause(0.1, 1.0)
        case.inject()
        take()
        time.sleep(seconds)
        give()
        case.heal()
        case.look_at_broker()
        steady(case, process)
        case.feed_end()
        case.feed_lines(piece[-KEPT_BACK:])
        case.wait_applied()
    steady(case, process)
    case.stop(process)
    case.settle("--instance", "one")


def postgres_restart(case):
    """PostgreSQL is restarted in mode immediate"""
    restart = lambda: case.servers.local("restart-postgres", "immediate")
    outage(case, 10 if case.suite.long else 2, 0, restart, lambda: None)


def postgres_away(case):
    """PostgreSQL is killed and away"""
    outage(case, 4 if case.suite.long else 1, 30 if case.suite.long else 5,
           lambda: case.servers.local("kill-postgres"), lambda: case.servers.local("start-postgres"))


def broker_restart(case):
    """the broker is killed by kill -9 and started again"""
    def take():
        case.servers.local("kill-kafka")
        case.servers.patiently("start-kafka")
    outage(case, 10 if case.suite.long else 1, 0, take, lambda: None)


def broker_away(case):
    """the broker is killed and away"""
    outage(case, 4 if case.suite.long else 1, 30 if case.suite.long else 5,
           lambda: case.servers.local("kill-kafka"), lambda: case.servers.patiently("start-kafka"))


def both(case):
    """both servers are killed and away"""
    def take():
        thread = threading.Thread(target=case.servers.local, args=("kill-postgres",))
        thread.start()
        thread.join()
        case.servers.local("kill-kafka")
    outage(case, 4 if case.suite.long else 1, 30 if case.suite.long else 3, take, lambda: case.servers.patiently("up"))


CASES = {"postgres-restart": postgres_restart, "postgres-away": postgres_away, "broker-restart": broker_restart,
         "broker-away": broker_away, "both-away": both}
