/** The settings of one trial: a flat, ordered set of dotted names with typed values.
 *
 *  Resolving takes assignments (from a sweep file, the command line, a message), checks them
 * against a schema, adds every default and orders the result as the schema does. After that every
 * lookup succeeds: asking for a name that does not exist is a mistake in the program (assert). */
#ifndef ENGRAM_SETTINGS_H
#define ENGRAM_SETTINGS_H

#include "engram/params.h"
#include "engram/status.h"

#include <stdint.h>

/** Where something was written, for error messages. */
typedef struct eg_origin {
    const char *file; /**< borrowed; NULL: no position */
    unsigned line;    /**< from 1; 0: unknown */
    unsigned column;  /**< from 1; 0: unknown */
} eg_origin;

/** "name = value" as somebody wrote it. Lists are written [a, b]; all borrowed. */
typedef struct eg_assignment {
    const char *name;
    const char *value;
    eg_origin origin;
} eg_assignment;

/** A typed value. */
typedef struct eg_value {
    eg_type type;
    bool boolean;                  /**< BOOL */
    int64_t integer;               /**< INT; NAME: index into names */
    double real;                   /**< REAL; INT and BOOL as a number too */
    const eg_component *component; /**< COMPONENT */
    size_t count;                  /**< INTS, NAMES, COMPONENTS, TEXTS: items; GROUPS: groups */
    /** INTS; NAMES: indices into names; COMPONENTS: into the family; GROUPS: all in a row; TEXTS:
     *  where they begin in `text` */
    int64_t *items;
    /** GROUPS: group i is items[ends[i-1]] … items[ends[i]-1]; TEXTS: where they end in `text` */
    size_t *ends;
    char *text; /**< canonical text: the shortest that reads back to the same value */
} eg_value;

typedef struct eg_setting {
    char *name;            /**< dotted */
    const eg_param *param; /**< its declaration */
    eg_value value;
    bool given; /**< false: the default */
} eg_setting;

typedef struct eg_settings eg_settings;

/** Checks and completes `assignments`; later ones win over earlier ones of the same name.
 *  Errors, EG_INVALID, with the assignment's position: unknown name (with the nearest valid one),
 * wrong type, value out of range or not finite, parameter of a component that was not chosen (says
 *  which one is chosen), required name missing. Release with eg_settings_free. */
eg_status eg_settings_resolve(eg_settings **out, const eg_schema *schema,
                              const eg_assignment *assignments, size_t count) EG_WARN_UNUSED;
void eg_settings_free(eg_settings *settings);

size_t eg_settings_count(const eg_settings *settings);
const eg_setting *eg_settings_at(const eg_settings *settings, size_t index);
/** NULL if there is no such name. */
const eg_setting *eg_settings_find(const eg_settings *settings, const char *name);
/** Its index, SIZE_MAX if there is no such name. */
size_t eg_settings_place(const eg_settings *settings, const char *name);
/** Do the two share their memory, as most points of a plan do? Then they have the same names in the
 *  same order and the same components, and where eg_settings_at gives the same address, the same
 *  setting. False says nothing. */
bool eg_settings_alike(const eg_settings *a, const eg_settings *b);

/** Canonical text "name=value\n…" of all settings, or of those that make a trial's id: without
 * keeps_results and without added_later at their default; a new string. */
eg_status eg_settings_text(char **out, const eg_settings *settings, bool all) EG_WARN_UNUSED;
/** The same with `room` zero bytes behind it. */
eg_status eg_settings_text_with_room(char **out, const eg_settings *settings, bool all,
                                     size_t room) EG_WARN_UNUSED;

/** The inverse of eg_settings_text. */
eg_status eg_settings_parse(eg_settings **out, const eg_schema *schema,
                            const char *text) EG_WARN_UNUSED;

/** A value parsed and checked against one parameter (used by resolve; also by filters in sweep
 * files). */
eg_status eg_value_parse(eg_value *out, const eg_param *param, const eg_schema *schema,
                         const char *text) EG_WARN_UNUSED;
void eg_value_clear(eg_value *value);

/** A component's own window on the settings: names are relative to a prefix. */
enum { EG_PREFIX_SIZE = 120 };
typedef struct eg_view {
    const eg_settings *settings;
    char prefix[EG_PREFIX_SIZE]; /**< "" or "model." or "model.activation." */
} eg_view;

eg_view eg_settings_root(const eg_settings *settings);
/** The view inside the component chosen for `name`. */
eg_view eg_view_inside(const eg_view *view, const char *name);
/** The view inside member `member` of the list of components `name`. */
eg_view eg_view_member(const eg_view *view, const char *name, const char *member);

const eg_value *eg_view_value(const eg_view *view, const char *name);
bool eg_view_bool(const eg_view *view, const char *name);
int64_t eg_view_int(const eg_view *view, const char *name);
size_t eg_view_size(const eg_view *view, const char *name); /**< INT declared with min >= 0 */
double eg_view_real(const eg_view *view, const char *name);
size_t eg_view_name(const eg_view *view, const char *name); /**< NAME: index into names */
const char *eg_view_text(const eg_view *view, const char *name);
const eg_component *eg_view_component(const eg_view *view, const char *name);

/** Numbers of the component's own parameters in the order of its table, into out[param_count];
 *  names become their index. For kernels that take `const double *p`. */
void eg_view_numbers(const eg_view *view, const eg_component *component, double *out);

#endif
