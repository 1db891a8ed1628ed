#!/usr/bin/env bash
# The page in a real browser against real servers: every page, every action, what comes live, both languages, phone
# and keyboard, axe-core, roles. tests/browser/README.md says what is proven where.
# Names of its own.
set -euo pipefail
exec "$UW_SOURCE/tests/browser/run" test
