/*
 * cmd_verify.c - `minerva verify`: says whether a share's proof holds, or why not.
 *
 * Needs no device and no pool: the CPU verifier is the definition.
 *
 * SPDX-License-Identifier: MIT
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "miner/base/file.h"
#include "miner/commands.h"
#include "miner/pow/scheme.h"
#include "miner/pow/shape.h"
#include "miner/work/plain_proof.h"

enum {
    FILE_SIZE_MAX = PLAIN_PROOF_SIZE_MAX / 3 * 4 + (1 << 20)
}; /* base64, with line ends */

struct verify_options {
    struct pow_check check;
    bool has_header, has_target, has_version;
    const char *path;
};

static const char verify_help[] =
    "usage: minerva verify --header HEX (--target HEX | --nbits HEX) --cert-version N\n"
    "                      [--min-rank N] PROOF\n\n"
    "Says `accepted` and what the proof claims, or `rejected` and why.\n\n"
    "  --header HEX        the job's header, 76 bytes\n"
    "  --target HEX        the job's 256-bit target, big-endian, before the work factor\n"
    "  --nbits HEX         the same in compact form, like 1d00ffff\n"
    "  --cert-version N    1, 2 or 3; others are rejected\n"
    "  --min-rank N        the smallest noise rank that counts, 32 to 1024 (default 32,\n"
    "                      the proof's own limit; Pearl pools demand 128)\n"
    "  PROOF               a file of raw bytes or of base64; - is standard input\n\n"
    "exit code: 0 accepted, 1 rejected, 2 wrong usage or an unreadable file\n";

static enum status parse_header(const char *text, struct verify_options *out,
                                struct error *err)
{
    out->has_header = true;
    if (strlen(text) != 2 * JOB_HEADER_SIZE ||
        !hex_decode(text, out->check.header, JOB_HEADER_SIZE))
        return error_set(err, STATUS_USAGE,
                         "--header has %zu characters, expected 152 digits of hex",
                         strlen(text));
    return STATUS_OK;
}

static enum status parse_nbits(const char *text, struct verify_options *out,
                               struct error *err)
{
    uint8_t be[4];

    if (strlen(text) != 8 || !hex_decode(text, be, sizeof be))
        return error_set(err, STATUS_USAGE,
                         "--nbits is \"%.40s\", expected 8 digits of hex", text);
    out->check.target = target_from_nbits((uint32_t)be[0] << 24 | (uint32_t)be[1] << 16 |
                                          (uint32_t)be[2] << 8 | be[3]);
    return STATUS_OK;
}

static enum status parse_number(const char *name, const char *text, uint32_t max,
                                uint32_t *out, struct error *err)
{
    uint64_t value;

    if (!u64_parse(text, max, &value))
        return error_set(err, STATUS_USAGE, "%s is \"%.40s\", expected a number up to %u",
                         name, text, max);
    *out = (uint32_t)value;
    return STATUS_OK;
}

static enum status parse_target(int option, const char *text, struct verify_options *out,
                                struct error *err)
{
    if (out->has_target)
        return error_set(err, STATUS_USAGE, "one of --target and --nbits, once");
    out->has_target = true;
    return option == 't' ? target_from_hex(text, &out->check.target, err)
                         : parse_nbits(text, out, err);
}

static enum status parse_option(int option, const char *word, struct verify_options *out,
                                struct error *err)
{
    enum status status;

    switch (option) {
    case 'h':
        return parse_header(optarg, out, err);
    case 't':
    case 'n':
        return parse_target(option, optarg, out, err);
    case 'c':
        out->has_version = true;
        return parse_number("--cert-version", optarg, UINT32_MAX,
                            &out->check.cert_version, err);
    case 'r':
        status = parse_number("--min-rank", optarg, RANK_MAX, &out->check.min_rank, err);
        if (!status && out->check.min_rank < RANK_MIN)
            return error_set(err, STATUS_USAGE, "--min-rank is %u, expected 32 to 1024",
                             out->check.min_rank);
        return status;
    default:
        return error_set(err, STATUS_USAGE, "\"%.40s\" is not known, or lacks its value",
                         word);
    }
}

