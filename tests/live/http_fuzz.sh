#!/usr/bin/env bash
# The whole server under the address and undefined behaviour sanitizers, asked by somebody who means no good. UW_SEED
# chooses other requests, UW_SECONDS more of them.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export URENWACHT_CONFIG=$work/urenwacht.yaml
: >"$URENWACHT_CONFIG"
# The build of tests/run's unit tests; made here when only this suite is run.
sanitized=$UW_SOURCE/build-asan-clang
if ! "$UW_SOURCE/deploy/build" --tests --werror --sanitize --clang --dir "$sanitized" >"$work/build.log" 2>&1; then
    tail -n 20 "$work/build.log"
    exit 1
fi
"$UW_COMMAND" migrate 2>/dev/null
"$UW_COMMAND" topics --create >/dev/null 2>&1
"$UW_COMMAND" simulate --clients 60 --from 2025-01-01 --until 2025-12-31 --seed 3 >/dev/null 2>&1
"$UW_COMMAND" process --until-idle --as-of 2026-01-15 >/dev/null 2>&1
UW_SANITIZED=$sanitized/urenwacht "$UW_PYTHON" "$UW_SOURCE/tests/live/http_fuzz.py" "$work"
