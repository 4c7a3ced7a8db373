/*
 * cuda_images.h - the compiled kernels of this build, one fatbin a file.
 *
 * None in a build without nvcc.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef MINERVA_BACKENDS_CUDA_IMAGES_H
#define MINERVA_BACKENDS_CUDA_IMAGES_H

#include <stddef.h>

struct cuda_image {
    const char *name; /* of the file, for sentences */
    const unsigned char *data, *end;
};
extern const struct cuda_image cuda_images[];
extern const size_t cuda_image_count;
extern const int cuda_images_version; /* of the compiler, as the driver counts: 13020 */

#endif
