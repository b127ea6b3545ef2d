/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/input.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "stack/input_type.h"
#include "stack/internal.h"
#include "stack/suggest.h"

#define WORD	"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
#define HEX	"[0-9a-f]{8,40}$"
#define UUID	"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
#define KMS_KEY "^(arn:aws[-a-z]*:kms:.+|alias/.+|mrk-[0-9a-f]{32}|" UUID ")$"
#define CIDR                                                                   \
	"^([0-9]{1,3}(\\.[0-9]{1,3}){3}/([0-9]|[12][0-9]|3[0-2])|"             \
	"[0-9a-fA-F:]*:[0-9a-fA-F:.]*/[0-9]{1,3})$"
#define IA                                                                     \
	"AFTER_7_DAYS|AFTER_14_DAYS|AFTER_30_DAYS|AFTER_60_DAYS|AFTER_90_DAYS"

static const struct input inputs[] = {
	{ "project_name", TEXT, true, .pattern = WORD,
	  .accepts = "letters, digits, '-', '_' and '.'",
	  .help = "of whom the stack is; in all names" },
	{ "environment", TEXT, true, .pattern = WORD,
	  .accepts = "letters, digits, '-', '_' and '.'",
	  .help = "dev, staging, prod, …" },
	{ "vpc_id", TEXT, true, .pattern = "^vpc-" HEX, .accepts = "vpc-…",
	  .help = "where it is reached" },
	{ "private_subnet_ids", LIST, true, .pattern = "^subnet-" HEX,
	  .accepts = "subnet-…", .min = 2, .max = 32,
	  .help = "a mount target in each; at least 2" },
	{ "eks_node_security_group_id", TEXT, true, .pattern = "^sg-" HEX,
	  .accepts = "sg-…", .help = "whose members may mount" },
	{ "allowed_cidr_blocks", LIST, .pattern = CIDR,
	  .accepts = "10.0.0.0/16", .max = 50,
	  .help = "addresses that may mount, too" },
	{ "enable_encryption", FLAG, .by_default = "true",
	  .help = "at rest; fixed at creation" },
	{ "kms_key_id", TEXT, .pattern = KMS_KEY,
	  .accepts = "a key's id or ARN, or alias/…",
	  .help = "null: the service's own; fixed at creation" },
	{ "performance_mode", TEXT, .by_default = "generalPurpose",
	  .values = "generalPurpose|maxIO", .help = "fixed at creation" },
	{ "throughput_mode", TEXT, .by_default = "elastic",
	  .values = "bursting|provisioned|elastic" },
	{ "provisioned_throughput_in_mibps", NUMBER, .min = 1, .max = 1024,
	  .help = "if throughput_mode is provisioned" },
	{ "transition_to_ia", TEXT, .nullable = true,
	  .by_default = "AFTER_30_DAYS", .values = IA,
	  .accepts = "AFTER_N_DAYS: 7, 14, 30, 60 or 90",
	  .help = "null: never" },
	{ "transition_to_primary_storage_class", TEXT, .nullable = true,
	  .by_default = "AFTER_1_ACCESS", .values = "AFTER_1_ACCESS",
	  .help = "null: never" },
	{ "create_kafka_backup_access_point", FLAG, .by_default = "true",
	  .help = "/kafka-backups" },
	{ "create_kafka_connect_access_point", FLAG, .by_default = "true",
	  .help = "/kafka-connect-plugins" },
	{ "create_shared_logs_access_point", FLAG, .by_default = "true",
	  .help = "/shared-logs" },
	{ "enable_automatic_backups", FLAG, .by_default = "true" },
	{ "create_cloudwatch_logs", FLAG, .by_default = "false",
	  .help = "with Terraform only" },
	{ "log_retention_days", NUMBER, .min = 1, .max = 3653,
	  .help = "goes with create_cloudwatch_logs" },
	{ "create_cloudwatch_alarms", FLAG, .by_default = "true" },
	{ "alarm_actions", LIST, .pattern = "^arn:.+", .accepts = "arn:…",
	  .max = 5, .help = "what an alarm calls" },
	{ "tags", MAP, .help = "of everything that can have tags" },
	{ "prevent_destroy", FLAG, .by_default = "false",
	  .help = "keep the file system" },
	{ "estimated_usage", USAGE,
	  .accepts = "standard_gb: GB, ia_gb: GB, requests: NUMBER",
	  .help = "for estimated_monthly_cost" },
};

/* -------------------------------------------------- what goes with what */

/* "10.1.2.3/16" is an address, not a range: services differ in what they make
 * of it. */
