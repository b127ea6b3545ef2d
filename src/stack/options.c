/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/options.h"

#include <getopt.h>
#include <stdio.h>

#include "base/util.h"
#include "stack/input.h"
#include "stack/output.h"

static const struct known {
	const char *name, *value, *help;
	int letter, verbs; /* those that have it */
} known[] = {
	{ "yes", NULL, "do it without a question", 'y', APPLY | DESTROY },
	{ "json", NULL, "print JSON", 'j', ALL },
	{ "replace", NULL, "delete and create anew what can't be changed", 'R',
	  APPLY },
	{ "delete-data", NULL, "delete a file system that is not empty", 'D',
	  APPLY | DESTROY },
	{ "prices", "FILE", "other prices for estimated_monthly_cost", 'P',
	  OUTPUTS },
	{ "endpoint-url", "URL",
	  "of the API; default: $AWS_ENDPOINT_URL, $HAWSER_API_URL", 'e', ALL },
	{ "profile", "NAME", "whose access key to use", 'p', ALL },
	{ "region", "NAME", "default: $AWS_REGION, the profile's, us-east-1",
	  'r', ALL },
	{ "help", NULL, "say this", 'h', ALL },
};

static const struct verb verbs[] = {
	{ "plan", "FILE", "Shows what apply would do.", PLAN },
	{ "apply", "FILE",
	  "Makes the stack that FILE declares what it declares, after having "
	  "shown how.",
	  APPLY },
	{ "outputs", "FILE [OUTPUT]", "Prints what a stack is used with.",
	  OUTPUTS },
	{ "destroy", "FILE", "Deletes the stack that FILE declares.", DESTROY },
};

static void print_help(const struct verb *v)
{
	printf("usage: hawser %s [OPTION…] %s\n\n%s\n\n", v->name, v->usage,
	       v->about);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].verbs & v->bit)
			printf("  --%-14s%-6s%s\n", known[i].name,
			       known[i].value ? known[i].value : "",
			       known[i].help);
	if (v->bit == OUTPUTS) {
		printf("\nOutputs:\n");
		output_print_help();
	} else {
		printf("\nKeys of FILE:\n");
		input_print_help();
	}
}

static void take(struct options *o, int letter)
{
	switch (letter) {
	case 'y':
		o->yes = true;
		break;
	case 'j':
		o->json = true;
		break;
	case 'R':
		o->consent.replace = true;
		break;
	case 'D':
		o->consent.delete_data = true;
		break;
	case 'P':
		o->prices = optarg;
		break;
	case 'e':
		o->aws.endpoint = optarg;
		break;
	case 'p':
		o->aws.profile = optarg;
		break;
	case 'r':
		o->aws.region = optarg;
		break;
	}
}

static int misused(const struct verb *v, const char *what, const char *of)
{
	fprintf(stderr, "hawser %s: %s%s; see: hawser %s --help\n", v->name,
		what, of, v->name);
	return USAGE;
}

int options_parse(const struct verb *v, int argc, char **argv,
		  struct options *o)
{
	struct option table[ARRAY_SIZE(known) + 1] = {};
	size_t n = 0;
	int letter;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].verbs & v->bit)
			table[n++] =
				(struct option){ known[i].name,
						 known[i].value
							 ? required_argument
							 : no_argument,
						 NULL, known[i].letter };
	*o = (struct options){};
	optind = 1;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":", table, NULL)) != -1) {
		if (letter == 'h') {
			print_help(v);
			return HELPED;
		}
		if (letter == ':')
			return misused(v, argv[optind - 1], " needs a value");
		if (letter == '?')
			return misused(v, "unknown option ", argv[optind - 1]);
		take(o, letter);
	}
	if (optind < argc)
		o->file = argv[optind++];
	if (v->bit == OUTPUTS && optind < argc)
		o->output = argv[optind++];
	if (o->file == NULL)
		return misused(v, "FILE is missing", "");
	if (optind < argc)
		return misused(v, "too much: ", argv[optind]);
	return DONE;
}

const struct verb *options_verb(enum verb_bit bit)
{
	const struct verb *v = verbs;

	while (v->bit != bit)
		v++;
	return v;
}
