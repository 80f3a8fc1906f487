/** The registry of verbs. */
#include "cli/cli.h"

#include "engram/params.h"

extern const eg_verb eg_verb_check;
extern const eg_verb eg_verb_collect;
extern const eg_verb eg_verb_compare;
extern const eg_verb eg_verb_completion;
extern const eg_verb eg_verb_describe;
extern const eg_verb eg_verb_export;
extern const eg_verb eg_verb_failures;
extern const eg_verb eg_verb_launch;
extern const eg_verb eg_verb_list;
extern const eg_verb eg_verb_man;
extern const eg_verb eg_verb_merge;
extern const eg_verb eg_verb_plan;
extern const eg_verb eg_verb_predict;
extern const eg_verb eg_verb_rank;
extern const eg_verb eg_verb_report;
extern const eg_verb eg_verb_run;
extern const eg_verb eg_verb_slurm;
extern const eg_verb eg_verb_slurm_job;
extern const eg_verb eg_verb_status;
extern const eg_verb eg_verb_top;
extern const eg_verb eg_verb_train;

/* In the order of use: before a sweep, the sweep, its results; last what an installation makes
 * once. */
const eg_verb *const eg_verbs[] = {
    &eg_verb_list,       &eg_verb_describe, &eg_verb_train,   &eg_verb_predict,   &eg_verb_plan,
    &eg_verb_run,        &eg_verb_launch,   &eg_verb_slurm,   &eg_verb_slurm_job, &eg_verb_status,
    &eg_verb_failures,   &eg_verb_top,      &eg_verb_compare, &eg_verb_report,    &eg_verb_export,
    &eg_verb_rank,       &eg_verb_merge,    &eg_verb_check,   &eg_verb_collect,   &eg_verb_man,
    &eg_verb_completion,
};

const size_t eg_verb_count = EG_COUNT(eg_verbs);
