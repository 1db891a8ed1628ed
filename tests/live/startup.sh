#!/usr/bin/env bash
# How the processor starts, waits, refuses to start, reads its thresholds again, lives through days, and ends.
# Names of its own.
set -euo pipefail
# shellcheck source=tests/live/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly data=$UW_SOURCE/tests/data
readonly events=$data/hostile-1.events.jsonl
as_of=$(<"$data/hostile-1.as-of")
count=$(wc -l <"$events")

# The state of file $1 as of $2 by the oracle, into $3; the rest goes to the oracle.
oracle() { "$UW_PYTHON" "$UW_SOURCE/tests/oracle/oracle.py" "$1" --as-of "$2" --full --output "$3" "${@:4}"; }
oracle "$events" "$as_of" "$work/expected.json"

stack() { check "deploy/local $*" "$UW_SOURCE/deploy/local" "$@"; }

# ---------------------------------------------------------------------------
# Servers that are away when the processor starts. These stop servers that all cases use, so they run alone, and leave
# them running whatever happens.

# $1: kafka or postgres, $2: what the log must say.
case_away() {
    fresh 3
    must feed feed "$events"
    stack "stop-$1"
    start process process --as-of "$as_of" --set timeouts.kafka_ms=3000
    check 'says what is away, and that it tries again' wait_until 90 says "$dir/process.err" "$2.*trying again"
    check 'goes on trying' wait_until 90 tried_again 3
    stack "start-$1"
    check 'goes on when it comes' wait_until 90 applied_all "$count"
    check 'all is judged, and published' wait_until 90 at_rest
    stop_well process
    verify "$work/expected.json" --events "$count"
}

tried_again() { (($(grep -c 'trying again' "$dir/process.err") >= $1)); }

# A process ends within 5 seconds of a signal when it is given the processor; here others want it too.
readonly stop_seconds=20

# SIGTERM while nothing answers.
case_stop_while_away() {
    local server signal
    fresh 3
    for server in kafka postgres; do
        stack "stop-$server"
        for signal in TERM INT; do
            start "$server-$signal" process --as-of "$as_of" --set timeouts.kafka_ms=3000
            check "$server is away: says so" wait_until 90 says "$dir/$server-$signal.err" 'trying again'
            stop "$server-$signal" "$signal" "$stop_seconds"
            check_equal "$server is away: SIG$signal ends it" "$status" 0 "$dir/$server-$signal.err"
        done
        stack "start-$server"
    done
}

case_run kafka-away case_away kafka 'Kafka'
stack up
case_run postgres-away case_away postgres 'database'
stack up
case_run stop-while-away case_stop_while_away
stack up

# ---------------------------------------------------------------------------
# What no waiting mends: one line, and exit code 2.

# The command $2... must end with 2 and say one line that matches $1.
refuses() {
    local what=$1
    shift
    turn=$((${turn:-0} + 1))
    run "refused-$turn" "$@"
    check_equal "'$what': exit code" "$status" 2 "$dir/refused-$turn.err"
    check_says "'$what': says so" "$dir/refused-$turn.err" "^urenwacht: .*$what"
    check_equal "'$what': in one line" "$(grep -c '^urenwacht: ' "$dir/refused-$turn.err")" 1 "$dir/refused-$turn.err"
}

case_database() {
    local good
    fresh 3
    good=$URENWACHT_DSN
    refuses 'password' process --until-idle --dsn "${good/urenwacht:*@/urenwacht:an-unlikely-word@}"
    check_silent 'the password is not told' "$dir/refused-$turn.err" 'an-unlikely-word'
    refuses 'does not exist' process --until-idle --dsn "${good%/*}/no-such-database"
    refuses 'role|authentication' process --until-idle --dsn "${good/\/urenwacht:/\/nobody:}"
    refuses 'conninfo|dsn|missing|invalid' process --until-idle --dsn 'host=127.0.0.1 nonsense=1'
    sql "INSERT INTO urenwacht.schema_version (version, name, checksum, applied_at)
        SELECT max(version) + 1, '999_later.sql', 'x', now() FROM urenwacht.schema_version"
    refuses 'newer' process --until-idle
    refuses 'newer' migrate
    sql "DELETE FROM urenwacht.schema_version WHERE name = '999_later.sql'"
    sql "UPDATE urenwacht.schema_version SET checksum = 'x' WHERE version = 1"
    refuses '001_state' process --until-idle
    sql 'DROP SCHEMA urenwacht CASCADE; DROP SCHEMA urenwacht_data CASCADE'
    refuses 'urenwacht migrate' process --until-idle
    refuses 'urenwacht migrate' migrate --check
}

