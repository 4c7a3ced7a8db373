/*
 * test_sensors.c - claim: watts, temperatures, fans, clocks and joules are read from
 * where the kernel shows them, in their units; a counter that wraps gives no wrong watts;
 * what is missing, no number, or no library is unknown.
 *
 * SPDX-License-Identifier: MIT
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "miner/base/file.h"
#include "miner/sensors.h"

static char root[64];

static void put(const char *path, const char *text)
{
    char whole[512];
    struct error err = {0};

    snprintf(whole, sizeof whole, "%s/%s", root, path);
    *strrchr(whole, '/') = 0;
    assert_int_equal(file_make_folder(whole, &err), STATUS_OK);
    whole[strlen(whole)] = '/';
    assert_int_equal(file_write(whole, bytes_of(text, strlen(text)), &err), STATUS_OK);
}

static struct device_list one(const char *backend, const char *bus)
{
    struct device_list list = {.count = 1};

    list.entries[0].backend = backend_find(backend);
    assert_non_null(list.entries[0].backend);
    snprintf(list.entries[0].info.bus, sizeof list.entries[0].info.bus, "%s", bus);
    return list;
}

static struct sensors *open_here(const struct device_list *list)
{
    const struct sensors_options options = {.system = root,
                                            .library = "libminerva-is-not-there.so"};
    struct sensors *sensors = NULL;

    assert_int_equal(sensors_open(list, &options, &sensors), STATUS_OK);
    return sensors;
}

static void is_near(const struct sensors_reading *reading, enum sensor sensor,
                    double wanted)
{
    assert_true(reading->is_known[sensor]);
    if (!(reading->values[sensor] > wanted - 1e-6 &&
          reading->values[sensor] < wanted + 1e-6))
        fail_msg("sensor %d is %g, not %g", (int)sensor, reading->values[sensor], wanted);
}

static void test_card(void **state)
{
    const struct device_list list = one("opencl", "0a:00.0");
    struct sensors_reading reading;

    (void)state;
    put("bus/pci/devices/0000:0a:00.0/hwmon/hwmon7/power1_average", "231000000\n");
    put("bus/pci/devices/0000:0a:00.0/hwmon/hwmon7/temp1_input", "62000\n");
    put("bus/pci/devices/0000:0a:00.0/hwmon/hwmon7/temp1_label", "edge\n");
    put("bus/pci/devices/0000:0a:00.0/hwmon/hwmon7/temp3_input", "78000\n");
    put("bus/pci/devices/0000:0a:00.0/hwmon/hwmon7/temp3_label", "mem\n");
    put("bus/pci/devices/0000:0a:00.0/hwmon/hwmon7/pwm1", "51\n");
    put("bus/pci/devices/0000:0a:00.0/hwmon/hwmon7/pwm1_max", "255\n");
    struct sensors *sensors = open_here(&list);
    sensors_read(sensors, 0, 1, &reading);
    is_near(&reading, SENSOR_POWER_W, 231);
    is_near(&reading, SENSOR_TEMPERATURE_C, 62);
    is_near(&reading, SENSOR_MEMORY_TEMPERATURE_C, 78);
    is_near(&reading, SENSOR_FAN_RATIO, 0.2);

    put("bus/pci/devices/0000:0a:00.0/hwmon/hwmon7/power1_average", "soon\n");
    put("bus/pci/devices/0000:0a:00.0/hwmon/hwmon7/temp1_input", "-9\n");
    put("bus/pci/devices/0000:0a:00.0/hwmon/hwmon7/pwm1_max", "0\n");
    sensors_read(sensors, 0, 2, &reading);
    assert_false(reading.is_known[SENSOR_POWER_W]);
    assert_false(reading.is_known[SENSOR_TEMPERATURE_C]);
    assert_false(reading.is_known[SENSOR_FAN_RATIO]);
    sensors_close(sensors);
}

static void test_processor(void **state)
{
    const struct device_list list = one("cpu", "-");
    struct sensors_reading reading;

    (void)state;
    put("class/hwmon/hwmon0/name", "nvme\n");
    put("class/hwmon/hwmon0/temp1_input", "31000\n");
    put("class/hwmon/hwmon1/name", "k10temp\n");
    put("class/hwmon/hwmon1/temp1_input", "55500\n");
    put("class/powercap/intel-rapl:0/energy_uj", "1000000\n");
    put("class/powercap/intel-rapl:0/max_energy_range_uj", "500000000\n");
    put("class/powercap/intel-rapl:0:0/energy_uj", "7000000\n");
    put("class/powercap/intel-rapl:0:0/max_energy_range_uj", "500000000\n");
    struct sensors *sensors = open_here(&list);
    sensors_read(sensors, 0, 1000, &reading);
    is_near(&reading, SENSOR_TEMPERATURE_C, 55.5);
    assert_false(reading.is_known[SENSOR_POWER_W]); /* an average over no time */

    put("class/powercap/intel-rapl:0/energy_uj", "181000000\n");
    sensors_read(sensors, 0, 3000, &reading);
    is_near(&reading, SENSOR_POWER_W, 90);
    put("class/powercap/intel-rapl:0/energy_uj", "1000000\n");
    sensors_read(sensors, 0, 3500, &reading); /* too soon: the last one stays */
    is_near(&reading, SENSOR_POWER_W, 90);
    sensors_read(sensors, 0, 7000, &reading); /* it wrapped */
    is_near(&reading, SENSOR_POWER_W, 80);
    sensors_close(sensors);
}

