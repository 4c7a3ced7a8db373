/*
 * test_ways.c - claim: of ways on trial only those are used that were seen to be right
 * and faster than what is established, of a pattern the fastest one; what was seen is
 * kept for that key alone, and whatever is damaged, foreign or not writable is a sentence
 * or as if nothing was seen.
 *
 * SPDX-License-Identifier: MIT
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "miner/base/file.h"
#include "miner/way_trial.h"
#include "miner/way_untried.h"

enum { PATH_SIZE = 512 };

static struct ways made(uint32_t count)
{
    struct ways ways = {.count = count, .key = {1, 2, 3}};

    for (uint32_t i = 0; i < count; i++) {
        snprintf(ways.list[i].name, WAY_NAME_SIZE, "way%u", i);
        ways.list[i].rank = 128;
        ways.list[i].rows.length[0] = i % 2 + 1;
    }
    return ways;
}

/* --- the decision --- */

static void test_choose(void **state)
{
    static const struct {
        enum way_state seen[4];
        uint32_t permille[4];
        enum way_state chosen[4]; /* 0 and 2 are of a pattern, 1 and 3 of another */
    } cases[] = {
        {{0}, {0}, {0}},
        {{WAY_SLOWER}, {1001}, {WAY_USED}},
        {{WAY_SLOWER}, {1000}, {WAY_SLOWER}},
        {{WAY_USED}, {900}, {WAY_SLOWER}},
        {{WAY_WRONG}, {2000}, {WAY_WRONG}},
        {{WAY_STUCK}, {2000}, {WAY_STUCK}},
        {{WAY_UNTRIED}, {2000}, {WAY_UNTRIED}},
        {{WAY_SLOWER, WAY_UNTRIED, WAY_SLOWER},
         {1200, 0, 1300},
         {WAY_SLOWER, WAY_UNTRIED, WAY_USED}},
        {{WAY_USED, WAY_UNTRIED, WAY_SLOWER},
         {1300, 0, 1300},
         {WAY_USED, WAY_UNTRIED, WAY_SLOWER}},
        {{WAY_SLOWER, WAY_SLOWER, WAY_WRONG, WAY_SLOWER},
         {1100, 1300, 1500, 1200},
         {WAY_USED, WAY_USED, WAY_WRONG, WAY_SLOWER}},
    };

    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct ways ways = made(4);

        for (uint32_t i = 0; i < 4; i++) {
            ways.list[i].state = cases[c].seen[i];
            ways.list[i].permille = cases[c].permille[i];
        }
        ways_choose(&ways);
        for (uint32_t i = 0; i < 4; i++)
            assert_int_equal(ways.list[i].state, cases[c].chosen[i]);
    }
}

