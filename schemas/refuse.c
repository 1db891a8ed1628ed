#include "schemas/refuse.h"

#include <stdarg.h>
#include <stdio.h>

enum uw_code uw_refuse(struct uw_refusal *refusal, enum uw_refusal_reason reason, const char *format, ...)
{
    refusal->reason = reason;
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(refusal->text, sizeof refusal->text, format, arguments) < 0) {
        refusal->text[0] = '\0';
    }
    va_end(arguments);
    for (char *c = refusal->text; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~') {
            *c = '?';
        }
    }
    return UW_EINPUT;
}
