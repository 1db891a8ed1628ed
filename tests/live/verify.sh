#!/usr/bin/env bash
# `urenwacht verify` finds what was tampered with, and nothing where nothing was: at rest, while processors work, and
# when retention has taken records away.
# Names of its own.
set -euo pipefail
# shellcheck source=tests/live/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly events=$UW_SOURCE/tests/data/hostile-1.events.jsonl
as_of=$(<"$UW_SOURCE/tests/data/hostile-1.as-of")
readonly data=urenwacht_data

# ---------------------------------------------------------------------------
# Corruption, each in a copy of a database in which everything is right.

clean() {
    run "$1" verify "${@:2}"
    check_equal "${1//-/ }: nothing is found" "$status" 0 "$dir/$1.out" "$dir/$1.err"
}

# $1: name; $2: what is done; then pairs of what must be told.
plant() {
    local name=$1 change=$2 found=$dir/$1.out
    local copy=$database-$name
    shift 2
    # Not while somebody is connected, which those who have just left may be for a moment.
    wait_until 90 admin_sql "CREATE DATABASE \"$copy\" TEMPLATE \"$database\" OWNER urenwacht" ||
        failed "$name: no copy"
    if ! psql -XAtq -v ON_ERROR_STOP=1 "${suite_dsn%/*}/$copy" -c "$change" >"$dir/$name.sql" 2>&1; then
        failed "$name: cannot be planted" "$dir/$name.sql"
    fi
    run "$name" verify --json --limit 0 --dsn "${suite_dsn%/*}/$copy"
    check_equal "$name: ends with 1" "$status" 1 "$dir/$name.err"
    while (($# > 0)); do
        check_says "$name: $1 $2" "$found" "\"what\": \"$1\", \"difference\": \"$2\""
        shift 2
    done
    admin_sql "DROP DATABASE \"$copy\" WITH (FORCE)"
}

one() { printf 'ctid = (SELECT min(ctid) FROM %s.%s WHERE %s)' "$data" "$1" "${2:-true}"; }

case_planted() {
    fresh 3
    # Decisions alone stall; their lines, in a batch after it, resolve that, so that there is an alert to be reopened.
    grep -E '"topic": *"(urenwacht\.)?decisions"' "$events" >"$dir/decisions.jsonl"
    grep -Ev '"topic": *"(urenwacht\.)?decisions"' "$events" >"$dir/others.jsonl"
    must decisions feed "$dir/decisions.jsonl"
    must stalled process --until-idle --as-of "$as_of"
    must feed feed "$dir/others.jsonl"
    must process process --until-idle --as-of "$as_of"
    check 'an alert was resolved' test "$(sql "SELECT count(*) FROM $data.alert_state WHERE status = 'RESOLVED'")" -gt 0
    clean clean
    clean strict --as-of-stored
    plant account-changed "UPDATE $data.account_state SET used_minutes = used_minutes + 1
        WHERE $(one account_state)" account changed
    plant account-gone "DELETE FROM $data.account_state WHERE $(one account_state)" account missing
    plant account-made "INSERT INTO $data.account_state SELECT client, municipality, decision, segment_from,
        period_from - 3650, period_to, model, allotted_minutes, minimum_minutes, used_minutes, delivered_minutes,
        no_show_minutes FROM $data.account_state WHERE $(one account_state)" account extra
    plant alert-resolved "UPDATE $data.alert_state SET status = 'RESOLVED'
        WHERE $(one alert_state "status = 'OPEN' AND revision = 1")" alert changed history changed
    plant alert-reopened "UPDATE $data.alert_state SET status = 'OPEN'
        WHERE $(one alert_state "status = 'RESOLVED'")" alert extra
    plant alert-severity "UPDATE $data.alert_state SET severity = CASE severity WHEN 'INFO' THEN 'WARNING'
        ELSE 'INFO' END WHERE $(one alert_state "status = 'OPEN'")" alert changed
    plant alert-provider "UPDATE $data.alert_state SET provider = '99999999'
        WHERE $(one alert_state "status = 'OPEN'")" alert changed
    plant alert-day "UPDATE $data.alert_state SET effective_on = effective_on + 1
        WHERE $(one alert_state "status = 'OPEN'")" alert changed
    plant alert-identity "UPDATE $data.alert_state SET decision = decision || 'x'
        WHERE $(one alert_state "status = 'OPEN'")" alert changed alert missing
    plant alert-unreadable "UPDATE $data.alert_state SET kind = 'NONSENSE'
        WHERE $(one alert_state "status = 'OPEN'")" alert changed
    plant alert-gone "DELETE FROM $data.alert_state WHERE $(one alert_state "status = 'OPEN'")" alert missing
    plant alert-over "DELETE FROM $data.alert_state WHERE $(one alert_state 'revision > 1')" history changed
    plant revision-gone "DELETE FROM $data.alert_history WHERE $(one alert_history 'revision = 1')" history changed
    plant revision-made "INSERT INTO $data.alert_history SELECT alert_id, revision + 1, status, severity, provider,
        effective_on, payload, observed_at FROM $data.alert_history WHERE $(one alert_history "NOT EXISTS (SELECT
        FROM $data.alert_history n WHERE n.alert_id = alert_history.alert_id
        AND n.revision = alert_history.revision + 1)")" history changed
    plant revision-skipped "UPDATE $data.alert_state SET revision = revision + 1 WHERE $(one alert_state)" history changed
    plant revision-same "UPDATE $data.alert_state s SET status = h.status, severity = h.severity,
        effective_on = h.effective_on FROM $data.alert_history h
        WHERE h.alert_id = s.alert_id AND h.revision = s.revision - 1" history changed
    plant anomaly-gone "DELETE FROM $data.anomaly_state WHERE $(one anomaly_state "status = 'OPEN'")" anomaly missing
    plant anomaly-resolved "UPDATE $data.anomaly_state SET status = 'RESOLVED'
        WHERE $(one anomaly_state "status = 'OPEN'")" anomaly changed
    plant anomaly-subject "UPDATE $data.anomaly_state SET subject = subject || 'x'
        WHERE $(one anomaly_state "status = 'OPEN'")" anomaly changed
    plant anomaly-revision "UPDATE $data.anomaly_state SET revision = 2 WHERE $(one anomaly_state 'revision = 1')" \
        history changed
    plant anomaly-revisions "INSERT INTO $data.anomaly_history SELECT anomaly_id, revision, status, provider, payload,
        observed_at FROM $data.anomaly_state WHERE $(one anomaly_state)" history changed
    plant aggregate-changed "UPDATE $data.aggregate_sum SET clients = clients + 1 WHERE $(one aggregate_sum)" aggregate changed
    plant aggregate-gone "DELETE FROM $data.aggregate_sum
        WHERE $(one aggregate_sum 'delivered_minutes > 0')" aggregate missing
    plant aggregate-made "UPDATE $data.aggregate_key SET provider = '00000000'
        WHERE $(one aggregate_key)" aggregate missing \
        aggregate extra
    plant change-later "UPDATE $data.client SET next_change_on = next_change_on + 1
        WHERE $(one client 'next_change_on IS NOT NULL')" client changed
    plant change-never "UPDATE $data.client SET next_change_on = NULL
        WHERE $(one client 'next_change_on IS NOT NULL')" client changed
    plant client-gone "DELETE FROM $data.client WHERE $(one client)" client missing
    plant client-made "CREATE TEMPORARY TABLE t AS SELECT * FROM $data.client LIMIT 1;
        UPDATE t SET client = 'nobody'; INSERT INTO $data.client SELECT * FROM t" client extra
    plant fact-gone "DELETE FROM $data.declaration_fact WHERE $(one declaration_fact 'NOT redelivery')" \
        partition changed record missing
    plant fact-made "CREATE TEMPORARY TABLE t AS SELECT * FROM $data.evaluation_fact WHERE $(one evaluation_fact);
        UPDATE t SET kafka_offset = 1000000; INSERT INTO $data.evaluation_fact SELECT * FROM t" \
        partition changed record extra
    plant fact-twice "INSERT INTO $data.declaration_fact
        SELECT * FROM $data.declaration_fact WHERE $(one declaration_fact)" partition changed fact extra record extra
    plant fact-changed "UPDATE $data.declaration_fact SET staff = coalesce(staff, '') || 'x'
        WHERE $(one declaration_fact 'NOT redelivery')" record changed
    plant fact-invalid "UPDATE $data.declaration_fact SET minutes = -1 WHERE $(one declaration_fact)" fact extra
    plant fact-symbol "UPDATE $data.declaration_fact SET kind = 7 WHERE $(one declaration_fact)" fact extra
    plant fact-hidden "UPDATE $data.declaration_fact SET redelivery = true
        WHERE $(one declaration_fact "line = (SELECT min(line) FROM (SELECT line FROM $data.declaration_fact
            GROUP BY line HAVING count(*) = 1) l)")" fact changed
    plant partition-gone "DELETE FROM $data.partition_state WHERE partition = 0" partition missing
    plant outbox-numbers "UPDATE $data.partition_state SET published_sequence = published_sequence - 1
        WHERE partition = 0" outbox changed
    plant outbox-made "INSERT INTO $data.outbox SELECT 0, 1000000, 0, NULL, NULL, ''" outbox changed outbox extra
    plant offset-ahead "UPDATE $data.partition_state SET evaluations_offset = evaluations_offset + 5
        WHERE partition = 0" topic changed
}

# What is told besides differences, and mistakes of usage.
case_notes() {
    fresh 3
    must feed feed "$events"
    must process process --until-idle --as-of "$as_of"
    local client municipality
    client=$(sql "SELECT min(client) FROM $data.client")
    municipality=$(sql "SELECT min(municipality) FROM $data.decision_fact")
    clean one-client --client "$client"
    check_says 'one client: only that one' "$dir/one-client.out" '^client +1 +0$'
    clean one-municipality --municipality "$municipality"
    clean facts-only --facts-only
    check_silent 'facts only: no records' "$dir/facts-only.out" '^record'
    clean topics --topics
    check_silent 'topics: no accounts' "$dir/topics.out" '^account'
    sql "UPDATE $data.client SET next_change_on = '-infinity' WHERE client = '$client'"
    clean waiting
    check_says 'waiting: one client is counted' "$dir/waiting.out" '^1 client waits to be judged'
    run strict verify --as-of-stored
    check_equal 'strict: who waits is a difference' "$status" 1
    must process process --until-idle --as-of "$as_of"
    clean judged --as-of-stored
    run rules verify --facts-only --set thresholds.stalled_days=3
    check_equal 'other thresholds are a difference' "$status" 1
    check_says 'and told as such' "$dir/rules.out" '^partition +changed .*rules stored'
    run elsewhere verify --set topics.decisions=elsewhere
    check_equal 'other topics are a mistake' "$status" 2
    run both verify --topics --facts-only
    check_equal 'as are both halves at once' "$status" 2
    run nowhere verify --dsn 'postgresql://127.0.0.1:1/nowhere'
    check_equal 'no database: 1' "$status" 1
    run no-broker verify --brokers 127.0.0.1:1 --set timeouts.kafka_ms=8000
    check_equal 'no broker: 1' "$status" 1
    check_says 'no broker: says so' "$dir/no-broker.err" '^urenwacht: Kafka: .*no broker'
}

# While two instances work, in many small batches, with a day that turns.
case_running() {
    fresh 4 'batch: {max_events: 40, linger_ms: 0, due_clients: 1}'
    start one process --as-of "$as_of" --instance one
    start two process --as-of "$as_of" --instance two
    local turn
    for turn in 1 2 3 4 5 6; do
        sed -n "$(((turn - 1) * 180 + 1)),$((turn * 180))p" "$events" >"$dir/part.jsonl"
        start feed feed "$dir/part.jsonl"
        clean "running-$turn"
        await feed 240
    done
    check 'everything is applied' wait_until 90 applied_all 1080
    stop one
    stop two
    clean stopped
}

# Records that retention has taken are not missed; what is left is compared.
case_truncated() {
    fresh 3
    must feed feed "$events"
    must process process --until-idle --as-of "$as_of"
    "$UW_PYTHON" "$live/truncate.py" declarations 10
    clean truncated
    check_says 'truncated: older facts are counted' "$dir/truncated.out" '^30 facts are older than what'
    sql "DELETE FROM $data.declaration_fact WHERE partition = 0 AND kafka_offset = 12"
    run missing verify --topics
    check_equal 'what is left is compared' "$status" 1
    check_says 'and the missing one is named' "$dir/missing.out" '^record +missing .*partition=0 offset=12'
}

case_lane planted case_planted
case_lane notes case_notes
case_lane running case_running
case_lane truncated case_truncated
suite_end
