#!/usr/bin/env bash
# The subcommands as a user meets them: help, feed, simulate, watch, explain, verify, dead-letters.
# Names of its own.
set -euo pipefail
# shellcheck source=tests/live/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly data=$UW_SOURCE/tests/data
readonly events=$data/hostile-1.events.jsonl
as_of=$(<"$data/hostile-1.as-of")

# ---------------------------------------------------------------------------
# Help and mistakes

# The commands that the overview names.
commands() { sed -n '/^commands:/,/^$/s/^  \([a-z-]*\)  .*/\1/p' "$dir/help.out"; }

case_help() {
    local command option
    run help help
    check_equal 'help: exit code' "$status" 0
    run flag --help
    check '--help says the same' cmp "$dir/help.out" "$dir/flag.out"
    run nothing
    check_equal 'without a command: exit code' "$status" 2
    check 'without a command: the help on standard error' cmp "$dir/help.out" "$dir/nothing.err"
    for command in process feed simulate watch explain migrate topics; do
        check "$command is a command" grep -qx "$command" <(commands)
    done
    for command in $(commands); do
        run "$command" "$command" --help
        check_equal "$command --help: exit code" "$status" 0 "$dir/$command.err"
        check_says "$command --help: usage" "$dir/$command.out" "^usage: urenwacht $command"
        check_equal "$command --help: nothing on standard error" "$(cat "$dir/$command.err")" ''
        run "help-$command" help "$command"
        check "help $command says the same" cmp "$dir/$command.out" "$dir/help-$command.out"
        for option in dsn brokers log-level config set help; do
            check_says "$command --help: --$option" "$dir/$command.out" "^  (-h, )?--$option"
        done
        # What the usage line promises is explained below it.
        for option in $(head -n 1 "$dir/$command.out" | grep -o -- '--[a-z-]*'); do
            check_says "$command --help: $option" "$dir/$command.out" "^  $option( |\$)"
        done
        run "unknown-$command" "$command" --xyzzy
        check_equal "$command --xyzzy: exit code" "$status" 2
        check_says "$command --xyzzy: says so" "$dir/unknown-$command.err" 'unknown option --xyzzy'
    done
    run version --version
    check_equal '--version: exit code' "$status" 0
    check_says '--version: librdkafka, Avro-C and libpq too' "$dir/version.out" 'librdkafka [0-9.]+, Avro-C .*, libpq [0-9]'
    run typo proces
    check_equal 'a mistyped command: exit code' "$status" 2
    check_says 'a mistyped command: the right one is told' "$dir/typo.err" "did you mean 'process'\?"
    run far xyzzy
    check_says 'an unknown command: where to look' "$dir/far.err" "'xyzzy' is not a command; see 'urenwacht help'"
}

# ---------------------------------------------------------------------------
# feed

