// Stands in for the audio library of llama.cpp, which Ollama's Go module lacks:
// the module proxy leaves out folders named vendor. mtmd-helper.cpp, its only user,
// decodes sound with it. Here every decoding fails, so that a model that is given
// sound answers with an error; text and images are untouched. For test servers only.
#ifndef RUNNER_E2E_MINIAUDIO_H
#define RUNNER_E2E_MINIAUDIO_H

#include <stddef.h>
#include <stdint.h>

typedef uint32_t ma_uint32;
typedef uint64_t ma_uint64;

typedef enum { ma_format_f32 = 5 } ma_format;
typedef enum { MA_SUCCESS = 0, MA_NOT_IMPLEMENTED = -29 } ma_result;

typedef struct { int unused; } ma_decoder_config;
typedef struct { int unused; } ma_decoder;

static inline ma_decoder_config ma_decoder_config_init(ma_format, ma_uint32, ma_uint32) {
    return ma_decoder_config();
}
static inline ma_result ma_decoder_init_memory(const void *, size_t, const ma_decoder_config *, ma_decoder *) {
    return MA_NOT_IMPLEMENTED;
}
static inline ma_result ma_decoder_get_length_in_pcm_frames(ma_decoder *, ma_uint64 *) {
    return MA_NOT_IMPLEMENTED;
}
static inline ma_result ma_decoder_read_pcm_frames(ma_decoder *, void *, ma_uint64, ma_uint64 *) {
    return MA_NOT_IMPLEMENTED;
}
static inline ma_result ma_decoder_uninit(ma_decoder *) {
    return MA_SUCCESS;
}

#endif