static void test_lines(void **state)
{
    static const struct {
        const char *line, *why;
        struct way_verdict verdict;
    } cases[] = {
        {"right 17 1310\n", "", {WAY_SLOWER, 17, 1310, ""}},
        {"right 17\n", "it ended without a verdict", {WAY_WRONG, 17, 0, ""}},
        {"right 0 1310\n", "it ended without a verdict", {WAY_WRONG, 0, 1310, ""}},
        {"wrong c[1][2] is 3\n", "c[1][2] is 3", {WAY_WRONG, 0, 0, ""}},
        {"untried out of memory", "out of memory", {WAY_UNTRIED, 0, 0, ""}},
        {"wrong", "it ended without a verdict", {WAY_WRONG, 0, 0, ""}},
        {"", "it ended without a verdict", {WAY_WRONG, 0, 0, ""}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct way_verdict verdict;

        way_trial_parse(cases[i].line, &verdict);
        assert_int_equal(verdict.state, cases[i].verdict.state);
        assert_int_equal(verdict.products, cases[i].verdict.products);
        assert_int_equal(verdict.permille, cases[i].verdict.permille);
        assert_string_equal(verdict.why, cases[i].why);
    }
}

static void test_sentence(void **state)
{
    struct device_info info = {.ways = made(2)};
    char text[WAY_UNTRIED_SIZE];

    (void)state;
    assert_true(way_untried_text(&info, text));
    assert_string_equal(
        text, "way0, way1 were not tried on this card yet: minerva selftest --trial");
    info.ways.list[0].state = WAY_WRONG;
    assert_true(way_untried_text(&info, text));
    assert_string_equal(text,
                        "way1 was not tried on this card yet: minerva selftest --trial");
    info.ways.list[1].state = WAY_USED;
    assert_false(way_untried_text(&info, text));
}

/* --- what is kept --- */

struct room {
    char folder[PATH_SIZE], file[PATH_SIZE];
};

/* The only file in it. */
static void file_find(struct room *room)
{
    DIR *list = opendir(room->folder);

    assert_non_null(list);
    for (const struct dirent *entry; (entry = readdir(list));)
        if (entry->d_name[0] != '.')
            assert_int_equal(file_join(room->folder, entry->d_name, room->file,
                                       sizeof room->file, NULL),
                             STATUS_OK);
    closedir(list);
}

static int room_make(void **state)
{
    static struct room room;

    snprintf(room.folder, sizeof room.folder, "/tmp/minerva-ways-XXXXXX");
    *state = &room;
    return mkdtemp(room.folder) ? 0 : -1;
}

static int room_remove(void **state)
{
    struct room *room = *state;

    (void)remove(room->file);
    return rmdir(room->folder);
}

static void keep(const struct room *room, const struct ways *ways)
{
    struct error err = {0};

    if (ways_keep(ways, room->folder, &err))
        fail_msg("%s", error_text(&err));
}

static bool is_seen(const struct room *room, struct ways ways)
{
    assert_int_equal(ways_load(&ways, room->folder), STATUS_OK);
    for (uint32_t i = 0; i < ways.count; i++)
        if (ways.list[i].state)
            return true;
    return false;
}

static void test_kept(void **state)
{
    struct room *room = *state;
    struct ways ways = made(3), other = made(3);

    assert_false(is_seen(room, other));
    ways.list[0].state = WAY_USED;
    ways.list[0].permille = 1310;
    ways.list[2].state = WAY_STUCK;
    keep(room, &ways);
    assert_int_equal(ways_load(&other, room->folder), STATUS_OK);
    assert_memory_equal(&other, &ways, sizeof ways);
    other = made(3);
    other.key[0]++; /* another file */
    assert_false(is_seen(room, other));
    other = made(3);
    other.key[WAYS_KEY_SIZE - 1]++; /* the same one, with another card's key in it */
    assert_false(is_seen(room, other));
    assert_false(is_seen(room, made(2))); /* of a way that is not there */
    ways.list[1].state = WAY_STATES;
    keep(room, &ways);
    assert_false(is_seen(room, made(3)));
    file_find(room);
}

static void test_damaged(void **state)
{
    struct room *room = *state;
    struct blob file = blob_empty(4096);
    struct ways ways = made(2);

    ways.list[1].state = WAY_USED;
    keep(room, &ways);
    file_find(room);
    assert_int_equal(file_read(room->file, &file, NULL), STATUS_OK);
    for (size_t i = 0; i < file.size; i++) {
        file.data[i] ^= 1;
        assert_int_equal(file_write(room->file, blob_bytes(&file), NULL), STATUS_OK);
        assert_false(is_seen(room, made(2)));
        file.data[i] ^= 1;
    }
    for (size_t size = 0; size < file.size; size += 7) {
        assert_int_equal(file_write(room->file, bytes_of(file.data, size), NULL),
                         STATUS_OK);
        assert_false(is_seen(room, made(2)));
    }
    assert_int_equal(file_write(room->file, blob_bytes(&file), NULL), STATUS_OK);
    assert_true(is_seen(room, made(2)));
    blob_free(&file);
}

static void test_unwritable(void **state)
{
    const struct ways ways = made(1);
    struct error err = {0};

    (void)state;
    assert_int_not_equal(ways_keep(&ways, "/proc/no/folder", &err), STATUS_OK);
    assert_non_null(strstr(error_text(&err), "/proc/no"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choose),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_sentence),
        cmocka_unit_test_setup_teardown(test_kept, room_make, room_remove),
        cmocka_unit_test_setup_teardown(test_damaged, room_make, room_remove),
        cmocka_unit_test(test_unwritable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
