#!/usr/bin/env bash
# The core is pure (DESIGN sections 2 and 3): it links nothing but the memory and string functions of libc, reads no
# clock, does no input or output, keeps nothing between calls, and computes without floating point.
#
# usage: pure.sh SOURCE_DIR LIBUW_CORE_A
set -euo pipefail
export LC_ALL=C

source_dir=$1
library=$2
failed=0

complain() {
    printf '%s\n' "$1"
    failed=1
}

# What it may take from libc. The compiler adds checked variants, and calls of its own for wide divisions.
allowed=(malloc calloc realloc free memcpy memmove memset memcmp bcmp strlen qsort snprintf vsnprintf __assert_fail
    __memcpy_chk __memmove_chk __memset_chk __snprintf_chk __vsnprintf_chk __stack_chk_fail _GLOBAL_OFFSET_TABLE_
    __udivti3 __umodti3 __divti3 __modti3)

defined=$(nm --defined-only --format=posix "$library" | awk 'NF >= 2 { print $1 }' | sort -u)
undefined=$(nm --undefined-only --format=posix "$library" | awk 'NF >= 2 { print $1 }' | sort -u)
strangers=$(comm -23 <(printf '%s\n' "$undefined") <(printf '%s\n' "$defined" "${allowed[@]}" | sort -u) |
    grep -Ev '^__(asan|ubsan|sanitizer|llvm|gcov|tsan|msan)' || true)
if [[ -n $strangers ]]; then
    complain "core links what it may not: ${strangers//$'\n'/ }"
fi

# Variables that can be written; a sanitizer has some of its own in there.
if ! grep -qE '^__(asan|tsan|msan|llvm|gcov)' <<<"$undefined"; then
    variables=$(size --format=sysv "$library" | awk '$1 ~ /^\.(t?data|t?bss)(\.|$)/ && $1 !~ /^\.data\.rel\.ro/ && $2 > 0 { print $1, $2 }')
    if [[ -n $variables ]]; then
        complain "core has variables: ${variables//$'\n'/, }"
    fi
fi

# Comments do not count.
code=$(for file in "$source_dir"/core/*.[ch]; do
    sed -e 's://.*$::' -e ':a;s:/\*[^*]*\*\+\([^/*][^*]*\*\+\)*/::g;/\/\*/{N;ba' -e '}' "$file" | sed "s:^:${file##*/}\: :"
done)
forbidden=$(grep -E '\b(float|double|time_t|clock|FILE|getenv|errno|setlocale|rand|signal)\b' <<<"$code" || true)
if [[ -n $forbidden ]]; then
    complain "core says what it may not:"$'\n'"$forbidden"
fi
includes=$(grep -hoE '#include .*' <<<"$code" | sort -u)
odd=$(grep -vE '#include ("core/[a-z_]+\.h"|"[a-z_]+\.h"|<(assert|stdarg|stdbool|stddef|stdint|stdio|stdlib|string)\.h>)$' \
    <<<"$includes" || true)
if [[ -n $odd ]]; then
    complain "core includes what it may not: ${odd//$'\n'/ }"
fi
# A header beside it must be core's own.
while read -r name; do
    if [[ ! -f $source_dir/core/$name ]]; then
        complain "core includes $name, which is not in core"
    fi
done < <(sed -nE 's/#include "([a-z_]+\.h)"/\1/p' <<<"$includes")

if ((failed)); then
    exit 1
fi
echo 'core is pure'
