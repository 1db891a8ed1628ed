/*
 * A fault is a countdown: the n-th call of a port crashes the instance, before or after its effect, or fails as
 * the contract of ports.h says.
 */
#ifndef UW_TESTS_FAULTS_H
#define UW_TESTS_FAULTS_H

#include "core/types.h"

enum uw_fault {
    UW_FAULT_NONE,
    UW_FAULT_CRASH_BEFORE,
    UW_FAULT_CRASH_AFTER,
    UW_FAULT_RETRY,
    UW_FAULT_ABORT,       /* without an effect */
    UW_FAULT_ABORT_AFTER, /* publish: done, but the answer was lost; other calls: as UW_FAULT_ABORT */
    UW_FAULT_FENCED,      /* calls that cannot be fenced: as UW_FAULT_RETRY */
};
#define UW_FAULT_COUNT 7

struct uw_faults {
    enum uw_fault fault;
    uint64_t calls, at; /* the call with this number, from 1, has the fault */
    bool crashed;       /* every further call does nothing and fails */
};

/* Counts a call; the fault that it has. */
static inline enum uw_fault uw_faults_call(struct uw_faults *faults)
{
    if (faults->crashed) {
        return UW_FAULT_CRASH_BEFORE;
    }
    return ++faults->calls == faults->at ? faults->fault : UW_FAULT_NONE;
}

/* What a call with a fault returns, before its effect or instead of it. UW_OK: it goes on. */
static inline enum uw_code uw_faults_before(struct uw_faults *faults, enum uw_fault fault, bool may_fence,
                                            struct uw_error *error)
{
    switch (fault) {
    case UW_FAULT_NONE:
    case UW_FAULT_CRASH_AFTER:
        return UW_OK;
    case UW_FAULT_CRASH_BEFORE:
        faults->crashed = true;
        return uw_error_set(error, UW_EINTERNAL, UW_CLASS_FATAL, "crashed");
    case UW_FAULT_FENCED:
        if (may_fence) {
            return uw_error_set(error, UW_EFENCED, UW_CLASS_FENCED, "fenced");
        }
        return uw_error_set(error, UW_EIO, UW_CLASS_RETRY, "try again");
    case UW_FAULT_RETRY:
        return uw_error_set(error, UW_EIO, UW_CLASS_RETRY, "try again");
    case UW_FAULT_ABORT:
    case UW_FAULT_ABORT_AFTER:
        return uw_error_set(error, UW_EIO, UW_CLASS_ABORT, "replay");
    }
    return UW_OK;
}

static inline enum uw_code uw_faults_after(struct uw_faults *faults, enum uw_fault fault, struct uw_error *error)
{
    if (fault == UW_FAULT_CRASH_AFTER) {
        faults->crashed = true;
        return uw_error_set(error, UW_EINTERNAL, UW_CLASS_FATAL, "crashed");
    }
    return UW_OK;
}

#endif
