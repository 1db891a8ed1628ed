# What the live suites share: checks that are counted, cases with a database and topics of their own, processes
# that end with the case. Sourced by tests/live/*.sh; tests/run says what stands in the environment.
# shellcheck shell=bash

live=$UW_SOURCE/tests/live
# A suite that is run twice on one stack meets nothing of the first time.
run=$$
suite=$(basename "$0" .sh)
work=$(mktemp -d "${TMPDIR:-/tmp}/urenwacht-$suite.XXXXXX")
results=$work/results
: >"$results"
suite_dsn=$URENWACHT_DSN
lane_limit=${UW_LANES:-3}
declare -A process_of=()
# The exit status that `await` and `run` found; 'timeout' when the process did not end.
status=''

export PYTHONPATH=$live PYTHONDONTWRITEBYTECODE=1
# The suite's own configuration; nothing that lies on the machine may add to it.
export URENWACHT_CONFIG=$work/urenwacht.yaml
: >"$URENWACHT_CONFIG"

# ---------------------------------------------------------------------------
# Counting

passed() { printf 'passed %s%s\n' "${case_name:+$case_name: }" "$1" | tee -a "$results"; }

# $2 and what follows are files that show why.
failed() {
    printf 'FAILED %s%s\n' "${case_name:+$case_name: }" "$1" | tee -a "$results"
    local file
    for file in "${@:2}"; do
        if [[ -s $file ]]; then
            printf -- '    -- %s\n' "${file##*/}"
            tail -n 12 "$file" | cut -c1-300 | sed 's/^/    /'
        fi
    done
}

# Runs a command whose exit status is the verdict; what it prints is shown when it fails.
check() {
    local what=$1 output
    shift
    output=$(mktemp "$work/check.XXXXXX")
    if "$@" >"$output" 2>&1; then
        passed "$what"
    else
        failed "$what" "$output"
    fi
    rm -f "$output"
}

# The text $2 is $3; $4 and what follows are shown when not.
check_equal() {
    if [[ $2 == "$3" ]]; then
        passed "$1"
    else
        failed "$1: '$2' is not '$3'" "${@:4}"
    fi
}

# Some line of file $2 matches the extended regular expression $3.
check_says() {
    if grep -Eq -- "$3" "$2"; then
        passed "$1"
    else
        failed "$1: nothing says '$3'" "$2"
    fi
}

# No line of file $2 matches $3.
check_silent() {
    if grep -Eq -- "$3" "$2"; then
        failed "$1: something says '$3'" "$2"
    else
        passed "$1"
    fi
}

# ---------------------------------------------------------------------------
# Waiting, and processes

now_ms() { printf '%s\n' $((${EPOCHREALTIME/[.,]/} / 1000)); }

# Tries the command until it succeeds; false after $1 seconds, and not before that: the shell counts whole ones. What takes
# long is asked for less often, since a question to the database costs more than most of what is waited for.
wait_until() {
    local until=$((SECONDS + $1 + 1)) turn=0
    shift
    while ! "$@" >/dev/null 2>&1; do
        ((SECONDS < until)) || return 1
        turn=$((turn + 1))
        if ((turn < 20)); then sleep 0.05; else sleep 0.25; fi
    done
}

says() { grep -Eq -- "$2" "$1"; }

ended() { ! kill -0 "$1" 2>/dev/null; }

# Starts the command under the name $1; its output goes to $dir/$1.out and $dir/$1.err.
start() {
    local name=$1
    shift
    "$UW_COMMAND" "$@" >"$dir/$name.out" 2>"$dir/$name.err" </dev/null &
    process_of[$name]=$!
}

# A schema registry for the schemas in $dir/schemas; sets port. With `away` nobody answers there until it gets SIGUSR1.
# shellcheck disable=SC2034,SC2119,SC2120
start_registry() {
    mkdir -p "$dir/schemas"
    "$UW_PYTHON" "$live/lib_registry.py" "$dir/registry.port" "$dir/schemas" "$@" \
        >"$dir/registry.out" 2>"$dir/registry.err" </dev/null &
    process_of[registry]=$!
    if ! wait_until 90 test -e "$dir/registry.port"; then
        failed 'the registry does not start' "$dir/registry.err"
        exit 1
    fi
    port=$(<"$dir/registry.port")
}

# Waits for the process $1 to end by itself, at most $2 seconds. The shell need not tell which it saw killed.
await() {
    local pid=${process_of[$1]}
    if wait_until "$2" ended "$pid"; then
        status=0
        wait "$pid" || status=$?
    else
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" || true
        status=timeout
    fi
    unset "process_of[$1]"
} 2>/dev/null

# Sends the signal $2 to the process $1 and waits for its end, at most $3 seconds (60).
stop() {
    kill -"${2:-TERM}" "${process_of[$1]}" 2>/dev/null || true
    await "$1" "${3:-60}"
}

# Runs the command to its end, at most 240 seconds.
run() {
    start "$@"
    await "$1" 240
}

# The same, where nothing but success will do.
must() {
    run "$@"
    if [[ $status != 0 ]]; then
        failed "urenwacht ${*:2} ends with $status" "$dir/$1.err"
        exit 1
    fi
}

# ---------------------------------------------------------------------------
# Cases

