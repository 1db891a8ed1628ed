#!/usr/bin/env bash
# Dead letters are listed and shown, and sent again once when what was wrong was mended; and the state is then the one
# of all events.
# Names of its own.
set -euo pipefail
# shellcheck source=tests/live/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly events=$UW_SOURCE/tests/data/hostile-1.events.jsonl
as_of=$(<"$UW_SOURCE/tests/data/hostile-1.as-of")
readonly schema_id=41

# A registry that does not know the writer's schema, and events of which the declarations are written with it.
unknown_schema() {
    start_registry
    fresh 3 "registry: {url: \"http://127.0.0.1:$port\"}"
    "$UW_PYTHON" "$live/dead_letters.py" send "$events" "$schema_id" >"$dir/sent"
    read -r all unknown <"$dir/sent"
    must process process --until-idle --as-of "$as_of"
    check_says "the $unknown declarations are refused" "$dir/process.err" "$all events .*$unknown refused"
}

mend() { "$UW_PYTHON" "$live/dead_letters.py" schema >"$dir/schemas/$schema_id.json"; }

oracle_state() {
    "$UW_PYTHON" "$UW_SOURCE/tests/oracle/oracle.py" "$events" --as-of "$as_of" --full --refused "$dir/refused" \
        --output "$dir/state.json"
}

replays() { "$UW_PYTHON" "$live/dead_letters.py" replays 2>&1 | tail -n 1; }

# Everything has arrived, and changed the state once. With `twice`, some may have been sent more often than that.
mended() {
    must process process --until-idle --as-of "$as_of"
    oracle_state
    local sent distinct
    read -r sent distinct <<<"$(replays)"
    verdict='the state is that of all events' verify "$dir/state.json" --events $((all + sent)) \
        --dead-letters "$unknown"
    check_equal 'each was sent again, as it was' "$distinct" "$unknown"
    if [[ ${1:-once} == once ]]; then
        check_equal 'and once' "$sent" "$unknown"
    fi
    run again dead-letters replay
    check_equal 'replaying again ends with 0' "$status" 0 "$dir/again.err"
    check_says 'and sends nothing' "$dir/again.out" "^0 replayed, $unknown replayed before, 0 still refused"
    run verify verify
    check_equal 'verify finds nothing' "$status" 0 "$dir/verify.out" "$dir/verify.err"
}

case_replay() {
    local port all unknown place
    unknown_schema
    run list dead-letters list
    check_says 'list counts them by reason' "$dir/list.out" "^$unknown dead letters, UNKNOWN_SCHEMA $unknown"
    check_silent 'list shows no keys' "$dir/list.out" ' key '
    run list dead-letters list --json --show-keys --reason UNKNOWN_SCHEMA --topic declarations --since 1h --limit 5
    check_equal 'list keeps to its limit' "$(grep -c '"key": "' "$dir/list.out")" 5
    run list dead-letters list --json --topic decisions
    check_equal 'there are none of another topic' "$(wc -l <"$dir/list.out")" 0
    run list dead-letters list --reason NONSENSE
    check_equal 'an unknown reason is a mistake of usage' "$status" 2
    run list dead-letters list --limit 1
    place=$(sed -n 2p "$dir/list.out" | cut -d' ' -f1)
    run show dead-letters show "$place"
    check_says 'show prints the headers' "$dir/show.out" '^header     trace = [0-9]+$'
    check_says 'show prints the bytes' "$dir/show.out" '^  00000000  00 00 00 00 29 '
    check_says 'show says that it is refused still' "$dir/show.out" '^now        refused: UNKNOWN_SCHEMA'
    run show dead-letters show 0:123456
    check_equal 'one that is not there is a failure' "$status" 1
    run replay dead-letters replay
    check_says 'nothing is sent while nothing is mended' "$dir/replay.out" \
        "^0 replayed, 0 replayed before, $unknown still"
    run verify verify
    check_equal 'verify finds nothing before' "$status" 0 "$dir/verify.out"

    mend
    run show dead-letters show "$place"
    check_says 'show says that it would be accepted now' "$dir/show.out" \
        '^now        accepted: \{"topic": "declarations"'
    run verify verify --topics
    check_says 'verify says that they would be accepted' "$dir/verify.out" \
        "^$unknown dead letters would be accepted now"
    run replay dead-letters replay --dry-run
    check_says 'a dry run counts' "$dir/replay.out" "^$unknown would be replayed"
    check_equal 'and sends nothing' "$(replays)" '0 0'
    run replay dead-letters replay "$place"
    check_says 'one that is named is sent' "$dir/replay.out" '^1 replayed, 0 replayed before, 0 still'
    run replay dead-letters replay --limit 10
    check_says 'no more than the limit' "$dir/replay.out" '^10 replayed, '
    run replay dead-letters replay --reason UNKNOWN_SCHEMA --topic declarations
    check_says 'then the others' "$dir/replay.out" "^$((unknown - 11)) replayed, 11 replayed before, 0 still"
    mended
}

# Replays that are killed at any moment, and one that runs to its end.
case_killed() {
    local port all unknown turn
    unknown_schema
    mend
    for turn in 1 2 3 4 5 6; do
        start "replay-$turn" dead-letters replay --limit $((turn * 40))
        sleep "0.$((turn * 13))"
        stop "replay-$turn" KILL
    done
    run replay dead-letters replay
    check_equal 'the last one ends with 0' "$status" 0 "$dir/replay.err"
    mended twice
}

# Two at the same time: a record that both send is a redelivery.
case_two() {
    local port all unknown turn
    unknown_schema
    mend
    start one dead-letters replay
    start two dead-letters replay
    await one 240
    await two 240
    run replay dead-letters replay
    check_equal 'a third one ends with 0' "$status" 0 "$dir/replay.err"
    mended twice
}

# Whatever was refused comes back as it was when all of it is sent.
case_all() {
    fresh 3
    "$UW_PYTHON" "$live/badinput.py" send "$dir/plan.json" "$dir/state.json" "$events" "$as_of" >"$dir/sent"
    local all bad
    read -r all bad <"$dir/sent"
    must process process --until-idle --as-of "$as_of"
    must replay dead-letters replay --all
    check_says 'all are sent' "$dir/replay.out" "^$bad replayed, 0 replayed before, 0 still refused"
    check_equal 'as they were' "$(replays)" "$bad $bad"
    must process process --until-idle --as-of "$as_of"
    check_equal 'and are refused again' "$(sql 'SELECT sum(refused) FROM urenwacht_data.partition_state')" $((2 * bad))
    must replay dead-letters replay --all
    check_says 'those that came back are letters of their own' "$dir/replay.out" "^$bad replayed, $bad replayed before"
    must process process --until-idle --as-of "$as_of"
    run verify verify
    check_equal 'verify finds nothing' "$status" 0 "$dir/verify.out"
}

case_lane replay case_replay
case_lane killed case_killed
case_lane two case_two
case_lane all case_all
suite_end
