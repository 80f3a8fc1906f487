/** A predictor as bytes, for a process that reads it for another. Both are the same program: this
 *  is no file format. */
#ifndef ENGRAM_STORE_WEIGHTS_PACK_H
#define ENGRAM_STORE_WEIGHTS_PACK_H

#include "engram/pack.h"
#include "engram/predictor.h"

void eg_weights_file_pack(const eg_predictor *predictor, eg_writer *writer);
/** Into a predictor that is zero; cleared on failure. */
eg_status eg_weights_file_unpack(eg_predictor *out, eg_reader *reader) EG_WARN_UNUSED;

#endif
