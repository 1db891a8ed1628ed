#!/usr/bin/env bash
# What cannot be accepted (SPEC section 2) goes to the dead letters once and as it came, and changes nothing else; what
# another producer writes by Avro's rules is read.
# Names of its own.
set -euo pipefail
# shellcheck source=tests/live/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly events=$UW_SOURCE/tests/data/hostile-1.events.jsonl
as_of=$(<"$UW_SOURCE/tests/data/hostile-1.as-of")

# Sends; sets the numbers of all messages and of bad ones.
send() {
    "$UW_PYTHON" "$live/badinput.py" send "$dir/plan.json" "$dir/state.json" "$events" "$as_of" "$@" >"$dir/sent"
    read -r all bad <"$dir/sent"
}

# Dead letters and state.
verify_all() {
    check "all $bad bad messages are dead letters, each as it came" "$UW_PYTHON" "$live/badinput.py" check "$dir/plan.json"
    verdict='nothing else changed' verify "$dir/state.json" --events "$all" --dead-letters "$bad"
    check_equal 'only clients of accepted events are known' "$(sql "SELECT count(*) FROM urenwacht_data.client_known c
        WHERE client NOT IN (SELECT json_array_elements_text('$(clients)'))")" 0
}

# The clients of the accepted events, as JSON.
clients() {
    "$UW_PYTHON" -c 'import json, sys
state = json.load(open(sys.argv[1], encoding="utf-8"))
print(json.dumps(state["clients"]).replace("\x27", ""))' "$dir/state.json"
}

case_dead_letters() {
    fresh 3 "$@"
    send
    must process process --until-idle --as-of "$as_of"
    check_says 'the processor counts them' "$dir/process.err" "$all events .*$bad refused"
    verify_all
}

# A processor that is killed while it refuses.
case_killed() {
    fresh 3 'batch: {max_events: 60, linger_ms: 0}' 'group.static_membership: true'
    send
    local turn
    for turn in 1 2 3 4; do
        start "process-$turn" process --as-of "$as_of" --instance one
        sleep "0.$((turn * 2 + 1))"
        stop "process-$turn" KILL
    done
    must process process --until-idle --as-of "$as_of" --instance one
    verify_all
}

# The registry is away when it is needed first, and goes away again when all that is needed is known.
case_registry() {
    local port
    start_registry away
    fresh 3 "registry: {url: \"http://127.0.0.1:$port\"}"
    send --registry "$dir/schemas"
    start process process --as-of "$as_of" --set retry.max_ms=300
    check 'says that the registry does not answer, and that it tries again' \
        wait_until 90 says "$dir/process.err" 'registry.*trying again'
    kill -USR1 "${process_of[registry]}"
    check 'goes on when the registry comes' wait_until 90 applied_all "$all"
    check 'all is judged, and published' wait_until 90 at_rest
    stop_well process
    verify_all
    check_equal 'asks for each schema once' "$(sort "$dir/registry.out" | grep ' 200$' | uniq -d | wc -l)" 0 \
        "$dir/registry.out"
    stop registry
}

case_lane plain case_dead_letters
case_lane tiny-batches case_dead_letters 'batch: {max_events: 9, linger_ms: 0}'
case_lane killed case_killed
case_lane registry case_registry
suite_end
