/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/config.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/util.h"

enum { DEFAULT_OCTET = 77 };

static const char default_api[] = "127.0.0.1:8077";
static const char default_metrics[] = "127.0.0.1:8078";

/* A file being read. */
struct reader {
	struct config *config;
	const char *path;
	yaml_document_t document;
};

static int cpu_count(void)
{
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return 1;
	return MIN(CPU_COUNT(&cpus), CONFIG_REACTORS_MAX);
}

void config_set_loopback(struct config *c, unsigned octet)
{
	static const char *const zones[] = { "a", "b", "c", "d", "e", "f" };
	char cidr[SUBNET_CIDR_SIZE];

	c->n_subnets = ARRAY_SIZE(zones);
	for (size_t i = 0; i < c->n_subnets; i++) {
		snprintf(cidr, sizeof(cidr), "127.%u.%zu.0/24", octet, i + 1);
		subnet_init(&c->subnets[i], cidr, zones[i]);
	}
}

void config_init(struct config *c)
{
	memset(c, 0, sizeof(*c));
	c->reactors = cpu_count();
	config_set_loopback(c, DEFAULT_OCTET);
	addr_parse(&c->api_http, default_api, 0);
	addr_parse(&c->metrics_http, default_metrics, 0);
	strcpy(c->api.hosts, "DNS:localhost,IP:127.0.0.1,IP:::1");
	strcpy(c->nfs.hosts, "DNS:*.efs.us-east-1.hawser.internal,"
			     "DNS:localhost,IP:127.0.0.1,IP:::1");
}

static void set_any_port(struct addr *a, const char *if_it_is)
{
	struct addr by_default;

	addr_parse(&by_default, if_it_is, 0);
	if (addr_equal(a, &by_default))
		addr_set_port(a, 0);
}

void config_set_any_port(struct config *c)
{
	set_any_port(&c->api_http, default_api);
	set_any_port(&c->metrics_http, default_metrics);
}

__attribute__((format(printf, 3, 4))) static int refuse(const struct reader *r,
							const yaml_node_t *at,
							const char *format, ...)
{
	va_list args;

	fprintf(stderr, "hawserd: %s:%zu: ", r->path, at->start_mark.line + 1);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return -EINVAL;
}

/* The text of a scalar, NULL of anything else. */
static const char *text_of(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE
		       ? (const char *)node->data.scalar.value
		       : NULL;
}

static int read_number(struct reader *r, const yaml_node_t *node, long min,
		       long max, long *value)
{
	const char *text = text_of(node);
	char *end = NULL;

	errno = 0;
	if (text != NULL)
		*value = strtol(text, &end, 10);
	if (text == NULL || errno != 0 || end == text || *end != '\0' ||
	    *value < min || *value > max)
		return refuse(r, node, "a number in %ld..%ld is needed", min,
			      max);
	return 0;
}

/* ----------------------------------------------------------------- keys --- */

/* A key and what reads its value into `into`. */
struct key {
	const char *name;
	int (*read)(struct reader *r, yaml_node_t *value, void *into);
};

static int read_mapping(struct reader *r, yaml_node_t *node,
			const struct key *keys, size_t n, void *into);

static int read_reactors(struct reader *r, yaml_node_t *value, void *into)
{
	long n;
	int error = read_number(r, value, 1, CONFIG_REACTORS_MAX, &n);

	if (error == 0)
		r->config->reactors = n;
	return error;
}

static int read_lease(struct reader *r, yaml_node_t *value, void *into)
{
	long n;
	int error = read_number(r, value, 1, 3600, &n);

	if (error == 0)
		r->config->lease = SEC(n);
	return error;
}

static int read_root_squash(struct reader *r, yaml_node_t *value, void *into)
{
	const char *text = text_of(value);

	if (text == NULL ||
	    (strcmp(text, "true") != 0 && strcmp(text, "false") != 0))
		return refuse(r, value, "true or false is needed");
	r->config->root_squash = strcmp(text, "true") == 0;
	return 0;
}

