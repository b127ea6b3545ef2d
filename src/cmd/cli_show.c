/* SPDX-License-Identifier: Apache-2.0 */
/* Results for people: tables as wide as their contents, in 80 columns. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "cmd/cli.h"

enum { CELL_SIZE = 128, COLUMNS_MAX = 8 };

struct column {
	const char *title, *key; /* title NULL ends the columns */
	/* Makes the text of the cell from the whole object; NULL: the value
	 * of the key as it is. */
	void (*format)(const json_t *object, char cell[CELL_SIZE]);
};

void cli_show_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	putchar('\n');
}

void cli_show_nothing(const json_t *value) {}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static json_int_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

void cli_show_id(const json_t *object)
{
	puts(text_of(object, "id"));
}

void cli_show_url(const json_t *object)
{
	puts(text_of(object, "url"));
}

static size_t utf8_width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static void pad(const char *cell, size_t width)
{
	printf("%s%*s", cell, (int)(width - utf8_width(cell)), "");
}

static void value_text(const json_t *value, char cell[CELL_SIZE])
{
	if (json_is_string(value))
		snprintf(cell, CELL_SIZE, "%s", json_string_value(value));
	else if (json_is_integer(value))
		snprintf(cell, CELL_SIZE, "%lld",
			 (long long)json_integer_value(value));
	else
		snprintf(cell, CELL_SIZE, "%s",
			 json_is_true(value) ? "yes" : "no");
}

static void cell_text(const struct column *c, const json_t *object,
		      char cell[CELL_SIZE])
{
	if (c->format != NULL)
		c->format(object, cell);
	else
		value_text(json_object_get(object, c->key), cell);
}

static void show_table(const struct column *columns, const json_t *list)
{
	size_t width[COLUMNS_MAX], i, n;
	char cell[CELL_SIZE];
	json_t *object;

	for (n = 0; columns[n].title; n++) {
		width[n] = strlen(columns[n].title);
		json_array_foreach(list, i, object)
		{
			cell_text(&columns[n], object, cell);
			width[n] = MAX(width[n], utf8_width(cell));
		}
	}
	width[n - 1] = 0; /* nothing stands behind the last */
	for (size_t c = 0; c < n; c++)
		printf("%-*s%s", (int)width[c], columns[c].title,
		       c + 1 < n ? "  " : "\n");
	json_array_foreach(list, i, object)
	{
		for (size_t c = 0; c < n; c++) {
			cell_text(&columns[c], object, cell);
			if (c + 1 < n)
				pad(cell, width[c]);
			printf("%s", c + 1 < n ? "  " : cell);
		}
		putchar('\n');
	}
}

/* ---------------------------------------------------------- file systems */

static void size_text(double size, char cell[CELL_SIZE])
{
	static const char units[] = "BKMGTP";
	int u = 0;

	while (size >= 1024 && units[u + 1]) {
		size /= 1024;
		u++;
	}
	snprintf(cell, CELL_SIZE, size < 10 && u > 0 ? "%.1f%c" : "%.0f%c",
		 size, units[u]);
}

static void used_cell(const json_t *object, char cell[CELL_SIZE])
{
	size_text(number_of(object, "used_bytes"), cell);
}

/* As much as the line has room for. */
static void name_cell(const json_t *fs, char cell[CELL_SIZE])
{
	const char *name = text_of(fs, "name"), *end = name;

	for (int n = 0; *end && n < 20; n++)
		do
			end++;
		while ((*end & 0xc0) == 0x80);
	snprintf(cell, CELL_SIZE, "%.*s%s", (int)(end - name), name,
		 *end ? "…" : "");
}

void cli_show_fs_table(const json_t *list)
{
	static const struct column columns[] = {
		{ "ID", "id", NULL },
		{ "STATE", "state", NULL },
		{ "TARGETS", "mount_targets", NULL },
		{ "USED", NULL, used_cell },
		{ "FILES", "used_files", NULL },
		{ "NAME", NULL, name_cell },
		{},
	};

	show_table(columns, list);
}

/* --------------------------------------------------------- mount targets */

/* The port only where it is not the usual one. */
static void address_cell(const json_t *t, char cell[CELL_SIZE])
{
	const char *host = text_of(t, "address");
	int port = number_of(t, "port");

	if (port == 2049)
		snprintf(cell, CELL_SIZE, "%s", host);
	else
		snprintf(cell, CELL_SIZE,
			 strchr(host, ':') ? "[%s]:%d" : "%s:%d", host, port);
}

void cli_show_target(const json_t *object)
{
	char address[CELL_SIZE];

	address_cell(object, address);
	printf("%s  %s\n", text_of(object, "id"), address);
}

void cli_show_target_table(const json_t *list)
{
	static const struct column columns[] = {
		{ "ID", "id", NULL },
		{ "FILE SYSTEM", "fs", NULL },
		{ "STATE", "state", NULL },
		{ "ZONE", "zone", NULL },
		{ "ADDRESS", NULL, address_cell },
		{},
	};

	show_table(columns, list);
}

