/** Components and their parameters, declared once.
 *
 *  Every part a sweep can name (dataset, stream, model, activation, optimizer …) is a constant
 *  descriptor that starts with an eg_component. From these tables come validation, defaults, help,
 *  and the columns of the result file; nothing else lists parameters. */
#ifndef ENGRAM_PARAMS_H
#define ENGRAM_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum eg_type {
    EG_TYPE_BOOL,      /**< true or false */
    EG_TYPE_INT,       /**< 64-bit integer */
    EG_TYPE_REAL,      /**< finite double */
    EG_TYPE_NAME,      /**< one of `names` */
    EG_TYPE_TEXT,      /**< free text, one line */
    EG_TYPE_INTS,      /**< list of integers: [1000, 500]; a single integer is a list of one */
    EG_TYPE_NAMES,     /**< list of these: [centered, none] */
    EG_TYPE_GROUPS,    /**< list of lists of integers: [[0, 1], [2, 3]] */
    EG_TYPE_COMPONENT, /**< name of a member of `family`; brings that member's parameters */
    /** list of members of `family`; each brings its parameters, below its name */
    EG_TYPE_COMPONENTS,
    EG_TYPE_TEXTS, /**< list of short texts: [conv 32 5x5, relu]; a single text is a list of one */
} eg_type;
#define EG_TYPE_LAST EG_TYPE_TEXTS /* types are stored in files: never renumber */

/** Whether values of this type are written [a, b]. */
static inline bool eg_type_is_list(eg_type type)
{
    return type == EG_TYPE_INTS || type == EG_TYPE_NAMES || type == EG_TYPE_GROUPS ||
           type == EG_TYPE_COMPONENTS || type == EG_TYPE_TEXTS;
}

/** One parameter. Unset fields mean: no range, no names, dimensionless. */
typedef struct eg_param {
    const char *name; /**< last part of the dotted name: "lr" */
    eg_type type;
    const char *default_text; /**< as in a sweep file; NULL: must be given */
    double min, max;          /**< for numbers (and each number of a list); min == max: no range */
    bool above_min;           /**< min itself is not allowed */
    const char *const *names; /**< NAME, NAMES: what it can be, NULL-terminated */
    const char *family;       /**< COMPONENT, COMPONENTS: the family's name */
    const char *unit;         /**< NULL: dimensionless */
    const char *doc;          /**< one line */
    bool
        keeps_results; /**< cannot change results (a path, a block size): no part of a trial's id */
    /** With keeps_results, of a file: what it says is part of a trial's id, where it is is not. */
    bool by_content;
    /** Came when there were results already. The default, in canonical form, is what was done
     *  before, and a trial that has it keeps its id. */
    bool added_later;
} eg_param;

#define EG_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/** What every descriptor begins with. */
typedef struct eg_component {
    const char *name;
    const char *doc;    /**< one line; the formula where there is one */
    const char *source; /**< paper and equation, or NULL */
    const eg_param *params;
    size_t param_count;
    /** Another name by which settings may ask for it, or NULL. Trials know it by `name` only, so
     *  their ids are the same whichever was written. */
    const char *alias;
} eg_component;

/** All members of one kind, and the parameters every member has. */
typedef struct eg_family {
    const char *name; /**< "activation" */
    const char *doc;
    const eg_param *common;
    size_t common_count;
    const eg_component *const *members; /**< sorted by name */
    size_t member_count;
} eg_family;

/** The array `members` of a family, and the declarations of what it points to. A
 *  registry says before:
 *      #define LIST(ENTRY) ENTRY(a) ENTRY(b)          the names, sorted
 *      #define MEMBER_TYPE eg_optimizer_kind          a structure with an eg_component `component`
 *      #define MEMBER(name) eg_optimizer_##name       the variable of each, in a file of its own */
#define EG_REGISTRY(LIST)                                                                          \
    LIST(EG_MEMBER_DECLARATION)                                                                    \
    static const eg_component *const members[] = {LIST(EG_MEMBER_ROW)}
#define EG_MEMBER_DECLARATION(name) extern const MEMBER_TYPE MEMBER(name);
#define EG_MEMBER_ROW(name) &MEMBER(name).component,

/** Everything that can be set for a trial: root parameters, and the families their values name. */
typedef struct eg_schema {
    const eg_param *root;
    size_t root_count;
    const eg_family *const *families;
    size_t family_count;
} eg_schema;

/** The member called `name`, or NULL. */
const eg_component *eg_family_find(const eg_family *family, const char *name);

/** The member with whose name and a dot `name` begins, or NULL. */
const eg_component *eg_family_beginning(const eg_family *family, const char *name);

/** The family called `name` (NULL: none), or NULL. */
const eg_family *eg_schema_family(const eg_schema *schema, const char *name);

/** The candidate closest to `word` in edit distance, or NULL if none is close enough to suggest.
 *  Candidates are offered one by one; start with {0}. */
typedef struct eg_nearest {
    const char *best;
    size_t distance;
} eg_nearest;
void eg_nearest_offer(eg_nearest *nearest, const char *word, const char *candidate);

#endif
