#!/usr/bin/env bash
# The test programs that want real servers (test_store*.c and test_*_live.c, and those of the topics), on a
# database of their own. Under ctest, without servers, their tests are skipped.
# Names of its own.
set -euo pipefail

database=urenwacht_store_tests
passed=0
failed=0
# Of one program; the longest take about twenty seconds on a machine that does nothing else. Less than what tests/run
# gives all of them, so that one that hangs is told by its name.
program_seconds=600
log=$(mktemp)
trap 'rm -f "$log"' EXIT

admin() { PGOPTIONS="-c client_min_messages=warning" psql -X -q -v ON_ERROR_STOP=1 "$URENWACHT_ADMIN_DSN" -c "$1"; }

admin "DROP DATABASE IF EXISTS $database WITH (FORCE)"
admin "CREATE DATABASE $database OWNER urenwacht"
# The DSN is a URI whose last part is the database's name.
export URENWACHT_TEST_DSN=${URENWACHT_DSN%/*}/$database
export URENWACHT_TEST_KAFKA=$URENWACHT_KAFKA_BOOTSTRAP_SERVERS

for program in "$UW_BUILD"/tests/producers_store* "$UW_BUILD"/tests/producers_topics "$UW_BUILD"/tests/*_live; do
    [[ -f $program && -x $program ]] || continue
    began=$SECONDS
    # Into a file: of a program that hangs it is to be seen where.
    timeout --signal=ABRT --kill-after=10 "$program_seconds" "$program" >"$log" 2>&1 && status=0 || status=$?
    output=$(<"$log")
    printf '%s\n%s: %s s\n' "$output" "${program##*/}" $((SECONDS - began))
    if ((status == 124 || status == 137)); then
        printf '%s: not done after %s s\n' "${program##*/}" "$program_seconds"
    fi
    good=$(grep -c '^\[       OK \]' <<<"$output" || true)
    bad=$(grep -c '^\[  FAILED  \] [a-z_0-9]*$' <<<"$output" || true)
    # A program that ends before its verdict has failed.
    if ((status != 0 && bad == 0)) || ((good + bad == 0)); then
        bad=$((bad + 1))
    fi
    passed=$((passed + good))
    failed=$((failed + bad))
done

admin "DROP DATABASE IF EXISTS $database WITH (FORCE)"
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0 && passed > 0))