sql() { PGOPTIONS='-c client_min_messages=warning' psql -XAtq -v ON_ERROR_STOP=1 "${2:-$URENWACHT_DSN}" -c "$1"; }
admin_sql() { sql "$1" "$URENWACHT_ADMIN_DSN"; }

case_close() {
    local name
    for name in "${!process_of[@]}"; do
        kill -KILL "${process_of[$name]}" 2>/dev/null || true
        wait "${process_of[$name]}" 2>/dev/null || true
    done
    if [[ -n ${database:-} ]]; then
        admin_sql "DROP DATABASE IF EXISTS \"$database\" WITH (FORCE)" || true
    fi
}

# UW_CASES, a regular expression, chooses among the cases of a suite.
case_wanted() { [[ -z ${UW_CASES:-} || $1 =~ $UW_CASES ]]; }

# Runs the function $2 with the rest as a case named $1, in a shell of its own.
case_run() {
    case_wanted "$1" || return 0
    case_name=$1
    dir=$work/$1
    mkdir -p "$dir"
    shift
    (
        trap case_close EXIT
        trap 'exit 130' INT TERM
        "$@"
    ) &
    wait $! || failed "ended early ($?)"
}

# The same beside other cases; what it prints comes in one piece.
case_lane() {
    case_wanted "$1" || return 0
    while (($(jobs -rp | wc -l) >= lane_limit)); do
        wait -n || true
    done
    (case_run "$@" >"$work/$1.log" 2>&1; cat "$work/$1.log") &
}

# What a case works on: a database, topics of $1 partitions (3), a consumer group. The rest are lines of the configuration.
fresh() {
    local id=$suite-$run-$case_name partitions=${1:-3}
    database=$id
    config=$dir/urenwacht.yaml
    {
        printf 'kafka:\n'
        if [[ ${UW_GROUP_PROTOCOL:-classic} == classic ]]; then
            printf '  session.timeout.ms: 3000\n  heartbeat.interval.ms: 300\n'
        else
            printf '  group.protocol: %s\n' "$UW_GROUP_PROTOCOL" # sessions are the broker's to set
        fi
        printf 'retry:\n  max_ms: 1000\n'
        printf 'group:\n  id: %s\n' "$id"
        printf 'topics:\n  partitions: %s\n' "$partitions"
        printf "  %s: $id.%s\n" decisions{,} declarations{,} no-shows{,} evaluations{,} alerts{,} anomalies{,} \
            dead-letters{,}
        if (($# > 1)); then
            printf '%s\n' "${@:2}"
        fi
    } >"$config"
    export URENWACHT_CONFIG=$config URENWACHT_DSN=${suite_dsn%/*}/$id UW_TOPICS=$id UW_GROUP=$id
    admin_sql "CREATE DATABASE \"$id\" OWNER urenwacht"
    must migrate migrate
    must topics topics --create
}

# Accepted and refused events so far, of all partitions.
applied() { sql 'SELECT coalesce(sum(next_offset), 0) FROM urenwacht.progress'; }
applied_all() { (($(applied) >= $1)); }

# Nobody waits to be judged, and the database knows of all records that they are published. A worker that always has
# somebody to judge tells it of one partition after another, if at all.
at_rest() {
    (($(sql "SELECT (SELECT count(*) FROM urenwacht_data.partition_state WHERE next_sequence > published_sequence + 1)
                  + (SELECT count(*) FROM urenwacht_data.client_known WHERE next_change_on = '-infinity')") == 0))
}

# Stops the processor $1, with exit code 0. Its last word to both servers has a few seconds; on a machine where that is too
# short it says so, and the next one says it.
stop_well() {
    stop "$1"
    check_equal "$1 ends with exit code 0" "$status" 0 "$dir/$1.err"
    if says "$dir/$1.err" 'nothing is lost$|left to the next start'; then
        must "after-$1" process --until-idle --as-of "$as_of"
    fi
}

# Compares what stands in the database and what was published with the expected state $1; the rest goes to verify.py.
verify() {
    check "${verdict:-state and published records are those of $(basename "$1" .json)}" \
        "$UW_PYTHON" "$live/verify.py" --expected "$@"
}

# The events of file $2 in order $1 (file, reversed, or a seed to shuffle by) to standard output.
ordered() {
    case $1 in
    file) cat "$2" ;;
    reversed) tac "$2" ;;
    *)
        "$UW_PYTHON" -c 'import random, sys
lines = sys.stdin.readlines()
random.Random(sys.argv[1]).shuffle(lines)
sys.stdout.writelines(lines)' "$1" <"$2"
        ;;
    esac
}

# ---------------------------------------------------------------------------

# Called by trap.
# shellcheck disable=SC2317
suite_close() {
    local job
    for job in $(jobs -p); do
        kill -TERM "$job" 2>/dev/null || true
    done
    wait || true
    rm -rf "$work"
}
trap suite_close EXIT
trap 'exit 130' INT TERM

# Waits for the cases and prints the sum as the last line.
suite_end() {
    local good bad
    wait || true
    good=$(grep -c '^passed' "$results" || true)
    bad=$(grep -c '^FAILED' "$results" || true)
    printf '%s passed, %s failed\n' "$good" "$bad"
    ((bad == 0))
}
