#!/usr/bin/env bash
# The store against a real PostgreSQL: the programs tests/producers/test_store*.c on a database of their own.
set -euo pipefail

database=urenwacht_store_tests
passed=0
failed=0

admin() { PGOPTIONS="-c client_min_messages=warning" psql -X -q -v ON_ERROR_STOP=1 "$URENWACHT_ADMIN_DSN" -c "$1"; }

admin "DROP DATABASE IF EXISTS $database WITH (FORCE)"
admin "CREATE DATABASE $database OWNER urenwacht"
# The DSN is a URI whose last part is the database's name.
export URENWACHT_TEST_DSN=${URENWACHT_DSN%/*}/$database

for program in "$UW_BUILD"/tests/producers_store*; do
    [[ -f $program && -x $program ]] || continue
    output=$("$program" 2>&1) && status=0 || status=$?
    printf '%s\n' "$output"
    good=$(grep -c '^\[       OK \]' <<<"$output" || true)
    bad=$(grep -c '^\[  FAILED  \] [a-z_]*$' <<<"$output" || true)
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