/* A card that the library knows, with a fan that it does not, and one that it does not
 * know, which the kernel may. */
static void test_nvml(void **state)
{
    const char *build = getenv("BUILD");
    struct device_list list = one("opencl", "41:00.0");
    struct sensors *sensors;
    struct sensors_reading reading;
    char library[512];

    (void)state;
    if (!build)
        skip();
    snprintf(library, sizeof library, "%s/stand-in/libnvml_shim.so", build);
    const struct sensors_options options = {.system = root, .library = library};

    assert_int_equal(sensors_open(&list, &options, &sensors), STATUS_OK);
    sensors_read(sensors, 0, 1, &reading);
    is_near(&reading, SENSOR_POWER_W, 338.5);
    is_near(&reading, SENSOR_TEMPERATURE_C, 62);
    is_near(&reading, SENSOR_CLOCK_MHZ, 1755);
    is_near(&reading, SENSOR_ENERGY_J, 1005);
    assert_false(reading.is_known[SENSOR_FAN_RATIO]);
    assert_int_equal(setenv("NVML_SHIM", "old", 1), 0);
    sensors_read(sensors, 0, 2, &reading);
    is_near(&reading, SENSOR_POWER_W, 338.5);
    assert_false(reading.is_known[SENSOR_CLOCK_MHZ]);
    assert_false(reading.is_known[SENSOR_ENERGY_J]);
    assert_int_equal(unsetenv("NVML_SHIM"), 0);
    sensors_close(sensors);

    list = one("opencl", "42:00.0");
    put("bus/pci/devices/0000:42:00.0/hwmon/hwmon0/power1_input", "99000000\n");
    assert_int_equal(sensors_open(&list, &options, &sensors), STATUS_OK);
    sensors_read(sensors, 0, 1, &reading);
    is_near(&reading, SENSOR_POWER_W, 99);
    sensors_close(sensors);
}

static void test_nothing(void **state)
{
    const struct device_list list = one("opencl", "0b:00.0");
    struct sensors *sensors = open_here(&list);
    struct sensors_reading reading;

    (void)state;
    sensors_read(sensors, 0, 1, &reading);
    for (int i = 0; i < SENSORS; i++)
        assert_false(reading.is_known[i]);
    sensors_read(sensors, 1, 1, &reading); /* no such device */
    assert_false(reading.is_known[SENSOR_POWER_W]);
    sensors_close(sensors);
    sensors_close(NULL);
}

static int make_root(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/minerva-sensors-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    char command[96];

    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_card),
        cmocka_unit_test(test_processor),
        cmocka_unit_test(test_nvml),
        cmocka_unit_test(test_nothing),
    };

    return cmocka_run_group_tests(tests, make_root, remove_root);
}
