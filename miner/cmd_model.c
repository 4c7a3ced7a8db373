/*
 * cmd_model.c - `minerva model`: import a Hugging Face folder, show an artifact, tokenise
 * a text.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/file.h"
#include "miner/commands.h"
#include "miner/models/import.h"
#include "miner/models/model.h"
#include "miner/models/safetensors.h"
#include "miner/models/tokenizer.h"
#include "miner/pow/scheme.h"

static const char help[] =
    "minerva model - models as folders that are named by their hash\n"
    "\n"
    "usage: minerva model import DIR -o DIR [--precision w7a7|w7a14|w14a14]\n"
    "       minerva model show DIR\n"
    "       minerva model tokenize DIR FILE [--plain]\n"
    "\n"
    "  import    turns a Hugging Face folder (config.json, model.safetensors, vocab.txt) "
    "of the\n"
    "            BERT family into an artifact; the same input gives the same model id\n"
    "              -o DIR         the artifact's folder; a model in it is replaced\n"
    "              --precision P  limbs of weights and activations (default w7a14)\n"
    "  show      checks an artifact and prints what it is\n"
    "  tokenize  prints the token ids of each line of FILE, one line a line; - reads "
    "standard input\n"
    "              --plain        \"[SEP]\" and its like in the text are words like any "
    "others\n";

static const size_t text_size_max = (size_t)1 << 30;

/* The words of a line: what is no option, in order. */
struct words {
    const char *word[2];
    int count;
    const char *to;
    const char *precision;
    bool is_plain;
};

static int complain(const struct error *err)
{
    fprintf(stderr, "minerva model: %s\n", error_text(err));
    return EXIT_CODE_FAILED;
}

static int misuse(const char *what, const char *word)
{
    fprintf(stderr, "minerva model: %s%s; see `minerva model --help`\n", what, word);
    return EXIT_CODE_USAGE;
}

/* The option's value: `--name=value`, or the next word. NULL: it is another option. */
static const char *option_value(const char *name, int argc, char **argv, int *index)
{
    const size_t size = strlen(name);

    if (strncmp(argv[*index], name, size) != 0)
        return NULL;
    if (argv[*index][size] == '=')
        return argv[*index] + size + 1;
    if (argv[*index][size] || *index + 1 >= argc)
        return NULL;
    return argv[++*index];
}

/* What a verb takes besides its options. */
struct verb {
    const char *name;
    int words;
    bool has_output; /* -o and --precision */
    bool has_plain;
    int (*run)(const struct words *words);
};

