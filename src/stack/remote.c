/* SPDX-License-Identifier: Apache-2.0 */
/* Calls: a request is made, signed and sent, and the answer told. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "stack/remote_internal.h"

enum {
	ANSWER_MAX = 16 << 20,
	CONNECT_SECONDS = 10,
	CALL_SECONDS = 120,
	TRIES = 5, /* of what the service says it has no time for */
};

static const char default_endpoint[] = "http://127.0.0.1:8077";

const char *remote_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

char *remote_escape(const struct remote *a, const char *text)
{
	char *escaped = curl_easy_escape(a->curl, text, 0);
	char *copy = escaped ? strdup(escaped) : NULL;

	curl_free(escaped);
	return copy;
}

/* ----------------------------------------------------------------- errors */

static int no_answer(struct remote *a, CURLcode code, const char *detail)
{
	a->error.code[0] = '\0';
	snprintf(a->error.text, sizeof(a->error.text), "%s: %s", a->endpoint,
		 detail[0] ? detail : curl_easy_strerror(code));
	return -EHOSTUNREACH;
}

/* The JSON of an error, in whichever of the shapes that there are. */
static json_t *error_of(const struct answer *answer)
{
	json_t *error, *list;

	if (answer->len == 0 || answer->text[0] != '<')
		return json_loadb(answer->text ?: "", answer->len, 0, NULL);
	error = remote_xml_parse(answer->text, answer->len);
	list = json_object_get(error, "Errors");
	list = json_object_get(list ? list : error, "Error");
	if (list != NULL) {
		json_incref(list);
		json_decref(error);
		error = list;
	}
	return error;
}

static const char *first_text(const json_t *object, const char *const *names)
{
	for (; *names; names++)
		if (remote_text(object, *names)[0])
			return remote_text(object, *names);
	return "";
}

static int refused(struct remote *a, const struct answer *answer)
{
	static const char *const codes[] = { "ErrorCode", "Code", "code",
					     "__type", NULL };
	static const char *const texts[] = { "Message", "message", NULL };
	json_t *error = error_of(answer);
	const char *code = first_text(error, codes);
	const char *text = first_text(error, texts);

	/* "com.amazonaws.kms#NotFoundException" */
	if (strchr(code, '#') != NULL)
		code = strchr(code, '#') + 1;
	snprintf(a->error.code, sizeof(a->error.code), "%s", code);
	if (code[0])
		snprintf(a->error.text, sizeof(a->error.text), "%s (%s)",
			 text[0] ? text : "refused", code);
	else
		snprintf(a->error.text, sizeof(a->error.text),
			 "%s: HTTP status %ld, and no error of AWS's: is this "
			 "the API's address?",
			 a->endpoint, answer->status);
	json_decref(error);
	return -EREMOTEIO;
}

const struct remote_error *remote_error(const struct remote *a)
{
	return &a->error;
}

bool remote_failed_with(const struct remote *a, const char *code)
{
	return strcmp(a->error.code, code) == 0;
}

/* ----------------------------------------------------------------- a call */

static size_t collect(char *data, size_t size, size_t n, void *arg)
{
	struct answer *answer = arg;
	char *grown;

	if (answer->len + n > ANSWER_MAX)
		return 0;
	grown = realloc(answer->text, answer->len + n + 1);
	if (grown == NULL)
		return 0;
	answer->text = grown;
	memcpy(grown + answer->len, data, n);
	answer->len += n;
	grown[answer->len] = '\0';
	return n;
}

/* The endpoint with {service} and {region} filled in, and the path. */
static char *make_url(const struct remote *a, const struct request *r)
{
	char *url = NULL;
	size_t len;
	FILE *out = open_memstream(&url, &len);

	if (out == NULL)
		return NULL;
	for (const char *p = a->endpoint; *p; p++) {
		if (strncmp(p, "{service}", 9) == 0) {
			fputs(r->service, out);
			p += 8;
		} else if (strncmp(p, "{region}", 8) == 0) {
			fputs(a->region, out);
			p += 7;
		} else {
			fputc(*p, out);
		}
	}
	fputs(r->path, out);
	fclose(out);
	return url;
}

static struct curl_slist *add_header(struct curl_slist *list, const char *name,
				     const char *value)
{
	char line[AWS_TOKEN + 64];

	snprintf(line, sizeof(line), "%s: %s", name, value);
	return curl_slist_append(list, line);
}

static struct curl_slist *make_headers(const struct remote *a,
				       const struct request *r)
{
	struct curl_slist *list = NULL;

	if (r->body != NULL)
		list = add_header(list, "Content-Type", r->content_type);
	if (r->target != NULL)
		list = add_header(list, "X-Amz-Target", r->target);
	if (a->keys.token[0])
		list = add_header(list, "X-Amz-Security-Token", a->keys.token);
	return list;
}

