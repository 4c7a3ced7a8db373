/*
 * cmd_task_client.c - `minerva task submit`, `status` and `claim`: work that a pool's
 * workers do.
 *
 * Dispatch and claim are separate: nobody waits.  Texts become token ids here; a pool and
 * its workers see ids only.
 *
 * SPDX-License-Identifier: MIT
 */
#include <assert.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/file.h"
#include "miner/cmd_task.h"
#include "miner/models/tokenizer.h"
#include "miner/pool_client.h"
#include "miner/task_options.h"
#include "miner/tasks/sequences.h"

enum {
    TEXT_SIZE_MAX = 256 << 20,
    VOCAB_SIZE_MAX = 64 << 20,
    RESULT_SIZE_MAX = 1 << 30,
    TOKEN_SIZE_MAX = 4000,
};

static const char help[] =
    "usage: minerva task submit --kind embed --model ID --text FILE [OPTIONS]\n"
    "       minerva task submit --kind matmul --shape M,N,K [--seed S] [OPTIONS]\n"
    "       minerva task status ID [OPTIONS]\n"
    "       minerva task claim ID [-o FILE] [--text FILE] [OPTIONS]\n"
    "\n"
    "submit prints the task's id and returns; claim fetches the result once it is "
    "there.\n"
    "\n"
    "  --pool URL             where the pool answers HTTP (http://127.0.0.1:3380)\n"
    "  --http-token-file FILE what the pool asks for besides, if it does\n"
    "  --kind KIND            embed: a vector for each line; matmul: a generated "
    "product\n"
    "  --model ID             64 hex digits: the first line of `minerva model show`\n"
    "  --text FILE            one sequence a line; - is standard input. claim: the "
    "lines\n"
    "                         that were submitted, to be shown beside their neighbours\n"
    "  -o, --output FILE      the result as safetensors; without it a table is shown\n";

struct client_options {
    struct pool_client pool;
    const char *kind, *model, *text, *output, *token_file, *id;
    struct task_parameters parameters;
    bool wants_help;
};

enum {
    OPTION_POOL = 256,
    OPTION_TOKEN_FILE,
    OPTION_KIND,
    OPTION_MODEL,
    OPTION_TEXT,
    OPTION_SHAPE,
    OPTION_SEED,
};