/* ----------------------------------------------------------- throughput --- */

static int read_elastic(struct reader *r, yaml_node_t *value, void *into)
{
	long n;
	int error = read_number(r, value, 1, 1000000, &n);

	if (error == 0)
		r->config->elastic_limit = (double)n * 1024 * 1024;
	return error;
}

static int read_operations(struct reader *r, yaml_node_t *value, void *into)
{
	long n;
	int error = read_number(r, value, 0, 1000000000, &n);

	if (error == 0)
		r->config->operations = n ? n : -1;
	return error;
}

static int read_throughput(struct reader *r, yaml_node_t *value, void *into)
{
	static const struct key keys[] = {
		{ "elastic", read_elastic },
		{ "operations", read_operations },
	};

	return read_mapping(r, value, keys, ARRAY_SIZE(keys), NULL);
}

/* ------------------------------------------------------------------ api --- */

static int read_endpoint(struct reader *r, yaml_node_t *value, struct addr *a)
{
	const char *text = text_of(value);

	memset(a, 0, sizeof(*a));
	if (text != NULL && strcmp(text, "none") == 0)
		return 0;
	if (text == NULL || addr_parse(a, text, 0) < 0 ||
	    a->sa.sa_family == AF_UNIX || addr_port(a) == 0)
		return refuse(r, value,
			      "an address with a port, like 127.0.0.1:8077, or "
			      "none is needed");
	return 0;
}

static int read_api_http(struct reader *r, yaml_node_t *value, void *into)
{
	return read_endpoint(r, value, &r->config->api_http);
}

static int read_api_https(struct reader *r, yaml_node_t *value, void *into)
{
	return read_endpoint(r, value, &r->config->api_https);
}

static int read_file_name(struct reader *r, yaml_node_t *value,
			  char path[PATH_MAX])
{
	const char *text = text_of(value);

	if (text == NULL || text[0] != '/' || strlen(text) >= PATH_MAX)
		return refuse(r, value, "an absolute path is needed");
	strcpy(path, text);
	return 0;
}

static int read_certificate(struct reader *r, yaml_node_t *value, void *into)
{
	struct config_certificate *c = into;

	return read_file_name(r, value, c->certificate);
}

static int read_private_key(struct reader *r, yaml_node_t *value, void *into)
{
	struct config_certificate *c = into;

	return read_file_name(r, value, c->key);
}

static int read_hosts(struct reader *r, yaml_node_t *value, void *into)
{
	struct config_certificate *c = into;
	const char *text = text_of(value);

	if (text == NULL || strlen(text) >= sizeof(c->hosts) ||
	    (strncmp(text, "DNS:", 4) != 0 && strncmp(text, "IP:", 3) != 0))
		return refuse(r, value,
			      "names are needed, like \"DNS:*.efs.us-east-1."
			      "example.net,IP:10.0.0.1\"");
	strcpy(c->hosts, text);
	return 0;
}

static int check_pair(struct reader *r, yaml_node_t *value,
		      const struct config_certificate *c)
{
	if (!c->certificate[0] != !c->key[0])
		return refuse(r, value,
			      "certificate and private_key come together");
	return 0;
}

static int read_api(struct reader *r, yaml_node_t *value, void *into)
{
	static const struct key keys[] = {
		{ "http", read_api_http },
		{ "https", read_api_https },
		{ "certificate", read_certificate },
		{ "private_key", read_private_key },
	};
	struct config_certificate *c = &r->config->api;
	int error = read_mapping(r, value, keys, ARRAY_SIZE(keys), c);

	return error == 0 ? check_pair(r, value, c) : error;
}

static int read_nfs_tls(struct reader *r, yaml_node_t *value, void *into)
{
	static const struct key keys[] = {
		{ "certificate", read_certificate },
		{ "private_key", read_private_key },
		{ "hosts", read_hosts },
	};
	struct config_certificate *c = &r->config->nfs;
	int error = read_mapping(r, value, keys, ARRAY_SIZE(keys), c);

	return error == 0 ? check_pair(r, value, c) : error;
}

