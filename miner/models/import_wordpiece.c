/*
 * import_wordpiece.c - the vocabulary of a BERT checkpoint and what the manifest says of
 * it.
 *
 * numerics.md 3.3 and 3.4: the lengths are sentence_bert_config.json's or the network's
 * own; lower case is tokenizer.json's normaliser's, else tokenizer_config.json's, else
 * true.  A tokenizer that does anything else than BERT's is refused.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <string.h>

#include "kernels/blake3_host.h"
#include "miner/base/memory.h"
#include "miner/models/import_kind.h"
#include "miner/models/tokenizer.h"
#include "miner/models/wordlist.h"

enum { SMALL_FILE_MAX = 1 << 20, TOKENIZER_FILE_MAX = 64 << 20 };

static enum status refuse(const char *file, const char *what, struct error *err)
{
    return error_set(err, STATUS_NOT_SUPPORTED, "%s: %s, which BERT's tokenizer has not",
                     file, what);
}

static bool is_text(const json_t *object, const char *name, const char *expected)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text && strcmp(text, expected) == 0;
}

/* strip_accents where it is set must follow lower case, as it does where it is not. */
static bool is_strange_strip(const json_t *object, bool lowercase)
{
    const json_t *strip = json_object_get(object, "strip_accents");

    return strip && !json_is_null(strip) && json_is_true(strip) != lowercase;
}

static enum status read_normalizer(const json_t *file, bool *lowercase, struct error *err)
{
    static const char name[] = "tokenizer.json";
    const json_t *normalizer = json_object_get(file, "normalizer");
    const json_t *lower = json_object_get(normalizer, "lowercase");

    if (!is_text(normalizer, "type", "BertNormalizer") || !json_is_boolean(lower))
        return refuse(name, "the normalizer is another one", err);
    if (!json_is_true(json_object_get(normalizer, "clean_text")) ||
        !json_is_true(json_object_get(normalizer, "handle_chinese_chars")))
        return refuse(name, "the normalizer leaves out a step", err);
    *lowercase = json_is_true(lower);
    if (is_strange_strip(normalizer, *lowercase))
        return refuse(name, "strip_accents differs from lowercase", err);
    return STATUS_OK;
}

static enum status check_model(const json_t *file, struct error *err)
{
    static const char name[] = "tokenizer.json";
    const json_t *model = json_object_get(file, "model");

    if (!is_text(model, "type", "WordPiece") || !is_text(model, "unk_token", "[UNK]") ||
        !is_text(model, "continuing_subword_prefix", "##") ||
        json_integer_value(json_object_get(model, "max_input_chars_per_word")) != 100)
        return refuse(
            name, "the model is not WordPiece with [UNK], ## and 100 characters a word",
            err);
    return STATUS_OK;
}

static enum status check_added_tokens(const json_t *file, struct error *err)
{
    static const char *const known[] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
    static const char *const flags[] = {"single_word", "lstrip", "rstrip", "normalized"};
    const json_t *token;
    size_t index;

    json_array_foreach(json_object_get(file, "added_tokens"), index, token)
    {
        bool is_known = false;

        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            is_known = is_known || is_text(token, "content", known[i]);
        if (!is_known)
            return refuse("tokenizer.json", "there is another added token", err);
        for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
            if (json_is_true(json_object_get(token, flags[i])))
                return refuse("tokenizer.json", "an added token has a rule", err);
        }
    }
    return STATUS_OK;
}

/* The words of model.vocab as lines: their ids must be 0, 1, 2, ... */
static enum status vocab_from_json(const json_t *file, struct blob *out,
                                   struct error *err)
{
    json_t *vocab = json_object_get(json_object_get(file, "model"), "vocab");
    const size_t count = json_object_size(vocab);
    const char **words, *word;
    json_t *id;
    enum status status = STATUS_OK;

    if (count > WORDLIST_ENTRIES_MAX)
        return error_set(err, STATUS_BAD_DATA,
                         "tokenizer.json: %zu words, expected at most %d", count,
                         WORDLIST_ENTRIES_MAX);
    words = memory_array(count, sizeof *words);
    if (!words)
        return error_set(err, STATUS_NO_MEMORY, "no memory for %zu words", count);
    json_object_foreach(vocab, word, id)
    {
        const json_int_t value = json_integer_value(id);

        if (!json_is_integer(id) || value < 0 || (size_t)value >= count || words[value] ||
            strchr(word, '\n'))
            status = error_set(
                err, STATUS_BAD_DATA,
                "tokenizer.json: the ids of its vocabulary are not 0 to %zu", count);
        else
            words[value] = word;
    }
    for (size_t i = 0; i < count && !status; i++)
        status = blob_addf(out, "%s\n", words[i]);
    memory_free(words);
    return status;
}

