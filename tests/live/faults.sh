#!/usr/bin/env bash
# The short form of tests/faults, on the servers of the live tests.
# Runs first: it freezes and kills processes and waits for what the group makes of it.
# Names of its own.
set -euo pipefail
exec "$UW_PYTHON" "$UW_SOURCE/tests/faults"