void cli_show_subnet_table(const json_t *list)
{
	static const struct column columns[] = {
		{ "ID", "id", NULL },
		{ "ZONE", "zone", NULL },
		{ "ADDRESSES", "cidr", NULL },
		{},
	};

	show_table(columns, list);
}

/* --------------------------------------------------------- access points */

/* What has no quota is not counted. */
static void point_used_cell(const json_t *point, char cell[CELL_SIZE])
{
	size_t end;

	strcpy(cell, "-");
	if (json_object_get(point, "used_bytes") == NULL)
		return;
	used_cell(point, cell);
	end = strlen(cell);
	if (json_is_true(json_object_get(point, "counting")))
		snprintf(cell + end, CELL_SIZE - end, "+");
}

static void point_quota_cell(const json_t *point, char cell[CELL_SIZE])
{
	json_int_t max = number_of(point, "quota_bytes");

	strcpy(cell, "-");
	if (max != 0)
		size_text(max, cell);
}

static void point_files_cell(const json_t *point, char cell[CELL_SIZE])
{
	strcpy(cell, "-");
	if (json_object_get(point, "used_files") != NULL)
		value_text(json_object_get(point, "used_files"), cell);
}

void cli_show_point_table(const json_t *list)
{
	static const struct column columns[] = {
		{ "ID", "id", NULL },
		{ "FILE SYSTEM", "fs", NULL },
		{ "USED", NULL, point_used_cell },
		{ "QUOTA", NULL, point_quota_cell },
		{ "FILES", NULL, point_files_cell },
		{ "PATH", "path", NULL },
		{},
	};

	show_table(columns, list);
}

/* ------------------------------------------------------------------ keys */

/* As a credentials file of aws and boto3. */
void cli_show_profile(const json_t *key)
{
	printf("[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n",
	       text_of(key, "user"), text_of(key, "id"),
	       text_of(key, "secret"));
}

void cli_show_key_table(const json_t *list)
{
	static const struct column columns[] = {
		{ "ID", "id", NULL },
		{ "USER", "user", NULL },
		{},
	};

	show_table(columns, list);
}

/* --------------------------------------------------------------- volumes */

static void volume_size_cell(const json_t *volume, char cell[CELL_SIZE])
{
	size_text(number_of(volume, "size"), cell);
}

static void paths_cell(const json_t *volume, char cell[CELL_SIZE])
{
	snprintf(cell, CELL_SIZE, "%zu",
		 json_array_size(json_object_get(volume, "listen_addresses")));
}

void cli_show_volume_table(const json_t *list)
{
	static const struct column columns[] = {
		{ "ID", "id", NULL },
		{ "STATE", "state", NULL },
		{ "SIZE", NULL, volume_size_cell },
		{ "USED", NULL, used_cell },
		{ "PATHS", NULL, paths_cell },
		{ "NAME", NULL, name_cell },
		{},
	};

	show_table(columns, list);
}

/* How nvme-cli and Linux are told.  Of a volume in a subsystem that is not its
 * own the addresses are the subsystem's. */
void cli_show_connect_info(const json_t *volume)
{
	json_t *list = json_object_get(volume, "listen_addresses"), *a;
	size_t i;

	json_array_foreach(list, i, a)
		printf("nvme connect -t tcp -a %s -s %s -n %s\n",
		       text_of(a, "traddr"), text_of(a, "trsvcid"),
		       text_of(volume, "nqn"));
	if (json_array_size(list) == 0)
		printf("# hawser rpc nvmf_get_subsystems %s\n",
		       text_of(volume, "nqn"));
	printf("# one device: /dev/disk/by-id/nvme-uuid.%s\n",
	       text_of(volume, "uuid"));
}

/* --------------------------------------------------------- single objects */

static void time_text(double seconds, char cell[CELL_SIZE])
{
	time_t t = seconds;
	struct tm tm;

	strftime(cell, CELL_SIZE, "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&t, &tm));
}

void cli_show_volume(const json_t *object)
{
	json_t *flat = json_copy((json_t *)object), *a, *list;
	char cell[CELL_SIZE];
	size_t i;

	list = json_object_get(object, "listen_addresses");
	json_object_del(flat, "listen_addresses");
	cli_show_object(flat);
	json_decref(flat);
	json_array_foreach(list, i, a)
	{
		snprintf(cell, sizeof(cell),
			 strchr(text_of(a, "traddr"), ':') ? "[%s]:%s"
							   : "%s:%s",
			 text_of(a, "traddr"), text_of(a, "trsvcid"));
		printf("%-14s %s\n", i == 0 ? "listeners" : "", cell);
	}
}

void cli_show_object(const json_t *object)
{
	char cell[CELL_SIZE];
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		if (json_is_string(value)) {
			printf("%-14s %s\n", key, json_string_value(value));
			continue;
		}
		if (json_is_real(value)) /* all of them are times */
			time_text(json_real_value(value), cell);
		else
			value_text(value, cell);
		printf("%-14s %s\n", key, cell);
	}
}
