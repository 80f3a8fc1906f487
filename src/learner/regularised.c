/** Steps, curve and state of learners with quadratic penalties; see learner/regularised.h. */
#include "learner/regularised.h"

#include "engram/memory.h"

#include <string.h>

static const eg_variable penalty = {
    .name = "penalty",
    .dims = {"eval"},
    .unit = "nat",
    .doc =
        "what the learner adds to the loss, at the parameters that are evaluated; at the end of a "
        "task already that of the next one"};

const eg_variable *const eg_regularised_variables[] = {&penalty, NULL};

const char *const eg_penalised_names[] = {"all", "trunk", NULL};

bool eg_regularised_trunk_only(const eg_view *view)
{
    return eg_view_name(view, "penalised") == 1;
}

void eg_regularised_leave_out_head(const eg_net *net, eg_real *importance)
{
    for (size_t b = 0; b < net->table.block_count; b++) {
        const eg_parameter_block *block = &net->table.blocks[b];
        if (block->head) {
            memset(importance + block->offset, 0, block->count * sizeof *importance);
        }
    }
}

static void add(void *user, size_t first, size_t count, const eg_real *w, eg_real *g)
{
    const eg_regularised *self = user;
    for (size_t t = 0; t < self->separate_terms; t++) {
        if (self->terms[t].active) {
            const eg_penalty quadratic = eg_penalty_term_quadratic(&self->terms[t]);
            (void)eg_penalty_add(&quadratic, first, count, w, g);
        }
    }
}

/* The last active term is added within the update, the others before. */
static void choose_terms(eg_regularised *self)
{
    eg_update_terms *update_terms = &self->update_terms;
    size_t active = 0;
    update_terms->penalty = NULL;
    for (size_t t = 0; t < self->term_count; t++) {
        if (self->terms[t].active) {
            self->penalty = eg_penalty_term_quadratic(&self->terms[t]);
            update_terms->penalty = &self->penalty;
            self->separate_terms = t;
            active++;
        }
    }
    update_terms->add = active > 1 ? add : NULL;
}

eg_status eg_regularised_init(eg_regularised *self, const eg_learner_setup *setup,
                              size_t term_count, double strength, bool weighted)
{
    self->phases = setup->shape.phases;
    self->update_terms.user = self;
    self->gradient.terms = &self->update_terms;
    EG_TRY(eg_gradient_learner_init(&self->gradient, setup, setup->shape.batch, true));
    EG_TRY(eg_alloc(&self->terms, term_count, sizeof *self->terms));
    self->term_count = term_count;
    for (size_t t = 0; t < term_count; t++) {
        EG_TRY(eg_penalty_term_init(&self->terms[t], self->gradient.net->param_count, strength,
                                    weighted));
    }
    return eg_ok();
}

void eg_regularised_clear(eg_regularised *self)
{
    for (size_t t = 0; t < self->term_count; t++) {
        eg_penalty_term_clear(&self->terms[t]);
    }
    eg_free(self->terms);
    eg_gradient_learner_clear(&self->gradient);
}

void eg_regularised_free(eg_learner *learner)
{
    eg_regularised_clear((eg_regularised *)learner);
    eg_free(learner);
}

eg_status eg_regularised_step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out)
{
    eg_regularised *self = (eg_regularised *)learner;
    choose_terms(self);
    return eg_gradient_learner_step(learner, batch, out);
}

eg_status eg_regularised_declare(eg_learner *learner, eg_record *record, size_t evals)
{
    (void)learner;
    const size_t extent[EG_RANK_MAX] = {evals};
    eg_array *array = NULL;
    return eg_record_declare(record, &penalty, extent, &array);
}

eg_status eg_regularised_measure(eg_learner *learner, eg_record *record, size_t eval)
{
    const eg_regularised *self = (const eg_regularised *)learner;
    double sum = 0;
    for (size_t t = 0; t < self->term_count; t++) {
        sum += eg_penalty_term_value(&self->terms[t], self->gradient.net->params);
    }
    eg_record_find(record, penalty.name)->data[eval] = sum;
    return eg_ok();
}

void eg_regularised_write(const eg_learner *learner, eg_writer *writer)
{
    const eg_regularised *self = (const eg_regularised *)learner;
    eg_gradient_learner_write(learner, writer);
    for (size_t t = 0; t < self->term_count; t++) {
        eg_penalty_term_write(&self->terms[t], writer);
    }
}

eg_status eg_regularised_read(eg_learner *learner, eg_reader *reader)
{
    eg_regularised *self = (eg_regularised *)learner;
    EG_TRY(eg_gradient_learner_read(learner, reader));
    for (size_t t = 0; t < self->term_count; t++) {
        EG_TRY(eg_penalty_term_read(&self->terms[t], reader));
    }
    return eg_ok();
}