static enum status read_tokenizer_json(struct import *import, json_t *file,
                                       bool *lowercase, struct error *err)
{
    enum status status = read_normalizer(file, lowercase, err);

    if (!status)
        status = check_model(file, err);
    if (!status)
        status = check_added_tokens(file, err);
    if (!status && import->vocab.size == 0)
        status = vocab_from_json(file, &import->vocab, err);
    return status;
}

static enum status read_tokenizer_config(struct import *import, bool *lowercase,
                                         struct error *err)
{
    static const char name[] = "tokenizer_config.json";
    json_t *file;
    const json_t *lower, *chinese;
    enum status status = import_read_json(import, name, SMALL_FILE_MAX, &file, err);

    *lowercase = true;
    if (status || !file)
        return status;
    lower = json_object_get(file, "do_lower_case");
    chinese = json_object_get(file, "tokenize_chinese_chars");
    if (lower)
        *lowercase = json_is_true(lower);
    if (lower && !json_is_boolean(lower))
        status = error_set(err, STATUS_BAD_DATA,
                           "%s: do_lower_case is neither true nor false", name);
    else if (chinese && !json_is_true(chinese))
        status = refuse(name, "tokenize_chinese_chars is off", err);
    else if (is_strange_strip(file, *lowercase))
        status = refuse(name, "strip_accents differs from do_lower_case", err);
    json_decref(file);
    return status;
}

static enum status read_max_sequence(struct import *import, uint64_t positions,
                                     uint32_t *out, struct error *err)
{
    static const char name[] = "sentence_bert_config.json";
    json_t *file;
    const json_t *length;
    enum status status = import_read_json(import, name, SMALL_FILE_MAX, &file, err);

    if (status)
        return status;
    length = json_object_get(file, "max_seq_length");
    *out = (uint32_t)positions;
    if (length && !json_is_null(length)) {
        const json_int_t value = json_integer_value(length);

        if (!json_is_integer(length) || value < 2 || (uint64_t)value > positions)
            status = error_set(err, STATUS_BAD_DATA,
                               "%s: max_seq_length is %lld, expected 2 to %llu", name,
                               (long long)value, (unsigned long long)positions);
        else
            *out = (uint32_t)value;
    }
    json_decref(file);
    return status;
}

/* Makes a tokenizer once, so that an artifact with a bad vocabulary is never written. */
static enum status check_vocab(const struct import *import, uint64_t vocab_size,
                               struct tokenizer_info *info, struct error *err)
{
    const struct bytes text = blob_bytes(&import->vocab);
    struct tokenizer *tokenizer = NULL;
    uint8_t digest[BLAKE3_SIZE];
    uint64_t words = text.size && text.data[text.size - 1] != '\n';
    enum status status;

    for (size_t i = 0; i < text.size; i++)
        words += text.data[i] == '\n';
    if (words > vocab_size)
        return error_set(err, STATUS_BAD_DATA,
                         "%s: the vocabulary has %llu words, the network only %llu",
                         import->from, (unsigned long long)words,
                         (unsigned long long)vocab_size);
    info->vocab_size = (uint32_t)words;
    blake3_hash(text.data, text.size, NULL, digest);
    hex_encode(digest, sizeof digest, info->vocab_hash);
    status = tokenizer_open(info, text, &tokenizer, err);
    tokenizer_close(tokenizer);
    return status;
}

enum status import_wordpiece(struct import *import, uint64_t vocab_size,
                             uint64_t positions, struct error *err)
{
    struct tokenizer_info *info = &import->manifest.tokenizer;
    json_t *file = NULL;
    enum status status = import_read(import, "vocab.txt", &import->vocab, err);

    if (status == STATUS_NOT_FOUND)
        status = STATUS_OK;
    if (!status)
        status =
            import_read_json(import, "tokenizer.json", TOKENIZER_FILE_MAX, &file, err);
    if (status)
        return status;
    if (!file && import->vocab.size == 0)
        return error_set(err, STATUS_NOT_FOUND,
                         "%s: holds no vocab.txt and no tokenizer.json", import->from);
    status = file ? read_tokenizer_json(import, file, &info->lowercase, err)
                  : read_tokenizer_config(import, &info->lowercase, err);
    json_decref(file);
    if (!status)
        status = read_max_sequence(import, positions, &info->max_sequence, err);
    memcpy(info->kind, "wordpiece", sizeof "wordpiece");
    return status ? status : check_vocab(import, vocab_size, info, err);
}
