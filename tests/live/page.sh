#!/usr/bin/env bash
# The web page: built twice it has the same bytes, and the command answers with exactly what was built.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export URENWACHT_CONFIG=$work/urenwacht.yaml PYTHONDONTWRITEBYTECODE=1
: >"$URENWACHT_CONFIG"
# In another place, so that no path of the machine can be in the files.
"$UW_SOURCE/dashboard/page/build" "$work/another place" "$work/built.c"
"$UW_COMMAND" migrate 2>/dev/null
"$UW_COMMAND" topics --create >/dev/null 2>&1
"$UW_PYTHON" "$UW_SOURCE/tests/live/page.py" "$work" "$work/another place/dist"
