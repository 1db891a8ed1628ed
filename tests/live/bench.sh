#!/usr/bin/env bash
# Runs alone: it measures.
# The short form of bench/run: everything that it measures still can be measured, and no ratio is far off. What the
# figures should be is measured by hand, on a machine that does nothing else (docs/performance.md).
set -euo pipefail

out=$(mktemp -d "${TMPDIR:-/tmp}/urenwacht-bench.XXXXXX")
trap 'rm -rf "$out"' EXIT

# The programs of bench/ are few, and everything that they are linked with is built; other suites use the rest.
if ! cmake -S "$UW_SOURCE" -B "$UW_BUILD" -DUW_BENCH=ON >"$out/build.log" 2>&1 ||
    ! cmake --build "$UW_BUILD" --parallel "$(bash -c 'source "$1/deploy/lib/packages" && uw_jobs' _ "$UW_SOURCE")" \
        --target bench_core bench_fold bench_decode bench_consume >>"$out/build.log" 2>&1; then
    tail -n 20 "$out/build.log"
    printf 'FAILED the programs of bench/ are not built\n\n0 passed, 1 failed\n'
    exit 1
fi

status=0
"$UW_SOURCE/bench/run" --short --build "$UW_BUILD" --dir "$URENWACHT_LOCAL" --keep \
    --out "$out/results.jsonl" || status=$?
if ((status != 0)); then
    printf 'FAILED bench/run ends with %s\n\n0 passed, 1 failed\n' "$status"
    exit 1
fi

"$UW_PYTHON" - "$out/results.jsonl" <<'PYTHON'
import json
import sys

# A thirtieth and less of what the figures should be: other work on the machine, or a slow one, must not fail a test.
LIMITS = [
    ("core fold alone, one thread", "least", 50000),
    ("decode alone, our schema", "least", 100000),
    ("bytes of cache per fact", "most", 96),
    ("end to end, of the limit", "least", 0.02),
    ("resident set after all of it, cache 128 MiB", "most", 256),
]
found = {}
with open(sys.argv[1], encoding="utf-8") as file:
    for line in file:
        record = json.loads(line)
        if "summary" in record:
            found[record["summary"]] = record["median"]
passed = 0
for what, side, limit in LIMITS:
    value = found.get(what)
    good = value is not None and (value >= limit if side == "least" else value <= limit)
    passed += good
    print(f"{'passed' if good else 'FAILED'} {what}: {value}, at {side} {limit}")
print(f"\n{passed} passed, {len(LIMITS) - passed} failed")
sys.exit(passed < len(LIMITS))
PYTHON