/* -------------------------------------------------------------- metrics --- */

static int read_period(struct reader *r, yaml_node_t *value, void *into)
{
	long n;
	int error = read_number(r, value, 1, 60, &n);

	if (error == 0)
		r->config->period = SEC(n);
	return error;
}

static int read_metrics_http(struct reader *r, yaml_node_t *value, void *into)
{
	return read_endpoint(r, value, &r->config->metrics_http);
}

static int read_metrics(struct reader *r, yaml_node_t *value, void *into)
{
	static const struct key keys[] = {
		{ "period", read_period },
		{ "http", read_metrics_http },
	};

	return read_mapping(r, value, keys, ARRAY_SIZE(keys), NULL);
}

/* -------------------------------------------------------------- subnets --- */

struct subnet_text {
	const char *cidr, *zone;
};

static int read_cidr(struct reader *r, yaml_node_t *value, void *into)
{
	((struct subnet_text *)into)->cidr = text_of(value);
	return 0;
}

static int read_zone(struct reader *r, yaml_node_t *value, void *into)
{
	((struct subnet_text *)into)->zone = text_of(value);
	return 0;
}

static int add_subnet(struct reader *r, yaml_node_t *node)
{
	static const struct key keys[] = {
		{ "cidr", read_cidr },
		{ "zone", read_zone },
	};
	struct config *c = r->config;
	struct subnet *s = &c->subnets[c->n_subnets];
	struct subnet_text text = {};
	int error;

	if (c->n_subnets == CONFIG_SUBNETS_MAX)
		return refuse(r, node, "more than %d subnets",
			      CONFIG_SUBNETS_MAX);
	error = read_mapping(r, node, keys, ARRAY_SIZE(keys), &text);
	if (error < 0)
		return error;
	if (text.cidr == NULL || text.zone == NULL ||
	    subnet_init(s, text.cidr, text.zone) < 0)
		return refuse(r, node,
			      "a subnet needs a cidr like 10.1.0.0/24, whose "
			      "host part is zero, and a zone");
	for (size_t i = 0; i < c->n_subnets; i++)
		if (subnet_overlaps(s, &c->subnets[i]))
			return refuse(r, node, "%s overlaps %s", s->cidr,
				      c->subnets[i].cidr);
	c->n_subnets++;
	return 0;
}

static int read_list(struct reader *r, yaml_node_t *value,
		     int (*add)(struct reader *r, yaml_node_t *item))
{
	yaml_node_item_t *i;
	int error;

	if (value->type != YAML_SEQUENCE_NODE)
		return refuse(r, value, "a list is needed");
	for (i = value->data.sequence.items.start;
	     i < value->data.sequence.items.top; i++) {
		error = add(r, yaml_document_get_node(&r->document, *i));
		if (error < 0)
			return error;
	}
	return 0;
}

static int read_subnets(struct reader *r, yaml_node_t *value, void *into)
{
	r->config->n_subnets = 0;
	return read_list(r, value, add_subnet);
}

/* -------------------------------------------------------------- actions --- */

static int read_arn(struct reader *r, yaml_node_t *value, void *into)
{
	((struct control_action *)into)->arn = text_of(value);
	return 0;
}

static int read_command(struct reader *r, yaml_node_t *value, void *into)
{
	((struct control_action *)into)->command = text_of(value);
	return 0;
}

static int read_webhook(struct reader *r, yaml_node_t *value, void *into)
{
	const char *text = text_of(value);
	char host[ADDR_TEXT_MAX];
	struct addr a;

	((struct control_action *)into)->webhook = text;
	if (text == NULL || sscanf(text, "http://%55[^/]", host) != 1 ||
	    addr_parse(&a, host, 80) < 0)
		return refuse(r, value,
			      "http://ADDRESS:PORT/… is needed; for anything "
			      "else there is command");
	return 0;
}

