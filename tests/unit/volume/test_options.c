/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "volume/volume.h"

static struct volume_options options;

static const struct {
	const char *key;
	const char *file;
} files[] = {
	{ "bitmap", options.bitmap },
	{ "bitmap-create", options.bitmap_create },
	{ "dhchap-key", options.dhchap_key },
	{ "dhchap-ctrlr-key", options.dhchap_ctrlr_key },
	{ "tls-key", options.tls_key },
};

/* Who opens them may have gone elsewhere: a daemon goes to the root. */
static void files_are_where_the_user_is(void **state)
{
	char text[VOLUME_TEXT], here[PATH_MAX];

	assert_int_equal(chdir("/proc/self"), 0);
	assert_non_null(getcwd(here, sizeof(here)));
	assert_true(strlen(here) < 100);
	strcat(here, "/d/v.map");
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		assert_int_equal(volume_option(&options, files[i].key,
					       "d/v.map", text),
				 1);
		assert_string_equal(files[i].file, here);
		assert_int_equal(volume_option(&options, files[i].key,
					       "/srv/v.map", text),
				 1);
		assert_string_equal(files[i].file, "/srv/v.map");
	}
}

static void a_name_that_is_too_long_is_refused(void **state)
{
	char text[VOLUME_TEXT], name[PATH_MAX];

	memset(name, 'x', sizeof(name) - 2);
	name[sizeof(name) - 2] = '\0'; /* with what is before it */
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		assert_int_equal(
			volume_option(&options, files[i].key, name, text), -22);
		assert_non_null(strstr(text, files[i].key));
		assert_int_equal(
			volume_option(&options, files[i].key, "", text), -22);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_where_the_user_is),
		cmocka_unit_test(a_name_that_is_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
