/* What the steps of the fold share. Not for users of the core. */
#ifndef UW_CORE_FOLD_INTERNAL_H
#define UW_CORE_FOLD_INTERNAL_H

#include "fold.h"

/* Signals that wait for their decision or debit line do so for this many days (SPEC section 3). */
#define UW_WAITING_DAYS 14

/* Exact products of minutes, days and percents. */
__extension__ typedef unsigned __int128 uw_wide;

/* The steps, in their order. Each sets fold->failed when memory is refused and is then without meaning. */
void uw_fold_cases(struct uw_fold *fold);
void uw_fold_lines(struct uw_fold *fold);
void uw_fold_absences(struct uw_fold *fold);
void uw_fold_sort_entries(struct uw_fold *fold);
void uw_fold_pools(struct uw_fold *fold, bool with_alerts);
void uw_fold_evaluations(struct uw_fold *fold, const struct uw_case *care);
void uw_fold_line_signals(struct uw_fold *fold);

/* A day on which something may change; remembered when it lies after as_of and before the one known. */
static inline void uw_fold_consider(struct uw_fold *fold, int64_t day)
{
    if (day > fold->as_of_day && day <= INT32_MAX &&
        (fold->next_change_day == UW_DAY_NONE || day < fold->next_change_day)) {
        fold->next_change_day = (int32_t)day;
    }
}

/* A new item at the end of a vector, zeroed; NULL when memory is refused (fold->failed is set). */
struct uw_alert *uw_fold_add_alert(struct uw_fold *fold, const struct uw_case *care, enum uw_alert_kind kind,
                                   enum uw_severity severity, int32_t effective_on_day);
struct uw_anomaly *uw_fold_add_anomaly(struct uw_fold *fold, enum uw_anomaly_kind kind, enum uw_subject_kind subject,
                                       uint32_t fact);
void uw_fold_add_entry(struct uw_fold *fold, const struct uw_case *care, int32_t day, int32_t minutes, bool is_no_show,
                       uint32_t fact);

/* Why a fact of these days and this provider counts toward its decision, or not. */
enum uw_verdict uw_fold_judge(struct uw_fold *fold, uw_text decision, int32_t first_day, int32_t last_day,
                              uw_text provider);
/* Adds the signal that belongs to a verdict of uw_fold_judge, if any is due. */
void uw_fold_signal(struct uw_fold *fold, enum uw_verdict verdict, enum uw_subject_kind subject, uint32_t fact);

#endif
