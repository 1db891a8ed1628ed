#!/usr/bin/env bash
# The whole server under the address and undefined behaviour sanitizers: its webhooks, and asked by somebody who means no
# good. UW_SEED chooses other requests, UW_SECONDS more of them.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export URENWACHT_CONFIG=$work/urenwacht.yaml PYTHONDONTWRITEBYTECODE=1
: >"$URENWACHT_CONFIG"
# The build of tests/run's unit tests; made here when only this suite is run.
sanitized=${UW_SANITIZED:-$UW_SOURCE/build-asan-clang/urenwacht}
if [[ -z ${UW_SANITIZED:-} ]] && ! "$UW_SOURCE/deploy/build" --tests --werror --sanitize --clang \
    --dir "${sanitized%/*}" --target urenwacht >"$work/build.log" 2>&1; then
    tail -n 20 "$work/build.log"
    exit 1
fi
"$UW_COMMAND" migrate 2>/dev/null
"$UW_COMMAND" topics --create >/dev/null 2>&1
# First the senders of webhooks, in some of their cases; the rest are seen without sanitizers in webhooks.sh.
mkdir "$work/webhooks"
ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1 UW_TOPICS=urenwacht \
    UW_COMMAND=$sanitized UW_CASES='order|answers|rotation|delete|limits|secure|guard' \
    "$UW_PYTHON" "$UW_SOURCE/tests/live/webhooks.py" "$work/webhooks"
"$UW_COMMAND" simulate --clients 60 --from 2025-01-01 --until 2025-12-31 --seed 3 >/dev/null 2>&1
"$UW_COMMAND" process --until-idle --as-of 2026-01-15 >/dev/null 2>&1
UW_SANITIZED=$sanitized "$UW_PYTHON" "$UW_SOURCE/tests/live/http_fuzz.py" "$work"