/* DONE: only help was wanted. */
static enum status parse_options(int argc, char **argv, struct verify_options *out,
                                 struct error *err)
{
    static const struct option options[] = {
        {"header", required_argument, NULL, 'h'},
        {"target", required_argument, NULL, 't'},
        {"nbits", required_argument, NULL, 'n'},
        {"cert-version", required_argument, NULL, 'c'},
        {"min-rank", required_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'H'},
        {NULL, 0, NULL, 0},
    };
    enum status status = STATUS_OK;

    opterr = 0;
    for (int option;
         !status && (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        status = option == 'H' ? STATUS_DONE
                               : parse_option(option, argv[optind - 1], out, err);
    if (status)
        return status;
    if (!out->has_header || !out->has_target || !out->has_version)
        return error_set(err, STATUS_USAGE, "%s is missing",
                         !out->has_header   ? "--header"
                         : !out->has_target ? "--target or --nbits"
                                            : "--cert-version");
    if (optind + 1 != argc)
        return error_set(err, STATUS_USAGE, "%d proofs are given, expected one file or -",
                         argc - optind);
    out->path = argv[optind];
    return STATUS_OK;
}

/* Base64 is text; raw proofs are not, their numbers are full of zero bytes. */
static bool is_text(struct bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        if (!strchr("\r\n\t ", bytes.data[i]) &&
            (bytes.data[i] < '!' || bytes.data[i] > '~'))
            return false;
        if (!bytes.data[i])
            return false;
    }
    return bytes.size > 0;
}

/* In place: what is left is the text without blanks and line ends. */
static void drop_blanks(struct blob *text)
{
    size_t kept = 0;

    for (size_t i = 0; i < text->size; i++) {
        if (!strchr("\r\n\t ", text->data[i]))
            text->data[kept++] = text->data[i];
    }
    text->size = kept;
}

static enum status proof_read(struct blob *file, struct proof *out, struct error *err)
{
    struct blob raw = blob_empty(PLAIN_PROOF_SIZE_MAX);
    enum status status;

    if (!is_text(blob_bytes(file)))
        return plain_proof_decode(blob_bytes(file), out, err);
    drop_blanks(file);
    status = base64_decode((const char *)file->data, file->size, &raw);
    if (status)
        error_set(err, status, "the file is text, but no base64 of a proof: %s",
                  status_text(status));
    else
        status = plain_proof_decode(blob_bytes(&raw), out, err);
    blob_free(&raw);
    return status;
}

static void print_accepted(const struct proof *proof, const uint8_t ticket[DIGEST_SIZE])
{
    char text[2 * DIGEST_SIZE + 1];

    hex_encode(ticket, DIGEST_SIZE, text);
    printf("accepted ticket %s m %" PRIu64 " n %" PRIu64 " k %" PRIu64 " rank %" PRIu64
           " tile %" PRIu64 "x%" PRIu64 " at row %" PRIu64 " column %" PRIu64 "\n",
           text, proof->m, proof->n, proof->k, proof->rank, proof->a.row_count,
           proof->b.row_count, proof->a.rows[0], proof->b.rows[0]);
}

static int verify_file(struct blob *file, const struct pow_check *check)
{
    struct proof proof = {0};
    struct error err = {0};
    uint8_t ticket[DIGEST_SIZE];
    enum status status = proof_read(file, &proof, &err);

    if (!status)
        status = scheme_noisy_gemm.verify(&proof, check, ticket, &err);
    if (status)
        printf("rejected: %s\n", error_text(&err));
    else
        print_accepted(&proof, ticket);
    proof_free(&proof);
    return status ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}

int cmd_verify(int argc, char **argv)
{
    struct verify_options options = {.check = {.min_rank = RANK_MIN}};
    struct error err = {0};
    struct blob file = blob_empty(FILE_SIZE_MAX);
    enum status status = parse_options(argc, argv, &options, &err);
    int code = EXIT_CODE_USAGE;

    if (status == STATUS_DONE) {
        fputs(verify_help, stdout);
        return EXIT_CODE_OK;
    }
    if (!status)
        status = file_read(options.path, &file, &err);
    if (status)
        fprintf(stderr, "minerva verify: %s (see minerva verify --help)\n",
                error_text(&err));
    else
        code = verify_file(&file, &options.check);
    blob_free(&file);
    return code;
}
