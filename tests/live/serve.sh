#!/usr/bin/env bash
# The dashboard's server against real servers: a small region is processed, then serve.py asks everything.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export URENWACHT_CONFIG=$work/urenwacht.yaml PYTHONDONTWRITEBYTECODE=1
: >"$URENWACHT_CONFIG"
# Five thousand subscribers, in serve.py and in the server; many shells begin with a lower limit than they may have.
(($(ulimit -Sn) >= 12000)) || ulimit -Sn 12000 2>/dev/null || ulimit -Sn hard
"$UW_COMMAND" migrate 2>/dev/null
"$UW_COMMAND" topics --create >/dev/null 2>&1
"$UW_COMMAND" simulate --clients 300 --from 2025-01-01 --until 2025-12-31 --seed 3 >/dev/null 2>&1
# One version of a decision in two reports that differ, which a region so small need not have.
report() {
    printf '{"topic": "decisions", "value": {"event_id": "00000000-0000-4000-8000-%012d", "recorded_at": %d, "municipality": "0268",
 "client": "c-conflict", "decision": "WMO-conflict", "version": 1, "status": "ACTIVE", "law": "WMO", "product_category": "02",
 "product": "02A03", "care": "CONTINUOUS", "provider": "41419999", "valid_from": "2025-01-01", "valid_to": %s,
 "effective_from": "2025-01-01", "terms": {"Pxq": {"volume_minutes": %d, "frequency": "WEEK"}}, "no_show": {"billable_percent": 0,
 "max_per_month": null, "notice_hours": 24, "counts_to_budget": false}, "evaluation_months": [3], "rate_cents_per_hour": 5000}}' \
        "$@" | tr -d '\n'
    printf '\n'
}
{
    report 1 1736000000000 null 120
    report 2 1736000001000 '"2025-12-31"' 180
} >"$work/reports.jsonl"
"$UW_COMMAND" feed "$work/reports.jsonl" 2>/dev/null
"$UW_COMMAND" process --until-idle --as-of 2026-01-15 >/dev/null 2>&1
"$UW_PYTHON" "$UW_SOURCE/tests/live/serve.py" "$work"
