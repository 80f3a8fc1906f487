/** Which outputs take part in a phase, and which arrive with it; see stream/indexed.h. */
#include "stream/indexed.h"

#include "engram/memory.h"

#include <string.h>

/* Marks the classes of a phase or a task. */
static void mark(const eg_indexed_setup *setup, size_t task, uint8_t *marks)
{
    if (setup->run != NULL) {
        const eg_group_run *run = &setup->run[task];
        for (size_t i = 0; i < run->count; i++) {
            marks[setup->order[run->first + i]] = 1;
        }
        return;
    }
    for (size_t c = 0; c < setup->dataset->classes; c++) {
        marks[c] |= setup->group[c] == task ? 1 : 0;
    }
}

/* The classes that are marked, but for those in `but` (NULL: none), into `next`; returns what is
 * after them. */
static uint32_t *list_marked(size_t classes, const uint8_t *marks, const eg_active *but,
                             uint32_t *next, eg_active *out)
{
    *out = (eg_active){.output = next};
    for (size_t c = 0; c < classes; c++) {
        bool left_out = but != NULL && eg_active_place(but, (uint32_t)c) < but->count;
        if (marks[c] != 0 && !left_out) {
            *next++ = (uint32_t)c;
            out->count++;
        }
    }
    return next;
}

/* Phases that are tasks have the outputs of their task. */
static eg_status tell_tasks(eg_indexed *self, size_t tasks)
{
    self->base.shape.tells_task = true;
    if (self->base.shape.tasks_are_phases) {
        EG_TRY(eg_alloc(&self->phase_active, tasks, sizeof *self->phase_active));
        memcpy(self->phase_active, self->task_active, tasks * sizeof *self->phase_active);
    }
    return eg_ok();
}

static eg_status list_heads(eg_indexed *self)
{
    size_t tasks = self->base.shape.tasks;
    size_t classes = self->dataset->classes;
    EG_TRY(eg_alloc(&self->active_outputs, tasks * classes, sizeof *self->active_outputs));
    EG_TRY(eg_alloc(&self->task_active, tasks, sizeof *self->task_active));
    for (size_t t = 0; t < tasks; t++) {
        uint32_t *output = self->active_outputs + t * classes;
        for (size_t c = 0; c < classes; c++) {
            output[c] = (uint32_t)(eg_indexed_identity(self, t) * classes + c);
        }
        self->task_active[t] = (eg_active){.count = classes, .output = output};
    }
    self->base.shape.masks_outputs = true;
    return tell_tasks(self, tasks);
}

static eg_status list_active(eg_indexed *self, const eg_indexed_setup *setup, uint8_t *marks)
{
    bool by_task = setup->active == EG_ACTIVE_TASK;
    size_t classes = setup->dataset->classes;
    size_t lists = setup->run != NULL ? setup->phases : setup->groups;
    EG_TRY(eg_alloc(&self->active_outputs, lists, classes * sizeof(uint32_t)));
    uint32_t *next = self->active_outputs;
    eg_active **active = by_task ? &self->task_active : &self->phase_active;
    EG_TRY(eg_alloc(active, lists, sizeof **active));
    for (size_t t = 0; t < lists; t++) {
        if (by_task) {
            memset(marks, 0, classes);
        }
        mark(setup, t, marks);
        next = list_marked(classes, marks, NULL, next, &(*active)[t]);
    }
    self->base.shape.masks_outputs = true;
    return by_task ? tell_tasks(self, lists) : eg_ok();
}

/* Active now and not in the phase before; phase 0 begins with them anyway. */
static eg_status list_arriving(eg_indexed *self, const eg_indexed_setup *setup, uint8_t *marks)
{
    size_t classes = setup->dataset->classes;
    EG_TRY(eg_alloc(&self->arriving_outputs, classes, sizeof(uint32_t)));
    EG_TRY(eg_alloc(&self->arriving, setup->phases, sizeof *self->arriving));
    uint32_t *next = self->arriving_outputs;
    for (size_t t = 1; t < setup->phases; t++) {
        memset(marks, 0, classes);
        for (size_t k = 0; k < self->phase_active[t].count; k++) {
            marks[self->phase_active[t].output[k]] = 1;
        }
        next = list_marked(classes, marks, &self->phase_active[t - 1], next, &self->arriving[t]);
    }
    return eg_ok();
}

eg_status eg_indexed_list_outputs(eg_indexed *self, const eg_indexed_setup *setup)
{
    /* A single phase that teaches all tasks has all outputs active. */
    bool joint = !self->base.shape.tasks_are_phases;
    if (setup->active == EG_ACTIVE_ALL || (joint && setup->active == EG_ACTIVE_SEEN)) {
        return eg_ok();
    }
    if (setup->heads) {
        return list_heads(self);
    }
    uint8_t *marks = NULL; /* [classes] */
    EG_TRY(eg_alloc(&marks, setup->dataset->classes, sizeof *marks));
    eg_status status = list_active(self, setup, marks);
    if (status.code == EG_OK && setup->outputs == EG_OUTPUTS_ARRIVE) {
        status = list_arriving(self, setup, marks);
    }
    eg_free(marks);
    return status;
}
