#!/usr/bin/env bash
# The dashboard's server against real servers: a small region is processed, then serve.py asks everything.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export URENWACHT_CONFIG=$work/urenwacht.yaml
: >"$URENWACHT_CONFIG"
"$UW_COMMAND" migrate 2>/dev/null
"$UW_COMMAND" topics --create >/dev/null 2>&1
"$UW_COMMAND" simulate --clients 300 --from 2025-01-01 --until 2025-12-31 --seed 3 >/dev/null 2>&1
"$UW_COMMAND" process --until-idle --as-of 2026-01-15 >/dev/null 2>&1
"$UW_PYTHON" "$UW_SOURCE/tests/live/serve.py" "$work"