/* The texts live as long as the process. */
static int add_action(struct reader *r, yaml_node_t *node)
{
	static const struct key keys[] = {
		{ "arn", read_arn },
		{ "command", read_command },
		{ "webhook", read_webhook },
	};
	struct config *c = r->config;
	struct control_action a = {};
	int error;

	if (c->n_actions == CONFIG_ACTIONS_MAX)
		return refuse(r, node, "more than %d actions",
			      CONFIG_ACTIONS_MAX);
	error = read_mapping(r, node, keys, ARRAY_SIZE(keys), &a);
	if (error < 0)
		return error;
	if (a.arn == NULL || !a.command == !a.webhook)
		return refuse(r, node,
			      "an action needs an arn, and a command or a "
			      "webhook");
	c->actions[c->n_actions++] = (struct control_action){
		.arn = strdup(a.arn),
		.command = a.command ? strdup(a.command) : NULL,
		.webhook = a.webhook ? strdup(a.webhook) : NULL,
	};
	return 0;
}

static int read_actions(struct reader *r, yaml_node_t *value, void *into)
{
	r->config->n_actions = 0;
	return read_list(r, value, add_action);
}

static int read_pair(struct reader *r, yaml_node_t *name, yaml_node_t *value,
		     const struct key *keys, size_t n, void *into)
{
	const char *text = text_of(name);

	for (size_t i = 0; text != NULL && i < n; i++)
		if (strcmp(keys[i].name, text) == 0)
			return keys[i].read(r, value, into);
	return refuse(r, name, "unknown key '%s'", text ? text : "");
}

static int read_mapping(struct reader *r, yaml_node_t *node,
			const struct key *keys, size_t n, void *into)
{
	yaml_node_pair_t *p;
	int error;

	if (node->type != YAML_MAPPING_NODE)
		return refuse(r, node, "KEY: VALUE is needed");
	for (p = node->data.mapping.pairs.start;
	     p < node->data.mapping.pairs.top; p++) {
		error = read_pair(
			r, yaml_document_get_node(&r->document, p->key),
			yaml_document_get_node(&r->document, p->value), keys, n,
			into);
		if (error < 0)
			return error;
	}
	return 0;
}

/* ------------------------------------------------------------- the file --- */

static int read_document(struct reader *r)
{
	static const struct key keys[] = {
		{ "subnets", read_subnets },
		{ "reactors", read_reactors },
		{ "lease", read_lease },
		{ "root_squash", read_root_squash },
		{ "throughput", read_throughput },
		{ "metrics", read_metrics },
		{ "alarm_actions", read_actions },
		{ "api", read_api },
		{ "nfs_tls", read_nfs_tls },
	};
	yaml_node_t *root = yaml_document_get_root_node(&r->document);

	if (root == NULL) /* an empty file */
		return 0;
	return read_mapping(r, root, keys, ARRAY_SIZE(keys), NULL);
}

static int parse(struct reader *r, FILE *in)
{
	yaml_parser_t parser;
	int error;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_file(&parser, in);
	if (!yaml_parser_load(&parser, &r->document)) {
		fprintf(stderr, "hawserd: %s:%zu: %s\n", r->path,
			parser.problem_mark.line + 1,
			parser.problem ? parser.problem : "no YAML");
		yaml_parser_delete(&parser);
		return -EINVAL;
	}
	error = read_document(r);
	yaml_document_delete(&r->document);
	yaml_parser_delete(&parser);
	return error;
}

int config_load(struct config *c, const char *path)
{
	struct reader r = { .config = c, .path = path };
	FILE *in = fopen(path, "re");
	int error;

	if (in == NULL) {
		error = -errno;
		fprintf(stderr, "hawserd: %s: %s\n", path, strerror(errno));
		return error;
	}
	error = parse(&r, in);
	fclose(in);
	return error;
}
