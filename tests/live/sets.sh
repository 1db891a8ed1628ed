#!/usr/bin/env bash
# The law (SPEC section 1) on real servers: every known set of events, in several orders, batches, with restarts and
# instances, ends in the expected state, the expected aggregates, and with each revision published once.
# Names of its own.
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

# The expected state of set $1; the rest goes to verify.py.
verify_set() { verify "${full_of[$1]}" --events "${count_of[$1]}" "${@:2}"; }

# $1: set, $2: order.
write_events() { ordered "$2" "${events_of[$1]}" >"$dir/events.jsonl"; }

# ---------------------------------------------------------------------------
# The cases

# Everything else is known before the decisions come, and those come in one batch, so that every alert is judged once,
# with all events, and the figures in its payload are those of the whole set.
case_decisions_last() {
    local of_decisions='"topic": *"(urenwacht\.)?decisions"' decisions
    fresh 3
    grep -Ev "$of_decisions" "${events_of[$1]}" >"$dir/others.jsonl"
    grep -E "$of_decisions" "${events_of[$1]}" >"$dir/decisions.jsonl"
    # Which lines the feed refuses is looked after where it reads the whole set.
    run others feed "$dir/others.jsonl"
    must first process --until-idle --as-of "${as_of[$1]}"
    run decisions feed "$dir/decisions.jsonl"
    decisions=$(sed -nE 's/.* sent ([0-9]+) events: .*/\1/p' "$dir/decisions.err")
    # A batch of just so many, which waits for all of them.
    must process process --until-idle --as-of "${as_of[$1]}" \
        --set "batch.max_events=$decisions" --set batch.linger_ms=60000
    check_says 'all decisions are one batch' "$dir/process.err" "info $decisions events .* in 1 batch"
    verify_set "$1" --details
}

# $1: set, $2: order, $3: lines of the configuration.
case_one_go() {
    fresh 4 "$3"
    write_events "$1" "$2"
    feed "$dir/events.jsonl" "$1"
    must process process --until-idle --as-of "${as_of[$1]}"
    verify_set "$1"
}

# A restart after each third: whoever comes next knows only what the database has.
case_thirds() {
    local part
    fresh 2 "$3"
    write_events "$1" "$2"
    split --number=l/3 "$dir/events.jsonl" "$dir/part."
    for part in "$dir"/part.??; do
        run feed feed "$part"
        must process process --until-idle --as-of "${as_of[$1]}"
    done
    verify_set "$1"
}

# Feeds at such a pace that it takes $2 seconds.
start_slow_feed() { start feed feed --rate $((${count_of[$1]} / $2)) "$dir/events.jsonl"; }

# Until program $1 has said who it is: before that a SIGTERM ends it as it would end any program.
await_its_word() { wait_until 90 says "$dir/$1.err" 'with librdkafka' || failed "$1 says nothing" "$dir/$1.err"; }

# The processor is stopped or killed again and again while events come in.
case_storm() {
    local signal turn=0 began
    local -a signals=(KILL TERM)
    fresh 4 'batch: {max_events: 30, linger_ms: 5}' "$3"
    write_events "$1" "$2"
    RANDOM=$4
    began=$(now_ms)
    start_slow_feed "$1" 5
    while ! ended "${process_of[feed]}"; do
        signal=${signals[RANDOM % 2]}
        start "process-$turn" process --as-of "${as_of[$1]}" --instance one
        sleep "0.$((RANDOM % 900 + 100))"
        if [[ $signal == TERM ]]; then
            await_its_word "process-$turn"
        fi
        stop "process-$turn" "$signal"
        if [[ $signal == TERM && $status != 0 ]]; then
            failed "SIGTERM in turn $turn ends with $status" "$dir/process-$turn.err"
        fi
        turn=$((turn + 1))
    done
    await feed 5
    printf '%s: %s stops within %s ms\n' "$case_name" "$turn" $(($(now_ms) - began))
    must process process --until-idle --as-of "${as_of[$1]}" --instance one
    verify_set "$1"
    must verify verify
}

# Three instances share the work while events come in; one leaves, one comes, one is killed and comes back.
case_group() {
    local name
    fresh 5 'batch: {max_events: 30, linger_ms: 5}' "${3:-}"
    write_events "$1" "$2"
    start_slow_feed "$1" 6
    for name in one two three; do
        start "$name" process --as-of "${as_of[$1]}" --instance "$name"
    done
    sleep 2
    await_its_word two
    stop two
    check_equal 'an instance leaves with exit code 0' "$status" 0 "$dir/two.err"
    start four process --as-of "${as_of[$1]}"
    sleep 1
    stop one KILL
    start one-again process --as-of "${as_of[$1]}" --instance one
    await feed 240
    if ! wait_until 90 applied_all "${count_of[$1]}"; then
        failed "$(applied) of ${count_of[$1]} events applied in time" "$dir/three.err" "$dir/four.err"
    fi
    check 'three instances share the partitions in the end' shared_by 3
    for name in one-again three four; do
        await_its_word "$name"
        stop "$name"
        check_equal "$name ends with exit code 0" "$status" 0 "$dir/$name.err"
    done
    # Who stops while the partitions are on their way from one to another leaves it to the next start to tell how far they are.
    must process process --until-idle --as-of "${as_of[$1]}"
    verify_set "$1"
    must verify verify
}

shared_by() { wait_until 90 owners_are "$1"; }
owners_are() { (($(sql 'SELECT count(DISTINCT owner) FROM urenwacht_data.partition_state') == $1)); }

# ---------------------------------------------------------------------------
# Each set goes through all orders; what else varies goes round, so that each variant meets several sets.

variant=0
for name in "${sets[@]}"; do
    case_lane "$name-decisions-last" case_decisions_last "$name"
    case $((variant % 5)) in
    0)
        case_lane "$name-reversed" case_one_go "$name" reversed 'batch: {max_events: 7, linger_ms: 0}'
        case_lane "$name-group" case_group "$name" "$name"
        ;;
    1)
        case_lane "$name-reversed" case_thirds "$name" reversed 'batch: {max_events: 50, linger_ms: 5}'
        case_lane "$name-storm" case_storm "$name" "$name" 'process.workers: 2' 11
        ;;
    2)
        case_lane "$name-reversed" case_one_go "$name" reversed 'batch: {max_events: 50, linger_ms: 0}'
        case_lane "$name-thirds" case_thirds "$name" "$name" 'batch: {max_events: 5}'
        ;;
    3)
        case_lane "$name-reversed" case_thirds "$name" reversed $'cache: {max_bytes: 1MiB}\nprocess: {workers: 2}'
        case_lane "$name-group" case_group "$name" "$name" 'group.static_membership: true'
        ;;
    4)
        case_lane "$name-reversed" case_one_go "$name" reversed 'batch: {max_events: 3, linger_ms: 0}'
        case_lane "$name-storm" case_storm "$name" "$name" $'group.static_membership: true\nprocess.workers: 3' 23
        ;;
    esac
    variant=$((variant + 1))
done

suite_end
