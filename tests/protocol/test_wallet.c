/*
 * Claim: a Pearl address is taken when its checksum holds and refused otherwise; every
 * single wrong character is named by its place, and nothing is ever put right.
 *
 * SPDX-License-Identifier: MIT
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pool-protocol/user.h"
#include "pool-protocol/wallet.h"

/* Made by BIP 350's rule from the bytes 0 to 31, and from the key of BIP 350's own
 * example. */
#define COUNTED "prl1pqqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0ss8729k"
#define EXAMPLE "prl1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq69prym"

static const char letters[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static void refused(const char *text, const char *sentence)
{
    struct error err = {0};

    assert_int_equal(wallet_check(text, &err), STATUS_REFUSED);
    if (!strstr(err.text, sentence))
        fail_msg("%s: \"%s\" does not say \"%s\"", text, err.text, sentence);
}

static void good_addresses_pass(void **state)
{
    char upper[] = EXAMPLE;

    (void)state;
    assert_int_equal(wallet_check(COUNTED, NULL), STATUS_OK);
    assert_int_equal(wallet_check(EXAMPLE, NULL), STATUS_OK);
    assert_int_equal(wallet_check("prl1sw50qk8emsl", NULL), STATUS_OK); /* version 16 */
    for (char *p = upper; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    assert_int_equal(wallet_check(upper, NULL), STATUS_OK);
}

/* Every other letter in every place: refused at that place. */
static void every_single_fault_is_found(void **state)
{
    (void)state;
    for (size_t at = 4; at < strlen(EXAMPLE); at++) {
        for (const char *letter = letters; *letter; letter++) {
            char text[] = EXAMPLE, expected[64];
            struct error err = {0};

            if (*letter == text[at])
                continue;
            text[at] = *letter;
            assert_int_equal(wallet_check(text, &err), STATUS_REFUSED);
            snprintf(expected, sizeof expected, "address fails: character %zu is wrong,",
                     at + 1);
            assert_non_null(strstr(err.text, expected));
            assert_null(strchr(err.text, '\'')); /* no letter is quoted */
        }
    }
}

static void foreign_characters_are_found(void **state)
{
    (void)state;
    for (size_t at = 4; at < strlen(EXAMPLE); at++) {
        for (int c = 1; c < 256; c++) {
            char text[] = EXAMPLE, expected[64];

            if (strchr(letters, tolower(c)))
                continue;
            text[at] = (char)c;
            snprintf(expected, sizeof expected, "character %zu is ", at + 1);
            refused(text, expected);
        }
    }
    refused("prl1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq69pr\nm",
            "character 62 is byte 0x0a, which no address holds");
}

static void two_faults_have_no_place(void **state)
{
    (void)state;
    for (size_t at = 5; at + 1 < strlen(EXAMPLE); at++) {
        char text[] = EXAMPLE;

        text[at] = text[at] == 'q' ? 'p' : 'q';
        text[at + 1] = text[at + 1] == 'q' ? 'p' : 'q';
        refused(text, "more than one of its characters is wrong");
    }
}

static void the_rest_is_refused(void **state)
{
    char longer[128];

    (void)state;
    refused("", "ends after character 0");
    refused("prl", "ends after character 3");
    refused("prl1", "has 4 characters, expected 15 to 90");
    refused("t" EXAMPLE, "character 1 is 't', expected prl1 in front");
    refused("prk1p0", "character 3 is 'k', expected prl1");
    refused("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
            "character 1 is 'b'");
    refused("prl1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq69pryM",
            "character 63 is 'M', but letters before it are of the other case");
    refused("Prl1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq69prym",
            "character 2 is 'r', but");
    refused("prl1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq69pry",
            "has 62 characters, expected 63");
    refused(EXAMPLE "q", "has 64 characters, expected 63");
    snprintf(longer, sizeof longer, "%s%s", "prl1s", &EXAMPLE[5]);
    memset(longer + 63, 'q', 40);
    longer[103] = 0;
    refused(longer, "has 103 characters, expected 15 to 90");
    /* with the checksum of the older form, and checksums around what nobody can pay to */
    refused("prl1pqqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0s9mwxq5",
            "checksum of the address fails");
    refused("prl13w50qjxla47", "around what is no payee");
    refused("prl1pqqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc03d32lcy",
            "around what is no payee");
}

static void users_are_split(void **state)
{
    static const struct {
        const char *text, *address, *worker;
        bool is_solo;
    } rows[] = {{"prl1pq", "prl1pq", "", false},
                {"prl1pq.rig7", "prl1pq", "rig7", false},
                {"prl1pq/rig7", "prl1pq", "rig7", false},
                {"prl1pq.rig/7.b", "prl1pq", "rig/7.b", false},
                {"prl1pq/rig.7", "prl1pq", "rig.7", false},
                {"solo:prl1pq.rig7", "prl1pq", "rig7", true},
                {"solo:", "", "", true},
                {"prl1pq.", "prl1pq", "", false},
                {".rig7", "", "rig7", false},
                {"", "", "", false}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct user user;

        assert_int_equal(user_split(rows[i].text, &user, NULL), STATUS_OK);
        assert_string_equal(user.address, rows[i].address);
        assert_string_equal(user.worker, rows[i].worker);
        assert_int_equal(user.is_solo, rows[i].is_solo);
    }
}

static void logins_take_their_form(void **state)
{
    static const struct {
        const char *text;
        enum user_form form;
        const char *wallet, *worker;
    } rows[] = {{"prl1pq/rig7", USER_SPLIT, "prl1pq", "rig7"},
                {"prl1pq/rig7", USER_DOT, "prl1pq.rig7", "rig7"},
                {"prl1pq.rig7", USER_SLASH, "prl1pq/rig7", "rig7"},
                {"prl1pq/rig7", USER_ARRAY, "prl1pq.rig7", "rig7"},
                {"prl1pq", USER_DOT, "prl1pq", ""},
                {"solo:prl1pq.rig7", USER_SPLIT, "solo:prl1pq", "rig7"},
                {"solo:prl1pq.rig7", USER_SLASH, "solo:prl1pq/rig7", "rig7"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct message_authorize hello = {0};
        struct user user;

        assert_int_equal(user_split(rows[i].text, &user, NULL), STATUS_OK);
        assert_int_equal(user_login(&user, rows[i].form, &hello, NULL), STATUS_OK);
        assert_string_equal(hello.wallet, rows[i].wallet);
        assert_string_equal(hello.worker, rows[i].worker);
    }
}

static void long_users_are_refused(void **state)
{
    struct message_authorize hello = {0};
    struct user user;
    char text[400];

    (void)state;
    memset(text, 'a', sizeof text);
    text[WALLET_MAX] = 0;
    assert_int_equal(user_split(text, &user, NULL), STATUS_OK);
    snprintf(user.worker, sizeof user.worker, "b");
    assert_int_equal(user_login(&user, USER_SPLIT, &hello, NULL), STATUS_OK);
    assert_int_equal(user_login(&user, USER_DOT, &hello, NULL), STATUS_BAD_CONFIG);
    text[WALLET_MAX] = 'a';
    text[WALLET_MAX + 1] = 0;
    assert_int_equal(user_split(text, &user, NULL), STATUS_BAD_CONFIG);
    memset(text, 'a', sizeof text);
    text[3] = '.';
    text[4 + WORKER_MAX] = 0;
    assert_int_equal(user_split(text, &user, NULL), STATUS_OK);
    text[4 + WORKER_MAX] = 'a';
    text[5 + WORKER_MAX] = 0;
    assert_int_equal(user_split(text, &user, NULL), STATUS_BAD_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_addresses_pass),
        cmocka_unit_test(every_single_fault_is_found),
        cmocka_unit_test(foreign_characters_are_found),
        cmocka_unit_test(two_faults_have_no_place),
        cmocka_unit_test(the_rest_is_refused),
        cmocka_unit_test(users_are_split),
        cmocka_unit_test(logins_take_their_form),
        cmocka_unit_test(long_users_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