case_topics() {
    fresh 3
    refuses 'isolation.level' process --set kafka.isolation.level=read_uncommitted
    refuses 'enable.idempotence' process --set kafka.enable.idempotence=false
    refuses 'topic .*no-such-topic' process --until-idle --set topics.no-shows=no-such-topic
    refuses 'topic .*no-such-output' process --until-idle --set topics.alerts=no-such-output
    refuses 'topic .*no-such-topic' feed "$events" --set topics.no-shows=no-such-topic
    "$UW_PYTHON" -c 'import lib_kafka; lib_kafka.create(lib_kafka.topic_name("uneven"), 2)'
    run uneven topics --set "topics.evaluations=$UW_TOPICS.uneven"
    check_equal 'topics: another number of partitions is a failure' "$status" 1 "$dir/uneven.out"
    refuses 'partitions' process --until-idle --set "topics.evaluations=$UW_TOPICS.uneven"
    refuses 'partitions' feed "$events" --set "topics.evaluations=$UW_TOPICS.uneven"
}

case_configuration() {
    local file=$dir/urenwacht.yaml
    printf 'batch:\n  max_events: 10\n  max_event: 10\n' >"$file"
    refuses "$file:3: batch.max_event: unknown key" process --config "$file"
    printf 'batch:\n  max_events: many\n' >"$file"
    refuses "$file:2: batch.max_events: 'many' is not an integer" process --config "$file"
    printf 'batch: [1\n' >"$file"
    refuses "$file:[0-9]+: " process --config "$file"
    printf 'thresholds:\n  overrides:\n    - municipality: "12"\n      stalled_days: 1\n' >"$file"
    refuses "$file:3: .*municipality" process --config "$file"
    refuses 'no-such-file' process --config "$dir/no-such-file"
    refuses 'batch.max_event: unknown key' process --set batch.max_event=1
    refuses 'kafka.no.such.property' process --set kafka.no.such.property=1
    refuses '2026-02-30' process --as-of 2026-02-30
    refuses 'operand' process now
    URENWACHT_BATCH_MAX_EVENTS=0 refuses 'URENWACHT_BATCH_MAX_EVENTS: ' process
    run flag process --as-off 2026-01-01
    check_equal 'a wrong flag: exit code' "$status" 2 "$dir/flag.err"
    check_says 'a wrong flag: the right one is told' "$dir/flag.err" 'did you mean --as-of\?'
}

# ---------------------------------------------------------------------------
# Days and thresholds

# Day by day, in steps of $2 days from $1 on, as the days pass for a processor that is started anew each time.
case_days() {
    local day=$1
    fresh 2
    must feed feed "$events"
    while [[ $day < $as_of ]]; do
        must "process-$day" process --until-idle --as-of "$day"
        day=$(date -u -d "$day + $2 days" +%F)
    done
    must process process --until-idle --as-of "$as_of"
    verify "$work/expected.json" --events "$count"
}

# The same set at several dates, forwards and back.
case_dates() {
    local day
    fresh 3
    must feed feed "$data/edges.events.jsonl"
    for day in 2024-03-15 2026-04-06 2026-02-27 "$(<"$data/edges.as-of")" 2024-03-15; do
        must "process-$day" process --until-idle --as-of "$day"
        if [[ -e $data/edges.expected-$day.json ]]; then
            verdict="as of $day" verify "$data/edges.expected-$day.json"
        else
            verdict="as of $day" verify "$data/edges.expected.json"
        fi
    done
}

# A year on and back again: what came with the year has gone.
case_back() {
    fresh 3
    must feed feed "$events"
    must later process --until-idle --as-of "$(date -u -d "$as_of + 400 days" +%F)"
    must process process --until-idle --as-of "$as_of"
    verify "$work/expected.json" --events "$count"
}

# Writes other thresholds as configuration and for the oracle; the first are defaults.
other_thresholds() {
    cat >>"$config" <<'YAML'
thresholds:
  stalled_days: 7
  ending_notice_days: 200
  surplus_thresholds_percent: [10, 50, 90, 100, 150]
  overrides:
    - municipality: "0363"
      evaluation_notice_days: 90
      budget_thresholds_percent: []
    - municipality: "0363"
      law: JEUGDWET
      stalled_days: 60
YAML
    cat >"$dir/settings.json" <<'JSON'
[{"stalled_days": 7, "ending_notice_days": 200, "surplus_thresholds_percent": [10, 50, 90, 100, 150]},
 {"municipality": "0363", "evaluation_notice_days": 90, "budget_thresholds_percent": []},
 {"municipality": "0363", "law": "JEUGDWET", "stalled_days": 60}]
JSON
    oracle "$events" "$as_of" "$dir/other.json" --settings "$dir/settings.json"
    check 'other thresholds make another state' differs "$dir/other.json" "$work/expected.json"
}

