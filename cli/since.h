/*
 * The value of --since.
 */
#ifndef UW_CLI_SINCE_H
#define UW_CLI_SINCE_H

#include "core/types.h"

/* A date (2026-03-01), a UTC instant (2026-03-01T12:00:00Z) or how long ago (90s, 15m, 2h, 7d). False, leaving
 * *since_ms untouched, for anything else. */
bool uw_since_parse(const char *text, int64_t now_ms, int64_t *since_ms) UW_MUST_USE;

#endif
