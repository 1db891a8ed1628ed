#!/usr/bin/env bash
# The law (SPEC section 1) on real servers: every known set of events, in several orders, batches, with restarts and
# instances, ends in the expected state, the expected aggregates, and with each revision published once.
set -euo pipefail
# shellcheck source=tests/live/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# ---------------------------------------------------------------------------
# The sets: what the tree has, and the examples beside it where there are some.

declare -A events_of=() as_of=() full_of=() count_of=()

# What a set must come to, with aggregates: computed once by the oracle, and the accounts, alerts and anomalies in it
# held against the file that lies beside the set.
set_add() {
    local folder=$1 name=$2 full
    full=$work/$name.json
    events_of[$name]=$folder/$name.events.jsonl
    as_of[$name]=$(<"$folder/$name.as-of")
    full_of[$name]=$full
    "$UW_PYTHON" "$UW_SOURCE/tests/oracle/oracle.py" "${events_of[$name]}" --as-of "${as_of[$name]}" --full \
        --refused "$work/$name.refused" --output "$full"
    count_of[$name]=$(($(grep -c . "${events_of[$name]}") - $(wc -l <"$work/$name.refused")))
    check "$name: the oracle agrees with the file" "$UW_PYTHON" -c 'import json, sys
have, want = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:])
sys.exit(any(sorted(map(str, have[name])) != sorted(map(str, want[name])) for name in want))' \
        "$full" "$folder/$name.expected.json"
}

sets=()
for file in "$UW_SOURCE"/tests/data/*.as-of "$UW_SOURCE"/../shared/examples/*.as-of; do
    if [[ -e $file ]]; then
        name=$(basename "$file" .as-of)
        sets+=("$name")
        set_add "$(dirname "$file")" "$name"
    fi
done

# ---------------------------------------------------------------------------
# Pieces of the cases

# Sends the events of file $1; lines that the feed refuses are those that the oracle refuses.
feed() {
    local file=$1 set_name=$2
    run feed feed "$file"
    if [[ $status == 1 ]]; then
        check_equal "the feed refuses what breaks a rule" "$(grep -c "^urenwacht: .*:[0-9]*: " "$dir/feed.err" || true)" \
            "$(wc -l <"$work/$set_name.refused")" "$dir/feed.err"
    elif [[ $status != 0 ]]; then
        failed "the feed ends with $status" "$dir/feed.err"
    fi
}

# $1: set, $2: order.
write_events() { ordered "$2" "${events_of[$1]}" >"$dir/events.jsonl"; }

# ---------------------------------------------------------------------------
# The cases

# All events are there before the processor starts, and one batch takes them all, so that the figures in the alerts'
# payload are those of the whole set.
case_one_batch() {
    fresh 3 'batch: {linger_ms: 1500}'
    write_events "$1" file
    feed "$dir/events.jsonl" "$1"
    must process process --until-idle --as-of "${as_of[$1]}"
    check_says 'all events are one batch' "$dir/process.err" "info ${count_of[$1]} events .* in 1 batches"
    verify "${full_of[$1]}" --events "${count_of[$1]}" --details
}

# $1: set, $2: order, $3: lines of the configuration.
case_one_go() {
    fresh 4 "$3"
    write_events "$1" "$2"
    feed "$dir/events.jsonl" "$1"
    must process process --until-idle --as-of "${as_of[$1]}"
    verify "${full_of[$1]}" --events "${count_of[$1]}"
}

for name in "${sets[@]}"; do
    case_lane "$name-one-batch" case_one_batch "$name"
    case_lane "$name-reversed" case_one_go "$name" reversed 'batch: {max_events: 50, linger_ms: 5}'
done

suite_end
