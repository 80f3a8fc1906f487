/** What models of images have in common: their graph as it grows, from the image to the output
 *  scores, and the settings that most of them have.
 *
 *      conv1 ─► conv1.norm ─► conv1.activation ─► conv1.dropout ─► conv1.pool ─► …
 *
 *  A model is a function that adds to an eg_image_model (eg_model_kind.graph); what does not fit is
 *  refused with the name of the layer. Images come channel by channel and are put into the order of
 *  engram/shape.h by the first node, "input". */
#ifndef NN_IMAGE_MODEL_H
#define NN_IMAGE_MODEL_H

#include "engram/activation.h"
#include "engram/model.h"
#include "nn/layers.h"

/** Normalisation of units before their activation; the order is that of the names. */
typedef enum eg_image_norm {
    EG_IMAGE_NORM_NONE,
    EG_IMAGE_NORM_BATCH,
    EG_IMAGE_NORM_LAYER,
} eg_image_norm;

/** "none", "batch", "layer", NULL. */
extern const char *const eg_image_norm_names[];

/** A graph under way. Its own settings are what convolutions and linear layers are made with. */
typedef struct eg_image_model {
    const eg_view *view; /**< inside the model's settings; borrowed */
    const char *names;   /**< settings that decide about sizes, for messages; without the prefix */
    eg_graph *graph;     /**< owned */
    eg_shape input;
    eg_shape shape; /**< of what `last` makes */
    size_t last;    /**< the node that the next one reads */
    size_t batch;   /**< most examples of a training minibatch */
    size_t draws;   /**< layers of dropout so far */
    const eg_activation *activation;
    double p[EG_ACTIVATION_PARAMS_MAX];
    double gain; /**< of the activation behind the next weights */
    eg_initializer init;
    eg_image_norm norm; /**< of every hidden layer */
    double dropout;     /**< of fully connected hidden layers */
    bool bias;
} eg_image_model;

/** Adds what is a model's own, between the image and the layer of the output scores. */
typedef eg_status (*eg_image_body)(eg_image_model *model);

/** The graph of a model, eg_model_kind.graph but for `names` and `body`: takes activation and init
 *  from the settings, with no norm, no dropout and biases unless `body` sets them; then the node
 *  "input", what `body` adds, and the linear layer "head". */
eg_status eg_image_graph(eg_graph **out, const eg_view *view, const char *names, eg_shape input,
                         size_t outputs, size_t batch, eg_image_body body) EG_WARN_UNUSED;

/** A graph whose layers its caller adds, head included: *out is as `body` finds it. `out->graph` is
 *  the caller's, also on failure. */
eg_status eg_image_begin(eg_image_model *out, const eg_view *view, const char *names,
                         eg_shape input, size_t batch) EG_WARN_UNUSED;

/** Adds a node that reads the last one: takes the layer, also on failure. */
eg_status eg_image_add(eg_image_model *model, const char *name, eg_layer *layer) EG_WARN_UNUSED;

/** A convolution of square kernels; stride 1, no padding, unless said otherwise. */
typedef struct eg_image_conv {
    size_t filters, height, width; /**< width 0: as high */
    size_t stride, padding;        /**< stride 0: 1 */
} eg_image_conv;

/* What follows adds nodes called `name`, or beginning with it. */

/** The convolution and its norm, no activation. */
eg_status eg_image_filters(eg_image_model *model, const char *name,
                           const eg_image_conv *spec) EG_WARN_UNUSED;
/** With an activation. */
eg_status eg_image_hidden_filters(eg_image_model *model, const char *name,
                                  const eg_image_conv *spec) EG_WARN_UNUSED;
/** The model's normalisation of what is there; none adds nothing. */
eg_status eg_image_normalise(eg_image_model *model, const char *name,
                             eg_image_norm norm) EG_WARN_UNUSED;
