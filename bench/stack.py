"""The local servers, and the processes that are measured on them."""
import os
import re
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CHECKOUT = os.path.dirname(HERE)
TICKS = os.sysconf("SC_CLK_TCK")
PARTITIONS = 12
INPUTS = ["decisions", "declarations", "no-shows", "evaluations"]
OUTPUTS = ["alerts", "anomalies", "dead-letters"]


class Failure(Exception):
    """What ends the run, in one line."""


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def process_times(pid):
    """Seconds of processor time of a process, and of those of its children that have ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rsplit(") ", 1)[1].split()
    except OSError:
        return 0.0, 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS, (int(fields[13]) + int(fields[14])) / TICKS


def children_of(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def tree_cpu(pid):
    """A server with all that it ever started."""
    own, ended = process_times(pid)
    return own + ended + sum(tree_cpu(child) for child in children_of(pid))


class Process:
    """A child that is waited for with what it has used."""

    def __init__(self, arguments, environment, log):
        self.log = log
        with open(log, "wb") as file:
            self.child = subprocess.Popen(arguments, env=environment, stdin=subprocess.DEVNULL, stdout=file,
                                          stderr=subprocess.STDOUT)
        self.pid = self.child.pid
        self.status = None
        self.rss_bytes = 0
        self.cpu_s = 0.0

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def _reap(self, flags):
        pid, status, usage = os.wait4(self.pid, flags)
        if pid == 0:
            return False
        self.status = os.waitstatus_to_exitcode(status)
        self.child.returncode = self.status
        self.cpu_s = usage.ru_utime + usage.ru_stime
        self.peak_bytes = usage.ru_maxrss * 1024
        return True

    def look(self):
        """Remembers how much memory is resident now, the last look counts."""
        try:
            with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as file:
                found = re.search(r"VmRSS:\s+(\d+) kB", file.read())
        except OSError:
            return
        if found:
            self.rss_bytes = int(found.group(1)) * 1024

    def wait(self, timeout_s=3600):
        until = time.monotonic() + timeout_s
        while self.status is None and not self._reap(os.WNOHANG):
            if time.monotonic() > until:
                self.kill()
                raise Failure(f"{self.log}: not done after {timeout_s} s")
            self.look()
            time.sleep(0.02)
        return self.status

    def kill(self):
        # Not by way of `child`, which would take the status of one that has ended.
        if self.status is None and not self._reap(os.WNOHANG):
            os.kill(self.pid, signal.SIGKILL)
            self._reap(0)


class Stack:
    """One Kafka broker and one PostgreSQL cluster; databases and consumer groups are made per measurement."""

    def __init__(self, folder, programs, keep):
        self.folder, self.programs, self.keep = folder, programs, keep
        self.command = os.path.join(programs, "urenwacht")
        self.logs = os.path.join(folder, "bench")
        self.running = []
        self.made = 0
        self.last_days = {}  # of the region in the topics with this prefix
        self.environment = dict(os.environ)

    def local(self, *words):
        done = subprocess.run([os.path.join(CHECKOUT, "deploy", "local"), "--dir", self.folder, *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"deploy/local {words[0]}: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
        return done.stdout

    def start(self):
        self.local("reset")
        os.makedirs(self.logs, exist_ok=True)
        self.connect()

    def connect(self):
        """To servers that run."""
        exports = dict(re.findall(r"export (\w+)='([^']*)'", self.local("env", "--admin", "--socket")))
        self.brokers = exports["URENWACHT_KAFKA_BOOTSTRAP_SERVERS"]
        self.dsn, self.admin_dsn = exports["URENWACHT_DSN"], exports["URENWACHT_ADMIN_DSN"]
        self.servers = dict(re.findall(r"(\w+)=(\d+)", self.local("pids")))
        # What else is set on the machine must not change what is measured.
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("URENWACHT_")}
        config = os.path.join(self.logs, "urenwacht.yaml")
        with open(config, "w", encoding="ascii"):
            pass
        self.environment.update(URENWACHT_CONFIG=config, URENWACHT_KAFKA_BOOTSTRAP_SERVERS=self.brokers)

    def stop(self):
        for process in self.running:
            process.kill()
        if not self.keep:
            self.local("remove")

    def servers_cpu(self):
        return {name: tree_cpu(int(self.servers[name])) for name in ("postgres", "kafka")}

    # ---- programs ----

    def spawn(self, name, arguments, dsn=None):
        environment = dict(self.environment)
        if dsn is not None:
            environment["URENWACHT_DSN"] = dsn
        process = Process(arguments, environment, os.path.join(self.logs, name + ".log"))
        self.running.append(process)
        return process

    def run(self, name, arguments, dsn=None):
        process = self.spawn(name, arguments, dsn)
        if process.wait() != 0:
            last = (process.text().strip().splitlines() or ["it said nothing"])[-1]
            raise Failure(f"{name} ended with {process.status}: {last}")
        return process

    def urenwacht(self, name, *words, dsn=None):
        return self.run(name, [self.command, *words], dsn)

    def part(self, name, *words):
        """One of the programs of bench/ that print a JSON line."""
        return self.run(name, [os.path.join(self.programs, "bench", "bench_" + name), *[str(word) for word in words]])

    # ---- databases ----

    def dsn_of(self, database, admin=False):
        return re.sub(r"/[^/]*$", "/" + database, self.admin_dsn if admin else self.dsn)

    def sql(self, dsn, *statements):
        words = ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", dsn]
        for statement in statements:
            words += ["-c", statement]
        done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            raise Failure(f"psql: {done.stderr.strip().splitlines()[0]}")
        return done.stdout.strip()

    def make_database(self):
        self.made += 1
        name = f"bench_{self.made}"
        self.drop_database(name)  # that of a run that was killed
        owner = self.sql(self.dsn, "SELECT current_user")
        self.sql(self.dsn_of("postgres", admin=True), f"CREATE DATABASE {name} OWNER {owner}")
        self.urenwacht("migrate", "migrate", dsn=self.dsn_of(name))
        return name

    def drop_database(self, name):
        self.sql(self.dsn_of("postgres", admin=True), f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def settle(self):
        """What one measurement left to be written must not be paid by the next."""
        self.sql(self.dsn_of("postgres", admin=True), "CHECKPOINT")

    # ---- events ----

    def topics(self, prefix):
        words = []
        for name in INPUTS + OUTPUTS:
            words += ["--set", f"topics.{name}={prefix}.{name}"]
        return words

    def feed(self, prefix, clients, declarations, seed, until=None):
        """A region in topics of its own; returns how many events there are, and keeps the last day of it."""
        topics = self.topics(prefix)
        self.urenwacht(f"{prefix}-topics", "topics", "--create", "--partitions", str(PARTITIONS), *topics)
        process = self.urenwacht(f"{prefix}-simulate", "simulate", "--clients", str(clients), "--declarations",
                                 str(declarations), "--seed", str(seed), "--no-show-percent", "8", "--credit-percent",
                                 "3", "--redelivery-percent", "1", "--late-percent", "5",
                                 *(["--until", until] if until else []), *topics)
        found = re.findall(r"(\d+) events: .*; until (\d{4}-\d\d-\d\d); ", process.text())
        if not found:
            raise Failure(f"{process.log} does not say how many events there are, and until when")
        self.last_days[prefix] = found[-1][1]
        return int(found[-1][0])


def versions():
    """What the figures depend on besides the tree."""
    model = "?"
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    psql = subprocess.run(["psql", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    return {"cpu": model, "cores": os.cpu_count(), "kernel": os.uname().release, "psql": psql,
            "load": os.getloadavg()[0], "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20}