static int parse(int argc, char **argv, const struct verb *verb, struct words *out)
{
    bool is_over = false;

    *out = (struct words){0};
    for (int i = 0; i < argc; i++) {
        const char *value;

        if (is_over || argv[i][0] != '-' || argv[i][1] == '\0') {
            if (out->count == verb->words)
                return misuse("one word too many: ", argv[i]);
            out->word[out->count++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            is_over = true;
        } else if (verb->has_output && !out->to &&
                   (value = option_value("-o", argc, argv, &i))) {
            out->to = value;
        } else if (verb->has_output && !out->precision &&
                   (value = option_value("--precision", argc, argv, &i))) {
            out->precision = value;
        } else if (verb->has_plain && strcmp(argv[i], "--plain") == 0) {
            out->is_plain = true;
        } else {
            return misuse("unknown, repeated or incomplete option ", argv[i]);
        }
    }
    return out->count == verb->words ? EXIT_CODE_OK
                                     : misuse("a folder or file is missing", "");
}

static int run_import(const struct words *words)
{
    enum precision precision = PRECISION_W7A14;
    char id[65];
    struct error err = {0};

    if (!words->to)
        return misuse("-o DIR is missing", "");
    if (words->precision && precision_parse(words->precision, &precision, &err))
        return misuse(err.text, "");
    if (model_import(words->word[0], words->to, precision, id, &err))
        return complain(&err);
    printf("model id  %s\n", id);
    return EXIT_CODE_OK;
}

/* Which products can carry a proof for a pool that asks for this rank, or a larger one.
 */
static void show_proofs(const struct model_kind *kind, const struct artifact *artifact,
                        uint32_t rank)
{
    const uint32_t count = kind->product_count(artifact);
    bool is_any = false;

    printf("proofs    rank %3" PRIu32 " and up:", rank);
    for (uint32_t product = 0; product < count; product++) {
        if (!pow_rank(kind->product_shape(artifact, product, 1).k, rank))
            continue;
        printf("%s%" PRIu32, is_any ? ", " : " products ", product);
        is_any = true;
    }
    printf("%s\n", is_any ? "" : " none");
}

static void show_sizes(const struct artifact *artifact)
{
    const struct model_kind *kind = model_kind_find(artifact_architecture(artifact));
    uint64_t size = 0;

    for (size_t i = 0; i < artifact_tensor_count(artifact); i++)
        size += artifact_tensor_at(artifact, i)->data.size;
    printf("tensors   %zu, %.1f MB\n", artifact_tensor_count(artifact),
           (double)size / 1e6);
    printf("width     %" PRIu32 "\n", kind->width(artifact));
    printf("products  %" PRIu32 " a pack\n", kind->product_count(artifact));
    for (uint32_t product = 0; product < 4; product++) {
        const struct model_shape shape = kind->product_shape(artifact, product, 1);

        printf("  %" PRIu32 "       m = %" PRIu64 " a token, n = %" PRIu64
               ", k = %" PRIu64 "\n",
               product, shape.m, shape.n, shape.k);
    }
    for (uint32_t rank = 32; rank <= 128; rank *= 2) /* what pools ask for (job.h) */
        show_proofs(kind, artifact, rank);
}

static int run_show(const struct words *words)
{
    struct artifact *artifact;
    const struct model_kind *kind;
    const struct tokenizer_info *tokenizer;
    struct error err = {0};

    if (artifact_open(words->word[0], &artifact, &err))
        return complain(&err);
    kind = model_kind_find(artifact_architecture(artifact));
    tokenizer = artifact_tokenizer(artifact);
    printf("model id  %s\n", artifact_id(artifact));
    printf("network   %s, %s, contract DET-1\n", kind->name,
           precision_name(artifact_precision(artifact)));
    printf("tokens    %s, %" PRIu32 " words, %s, at most %" PRIu32 " a sequence\n",
           tokenizer->kind, tokenizer->vocab_size,
           tokenizer->lowercase ? "lower case" : "case kept", tokenizer->max_sequence);
    show_sizes(artifact);
    artifact_close(artifact);
    return EXIT_CODE_OK;
}

static void print_lines(const struct token_lines *lines)
{
    const int32_t *id = lines->ids;

    for (uint32_t line = 0; line < lines->count; line++) {
        for (uint32_t i = 0; i < lines->lengths[line]; i++)
            printf(i ? " %" PRId32 : "%" PRId32, *id++);
        printf("\n");
    }
    if (lines->truncated)
        fprintf(stderr,
                "minerva model: %" PRIu32 " of %" PRIu32
                " lines were too long and are cut\n",
                lines->truncated, lines->count);
}

static enum status tokenize(const struct artifact *artifact, const struct words *words,
                            struct error *err)
{
    struct blob text = blob_empty(text_size_max);
    struct tokenizer *tokenizer = NULL;
    struct token_lines lines;
    enum status status = tokenizer_open(artifact_tokenizer(artifact),
                                        artifact_vocab(artifact), &tokenizer, err);

    if (!status)
        status = file_read(words->word[1], &text, err);
    if (!status && words->is_plain)
        tokenizer_ignore_special(tokenizer);
    if (!status)
        status = tokenizer_lines(tokenizer, blob_bytes(&text), &lines, err);
    if (!status) {
        print_lines(&lines);
        token_lines_free(&lines);
    }
    tokenizer_close(tokenizer);
    blob_free(&text);
    return status;
}

static int run_tokenize(const struct words *words)
{
    struct artifact *artifact;
    enum status status;
    struct error err = {0};

    if (artifact_open(words->word[0], &artifact, &err))
        return complain(&err);
    status = tokenize(artifact, words, &err);
    artifact_close(artifact);
    return status ? complain(&err) : EXIT_CODE_OK;
}

/* What was printed must have gone out: a full disk is not success. */
static int finish(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "minerva model: cannot write the output: %s\n", strerror(errno));
    return EXIT_CODE_FAILED;
}

int cmd_model(int argc, char **argv)
{
    static const struct verb verbs[] = {
        {"import", 1, true, false, run_import},
        {"show", 1, false, false, run_show},
        {"tokenize", 2, false, true, run_tokenize},
    };
    struct words words;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(help, stdout);
            return EXIT_CODE_OK;
        }
    }
    for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(argv[1], verbs[i].name) == 0) {
            const int code = parse(argc - 2, argv + 2, &verbs[i], &words);

            return code ? code : finish(verbs[i].run(&words));
        }
    }
    return misuse(argc > 1 ? "there is no " : "expected import, show or tokenize",
                  argc > 1 ? argv[1] : "");
}
