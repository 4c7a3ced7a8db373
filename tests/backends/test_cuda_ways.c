/*
 * test_cuda_ways.c - claim: a CUDA card lists the ways that are on trial on it, and takes
 * one exactly when it was kept that it was right and the fastest on this card, under this
 * driver and by these kernels; a name overrides that.
 *
 * Against the stand-in for the driver (tests/stand_in); no card is asked.
 *
 * labels: plain
 *
 * SPDX-License-Identifier: MIT
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "backends/device.h"
#include "miner/base/file.h"
#include "tests/stand_in/stand_in_find.h"

static struct cuda_stand_in *stand_in;

enum { PATH_SIZE = 512 };

struct room {
    char folder[PATH_SIZE];
};

static int room_make(void **state)
{
    static struct room room;

    snprintf(room.folder, sizeof room.folder, "/tmp/minerva-ways-XXXXXX");
    *state = &room;
    return mkdtemp(room.folder) ? 0 : -1;
}

static int room_remove(void **state)
{
    const struct room *room = *state;
    DIR *list = opendir(room->folder);

    for (const struct dirent *entry; list && (entry = readdir(list));) {
        char path[PATH_SIZE];

        if (entry->d_name[0] != '.' &&
            !file_join(room->folder, entry->d_name, path, sizeof path, NULL))
            (void)remove(path);
    }
    closedir(list);
    return rmdir(room->folder);
}

static void keep(const struct room *room, const struct ways *ways)
{
    struct error err = {0};

    if (ways_keep(ways, room->folder, &err))
        fail_msg("%s", error_text(&err));
}

static struct device *card(const char *folder, const char *variant)
{
    const struct device_options options = {.kernel_cache = folder, .variant = variant};
    struct device *device = NULL;
    struct error err = {0};

    if (device_open(backend_find("cuda"), 0, &options, &device, &err))
        fail_msg("%s", error_text(&err));
    return device;
}

static struct ways card_ways(const char *folder, const char *variant, const char *chosen)
{
    struct device *device = card(folder, variant);
    const struct ways ways = device_info(device)->ways;

    assert_string_equal(device_info(device)->variant, chosen);
    device_close(device);
    return ways;
}

static void test_card(void **state)
{
    struct room *room = *state;

    struct ways ways = card_ways(room->folder, NULL, "wide_lane");
    struct way *way = ways_find(&ways, "wgmma_pair_lane");
    assert_non_null(way);
    assert_int_equal(ways.count, 4);
    assert_int_equal(way->rank, 128);
    assert_string_equal(way->rival, "wide_lane");
    assert_string_equal(ways_find(&ways, "wgmma_quad")->rival, "wide_quad");
    for (enum way_state seen = WAY_UNTRIED; seen < WAY_STATES; seen++) {
        const char *chosen = seen == WAY_USED ? "wgmma_pair_lane" : "wide_lane";

        way->state = seen;
        keep(room, &ways);
        card_ways(room->folder, NULL, chosen);
    }
    way->state = WAY_USED;
    keep(room, &ways);
    card_ways(NULL, NULL, "wide_lane");
    card_ways(room->folder, "mma_lane", "mma_lane");
    card_ways(room->folder, "wgmma_lane", "wgmma_lane");
    stand_in->driver += 10;
    card_ways(room->folder, NULL, "wide_lane");
    stand_in->driver -= 10;
    stand_in->capability = 80;
    assert_int_equal(card_ways(room->folder, NULL, "wide_lane").count, 0);
    stand_in->capability = 90;
    card_ways(room->folder, NULL, "wgmma_pair_lane");
    ways_find(&ways, "wgmma_quad")->state = WAY_USED; /* of a tile nobody asks for */
    keep(room, &ways);
    card_ways(room->folder, NULL, "wgmma_pair_lane");
    way->state = WAY_SLOWER;
    keep(room, &ways);
    card_ways(room->folder, NULL, "wide_lane");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_card, room_make, room_remove),
    };

    stand_in = stand_in_find();
    stand_in->capability = 90;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
