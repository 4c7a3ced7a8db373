/*
 * artifact.c - opens a model's folder, checks all of it, and answers questions about it.
 *
 * The tensors are mapped, not copied.  Hashing reads through pread, so that a file cut
 * short while it is opened is an error and not a signal; whoever replaces a model must
 * rename files into place, as import does, and never write into them.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernels/blake3_host.h"
#include "miner/base/file.h"
#include "miner/base/memory.h"
#include "miner/models/artifact_values.h"
#include "miner/models/manifest.h"
#include "miner/models/model.h"
#include "miner/models/safetensors.h"
#include "miner/models/tokenizer.h"

enum {
    PATH_MAX_SIZE = 4096,
    HASH_BLOCK = 1 << 20,
    VOCAB_FILE_MAX = 64 << 20,
};

struct artifact {
    char id[65];
    struct manifest manifest;
    struct blob text, vocab;
    struct bytes mapping; /* of model.safetensors */
    int file;             /* the same, -1: none */
};

void artifact_hash_manifest(struct bytes manifest, char id[65])
{
    struct blake3 hasher;
    uint8_t digest[BLAKE3_SIZE];

    blake3_begin_derive_key(&hasher, "pouw model v1");
    blake3_add(&hasher, manifest.data, manifest.size);
    blake3_end(&hasher, digest);
    hex_encode(digest, sizeof digest, id);
}

static enum status read_in(const char *folder, const char *name, struct blob *out,
                           struct error *err)
{
    char path[PATH_MAX_SIZE];
    const enum status status = file_join(folder, name, path, sizeof path, err);

    return status ? status : file_read(path, out, err);
}

static enum status open_manifest(struct artifact *artifact, const char *folder,
                                 struct error *err)
{
    enum status status = read_in(folder, "manifest.json", &artifact->text, err);

    if (status)
        return status;
    status = manifest_parse(blob_bytes(&artifact->text), &artifact->manifest, err);
    if (status) {
        error_prefix(err, "%s/manifest.json", folder);
        return status;
    }
    artifact_hash_manifest(blob_bytes(&artifact->text), artifact->id);
    if (artifact->manifest.precision.count == 0)
        return error_set(err, STATUS_BAD_DATA, "%s/manifest.json: names no precision",
                         folder);
    for (size_t i = 1; i < artifact->manifest.precision.count; i++) {
        const struct manifest_field *field = artifact->manifest.precision.field;

        if (field[i].value != field[0].value)
            return error_set(
                err, STATUS_NOT_SUPPORTED,
                "%s/manifest.json: %s and %s differ in precision, expected one for all",
                folder, field[0].name, field[i].name);
    }
    return STATUS_OK;
}

/* The vocabulary is the one the manifest names, and a tokenizer can be made of it. */
static enum status open_vocab(struct artifact *artifact, const char *folder,
                              struct error *err)
{
    const struct tokenizer_info *info = &artifact->manifest.tokenizer;
    struct tokenizer *tokenizer = NULL;
    uint8_t digest[BLAKE3_SIZE];
    char hash[65];
    enum status status = read_in(folder, "vocab.txt", &artifact->vocab, err);

    if (status)
        return status;
    blake3_hash(artifact->vocab.data, artifact->vocab.size, NULL, digest);
    hex_encode(digest, sizeof digest, hash);
    if (strcmp(hash, info->vocab_hash) != 0)
        return error_set(err, STATUS_BAD_DATA,
                         "%s/vocab.txt: its hash is %s, the manifest says %s", folder,
                         hash, info->vocab_hash);
    status = tokenizer_open(info, blob_bytes(&artifact->vocab), &tokenizer, err);
    if (status)
        error_prefix(err, "%s/vocab.txt", folder);
    tokenizer_close(tokenizer);
    return status;
}

static enum status map_file(struct artifact *artifact, const char *path,
                            struct error *err)
{
    struct stat about;
    void *data;

