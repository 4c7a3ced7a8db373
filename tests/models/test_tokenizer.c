/*
 * test_tokenizer.c - claims that WordPiece gives the reference library's ids on every
 * case, cuts lines as numerics.md 3.3 says, and refuses bad text and bad vocabularies
 * with a sentence.
 *
 * Cases and vocabulary: tests/vectors/tokenizers, made with the library named in them.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "miner/base/file.h"
#include "miner/base/memory.h"
#include "miner/models/tokenizer.h"

static const char small_vocab[] =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\nhello\n##a\n,\n";

static struct tokenizer_info info_of(uint32_t words)
{
    return (struct tokenizer_info){
        .kind = "wordpiece", .lowercase = true, .max_sequence = 6, .vocab_size = words};
}

static struct tokenizer *small_tokenizer(void)
{
    const struct tokenizer_info info = info_of(10);
    struct tokenizer *tokenizer = NULL;
    struct error err = {0};

    assert_int_equal(tokenizer_open(&info, bytes_of(small_vocab, strlen(small_vocab)),
                                    &tokenizer, &err),
                     0);
    return tokenizer;
}

static void expect_ids(const struct tokenizer *tokenizer, struct bytes text,
                       const json_t *expected)
{
    struct blob ids = blob_empty(1 << 20);
    struct error err = {0};

    assert_int_equal(tokenizer_encode(tokenizer, text, &ids, &err), 0);
    assert_int_equal(ids.size / sizeof(int32_t), json_array_size(expected));
    for (size_t i = 0; i < json_array_size(expected); i++)
        assert_int_equal(((const int32_t *)(const void *)ids.data)[i],
                         json_integer_value(json_array_get(expected, i)));
    blob_free(&ids);
}

/* A case with a max_length is one line, cut to it. */
static void expect_cut(struct tokenizer_info info, struct bytes vocab, struct bytes text,
                       const json_t *entry)
{
    const json_t *expected = json_object_get(entry, "ids");
    struct tokenizer *tokenizer;
    struct token_lines lines;
    struct error err = {0};

    info.max_sequence =
        (uint32_t)json_integer_value(json_object_get(entry, "max_length"));
    assert_int_equal(tokenizer_open(&info, vocab, &tokenizer, &err), 0);
    assert_int_equal(tokenizer_lines(tokenizer, text, &lines, &err), 0);
    assert_int_equal(lines.count, 1);
    assert_int_equal(lines.total, json_array_size(expected));
    for (size_t i = 0; i < json_array_size(expected); i++)
        assert_int_equal(lines.ids[i], json_integer_value(json_array_get(expected, i)));
    token_lines_free(&lines);
    tokenizer_close(tokenizer);
}

static void every_case_of_the_library(void **state)
{
    struct blob vocab = blob_empty(1 << 20);
    const struct tokenizer_info info = info_of(30522);
    struct tokenizer *tokenizer;
    struct error err = {0};
    json_t *file =
        json_load_file(TEST_DATA "/tokenizers/wordpiece.json", JSON_ALLOW_NUL, NULL);
    const json_t *cases = json_object_get(file, "cases"), *entry;
    size_t index;

    (void)state;
    assert_int_equal(file_read(TEST_DATA "/tokenizers/wordpiece-vocab.txt", &vocab, &err),
                     0);
    assert_int_equal(tokenizer_open(&info, blob_bytes(&vocab), &tokenizer, &err), 0);
    assert_int_equal(json_array_size(cases), 388);
    json_array_foreach(cases, index, entry)
    {
        const char *hex = json_string_value(json_object_get(entry, "utf8"));
        uint8_t *data = memory_array(strlen(hex) / 2, 1);
        const struct bytes text = bytes_of(data, strlen(hex) / 2);

        assert_true(hex_decode(hex, data, text.size));
        if (json_object_get(entry, "max_length"))
            expect_cut(info, blob_bytes(&vocab), text, entry);
        else
            expect_ids(tokenizer, text, json_object_get(entry, "ids"));
        memory_free(data);
    }
    tokenizer_close(tokenizer);
    blob_free(&vocab);
    json_decref(file);
}

static void expect_lines(const char *text, uint32_t count, const uint32_t *lengths,
                         const int32_t *ids, uint32_t truncated)
{
    struct tokenizer *tokenizer = small_tokenizer();
    struct token_lines lines;
    struct error err = {0};
    uint64_t total = 0;

    assert_int_equal(
        tokenizer_lines(tokenizer, bytes_of(text, strlen(text)), &lines, &err), 0);
    assert_int_equal(lines.count, count);
    assert_int_equal(lines.truncated, truncated);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(lines.lengths[i], lengths[i]);
        total += lengths[i];
    }
    assert_int_equal(lines.total, total);
    for (uint64_t i = 0; i < total; i++)
        assert_int_equal(lines.ids[i], ids[i]);
    token_lines_free(&lines);
    tokenizer_close(tokenizer);
}

static void lines_are_sequences(void **state)
{
    (void)state;
    expect_lines("", 0, NULL, NULL, 0);
    expect_lines("\n", 1, (uint32_t[]){2}, (int32_t[]){2, 3}, 0);
    expect_lines("hello\r\n\nab", 3, (uint32_t[]){3, 2, 4},
                 (int32_t[]){2, 7, 3, 2, 3, 2, 5, 6, 3}, 0);
    expect_lines("a\n\n", 2, (uint32_t[]){3, 2}, (int32_t[]){2, 5, 3, 2, 3}, 0);
}