# Messages in the input topics.
sent() { "$UW_PYTHON" -c 'import lib_kafka
print(sum(lib_kafka.ends([lib_kafka.topic_name(kind) for kind in lib_kafka.INPUTS]).values()))'; }

case_feed() {
    local all
    fresh 2
    all=$(wc -l <"$events")
    must dry feed --dry-run "$events"
    check_equal 'a dry run sends nothing' "$(sent)" 0
    # Three bad lines among good ones, and a last line without its newline.
    {
        head -n 1 "$events"
        printf 'no JSON\n\n'
        sed -n 2p "$events"
        sed -n '/declarations/{s/"minutes": [0-9]*/"minutes": 0/p;q}' "$events"
        printf '{"topic": "elsewhere", "value": {}}\n'
        sed -n 3p "$events" | tr -d '\n'
    } >"$dir/mixed.jsonl"
    run mixed feed "$dir/mixed.jsonl"
    check_equal 'bad lines: exit code' "$status" 1 "$dir/mixed.err"
    for line in 2 5 6; do
        check_says "bad lines: line $line with file and reason" "$dir/mixed.err" "^urenwacht: $dir/mixed.jsonl:$line: [A-Z_]+: ."
    done
    check_equal 'bad lines: no other is reported' "$(grep -c "^urenwacht: $dir/mixed.jsonl:" "$dir/mixed.err")" 3
    check_equal 'the good lines around them are sent' "$(sent)" 3
    run none feed "$dir/none.jsonl"
    check_equal 'a missing file: exit code' "$status" 2 "$dir/none.err"
    run both feed "$events" "$dir/none.jsonl"
    check_equal 'a missing second file: exit code' "$status" 2 "$dir/both.err"
    check_equal 'a missing second file: nothing is sent' "$(sent)" 3
    run empty feed
    check_equal 'no file: exit code' "$status" 2
    status=0
    "$UW_COMMAND" feed - <"$events" 2>"$dir/standard.err" || status=$?
    check_equal 'from standard input: exit code' "$status" 0 "$dir/standard.err"
    check_equal 'from standard input: all are sent' "$(sent)" $((all + 3))
    must process process --until-idle --as-of "$as_of"
    verify "$data/hostile-1.expected.json" --events $((all + 3))
}

# ---------------------------------------------------------------------------
# simulate

readonly region=(simulate --clients 60 --from 2026-01-01 --until 2026-06-30 --irregular-per-10000 150
    --switch-date 2026-04-01)

# The planted irregularities are the open anomalies.
planted() {
    "$UW_PYTHON" - "$URENWACHT_DSN" "$1" <<'PYTHON'
import json
import sys

import compare

names = ["kind", "client", "municipality", "decision", "subject"]
with open(sys.argv[2], encoding="utf-8") as lines:
    want = [{name: row[name] for name in names} for row in map(json.loads, lines)]
have = compare.rows_of(sys.argv[1], f"SELECT {', '.join(names)} FROM urenwacht.anomaly WHERE status = 'OPEN'")
good, bad = compare.difference("planted", have, want)
print(good, "as planted,", bad, "not")
sys.exit(bad > 0 or good == 0)
PYTHON
}

case_simulate() {
    local seed=$1
    fresh 4
    must list "${region[@]}" --seed "$seed" --output "$dir/events.jsonl" --irregularities "$dir/list.jsonl"
    must again "${region[@]}" --seed "$seed" --output "$dir/again.jsonl"
    check 'the same seed gives the same events' cmp "$dir/events.jsonl" "$dir/again.jsonl"
    must feed feed "$dir/events.jsonl"
    must process process --until-idle --as-of 2026-06-30
    check 'the anomalies are those that were planted' planted "$dir/list.jsonl"
    "$UW_PYTHON" "$UW_SOURCE/tests/oracle/oracle.py" "$dir/events.jsonl" --as-of 2026-06-30 --full --output "$dir/expected.json"
    verdict='a simulated region, from a file' verify "$dir/expected.json" --events "$(wc -l <"$dir/events.jsonl")"
    explain_all
    # Straight to Kafka, in a place of its own.
    case_name=$case_name-direct
    admin_sql "DROP DATABASE \"$database\" WITH (FORCE)"
    fresh 4
    must direct "${region[@]}" --seed "$seed"
    must process process --until-idle --as-of 2026-06-30
    verdict='a simulated region, straight to Kafka' verify "$dir/expected.json" --events "$(wc -l <"$dir/events.jsonl")"
    must verify verify
}

# explain on some decisions of each model; it checks its sums against the accounts itself.
explain_all() {
    local client municipality decision
    while IFS='|' read -r client municipality decision; do
        run explain explain --client "$client" --lang en "$municipality" "$decision"
        check_equal "explain $decision: exit code" "$status" 0 "$dir/explain.err" "$dir/explain.out"
        check_says "explain $decision: names it" "$dir/explain.out" "$decision"
        run explain explain --client "$client" --json "$municipality" "$decision"
        check "explain $decision --json: is JSON" "$UW_PYTHON" -m json.tool "$dir/explain.out"
    done < <(sql "SELECT client, municipality, decision FROM (SELECT DISTINCT ON (model) * FROM urenwacht.account
        ORDER BY model, client, decision) a")
    run unknown explain 9999 NO-SUCH
    check_equal 'explain of an unknown decision: exit code' "$status" 1 "$dir/unknown.err"
}

# A decision that occurs for many clients, by mistake or not: so many are listed, and no more.
case_explain_many() {
    local decision count
    fresh 2
    for decision in FEW MANY; do
        count=99
        if [[ $decision == MANY ]]; then
            count=101
        fi
        "$UW_PYTHON" -c 'import json, sys, uuid
for number in range(int(sys.argv[2])):
    print(json.dumps({"topic": "evaluations", "value": {"event_id": str(uuid.uuid4()), "recorded_at": 1770000000000,
        "municipality": "0268", "client": f"client-{number:03}", "decision": sys.argv[1], "held_on": "2026-02-01",
        "outcome": "CONTINUE"}}))' "$decision" "$count" >>"$dir/events.jsonl"
    done
    must feed feed "$dir/events.jsonl"
    must process process --until-idle --as-of 2026-03-01
    run few explain 0268 FEW
    check_equal 'explain of 99 clients: exit code' "$status" 2 "$dir/few.err"
    check_equal 'all of them are listed' "$(sort -u "$dir/few.out" | wc -l)" 99
    check_says 'and counted' "$dir/few.err" 'occurs for 99 clients, listed above'
    run many explain 0268 MANY
    check_equal 'explain of 101 clients: exit code' "$status" 2 "$dir/many.err"
    check_equal 'a hundred of them are listed' "$(sort -u "$dir/many.out" | wc -l)" 100
    check_says 'and that there may be more' "$dir/many.err" 'occurs for at least 100 clients, listed above'
}

# ---------------------------------------------------------------------------
# watch

watched() { must "$1" watch --until-idle --from-beginning "${@:2}"; }
lines_of() { wc -l <"$dir/$1.out"; }
counted() { sql "SELECT coalesce(sum(revision), 0) FROM urenwacht.$1"; }
# Of what was published, the lines for which the Python expression $2 of `row` holds.
expected_lines() {
    "$UW_PYTHON" -c 'import json, sys
rows = map(json.loads, open(sys.argv[1], encoding="utf-8"))
print(sum(bool(eval(sys.argv[2])) for row in rows))' "$dir/all.out" "$1"
}

case_watch() {
    local filter
    fresh 3
    must feed feed "$events"
    must process process --until-idle --as-of "$as_of"
    watched all --json
    check_equal 'JSON: a line for each revision' "$(lines_of all)" $(($(counted alert) + $(counted anomaly)))
    watched human
    check_equal 'text: a line for each revision' "$(lines_of human)" "$(lines_of all)"
    check_says 'text: Dutch' "$dir/human.out" 'Evaluatie nodig'
    watched english --lang en
    check_says 'text: English' "$dir/english.out" 'Evaluation due'
    check_silent 'text: no control characters where it is no terminal' "$dir/human.out" $'\033'
    watched alerts --json --topics alerts
    check_equal '--topics alerts' "$(lines_of alerts)" "$(counted alert)"
    watched kinds --json --kind CARE_STALLED,CLIENT_OVERLAP
    check_equal '--kind' "$(lines_of kinds)" "$(expected_lines 'row["kind"] in ("CARE_STALLED", "CLIENT_OVERLAP")')"
    watched critical --json --severity WARNING
    check_equal '--severity' "$(lines_of critical)" "$(expected_lines 'row.get("severity") in ("WARNING", "CRITICAL")')"
    watched municipality --json --municipality 0363
    check_equal '--municipality' "$(lines_of municipality)" "$(expected_lines 'row["municipality"] == "0363"')"
    watched limit --json --limit 5
    check_equal '--limit' "$(lines_of limit)" 5
    must ago watch --until-idle --json --since 1h
    check_equal '--since 1h' "$(lines_of ago)" "$(lines_of all)"
    must later watch --until-idle --json --since 2190-01-01
    check_equal '--since a day to come' "$(lines_of later)" 0
    for filter in '--kind NO_SUCH' '--severity LOUD' '--municipality 12' '--since yesterday' '--topics decisions' \
        '--lang fr' '--limit none'; do
        # Words of the filter are arguments.
        # shellcheck disable=SC2086
        run wrong watch $filter
        check_equal "$filter: exit code" "$status" 2 "$dir/wrong.err"
    done
    check_live
}

shows() { [[ -s $dir/$1.out ]]; }

# What is published after the start, while it runs.
check_live() {
    start live watch --json --kind UNKNOWN_DECISION --topics anomalies
    start all-live watch --json
    # It reads from the end as of its start, which nothing tells from outside: lines are sent until it shows one.
    local number
    for number in $(seq 20); do
        printf '{"topic": "declarations", "value": %s}\n' "$(line_without_decision "$number")" >"$dir/one.jsonl"
        must one feed "$dir/one.jsonl"
        must process process --until-idle --as-of "$as_of"
        if wait_until 2 shows live; then
            break
        fi
    done
    check_says 'shows what is published while it runs' "$dir/live.out" '"client": "watched"'
    stop live INT
    check_equal 'ends with exit code 0 on SIGINT' "$status" 0 "$dir/live.err"
    stop all-live TERM
    check_equal 'ends with exit code 0 on SIGTERM' "$status" 0 "$dir/all-live.err"
}

line_without_decision() {
    printf '{"event_id": "00000000-0000-4000-8000-%012d", "recorded_at": 1704067200000, "municipality": "0363",' "$1"
    printf ' "client": "watched", "decision": "NONE", "provider": "41410002", "line": "L%d", "kind": "DEBIT",' "$1"
    printf ' "corrects": null, "performed_on": "2024-01-01", "performed_until": null, "started_at": null,'
    printf ' "minutes": 60, "staff": null}'
}

# ---------------------------------------------------------------------------
# dead-letters and verify

case_dead_letters() {
    local bad
    fresh 2
    "$UW_PYTHON" "$live/badinput.py" send "$dir/plan.json" "$dir/state.json" "$events" "$as_of" >"$dir/sent"
    read -r _ bad <"$dir/sent"
    must process process --until-idle --as-of "$as_of"
    must list dead-letters list --json
    check_equal 'list: one line for each' "$(lines_of list)" "$bad"
    must keys dead-letters list --json --reason WRONG_KEY
    check_equal 'list --reason' "$(lines_of keys)" \
        "$("$UW_PYTHON" -c 'import json, sys; print(sum(c["reason"] == "WRONG_KEY" for c in json.load(open(sys.argv[1]))))' "$dir/plan.json")"
    check_silent 'list: no keys' "$dir/list.out" 'framing2'
    must dry dead-letters replay --dry-run
    must replay dead-letters replay
    must process process --until-idle --as-of "$as_of"
    must list-again dead-letters list --json
    check_equal 'replay: what would be refused again is not sent' "$(lines_of list-again)" "$bad"
    must verify verify
    check 'verify finds a difference that was made' finds_a_difference
}

finds_a_difference() {
    sql "UPDATE urenwacht_data.account_state SET used_minutes = used_minutes + 1
        WHERE ctid = (SELECT min(ctid) FROM urenwacht_data.account_state)"
    run broken verify --facts-only
    cat "$dir/broken.out"
    [[ $status == 1 ]]
}

case_lane help case_help
case_lane feed case_feed
case_lane simulate-1 case_simulate 1
case_lane explain-many case_explain_many
case_lane watch case_watch
case_lane simulate-2 case_simulate 77
case_lane dead-letters case_dead_letters
suite_end
