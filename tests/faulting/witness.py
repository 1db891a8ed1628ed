"""A witness in the database of a case: who wrote what, under which ownership of which partition.

Triggers note every claim of a partition, every move of its positions, and of every transaction the tables and
partitions that it wrote. What was rolled back leaves no note. Afterwards no note may be of a process that had lost the
partition by then.
"""
import os
import re

# What is written of a partition; and whether rows say of which.
TABLES = {"decision_fact": True, "declaration_fact": True, "no_show_fact": True, "evaluation_fact": True,
          "client": True, "client_waiting": True, "outbox": True, "account_state": False, "alert_state": False, "alert_history": False,
          "anomaly_state": False, "anomaly_history": False, "aggregate_key": False, "aggregate_sum": False}

INSTALL = """
CREATE SCHEMA witness;
CREATE SEQUENCE witness.turn;
CREATE TABLE witness.owning (turn bigint, transaction xid8, who text, partition integer, epoch bigint, claimed boolean);
CREATE TABLE witness.written (transaction xid8, who text, relation text, operation text, partition integer);
CREATE FUNCTION witness.own() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The row is locked: turns of one partition are in the order of its transactions.
    INSERT INTO witness.owning VALUES (nextval('witness.turn'), pg_current_xact_id(),
        current_setting('application_name'), NEW.partition, NEW.epoch, TG_OP = 'INSERT' OR NEW.epoch <> OLD.epoch);
    RETURN NULL;
END $$;
CREATE TRIGGER witness AFTER INSERT OR UPDATE ON urenwacht_data.partition_state
    FOR EACH ROW EXECUTE FUNCTION witness.own();
CREATE FUNCTION witness.write_partitions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO witness.written SELECT DISTINCT pg_current_xact_id(), current_setting('application_name'),
        TG_TABLE_NAME, TG_OP, w.partition FROM written_rows w;
    RETURN NULL;
END $$;
CREATE FUNCTION witness.write() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO witness.written SELECT pg_current_xact_id(), current_setting('application_name'),
        TG_TABLE_NAME, TG_OP, NULL WHERE EXISTS (SELECT FROM written_rows);
    RETURN NULL;
END $$;
"""

# Only one that claimed the partition under this epoch moves it on, and not after a higher epoch.
ZOMBIES = """
SELECT m.who, m.partition, m.epoch FROM witness.owning m WHERE m.who <> 'psql' AND (
    EXISTS (SELECT FROM witness.owning c
             WHERE c.partition = m.partition AND c.claimed AND c.turn < m.turn AND c.epoch > m.epoch)
    OR NOT EXISTS (SELECT FROM witness.owning c
                    WHERE c.partition = m.partition AND c.claimed AND c.epoch = m.epoch AND c.who = m.who))
"""

# Every row belongs to a transaction that moved its partition, but for those that a claim makes of lists. Sums of former rules are removed by anybody, with their
# keys, once nobody uses them.
STRANGERS = """
SELECT w.who, w.relation, w.partition FROM witness.written w
 WHERE NOT (w.relation IN ('aggregate_sum', 'aggregate_key') AND w.operation = 'DELETE')
   AND NOT EXISTS (SELECT FROM witness.owning o WHERE o.transaction = w.transaction AND o.who = w.who
                      AND (w.partition IS NULL OR o.partition = w.partition)
                      AND (NOT o.claimed OR (w.relation, w.operation) IN (('client', 'INSERT'),
                                                                          ('client_waiting', 'DELETE'))))
"""

# Refused by the comparison of positions, ended by its successor, which may have waited for its lock, or by the server when
# its time is over: the ways in which a zombie may fail. Anything else in the log, an index that forbids a second row above all, would mean that only
# luck has prevented worse.
EXPECTED_ERRORS = ("another instance owns a partition of this batch, or has moved it on",
                   "terminating connection due to administrator command",
                   "canceling statement due to user request",
                   "canceling statement due to lock timeout",
                   "canceling statement due to statement timeout",
                   "terminating connection due to idle-in-transaction timeout",
                   "connection to client lost")


def install(case):
    statements = [INSTALL]
    for table, has_partition in TABLES.items():
        function = "write_partitions" if has_partition else "write"
        for operation, rows in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
            statements.append(f"CREATE TRIGGER witness_{operation.lower()} AFTER {operation} ON urenwacht_data.{table}"
                              f" REFERENCING {rows} TABLE AS written_rows"
                              f" FOR EACH STATEMENT EXECUTE FUNCTION witness.{function}();")
    case.sql("\n".join(statements))


def judge(case, verdict):
    """No row was written by an instance that did not own its partition at that time."""
    for what, query in (("a zombie moved", ZOMBIES), ("written without owning", STRANGERS)):
        rows = case.sql(query)
        verdict.note("wrong", len(rows), f"{what}: {'; '.join(sorted(set(rows))[:3])}")
    counts = case.sql("SELECT (SELECT count(*) FROM witness.owning WHERE claimed),"
                      " (SELECT count(*) FROM witness.written)")
    if "0" in counts[0].split("|"):
        verdict.note("wrong", 1, f"the witness saw nothing: {counts[0]}")


class ServerLog:
    """What PostgreSQL logs about the database of a case from now on, while the server is not restarted."""

    def __init__(self, case):
        self.path, self.database = case.servers.postgres_log(), case.id
        self.begin = os.path.getsize(self.path)

    def unexpected(self):
        with open(self.path, encoding="utf-8", errors="replace") as file:
            file.seek(self.begin)
            # Time, process, role and database come first, as deploy/local has log_line_prefix.
            lines = [line.rstrip() for line in file if re.search(r" (ERROR|FATAL|PANIC): ", line)
                     and (f"@{self.database} " in line or "PANIC" in line)]
        return [line for line in lines if not any(text in line for text in EXPECTED_ERRORS)]
