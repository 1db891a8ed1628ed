#!/usr/bin/env python3
"""Compare what stands in PostgreSQL with the expected state of an event set.

usage: compare.py DSN EXPECTED.json [CLIENT_PREFIX]

Reads the views of SPEC section 6 through psql; where the expected state has them (oracle.py --full), the aggregates
are compared as well. Prints the first differences and 'N passed, N failed'; exit 0 only when nothing differs.
"""
import collections
import json
import subprocess
import sys

QUERIES = {
    "accounts": "SELECT client, municipality, decision, segment_from::text, period_from::text, period_to::text, model,"
                " allotted_minutes, minimum_minutes, used_minutes, delivered_minutes, no_show_minutes"
                " FROM urenwacht.account WHERE client LIKE %s",
    "alerts": "SELECT kind, client, municipality, decision, segment_from::text, period_from::text, threshold, severity,"
              " effective_on::text FROM urenwacht.alert WHERE status = 'OPEN' AND client LIKE %s",
    "anomalies": "SELECT kind, client, municipality, decision, subject FROM urenwacht.anomaly"
                 " WHERE status = 'OPEN' AND client LIKE %s",
    # Sums over everybody, whatever the prefix.
    "aggregates": "SELECT 'WEEK' AS grain, week_from::text AS period_from, w.* FROM urenwacht.weekly w UNION ALL"
                  " SELECT 'MONTH', month_from::text, m.* FROM urenwacht.monthly m",
}
DIFFERENCES_SHOWN = 5


def rows_of(dsn, query):
    """The rows of a query as dictionaries."""
    query = f"SELECT coalesce(json_agg(q), '[]') FROM ({query}) q"
    out = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", dsn, "-c", query], capture_output=True, text=True)
    if out.returncode:
        sys.exit(f"psql: {out.stderr.strip()}")
    return json.loads(out.stdout)


def text_of(row):
    row = {name: value for name, value in row.items() if name not in ("week_from", "month_from")}
    return json.dumps(row, sort_keys=True)


def difference(name, have, want):
    """Prints the first differences of two lists of rows; returns the numbers passed and failed."""
    have, want = (collections.Counter(map(text_of, rows)) for rows in (have, want))
    missing, extra = want - have, have - want
    for word, rows in (("missing", missing), ("unexpected", extra)):
        for row in sorted(rows)[:DIFFERENCES_SHOWN]:
            print(f"{name}: {word} {row}")
    return sum((want & have).values()), sum(missing.values()) + sum(extra.values())


def compare(dsn, expected, prefix=""):
    """The numbers passed and failed of all that the expected state has."""
    like = "'" + prefix.replace("'", "''").replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%'"
    passed = failed = 0
    for name, query in QUERIES.items():
        if name in expected:
            good, bad = difference(name, rows_of(dsn, query.replace("%s", like)), expected[name])
            passed, failed = passed + good, failed + bad
    return passed, failed


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    with open(sys.argv[2], encoding="utf-8") as file:
        expected = json.load(file)
    passed, failed = compare(sys.argv[1], expected, *sys.argv[3:])
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