    artifact->file = open(path, O_RDONLY | O_CLOEXEC);
    if (artifact->file < 0)
        return error_set(err, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO,
                         "%s: cannot open: %s", path, strerror(errno));
    if (fstat(artifact->file, &about) || !S_ISREG(about.st_mode) || about.st_size <= 0)
        return error_set(err, STATUS_BAD_DATA, "%s: is empty or no file", path);
    data = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, artifact->file, 0);
    if (data == MAP_FAILED)
        return error_set(err, STATUS_IO, "%s: cannot map: %s", path, strerror(errno));
    artifact->mapping = bytes_of(data, (size_t)about.st_size);
    return STATUS_OK;
}

/* Both lists ascend by name, so they must be equal one by one. */
static enum status match_tensors(struct manifest *manifest,
                                 const struct safetensors *file, struct error *err)
{
    if (manifest->tensor_count != file->count)
        return error_set(err, STATUS_BAD_DATA,
                         "holds %zu tensors, the manifest names %zu", file->count,
                         manifest->tensor_count);
    for (size_t i = 0; i < file->count; i++) {
        struct tensor *named = &manifest->tensors[i];
        const struct tensor *held = &file->tensors[i];

        if (strcmp(named->name, held->name) != 0)
            return error_set(err, STATUS_BAD_DATA,
                             "holds tensor %s, the manifest names %s", held->name,
                             named->name);
        if (named->dtype != held->dtype || named->rank != held->rank ||
            memcmp(named->shape, held->shape, sizeof held->shape) != 0)
            return error_set(err, STATUS_BAD_DATA,
                             "tensor %s has another type or shape than the manifest says",
                             held->name);
        assert(named->data.size == held->data.size);
        named->data = held->data;
    }
    return STATUS_OK;
}

