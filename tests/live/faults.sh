#!/usr/bin/env bash
# The short form of tests/faults, on the servers of the live tests.
# Runs alone: it measures how long a recovery takes.
set -euo pipefail
exec "$UW_PYTHON" "$UW_SOURCE/tests/faults"
