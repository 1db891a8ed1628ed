"""PostgreSQL without space: a cluster of its own on a small filesystem in memory, which takes root to mount."""
import os
import shutil
import subprocess
import tempfile
import time

from faulting import witness
from faulting.case import Failed
from faulting.servers import PSQL, Skipped

MEBIBYTES = 300


def full(case):
    """PostgreSQL's disk is full, then has room again"""
    if os.geteuid() != 0:
        raise Skipped("a filesystem of a small size takes root")
    binaries = sorted(os.path.dirname(os.path.dirname(path)) for path in
                      subprocess.run("ls /usr/lib/postgresql/*/bin/initdb", shell=True, capture_output=True,
                                     text=True).stdout.split())
    if not binaries:
        raise Skipped("no PostgreSQL server where Debian puts it")
    folder = tempfile.mkdtemp(prefix="urenwacht-disk.")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MEBIBYTES}m,mode=755", "tmpfs", folder],
                             capture_output=True)
    if mounted.returncode:
        os.rmdir(folder)
        raise Skipped("a small filesystem cannot be mounted here")
    cluster = Cluster(f"{binaries[-1]}/bin", folder)
    try:
        cluster.start()
        run(case, cluster, folder)
        return case.judge()
    finally:
        cluster.stop()
        subprocess.run(["umount", folder], capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


class Cluster:
    def __init__(self, binaries, folder):
        self.binaries, self.data = binaries, f"{folder}/data"
        self.port = 32000 + os.getpid() % 700
        os.makedirs(self.data, mode=0o700)
        shutil.chown(self.data, "postgres", "postgres")

    def run(self, *words):
        done = subprocess.run(["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--", *words],
                              cwd="/", capture_output=True, text=True, timeout=90)
        if done.returncode:
            raise RuntimeError(f"{words[0]}: {done.stderr.strip() or done.stdout.strip()}")

    def start(self):
        self.run(f"{self.binaries}/initdb", "--pgdata", self.data, "--username=urenwacht", "--auth=trust",
                 "--encoding=UTF8", "--locale=C.UTF-8", "--wal-segsize=1")
        options = (f"-c listen_addresses=127.0.0.1 -c unix_socket_directories='' -p {self.port} -c max_wal_size=16MB"
                   " -c min_wal_size=2MB -c shared_buffers=32MB")
        log = f"{self.data}.log"
        open(log, "a").close()
        shutil.chown(log, "postgres", "postgres")
        self.run(f"{self.binaries}/pg_ctl", "--pgdata", self.data, "--log", log, "--wait", "-o", options, "start")

    def stop(self):
        try:
            self.run(f"{self.binaries}/pg_ctl", "--pgdata", self.data, "--mode=immediate", "stop")
        except RuntimeError:
            pass


def run(case, cluster, folder):
    base = f"postgresql://urenwacht@127.0.0.1:{cluster.port}"
    subprocess.run([PSQL, "-XAtq", f"{base}/postgres", "-c", f'CREATE DATABASE "{case.id}"',
                    "-c", "CREATE ROLE urenwacht_dashboard NOLOGIN"], check=True, capture_output=True)
    case.watcher.close()
    case.dsn = os.environ["URENWACHT_DSN"] = f"{base}/{case.id}"
    case.watcher = type(case.watcher)(case.dsn)
    case.must("migrate")
    witness.install(case)
    case.feed(seconds=20)
    process = case.processor("--instance", "one")
    case.wait_progress()
    for _ in range(5 if case.suite.long else 1):
        ballast = f"{folder}/ballast"
        with open(ballast, "wb") as file:
            try:
                while True:
                    file.write(bytes(65536))
                    file.flush()
            except OSError:
                pass
        case.inject()
        case.wait_until("the database says that there is no room", lambda: "No space left" in process.says() or
                        "disk" in process.says() or "53100" in process.says() or not process.running(), 60)
        time.sleep(1)
        os.unlink(ballast)
        if not process.running():
            raise Failed(f"the processor ended with {process.popen.returncode}: {process.says()[-300:]}")
        case.wait_progress()
    case.feed_end()
    case.stop(process)
    case.settle("--instance", "one")


CASES = {"disk-full": full}
