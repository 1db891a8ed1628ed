#!/usr/bin/env bash
# The live stream to many subscribers, over restarts of the server; from Kafka where memory does not reach back; and what
# it says when Kafka does not either. UW_STREAM=1000x100000 is the full form: so many subscribers, and about so many
# events; ulimit -n has to allow them.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export URENWACHT_CONFIG=$work/urenwacht.yaml PYTHONDONTWRITEBYTECODE=1
: >"$URENWACHT_CONFIG"
"$UW_COMMAND" migrate 2>/dev/null
"$UW_COMMAND" topics --create >/dev/null 2>&1
"$UW_PYTHON" "$UW_SOURCE/tests/live/stream.py" "$work"