/** An activation with its parameters. EG_INVALID if it does not suit the layer. */
eg_status eg_image_activate(eg_image_model *model, const char *name,
                            const eg_activation *activation, const double *p) EG_WARN_UNUSED;
/** Dropout of single numbers; 0 adds nothing. */
eg_status eg_image_drop(eg_image_model *model, const char *name, double p) EG_WARN_UNUSED;
/** Dropout of whole channels. */
eg_status eg_image_drop_maps(eg_image_model *model, const char *name, double p) EG_WARN_UNUSED;
/** Normalisation over neighbouring channels. */
eg_status eg_image_respond(eg_image_model *model, const char *name,
                           const eg_response *spec) EG_WARN_UNUSED;
/** Max pooling, or of averages. */
eg_status eg_image_pool(eg_image_model *model, const char *name, const eg_pool *spec,
                        bool average) EG_WARN_UNUSED;
/** Pads a pool so that it has as many windows as strides: what is missing is added on both sides,
 *  the odd one below and to the right. EG_INVALID if height and width lack different numbers. */
eg_status eg_image_same_pool(const eg_image_model *model, eg_pool *pool) EG_WARN_UNUSED;
/** A fully connected layer, of a vector: an image is flattened before. `hidden` false: no
 *  activation follows. */
eg_status eg_image_linear(eg_image_model *model, const char *name, size_t units,
                          bool hidden) EG_WARN_UNUSED;
/** Scores of `outputs` by a convolution of 1x1 with biases, which reads channels however large the
 *  image is: the mean over its places. */
eg_status eg_image_conv_head(eg_image_model *model, const char *name,
                             size_t outputs) EG_WARN_UNUSED;
/** The initial distribution of the weights of an output layer. */
eg_initial eg_image_head_initial(const eg_image_model *model, size_t inputs, size_t outputs);
/** Linear layers "linear1", "linear2", … with norm, activation and dropout: one per integer. */
eg_status eg_image_hidden_units(eg_image_model *model, const eg_value *units) EG_WARN_UNUSED;

/** EG_INVALID if windows of height x width do not fit into the image with so many more rows and
 *  columns. */
eg_status eg_image_fits(const eg_image_model *model, const char *name, size_t height, size_t width,
                        size_t more) EG_WARN_UNUSED;

/* Settings that models share. */
#define EG_IMAGE_ACTIVATION_PARAM                                                                  \
    {                                                                                              \
        .name = "activation", .type = EG_TYPE_COMPONENT, .default_text = "relu",                   \
        .family = "activation", .doc = "activation of all hidden layers"                           \
    }
#define EG_IMAGE_INIT_PARAM(value)                                                                 \
    {                                                                                              \
        .name = "init", .type = EG_TYPE_NAME, .default_text = value,                               \
        .names = eg_initializer_names,                                                             \
        .doc = "what weights start as, as for model mlp, with height*width*channels of a kernel "  \
               "for inputs; the gain of the output layer is 1, and normal is N(0, 1/inputs) there" \
    }
#define EG_IMAGE_NORM_PARAM(value)                                                                 \
    {                                                                                              \
        .name = "norm", .type = EG_TYPE_NAME, .default_text = value, .names = eg_image_norm_names, \
        .doc = "normalisation of hidden units before their activation: of a channel over the "     \
               "minibatch, in evaluations by running averages of decay 0.9 (batch), or of an "     \
               "example over its units (layer)"                                                    \
    }
#define EG_IMAGE_DROPOUT_PARAM                                                                     \
    {                                                                                              \
        .name = "dropout", .type = EG_TYPE_REAL, .default_text = "0", .min = 0, .max = 0.99,       \
        .doc = "share of the outputs of fully connected hidden layers that are 0 for a training "  \
               "example; the others are divided by 1 - dropout"                                    \
    }
#define EG_IMAGE_BIAS_PARAM(text)                                                                  \
    {                                                                                              \
        .name = "bias", .type = EG_TYPE_BOOL, .default_text = "true", .doc = text                  \
    }

#endif
