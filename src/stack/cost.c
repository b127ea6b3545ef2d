/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/cost.h"

#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "stack/document.h"
#include "stack/internal.h"
#include "stack/suggest.h"

#ifndef HAWSER_DATADIR
#error "where the prices are installed"
#endif

static const struct item {
	const char *name, *price, *title, *unit;
	double per;	/* so many of them have the price */
	bool from_file; /* estimated_usage does not say it */
} items[] = {
	{ "standard_gb", "standard_gb", "Storage (Standard)", "GB", 1 },
	{ "ia_gb", "ia_gb", "Storage (Infrequent Access)", "GB", 1 },
	{ "requests", "thousand_requests", "Requests", "requests", 1000 },
	{ "provisioned_mibps", "provisioned_mibps", "Provisioned throughput",
	  "MiB/s", 1, true },
};

const char *cost_item_suggest(const char *key)
{
	const char *near;

	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		if (!items[i].from_file && strcmp(items[i].name, key) == 0)
			return NULL;
	near = suggest(key, &items[0].name, ARRAY_SIZE(items) - 1,
		       sizeof(items[0]));
	return near ? near : "";
}

/* ------------------------------------------------------------- the table */

/* Beside the program where it was built, else where it was installed. */
static const char *default_path(char path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 20);
	char *slash;

	if (n > 0) {
		path[n] = '\0';
		slash = strrchr(path, '/');
		strcpy(slash, "/prices.yaml");
		if (access(path, R_OK) == 0)
			return path;
	}
	return strcpy(path, HAWSER_DATADIR "/prices.yaml");
}

/* The numbers of a mapping, none below 0; false after having said why. */
static bool read_numbers(const char *path, const char *where, json_t *mapping)
{
	const char *key, *text;
	json_t *value;
	double n;
	char *end;

	if (!json_is_object(mapping)) {
		stack_error("%s: %s: a mapping of numbers is needed", path,
			    where);
		return false;
	}
	json_object_foreach(mapping, key, value)
	{
		text = json_string_value(value);
		n = text ? strtod(text, &end) : -1;
		if (text == NULL || end == text || *end || !(n >= 0) ||
		    !isfinite(n)) {
			stack_error("%s: %s: %s: a number is needed", path,
				    where, key);
			return false;
		}
		json_object_set_new(mapping, key, json_real(n));
	}
	return true;
}

static bool check_table(const char *path, json_t *table)
{
	json_t *prices = json_object_get(table, "prices"), *usage;
	const char *name;

	if (stack_text(table, "currency")[0] == '\0') {
		stack_error("%s: currency: it is missing", path);
		return false;
	}
	if (!read_numbers(path, "prices", prices))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
		if (json_object_get(prices, items[i].price) != NULL)
			continue;
		stack_error("%s: prices: %s: it is missing", path,
			    items[i].price);
		return false;
	}
	json_object_foreach(json_object_get(table, "scenarios"), name, usage)
	{
		if (!read_numbers(path, name, usage))
			return false;
	}
	return true;
}

json_t *cost_prices_load(const char *path)
{
	char found[PATH_MAX];
	struct document d;
	json_t *table;

	if (document_load(path ?: default_path(found), &d) < 0)
		return NULL;
	table = check_table(d.path, d.root) ? json_incref(d.root) : NULL;
	document_free(&d);
	return table;
}

/* ------------------------------------------------------------- the estimate */

static double to_cents(double amount)
{
	return round(amount * 100) / 100;
}

static json_t *estimate(const json_t *prices, const json_t *usage)
{
	json_t *lines = json_array();
	double total = 0;

	for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
		const struct item *item = &items[i];
		double amount =
			json_number_value(json_object_get(usage, item->name));
		double price =
			json_number_value(json_object_get(prices, item->price));
		double cost = to_cents(amount / item->per * price);

		if (amount == 0)
			continue;
		total += cost;
		json_array_append_new(
			lines, json_pack("{s:s, s:f, s:s, s:f, s:f, s:f}",
					 "item", item->title, "amount", amount,
					 "unit", item->unit, "price", price,
					 "per", item->per, "cost", cost));
	}
	return json_pack("{s:o, s:f}", "lines", lines, "total",
			 to_cents(total));
}

json_t *cost_estimate(const json_t *table, const json_t *usage)
{
	const json_t *prices = json_object_get(table, "prices");
	json_t *scenarios = json_object(), *one;
	const char *name;

	json_object_foreach(json_object_get(table, "scenarios"), name, one)
		json_object_set_new(scenarios, name, estimate(prices, one));
	return json_pack("{s:O, s:o, s:o}", "currency",
			 json_object_get(table, "currency"), "stack",
			 estimate(prices, usage), "scenarios", scenarios);
}

static void print_estimate(FILE *out, const char *name, const char *currency,
			   const json_t *estimated)
{
	json_t *line;
	size_t i;

	fprintf(out, "%s, a month:\n", name);
	json_array_foreach(json_object_get(estimated, "lines"), i, line)
	{
#define N(what) json_number_value(json_object_get(line, what))
		char rate[64];

		snprintf(rate, sizeof(rate),
			 N("per") == 1 ? "%.15g" : "%.15g/%.15g", N("price"),
			 N("per"));
		fprintf(out, "  %-28s %12.15g %-8s x %-10s = %10.2f %s\n",
			stack_text(line, "item"), N("amount"),
			stack_text(line, "unit"), rate, N("cost"), currency);
#undef N
	}
	fprintf(out, "  %-64s %10.2f %s\n", "Total",
		json_number_value(json_object_get(estimated, "total")),
		currency);
}

char *cost_text(const json_t *estimated)
{
	const char *currency = stack_text(estimated, "currency"), *name;
	char *text = NULL;
	json_t *scenario;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	print_estimate(out, "This stack", currency,
		       json_object_get(estimated, "stack"));
	json_object_foreach(json_object_get(estimated, "scenarios"), name,
			    scenario)
		print_estimate(out, name, currency, scenario);
	fclose(out);
	return text;
}
