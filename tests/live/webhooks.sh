#!/usr/bin/env bash
# Webhooks against real servers and real receivers: see webhooks.py.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export URENWACHT_CONFIG=$work/urenwacht.yaml UW_TOPICS=urenwacht
export PYTHONPATH=$UW_SOURCE/tests/live PYTHONDONTWRITEBYTECODE=1
: >"$URENWACHT_CONFIG"
"$UW_COMMAND" migrate 2>/dev/null
"$UW_COMMAND" topics --create >/dev/null 2>&1
"$UW_PYTHON" "$UW_SOURCE/tests/live/webhooks.py" "$work"
