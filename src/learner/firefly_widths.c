/** Widths of saved networks; see learner/firefly_widths.h. */
#include "learner/firefly_widths.h"

#include "nn/shared/vgg.h"

#include <stdio.h>

/* What is left has room for the weights of so many filters. */
static bool fits(const eg_reader *reader, size_t before, size_t width)
{
    const double bytes = 9 * (double)before * (double)width * (double)sizeof(eg_real);
    return bytes <= (double)(reader->size - reader->at);
}

eg_status eg_firefly_read_widths(eg_reader *reader, size_t convolutions, const size_t *least,
                                 size_t *widths)
{
    for (size_t l = 0; l < convolutions; l++) {
        const uint64_t width = eg_read_u64(reader);
        EG_TRY(eg_reader_status(reader, false));
        if (width < least[l] || !fits(reader, l > 0 ? widths[l - 1] : 1, (size_t)width)) {
            return eg_fail(EG_INVALID,
                           "saved network: %llu filters of convolution %zu, it begins with %zu",
                           (unsigned long long)width, l, least[l]);
        }
        widths[l] = (size_t)width;
    }
    return eg_ok();
}

void eg_firefly_find_widths(const eg_weights_pass *pass, const eg_view *model, size_t convolutions,
                            const size_t *otherwise, size_t *widths)
{
    for (size_t l = 0; l < convolutions; l++) {
        char node[EG_VGG_NAME_SIZE];
        char name[EG_WEIGHTS_NAME_SIZE + EG_VGG_NAME_SIZE + 24];
        eg_vgg_name(node, model, l);
        (void)snprintf(name, sizeof name, "%snetwork/%s.weight", pass->prefix, node);
        const eg_weights_array *array = eg_weights_find(pass->weights, name);
        widths[l] = array != NULL ? array->extent[0] : otherwise[l];
    }
}