static void long_lines_keep_their_end(void **state)
{
    (void)state;
    /* Four words fit beside [CLS] and [SEP]; the fifth does not. */
    expect_lines("a a a a\na a a a,\n", 2, (uint32_t[]){6, 6},
                 (int32_t[]){2, 5, 5, 5, 5, 3, 2, 5, 5, 5, 5, 3}, 1);
}

static void special_tokens_in_text(void **state)
{
    struct tokenizer *tokenizer = small_tokenizer();
    json_t *cut = json_pack("[i,i,i,i,i]", 2, 5, 3, 5, 3);
    json_t *plain = json_pack("[i,i,i,i,i,i,i]", 2, 5, 1, 1, 1, 5, 3);

    (void)state;
    expect_ids(tokenizer, bytes_of("a[SEP]a", 7), cut);
    tokenizer_ignore_special(tokenizer);
    expect_ids(tokenizer, bytes_of("a[SEP]a", 7), plain);
    json_decref(cut);
    json_decref(plain);
    tokenizer_close(tokenizer);
}

static void expect_bad_text(const void *text, size_t size, const char *sentence)
{
    struct tokenizer *tokenizer = small_tokenizer();
    struct blob ids = blob_empty(1 << 10);
    struct error err = {0};

    assert_int_equal(tokenizer_encode(tokenizer, bytes_of(text, size), &ids, &err),
                     STATUS_BAD_DATA);
    assert_string_equal(err.text, sentence);
    blob_free(&ids);
    tokenizer_close(tokenizer);
}

static void bad_utf8_is_refused_with_its_offset(void **state)
{
    (void)state;
    expect_bad_text("ab\xff", 3, "the text is no UTF-8 at byte 2");
    expect_bad_text("a\xc0\x80", 3, "the text is no UTF-8 at byte 1");    /* overlong */
    expect_bad_text("\xe0\x80\x80", 3, "the text is no UTF-8 at byte 0"); /* overlong */
    expect_bad_text("\xed\xa0\x80", 3, "the text is no UTF-8 at byte 0"); /* surrogate */
    expect_bad_text("a\xf4\x90\x80\x80", 5,
                    "the text is no UTF-8 at byte 1");                   /* U+110000 */
    expect_bad_text("abc\xe2\x82", 5, "the text is no UTF-8 at byte 3"); /* cut */
    expect_bad_text("\x80", 1, "the text is no UTF-8 at byte 0");
}

static void expect_bad_vocab(const char *vocab, uint32_t words, const char *sentence)
{
    const struct tokenizer_info info = info_of(words);
    struct tokenizer *tokenizer;
    struct error err = {0};

    assert_int_equal(
        tokenizer_open(&info, bytes_of(vocab, strlen(vocab)), &tokenizer, &err),
        STATUS_BAD_DATA);
    assert_string_equal(err.text, sentence);
}

static void bad_vocabularies_are_refused(void **state)
{
    struct tokenizer_info info = info_of(10);
    struct tokenizer *tokenizer;
    struct error err = {0};

    (void)state;
    expect_bad_vocab("", 0, "the vocabulary has 0 words, expected 1 to 1048576");
    expect_bad_vocab("[PAD]\n\n", 2, "line 2 of the vocabulary is empty");
    expect_bad_vocab("[PAD]\na\nb\na\n", 4, "lines 2 and 4 of the vocabulary are equal");
    expect_bad_vocab("[PAD]\n[UNK]\n[CLS]\n[SEP]\n", 4, "the vocabulary has no [MASK]");
    expect_bad_vocab("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]", 6,
                     "the vocabulary has 5 words, expected 6");
    expect_bad_vocab("[PAD]\n\xff\n", 2, "vocabulary: the text is no UTF-8 at byte 6");
    memcpy(info.kind, "bpe", 4);
    assert_int_equal(tokenizer_open(&info, bytes_of(small_vocab, strlen(small_vocab)),
                                    &tokenizer, &err),
                     STATUS_NOT_SUPPORTED);
    info = info_of(10);
    info.max_sequence = 1;
    assert_int_equal(tokenizer_open(&info, bytes_of(small_vocab, strlen(small_vocab)),
                                    &tokenizer, &err),
                     STATUS_BAD_DATA);
}

static void want_of_memory_is_said(void **state)
{
    const struct tokenizer_info info = info_of(10);
    struct error err = {0};
    enum status status = STATUS_NO_MEMORY;

    (void)state;
    for (uint64_t n = 1; status == STATUS_NO_MEMORY; n++) {
        struct tokenizer *tokenizer = NULL;
        struct token_lines lines = {0};

        assert_true(n < 100);
        memory_fail_at(n);
        status = tokenizer_open(&info, bytes_of(small_vocab, strlen(small_vocab)),
                                &tokenizer, &err);
        if (!status) {
            status =
                tokenizer_lines(tokenizer, bytes_of("hello a\nab", 10), &lines, &err);
            tokenizer_close(tokenizer);
        }
        memory_fail_at(0);
        token_lines_free(&lines);
    }
    assert_int_equal(status, STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_of_the_library),
        cmocka_unit_test(lines_are_sequences),
        cmocka_unit_test(long_lines_keep_their_end),
        cmocka_unit_test(special_tokens_in_text),
        cmocka_unit_test(bad_utf8_is_refused_with_its_offset),
        cmocka_unit_test(bad_vocabularies_are_refused),
        cmocka_unit_test(want_of_memory_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
