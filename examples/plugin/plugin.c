/** The one symbol that engram looks for. */
#include "components.h"

static const eg_activation *const activations[] = {&example_softsign};
static const eg_optimizer_kind *const optimizers[] = {&example_lion};
static const eg_schedule *const schedules[] = {&example_warmup};

EG_PLUGIN(.activations = activations, .activation_count = EG_COUNT(activations),
          .optimizers = optimizers, .optimizer_count = EG_COUNT(optimizers), .schedules = schedules,
          .schedule_count = EG_COUNT(schedules));