differs() { ! cmp -s "$1" "$2"; }

stands() { "$UW_PYTHON" "$live/compare.py" "$URENWACHT_DSN" "$1"; }

# Other thresholds at a start, and the old ones again.
case_thresholds() {
    fresh 3
    cp "$config" "$dir/usual.yaml"
    must feed feed "$events"
    must first process --until-idle --as-of "$as_of"
    other_thresholds
    must second process --until-idle --as-of "$as_of"
    verdict='with other thresholds' verify "$dir/other.json"
    cp "$dir/usual.yaml" "$config"
    must third process --until-idle --as-of "$as_of"
    verdict='with the usual thresholds again' verify "$work/expected.json"
}

# The same without a restart. The rest are options of the processor.
case_reload() {
    fresh 3
    must feed feed "$events"
    start process process --as-of "$as_of" "$@"
    check 'usual thresholds' wait_until 90 stands "$work/expected.json"
    printf 'thresholds: {stalled_day: 7}\n' >"$dir/broken.yaml"
    cp "$config" "$dir/usual.yaml"
    cat "$dir/broken.yaml" >>"$config"
    kill -HUP "${process_of[process]}"
    check 'a mistake in the file is told' wait_until 90 says "$dir/process.err" 'stalled_day: unknown key'
    cp "$dir/usual.yaml" "$config"
    other_thresholds
    kill -HUP "${process_of[process]}"
    check 'SIGHUP: judged by the new thresholds' wait_until 90 stands "$dir/other.json"
    check 'all of it is published' wait_until 90 at_rest
    stop_well process
    verdict='after a reload' verify "$dir/other.json"
}

# SIGTERM in the middle of work. The rest are options of the processor.
case_stop() {
    local turn
    fresh 3 'batch: {max_events: 20, linger_ms: 0}'
    must feed feed "$events"
    for turn in 1 2 3; do
        start "process-$turn" process --as-of "$as_of" "$@"
        check "turn $turn: it has begun" wait_until 90 says "$dir/process-$turn.err" 'as of '
        check "turn $turn: events are applied" wait_until 90 applied_all $((turn * 100))
        stop "process-$turn" TERM "$stop_seconds"
        check_equal "turn $turn: SIGTERM ends it" "$status" 0 "$dir/process-$turn.err"
    done
    must process process --until-idle --as-of "$as_of" "$@"
    verify "$work/expected.json" --events "$count"
}

# More workers than partitions: one stands by, and systemd hears that the process is ready all the same.
case_spare() {
    local listener
    fresh 2
    must feed feed "$events"
    # An address that is no path, which may be too long.
    "$UW_PYTHON" -u -c 'import socket, sys
told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
told.bind("\0" + sys.argv[1])
print("listens")
while True:
    print(told.recv(4096).decode())' "urenwacht-startup-$run" >"$dir/notified" &
    listener=$!
    check 'somebody listens' wait_until 90 says "$dir/notified" '^listens'
    NOTIFY_SOCKET=@urenwacht-startup-$run start process process --as-of "$as_of" --workers 3
    check 'the third worker has no partitions' wait_until 90 says "$dir/process.err" 'no partitions: the group gives'
    check 'the process is ready' wait_until 90 says "$dir/notified" 'READY=1'
    check 'with both partitions' wait_until 90 says "$dir/notified" 'STATUS=2 partitions'
    check 'all is applied' wait_until 90 applied_all "$count"
    check 'judged, and published' wait_until 90 at_rest
    stop_well process
    check 'says that it stops' wait_until 90 says "$dir/notified" 'STOPPING=1'
    kill "$listener"
    verify "$work/expected.json" --events "$count"
}

# A member dies after it was given half of the partitions: the group takes it for alive until its session ends, and the
# other one is at the end of its own half long before. Batches take their time, so that the dead one has applied nothing.
case_dead_member() {
    local -a slowly=(--set kafka.session.timeout.ms=15000 --set batch.linger_ms=2500)
    fresh 4
    must feed feed "$events"
    start dead process --as-of "$as_of" "${slowly[@]}"
    check 'the first member has all partitions' wait_until 90 says "$dir/dead.err" 'assigned 4 partitions'
    start process process --until-idle --as-of "$as_of" "${slowly[@]}"
    check 'then half of them' wait_until 90 says "$dir/dead.err" 'assigned 2 partitions'
    stop dead KILL
    await process 240
    check_equal 'the living one ends with exit code 0' "$status" 0 "$dir/process.err"
    verify "$work/expected.json" --events "$count"
}

