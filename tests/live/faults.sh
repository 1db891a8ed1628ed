#!/usr/bin/env bash
# The short form of tests/faults, on the servers of the live tests.
set -euo pipefail
exec "$UW_PYTHON" "$UW_SOURCE/tests/faults"