static const struct option options[] = {
    {"pool", required_argument, NULL, OPTION_POOL},
    {"http-token-file", required_argument, NULL, OPTION_TOKEN_FILE},
    {"kind", required_argument, NULL, OPTION_KIND},
    {"model", required_argument, NULL, OPTION_MODEL},
    {"text", required_argument, NULL, OPTION_TEXT},
    {"shape", required_argument, NULL, OPTION_SHAPE},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"output", required_argument, NULL, 'o'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static enum status take(int option, struct client_options *out, struct error *err)
{
    switch (option) {
    case OPTION_POOL:
        out->pool.url = optarg;
        break;
    case OPTION_TOKEN_FILE:
        out->token_file = optarg;
        break;
    case OPTION_KIND:
        out->kind = optarg;
        break;
    case OPTION_MODEL:
        out->model = optarg;
        break;
    case OPTION_TEXT:
        out->text = optarg;
        break;
    case OPTION_SHAPE:
        return shape_parse(optarg, &out->parameters, err);
    case OPTION_SEED:
        if (!u64_parse(optarg, UINT64_MAX, &out->parameters.seed))
            return error_set(err, STATUS_USAGE, "--seed is \"%s\", expected a number",
                             optarg);
        break;
    case 'o':
        out->output = optarg;
        break;
    default:
        out->wants_help = true;
    }
    return STATUS_OK;
}

static enum status parse(int argc, char **argv, bool takes_id, struct client_options *out,
                         struct error *err)
{
    *out = (struct client_options){.pool.url = "http://127.0.0.1:3380"};
    optind = 0;
    opterr = 0;
    for (;;) {
        const int at = optind ? optind : 1;
        const int option = getopt_long(argc, argv, ":o:h", options, NULL);
        if (option == -1)
            break;
        if (option == '?' || option == ':')
            return error_set(err, STATUS_USAGE, "%s: %s", at < argc ? argv[at] : "",
                             option == ':' ? "needs a value"
                                           : "unknown option, see `--help`");
        const enum status status = take(option, out, err);
        if (status)
            return status;
    }
    if (out->wants_help)
        return STATUS_OK;
    if (takes_id && optind < argc)
        out->id = argv[optind++];
    if (optind < argc)
        return error_set(err, STATUS_USAGE, "\"%s\": unexpected", argv[optind]);
    if (takes_id && (!out->id || !hex_is_id(out->id, TASK_ID_SIZE)))
        return error_set(err, STATUS_USAGE, "the task is \"%s\", expected 32 hex digits",
                         out->id ? out->id : "");
    return STATUS_OK;
}

/* The token is the file's first line. */
static enum status read_token(struct client_options *o, struct blob *token,
                              struct error *err)
{
    if (!o->token_file)
        return STATUS_OK;
    const enum status status = file_read(o->token_file, token, err);
    if (status)
        return status;
    char *text = (char *)token->data;
    if (!token->size || memchr(text, 0, token->size))
        return error_set(err, STATUS_BAD_CONFIG, "%s: expected one line of text",
                         o->token_file);
    text[strcspn(text, "\r\n")] = 0;
    o->pool.token = text;
    return STATUS_OK;
}

static enum status encode_text(const struct client_options *o,
                               const struct tokenizer *tokenizer, struct blob *input,
                               struct error *err)
{
    struct blob text = blob_empty(TEXT_SIZE_MAX);
    struct token_lines lines = {0};
    enum status status = file_read(o->text, &text, err);
    if (!status)
        status = tokenizer_lines(tokenizer, blob_bytes(&text), &lines, err);
    blob_free(&text);
    if (status)
        return status;
    const struct sequences sequences = {lines.count, lines.total, lines.lengths,
                                        lines.ids};
    if (lines.truncated)
        fprintf(stderr, "%" PRIu32 " lines were cut to what the model holds\n",
                lines.truncated);
    status = lines.count
                 ? sequences_write(&sequences, input, err)
                 : error_set(err, STATUS_BAD_DATA,
                             "%s: no line of text, expected at least one", o->text);
    token_lines_free(&lines);
    return status;
}

/* The text as token ids, by the tokenizer that the model's id stands for. */
static enum status make_input(const struct client_options *o, struct blob *input,
                              struct error *err)
{
    struct blob vocab = blob_empty(VOCAB_SIZE_MAX);
    struct tokenizer_info info;
    struct tokenizer *tokenizer = NULL;
    enum status status = pool_client_tokenizer(&o->pool, o->model, &info, &vocab, err);
    if (!status)
        status = tokenizer_open(&info, blob_bytes(&vocab), &tokenizer, err);
    blob_free(&vocab);
    if (status)
        return status;
    status = encode_text(o, tokenizer, input, err);
    tokenizer_close(tokenizer);
    return status;
}

static enum status check_submit(const struct client_options *o, struct error *err)
{
    if (!o->kind)
        return error_set(err, STATUS_USAGE,
                         "--kind is missing, expected embed or matmul");
    if (strlen(o->kind) > TASK_KIND_MAX)
        return error_set(err, STATUS_USAGE, "no kind of task is called \"%s\"", o->kind);
    if (o->output)
        return error_set(err, STATUS_USAGE, "-o belongs to `minerva task claim`");
    if (o->parameters.has_shape)
        return o->model || o->text ? error_set(err, STATUS_USAGE,
                                               "--shape takes neither --model nor --text")
                                   : STATUS_OK;
    if (!o->model || !hex_is_id(o->model, MODEL_ID_SIZE))
        return error_set(err, STATUS_USAGE, "--model is \"%s\", expected 64 hex digits",
                         o->model ? o->model : "");
    if (!o->text)
        return error_set(err, STATUS_USAGE, "--text FILE is missing");
    return STATUS_OK;
}

static enum status submit(const struct client_options *o, struct error *err)
{
    struct http_submit request = {.parameters = o->parameters,
                                  .input = blob_empty(HTTP_INPUT_SIZE_MAX)};
    char id[TASK_ID_SIZE + 1];
    enum status status = check_submit(o, err);
    if (status)
        return status;
    (void)snprintf(request.kind, sizeof request.kind, "%s", o->kind);
    if (o->model) {
        (void)snprintf(request.model, sizeof request.model, "%s", o->model);
        status = make_input(o, &request.input, err);
    }
    if (!status)
        status = pool_client_submit(&o->pool, &request, id, err);
    http_submit_free(&request);
    if (!status)
        printf("%s\n", id);
    return status;
}

static enum status show_status(const struct client_options *o, struct error *err)
{
    struct http_task task;
    const enum status status = pool_client_status(&o->pool, o->id, &task, err);
    if (status)
        return status;
    printf("%s  %" PRIu64 " of %" PRIu64 "%s%s\n", http_task_state_name(task.state),
           task.done, task.total, task.reason[0] ? "  " : "", task.reason);
    return STATUS_OK;
}

static enum status claim(const struct client_options *o, struct error *err)
{
    struct blob result = blob_empty(RESULT_SIZE_MAX), text = blob_empty(TEXT_SIZE_MAX);
    char checked[16] = "";
    enum status status = STATUS_OK;
    if (o->text)
        status = file_read(o->text, &text, err);
    if (!status)
        status = pool_client_claim(&o->pool, o->id, &result, checked, err);
    if (!status) {
        fprintf(stderr, "%zu bytes, checked by: %s\n", result.size, checked);
        status = cmd_task_show(blob_bytes(&result), blob_bytes(&text), o->output, err);
    }
    blob_free(&text);
    blob_free(&result);
    return status;
}

/* Parses, reads the token and does one word. */
static int run_word(int argc, char **argv, bool takes_id,
                    enum status (*word)(const struct client_options *, struct error *))
{
    struct client_options o;
    struct error err = {0};
    struct blob token = blob_empty(TOKEN_SIZE_MAX);
    enum status status = parse(argc, argv, takes_id, &o, &err);
    if (!status && o.wants_help) {
        fputs(help, stdout);
        return EXIT_CODE_OK;
    }
    if (!status)
        status = read_token(&o, &token, &err);
    if (!status)
        status = word(&o, &err);
    blob_free(&token);
    return status ? cmd_task_fail(argv[0], &err) : EXIT_CODE_OK;
}

int cmd_task_submit(int argc, char **argv)
{
    return run_word(argc, argv, false, submit);
}

int cmd_task_status(int argc, char **argv)
{
    return run_word(argc, argv, true, show_status);
}

int cmd_task_claim(int argc, char **argv)
{
    return run_word(argc, argv, true, claim);
}
