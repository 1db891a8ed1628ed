#!/usr/bin/env bash
# The figures and the health of process and serve, against real servers; and the rules and the dashboard that use them.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export URENWACHT_CONFIG=$work/urenwacht.yaml PYTHONDONTWRITEBYTECODE=1
: >"$URENWACHT_CONFIG"
"$UW_COMMAND" migrate 2>/dev/null
"$UW_COMMAND" topics --create >/dev/null 2>&1
"$UW_PYTHON" "$UW_SOURCE/tests/live/metrics.py" "$work"
