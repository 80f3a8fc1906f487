/** Where this library comes from. */
#ifndef ENGRAM_BUILD_H
#define ENGRAM_BUILD_H

typedef struct eg_build {
    const char *version; /**< "0.1.0" */
    const char
        *commit; /**< of the sources, "-dirty" behind it if they were changed since; "unknown" */
    const char *compiler; /**< "GNU 13.2.0" */
    const char *type;     /**< of CMake, "Release" */
    const char *flags;    /**< those that may decide about bits of results */
} eg_build;

const eg_build *eg_build_info(void);

#endif