static void set_request(struct remote *a, const struct request *r)
{
	char provider[256];

	snprintf(provider, sizeof(provider), "aws:amz:%s:%s", a->region,
		 r->service);
	curl_easy_setopt(a->curl, CURLOPT_AWS_SIGV4, provider);
	curl_easy_setopt(a->curl, CURLOPT_USERNAME, a->keys.id);
	curl_easy_setopt(a->curl, CURLOPT_PASSWORD, a->keys.secret);
	if (r->body != NULL)
		curl_easy_setopt(a->curl, CURLOPT_POSTFIELDS, r->body);
	curl_easy_setopt(a->curl, CURLOPT_CUSTOMREQUEST, r->method);
	curl_easy_setopt(a->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(a->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(a->curl, CURLOPT_CONNECTTIMEOUT,
			 (long)CONNECT_SECONDS);
	curl_easy_setopt(a->curl, CURLOPT_TIMEOUT, (long)CALL_SECONDS);
	if (getenv("AWS_CA_BUNDLE") != NULL)
		curl_easy_setopt(a->curl, CURLOPT_CAINFO,
				 getenv("AWS_CA_BUNDLE"));
}

static int send_once(struct remote *a, const struct request *r,
		     struct answer *answer)
{
	struct curl_slist *headers = make_headers(a, r);
	auto_free char *url = make_url(a, r);
	char detail[CURL_ERROR_SIZE] = "";
	CURLcode code;

	free(answer->text);
	*answer = (struct answer){};
	/* Connections outlive a reset. */
	curl_easy_reset(a->curl);
	set_request(a, r);
	curl_easy_setopt(a->curl, CURLOPT_URL, url);
	curl_easy_setopt(a->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(a->curl, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(a->curl, CURLOPT_WRITEDATA, answer);
	curl_easy_setopt(a->curl, CURLOPT_ERRORBUFFER, detail);
	code = curl_easy_perform(a->curl);
	curl_easy_getinfo(a->curl, CURLINFO_RESPONSE_CODE, &answer->status);
	curl_easy_setopt(a->curl, CURLOPT_ERRORBUFFER, NULL);
	curl_slist_free_all(headers);
	return code == CURLE_OK ? 0 : no_answer(a, code, detail);
}

/* Only what was certainly not done goes again by itself. */
static bool is_busy(const struct answer *answer)
{
	return answer->status == 429 || answer->status == 503;
}

int remote_call(struct remote *a, const struct request *r,
		struct answer *answer)
{
	struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
	int error;

	for (int i = 0;; i++) {
		error = send_once(a, r, answer);
		if (error < 0 || !is_busy(answer) || i == TRIES - 1)
			break;
		nanosleep(&pause, NULL);
		pause.tv_nsec *= 2;
	}
	if (error < 0)
		return error;
	return answer->status < 300 ? 0 : refused(a, answer);
}

/* --------------------------------------------------------- open and close */

static const char *first_set(const char *given, const char *one,
			     const char *other, const char *by_default)
{
	const char *const values[] = { given, getenv(one), getenv(other) };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (values[i] != NULL && values[i][0])
			return values[i];
	return by_default;
}

static void set_place(struct remote *a, const struct remote_options *o)
{
	size_t len;

	a->endpoint = strdup(first_set(o->endpoint, "HAWSER_API_URL",
				       "AWS_ENDPOINT_URL", default_endpoint));
	len = strlen(a->endpoint);
	while (len > 0 && a->endpoint[len - 1] == '/')
		a->endpoint[--len] = '\0';
	snprintf(a->region, sizeof(a->region), "%s",
		 first_set(o->region, "AWS_REGION", "AWS_DEFAULT_REGION",
			   a->keys.region[0] ? a->keys.region : "us-east-1"));
}

int remote_open(const struct remote_options *options, struct remote **out,
		struct remote_error *why)
{
	struct remote *a = calloc(1, sizeof(*a));
	char where[400];

	if (a == NULL)
		return -ENOMEM;
	if (!remote_keys_find(options->profile, &a->keys, where,
			      sizeof(where))) {
		snprintf(why->text, sizeof(why->text),
			 "no access key: neither AWS_ACCESS_KEY_ID and "
			 "AWS_SECRET_ACCESS_KEY are set, nor is one in %s",
			 where);
		free(a);
		return -ENOENT;
	}
	set_place(a, options);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	a->curl = curl_easy_init();
	*out = a;
	return 0;
}

void remote_close(struct remote *a)
{
	if (a == NULL)
		return;
	curl_easy_cleanup(a->curl);
	curl_global_cleanup();
	free(a->endpoint);
	free(a);
}

const char *remote_endpoint(const struct remote *a)
{
	return a->endpoint;
}

const char *remote_region(const struct remote *a)
{
	return a->region;
}