# What the members have stored is not all judged when one of them dies. Judging is kept from getting anywhere by a
# trigger that marks each client again. The session lasts longer than the other one needs to find itself at the end.
case_dead_member_owes() {
    local -a lasting=(--set kafka.session.timeout.ms=10000)
    fresh 4
    must feed feed "$events"
    start dead process --as-of "$as_of" "${lasting[@]}"
    check 'all is applied' wait_until 90 applied_all "$count"
    check 'judged, and published' wait_until 90 at_rest
    sql "CREATE FUNCTION urenwacht_data.not_now() RETURNS trigger LANGUAGE plpgsql
         AS 'BEGIN NEW.next_change_on := ''-infinity''; RETURN NEW; END';
         CREATE TRIGGER not_now BEFORE INSERT OR UPDATE ON urenwacht_data.client
         FOR EACH ROW EXECUTE FUNCTION urenwacht_data.not_now();
         UPDATE urenwacht_data.client SET partition = partition"
    start process process --until-idle --as-of "$as_of" "${lasting[@]}"
    check 'two instances share' wait_until 90 says "$dir/dead.err" 'assigned 2 partitions'
    check 'the other one has its half' wait_until 90 says "$dir/process.err" 'assigned 2 partitions'
    stop dead KILL
    sql 'DROP TRIGGER not_now ON urenwacht_data.client'
    await process 240
    check_equal 'the living one ends with exit code 0' "$status" 0 "$dir/process.err"
    check_equal 'nobody waits to be judged' \
        "$(sql "SELECT count(*) FROM urenwacht_data.client_known WHERE next_change_on = '-infinity'")" 0
    verify "$work/expected.json" --events "$count"
}

# A broker that comes back too late for a transaction may forget to end it for the group's positions (docs/faults.md). The
# next producer of that name ends it, whether the group has members then or not.
case_pending() {
    fresh 3
    must feed feed "$events"
    must first process --until-idle --as-of "$as_of" --instance one
    leave_pending
    run second process --until-idle --as-of "$as_of" --instance one
    check_equal 'goes on' "$status" 0 "$dir/second.err"
    start other process --as-of "$as_of" --instance two
    check 'another member has all partitions' wait_until 90 says "$dir/other.err" 'assigned 3 partitions'
    leave_pending
    start third process --as-of "$as_of" --instance one
    check 'they share' wait_until 90 says "$dir/third.err" 'assigned [12] partitions?'
    stop other
    check_equal 'the other one ends with exit code 0' "$status" 0 "$dir/other.err"
    stop third
    check_equal 'so does the one' "$status" 0 "$dir/third.err"
    must fourth process --until-idle --as-of "$as_of" --instance two
    verify "$work/expected.json" --events "$count"
}

# PostgreSQL by its socket, and by TCP.
case_socket() {
    local by_tcp by_socket
    by_tcp=$("$UW_SOURCE/deploy/local" env | sed -n "s/^export URENWACHT_DSN='\(.*\)'/\1/p")
    by_socket=$("$UW_SOURCE/deploy/local" env --socket | sed -n "s/^export URENWACHT_DSN='\(.*\)'/\1/p")
    check_equal 'TCP unless told' "$(psql -XAtc 'SELECT inet_server_addr()' "$by_tcp")" 127.0.0.1
    check_equal 'the socket is none of TCP' "$(psql -XAtc 'SELECT inet_server_addr() IS NULL' "$by_socket")" t
}

leave_pending() {
    check 'positions pend' "$UW_PYTHON" -c "import lib_kafka
lib_kafka.leave_pending('$UW_GROUP', '$UW_GROUP.one', lib_kafka.topic_name('declarations'), 1)"
}

case_lane database case_database
case_lane topics case_topics
case_lane configuration case_configuration
case_lane days case_days "$(date -u -d "$as_of - 12 days" +%F)" 1
case_lane months case_days "$(date -u -d "$as_of - 400 days" +%F)" 40
case_lane dates case_dates
case_lane back case_back
case_lane thresholds case_thresholds
case_lane reload case_reload
case_lane reload-workers case_reload --workers 2
case_lane stop case_stop
case_lane stop-workers case_stop --workers 3
case_lane spare case_spare
case_lane pending case_pending
case_lane socket case_socket
case_lane dead-member case_dead_member
case_lane dead-member-owes case_dead_member_owes
suite_end