static enum status read_block(const struct artifact *artifact, uint64_t offset,
                              uint8_t *block, size_t size, struct error *err)
{
    for (size_t done = 0; done < size;) {
        const ssize_t got =
            pread(artifact->file, block + done, size - done, (off_t)(offset + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(err, STATUS_IO, "cannot read: %s", strerror(errno));
        if (got == 0)
            return error_set(err, STATUS_BAD_DATA, "was cut short while it was read");
        done += (size_t)got;
    }
    return STATUS_OK;
}

static enum status verify_tensor(const struct artifact *artifact,
                                 const struct tensor *tensor, uint8_t *block,
                                 struct error *err)
{
    const uint64_t start = (uint64_t)(tensor->data.data - artifact->mapping.data);
    struct blake3 hasher;
    uint8_t digest[BLAKE3_SIZE];
    char hash[65];

    blake3_begin(&hasher);
    for (size_t done = 0; done < tensor->data.size; done += HASH_BLOCK) {
        const size_t left = tensor->data.size - done,
                     size = left < HASH_BLOCK ? left : HASH_BLOCK;
        enum status status = read_block(artifact, start + done, block, size, err);

        if (!status)
            status = artifact_values_check(tensor, bytes_of(block, size),
                                           done / dtype_size(tensor->dtype), err);
        if (status)
            return status;
        blake3_add(&hasher, block, size);
    }
    blake3_end(&hasher, digest);
    hex_encode(digest, sizeof digest, hash);
    if (strcmp(hash, tensor->hash) != 0)
        return error_set(err, STATUS_BAD_DATA,
                         "tensor %s: its hash is %s, the manifest says %s", tensor->name,
                         hash, tensor->hash);
    return STATUS_OK;
}

static enum status verify_tensors(const struct artifact *artifact, struct error *err)
{
    uint8_t *block = memory_array(HASH_BLOCK, 1);
    enum status status = STATUS_OK;

    if (!block)
        return error_set(err, STATUS_NO_MEMORY, "no memory to read with");
    for (size_t i = 0; i < artifact->manifest.tensor_count && !status; i++)
        status = verify_tensor(artifact, &artifact->manifest.tensors[i], block, err);
    memory_free(block);
    return status;
}

static enum status open_tensors(struct artifact *artifact, const char *folder,
                                struct error *err)
{
    char path[PATH_MAX_SIZE];
    struct safetensors file;
    enum status status = file_join(folder, "model.safetensors", path, sizeof path, err);

    if (!status)
        status = map_file(artifact, path, err);
    if (status)
        return status;
    status = safetensors_parse(artifact->mapping, &file, err);
    if (!status) {
        status = match_tensors(&artifact->manifest, &file, err);
        safetensors_free(&file);
    }
    if (!status)
        status = verify_tensors(artifact, err);
    if (status)
        error_prefix(err, "%s", path);
    return status;
}

enum status artifact_open(const char *folder, struct artifact **out, struct error *err)
{
    struct artifact *artifact = memory_new(struct artifact);
    enum status status;

    if (!artifact)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a model");
    artifact->file = -1;
    artifact->text = blob_empty(MANIFEST_SIZE_MAX);
    artifact->vocab = blob_empty(VOCAB_FILE_MAX);
    status = open_manifest(artifact, folder, err);
    if (!status)
        status = open_vocab(artifact, folder, err);
    if (!status)
        status = open_tensors(artifact, folder, err);
    if (!status) {
        status = model_check(artifact, err);
        if (status)
            error_prefix(err, "%s/manifest.json", folder);
    }
    if (status) {
        artifact_close(artifact);
        return status;
    }
    *out = artifact;
    return STATUS_OK;
}

void artifact_close(struct artifact *artifact)
{
    if (!artifact)
        return;
    if (artifact->mapping.data)
        munmap((void *)(uintptr_t)artifact->mapping.data, artifact->mapping.size);
    if (artifact->file >= 0)
        close(artifact->file);
    manifest_free(&artifact->manifest);
    blob_free(&artifact->text);
    blob_free(&artifact->vocab);
    memory_free(artifact);
}

void artifact_forget_pages(const struct artifact *artifact)
{
    /* Advice: where it is not taken, the pages only stay. */
    (void)madvise((void *)(uintptr_t)artifact->mapping.data, artifact->mapping.size,
                  MADV_DONTNEED);
}

const char *artifact_id(const struct artifact *artifact)
{
    return artifact->id;
}

const char *artifact_architecture(const struct artifact *artifact)
{
    return artifact->manifest.architecture;
}

enum precision artifact_precision(const struct artifact *artifact)
{
    return (enum precision)artifact->manifest.precision.field[0].value;
}

const struct tokenizer_info *artifact_tokenizer(const struct artifact *artifact)
{
    return &artifact->manifest.tokenizer;
}

struct bytes artifact_manifest(const struct artifact *artifact)
{
    return blob_bytes(&artifact->text);
}

struct bytes artifact_vocab(const struct artifact *artifact)
{
    return blob_bytes(&artifact->vocab);
}

bool artifact_config(const struct artifact *artifact, const char *name, uint64_t *out)
{
    const struct manifest_field *field = manifest_find(&artifact->manifest.config, name);

    if (field)
        *out = field->value;
    return field != NULL;
}

bool artifact_constant(const struct artifact *artifact, const char *name, float *out)
{
    const struct manifest_field *field =
        manifest_find(&artifact->manifest.constants, name);

    if (field) {
        const uint32_t bits = (uint32_t)field->value;

        memcpy(out, &bits, sizeof *out);
    }
    return field != NULL;
}

size_t artifact_tensor_count(const struct artifact *artifact)
{
    return artifact->manifest.tensor_count;
}

const struct tensor *artifact_tensor_at(const struct artifact *artifact, size_t index)
{
    assert(index < artifact->manifest.tensor_count);
    return &artifact->manifest.tensors[index];
}

const struct tensor *artifact_tensor(const struct artifact *artifact, const char *name)
{
    const struct safetensors list = {artifact->manifest.tensor_count,
                                     artifact->manifest.tensors};

    return safetensors_find(&list, name);
}

struct bytes artifact_blob(const struct artifact *artifact, const char *hash)
{
    if (strcmp(hash, artifact->manifest.tokenizer.vocab_hash) == 0)
        return blob_bytes(&artifact->vocab);
    for (size_t i = 0; i < artifact->manifest.tensor_count; i++) {
        if (strcmp(hash, artifact->manifest.tensors[i].hash) == 0)
            return artifact->manifest.tensors[i].data;
    }
    return bytes_of(NULL, 0);
}

enum status artifact_tokenizer_of(struct bytes manifest, struct tokenizer_info *out,
                                  struct error *err)
{
    struct manifest parsed;
    const enum status status = manifest_parse(manifest, &parsed, err);

    if (status)
        return status;
    *out = parsed.tokenizer;
    manifest_free(&parsed);
    return STATUS_OK;
}
