/** Plug-ins: activations, optimizers and schedules built outside engram, against its installed
 *  headers. docs/plugins.md says how one is built, checked and used.
 *
 *  A plug-in is a shared object with one data symbol, `engram_plugin`, which a source file of it
 *  makes with EG_PLUGIN. It links nothing of engram: descriptors are data, what headers offer to a
 *  kernel is inline, and everything else is passed in.
 *
 *      static const eg_activation wave = {.component = {.name = "wave", …}, .forward = forward, …};
 *      static const eg_activation *const activations[] = {&wave};
 *      EG_PLUGIN(.activations = activations, .activation_count = EG_COUNT(activations));
 *
 *  Descriptors stay where they are until the process ends: a plug-in is never unloaded. */
#ifndef ENGRAM_PLUGIN_H
#define ENGRAM_PLUGIN_H

#include "engram/activation.h"
#include "engram/memory.h"
#include "engram/optimizer.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** "engram" and two digits, in a byte order that tells machines apart. */
#define EG_PLUGIN_MAGIC UINT64_C(0x656e6772616d3031)

enum {
    EG_PLUGIN_VERSION = 1,         /**< raised when the meaning of a descriptor changes */
    EG_PLUGIN_COMPONENTS_MAX = 64, /**< of each kind in one plug-in */
};

/** What a plug-in was built for, and what it brings. The first fields stay where they are in every
 *  version. A number that differs from engram's own is refused by the name of its field. */
typedef struct eg_plugin {
    uint64_t magic;           /**< EG_PLUGIN_MAGIC */
    uint32_t size;            /**< of this structure, in bytes */
    uint32_t version;         /**< EG_PLUGIN_VERSION */
    uint32_t real;            /**< bytes of an eg_real: 4 float, 8 double */
    uint32_t alignment;       /**< EG_ALIGNMENT */
    uint32_t parameter_size;  /**< of an eg_param, in bytes; the same of the following */
    uint32_t activation_size; /**< eg_activation */
    uint32_t optimizer_size;  /**< eg_optimizer_kind */
    uint32_t update_size;     /**< eg_update */
    uint32_t schedule_size;   /**< eg_schedule */
    uint32_t status_size;     /**< eg_status */
    const eg_activation *const *activations;
    const eg_optimizer_kind *const *optimizers;
    const eg_schedule *const *schedules;
    size_t activation_count, optimizer_count, schedule_count;
} eg_plugin;

/** What the headers say that this file was compiled with. */
#define EG_PLUGIN_BUILD                                                                            \
    .magic = EG_PLUGIN_MAGIC, .size = sizeof(eg_plugin), .version = EG_PLUGIN_VERSION,             \
    .real = sizeof(eg_real), .alignment = EG_ALIGNMENT, .parameter_size = sizeof(eg_param),        \
    .activation_size = sizeof(eg_activation), .optimizer_size = sizeof(eg_optimizer_kind),         \
    .update_size = sizeof(eg_update), .schedule_size = sizeof(eg_schedule),                        \
    .status_size = sizeof(eg_status)

#define EG_PLUGIN_SYMBOL "engram_plugin"

/** The symbol of a plug-in, from initialisers of its arrays; once in a plug-in. */
#define EG_PLUGIN(...)                                                                             \
    __attribute__((visibility("default"))) extern const eg_plugin engram_plugin;                   \
    const eg_plugin engram_plugin = {EG_PLUGIN_BUILD, __VA_ARGS__}

/** For eg_activation.check: EG_INVALID about the component's own parameters `names`, separated by
 *  spaces, which the message says itself. Like eg_fail_setting, but without the library. */
EG_PRINTF(2, 3)
static inline eg_status eg_plugin_fail(const char *names, const char *format, ...)
{
    eg_status status = eg_ok();
    va_list arguments;
    status.code = EG_INVALID;
    va_start(arguments, format);
    (void)vsnprintf(status.message, sizeof status.message, format, arguments);
    va_end(arguments);
    (void)snprintf(status.settings, sizeof status.settings, "%s", names);
    return status;
}

#endif
