#!/usr/bin/env bash
# The same command with the newest librdkafka instead of Debian's: the shared library inside the wheel of
# confluent-kafka, which the tests have anyway. With it comes the newer group protocol, in which the broker assigns.
# Runs first: it freezes and kills processes and waits for what the group makes of it.
# Names of its own.
set -euo pipefail
# shellcheck source=tests/live/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Where the wheel has its library; nothing where confluent-kafka was built against a librdkafka of the machine.
library=$("$UW_PYTHON" -c 'import glob, os, confluent_kafka
folder = os.path.dirname(os.path.dirname(confluent_kafka.__file__))
print(max(glob.glob(f"{folder}/confluent_kafka.libs/librdkafka*.so*"), default="", key=os.path.getmtime))')
if [[ -z $library ]]; then
    printf 'skipped: confluent-kafka came without a librdkafka of its own\n'
    exit 77
fi
newest=$work/library
mkdir "$newest"
cp "$library" "$newest/librdkafka.so.1"

version_of() { "$@" version | sed -nE 's/.*librdkafka ([0-9.]+).*/\1/p'; }
debian=$(version_of "$UW_COMMAND")
loaded=$(version_of env LD_LIBRARY_PATH="$newest" "$UW_COMMAND")
printf 'librdkafka %s instead of %s\n' "$loaded" "$debian"
# Where the wheel is for another kind of machine or C library, or the system has it newer, there is nothing to try.
if [[ -z $loaded ]]; then
    printf 'skipped: the librdkafka of confluent-kafka does not load here\n'
    exit 77
fi
highest=$(printf '%s\n' "$debian" "$loaded" | sort -V | tail -n 1)
check_equal 'the library of the wheel is the newer one' "$loaded" "$highest"

# $1: the protocol, $2: which cases of live/sets.
sets() { env LD_LIBRARY_PATH="$newest" UW_GROUP_PROTOCOL="$1" UW_CASES="$2" UW_LANES=2 "$live/sets.sh"; }

# Most of these wait, so that they go side by side. Each has databases, topics and groups of its own.
check 'errors of the broker are judged as with the older one' \
    env LD_LIBRARY_PATH="$newest" "$UW_BUILD/tests/producers_publisher" &
{
    check 'sets of events, with the classic group protocol' sets classic '^hostile-(2-thirds|3-group)$'
    check 'sets of events, with the newer group protocol' sets consumer '^(edges-group|hostile-1-storm)$'
    check 'a static member that comes back at once, with the newer group protocol' env UW_LIBRDKAFKA="$newest" \
        "$UW_SOURCE/tests/faults" --only static-back --set kafka.group.protocol=consumer
} &
check 'faults, with the newer group protocol' env UW_LIBRDKAFKA="$newest" \
    "$UW_SOURCE/tests/faults" --only kill,freeze,group --set kafka.group.protocol=consumer
suite_end