static bool has_host_part(const char *block)
{
	int family = strchr(block, ':') ? AF_INET6 : AF_INET;
	unsigned char bytes[16] = {};
	char text[64];
	size_t prefix, len;

	snprintf(text, sizeof(text), "%s", block);
	prefix = strtoul(strchr(text, '/') + 1, NULL, 10);
	*strchr(text, '/') = '\0';
	len = family == AF_INET ? 32 : 128;
	if (inet_pton(family, text, bytes) != 1 || prefix > len)
		return true;
	for (size_t bit = prefix; bit < len; bit++)
		if (bytes[bit / 8] & 0x80 >> bit % 8)
			return true;
	return false;
}

static void check_blocks(struct check *c)
{
	const json_t *blocks = json_object_get(c->out, "allowed_cidr_blocks");

	for (size_t i = 0; i < json_array_size(blocks); i++) {
		const char *block =
			json_string_value(json_array_get(blocks, i));

		if (has_host_part(block))
			input_complain(c, "allowed_cidr_blocks",
				       "'%s' is not accepted: 10.0.0.0/16, "
				       "whose host part is zero",
				       block);
	}
}

enum { NAMES_MAX = 40 }; /* of both: tokens have 64 bytes */

static void check_together(struct check *c)
{
	const json_t *in = c->out;
	const char *mode = input_text(in, "throughput_mode");
	const json_t *mibps =
		json_object_get(in, "provisioned_throughput_in_mibps");

	if (strlen(input_text(in, "project_name")) +
		    strlen(input_text(in, "environment")) >
	    NAMES_MAX)
		input_complain(
			c, "project_name",
			"it and environment have up to %d bytes together",
			NAMES_MAX);
	if (strcmp(mode, "provisioned") == 0 && json_is_null(mibps))
		input_complain(
			c, "throughput_mode",
			"'provisioned' needs provisioned_throughput_in_mibps, "
			"from 1 to 1024");
	if (strcmp(mode, "elastic") == 0 &&
	    strcmp(input_text(in, "performance_mode"), "maxIO") == 0)
		input_complain(
			c, "performance_mode",
			"'maxIO' does not go with throughput_mode elastic: "
			"bursting or provisioned");
	if (!input_flag(in, "enable_encryption") &&
	    input_text(in, "kms_key_id") != NULL)
		input_complain(c, "kms_key_id",
			       "'%s' needs enable_encryption to be true",
			       input_text(in, "kms_key_id"));
	if (input_flag(in, "create_cloudwatch_logs"))
		input_complain(
			c, "create_cloudwatch_logs",
			"'true' is not accepted: hawserd has no CloudWatch "
			"Logs (the Terraform module has, with AWS)");
}

static const struct input *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++)
		if (strcmp(inputs[i].name, name) == 0)
			return &inputs[i];
	return NULL;
}

static void check_unknown(struct check *c)
{
	const char *key, *nearest;
	json_t *value;

	json_object_foreach(c->d->root, key, value)
	{
		if (find(key) != NULL)
			continue;
		nearest = suggest(key, &inputs[0].name, ARRAY_SIZE(inputs),
				  sizeof(inputs[0]));
		input_complain(c, key, "unknown key%s%s",
			       nearest ? "; did you mean " : "",
			       nearest ? nearest : "");
	}
}

json_t *input_read(const struct document *d)
{
	struct check c = { .d = d, .out = json_object() };
	json_t *given, *value;

	check_unknown(&c);
	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++) {
		given = json_object_get(d->root, inputs[i].name);
		if (given == NULL && inputs[i].required) {
			input_complain(&c, inputs[i].name, "it is missing: %s",
				       inputs[i].help);
			continue;
		}
		value = given ? input_convert(&c, &inputs[i], given)
			      : input_default(&inputs[i]);
		if (value != NULL)
			json_object_set_new(c.out, inputs[i].name, value);
	}
	if (c.wrong == 0)
		check_together(&c);
	if (c.wrong == 0)
		check_blocks(&c);
	if (c.wrong == 0)
		return c.out;
	json_decref(c.out);
	return NULL;
}

void input_print_help(void)
{
	char words[INPUT_WORDS];

	for (size_t i = 0; i < ARRAY_SIZE(inputs); i++) {
		const struct input *in = &inputs[i];
		const char *accepts =
			in->accepts
				?: in->values ? input_words(in->values, words)
					      : NULL;

		printf("  %-36s%s%s", in->name, in->required ? "needed: " : "",
		       in->help ? in->help : "");
		if (in->by_default)
			printf("%sdefault: %s", in->help ? "; " : "",
			       in->by_default);
		putchar('\n');
		if (accepts != NULL)
			printf("      %s\n", accepts);
	}
}

const char *input_text(const json_t *in, const char *name)
{
	return json_string_value(json_object_get(in, name));
}

bool input_flag(const json_t *in, const char *name)
{
	return json_is_true(json_object_get(in, name));
}
