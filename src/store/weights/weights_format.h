/** Names in files of weights, which writing and reading share; docs/weights.md describes the
 *  files. */
#ifndef ENGRAM_STORE_WEIGHTS_FORMAT_H
#define ENGRAM_STORE_WEIGHTS_FORMAT_H

#define EG_WEIGHTS_FORMAT "engram-weights"
#define EG_WEIGHTS_SETTINGS "settings"             /**< group */
#define EG_WEIGHTS_BYTE_VALUE "input/byte_value"   /**< dataset */
#define EG_WEIGHTS_PIXEL_ORDER "input/pixel_order" /**< dataset */
#define EG_WEIGHTS_CLASS_TASK "input/class_task"   /**< dataset */
#define EG_WEIGHTS_INPUT "input"                   /**< its group */

enum { EG_WEIGHTS_VERSION = 1, EG_WEIGHTS_HEX_SIZE = 17 /* of a 64-bit number as text */ };

#endif
