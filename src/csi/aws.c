/* SPDX-License-Identifier: Apache-2.0 */
/* One request: libcurl signs it and keeps connections open. */
#include "csi/aws.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/log.h"
#include "base/util.h"

#define SERVICE "elasticfilesystem"

enum { REPLY_MAX = 8 << 20, IDLE_MAX = 64, TRIES = 5, FIRST_PAUSE_MS = 100 };

struct aws {
	char url[512], region[64], sign[128];
	pthread_mutex_t lock; /* of what follows */
	CURL *idle[IDLE_MAX]; /* with their connections */
	unsigned n_idle;
};

static const char *first_of(const char *const *names, const char *otherwise)
{
	for (; *names; names++) {
		const char *value = getenv(*names);

		if (value != NULL && *value != '\0')
			return value;
	}
	return otherwise;
}

static void set_url(struct aws *a, const char *url)
{
	static const char *const names[] = { "AWS_ENDPOINT_URL_EFS",
					     "AWS_ENDPOINT_URL",
					     "HAWSER_API_URL", NULL };
	size_t len;

	if (url == NULL)
		url = first_of(names, NULL);
	if (url != NULL)
		snprintf(a->url, sizeof(a->url), "%s", url);
	else
		snprintf(a->url, sizeof(a->url),
			 "https://" SERVICE ".%s.amazonaws.com", a->region);
	len = strlen(a->url);
	if (len > 0 && a->url[len - 1] == '/')
		a->url[len - 1] = '\0';
}

int aws_create(const char *url, const char *region, struct aws **out)
{
	static const char *const names[] = { "AWS_REGION", "AWS_DEFAULT_REGION",
					     NULL };
	struct aws *a = calloc(1, sizeof(*a));

	if (a == NULL || curl_global_init(CURL_GLOBAL_ALL) != 0) {
		free(a);
		return -ENOMEM;
	}
	snprintf(a->region, sizeof(a->region), "%s",
		 region ? region : first_of(names, "us-east-1"));
	snprintf(a->sign, sizeof(a->sign), "aws:amz:%s:" SERVICE, a->region);
	set_url(a, url);
	pthread_mutex_init(&a->lock, NULL);
	*out = a;
	return 0;
}

void aws_destroy(struct aws *a)
{
	while (a->n_idle > 0)
		curl_easy_cleanup(a->idle[--a->n_idle]);
	pthread_mutex_destroy(&a->lock);
	free(a);
	curl_global_cleanup();
}

const char *aws_url(const struct aws *a)
{
	return a->url;
}

const char *aws_signs_for(const struct aws *a)
{
	return a->region;
}

const char *aws_escape(const char *text, char *out)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789-._~";
	char *to = out;

	for (; *text; text++)
		if (strchr(plain, *text))
			*to++ = *text;
		else
			to += sprintf(to, "%%%02X", (unsigned char)*text);
	*to = '\0';
	return out;
}

/* ------------------------------------------------------------- connections */

static CURL *take(struct aws *a)
{
	CURL *c = NULL;

	pthread_mutex_lock(&a->lock);
	if (a->n_idle > 0)
		c = a->idle[--a->n_idle];
	pthread_mutex_unlock(&a->lock);
	if (c != NULL)
		curl_easy_reset(c);
	return c ? c : curl_easy_init();
}

static void give_back(struct aws *a, CURL *c)
{
	pthread_mutex_lock(&a->lock);
	if (a->n_idle < IDLE_MAX) {
		a->idle[a->n_idle++] = c;
		c = NULL;
	}
	pthread_mutex_unlock(&a->lock);
	if (c != NULL)
		curl_easy_cleanup(c);
}

/* ----------------------------------------------------------------- a request
 */

static size_t on_body(char *data, size_t one, size_t n, void *arg)
{
	struct aws_reply *reply = arg;
	char *body;

	if (reply->len + n > REPLY_MAX)
		return 0;
	body = realloc(reply->body, reply->len + n + 1);
	if (body == NULL)
		return 0;
	memcpy(body + reply->len, data, n);
	reply->body = body;
	reply->len += n;
	body[reply->len] = '\0';
	return n;
}

static size_t on_header(char *data, size_t one, size_t n, void *arg)
{
	static const char name[] = "x-amzn-errortype:";
	struct aws_reply *reply = arg;
	size_t at = sizeof(name) - 1, len;

	if (n <= at || strncasecmp(data, name, at) != 0)
		return n;
	while (at < n && data[at] == ' ')
		at++;
	for (len = 0; at + len < n && !strchr(":\r\n", data[at + len]); len++)
		;
	snprintf(reply->type, sizeof(reply->type), "%.*s", (int)len, data + at);
	return n;
}

static struct curl_slist *headers_of(const struct aws_key *key,
				     const char *body)
{
	struct curl_slist *list = NULL;
	char text[AWS_TOKEN_SIZE + 32];

	if (body != NULL)
		list = curl_slist_append(list,
					 "Content-Type: application/json");
	if (key->token[0]) {
		snprintf(text, sizeof(text), "X-Amz-Security-Token: %s",
			 key->token);
		list = curl_slist_append(list, text);
	}
	return list;
}

static void set_options(struct aws *a, CURL *c, const struct aws_key *key,
			const char *method, const char *body,
			struct aws_reply *reply)
{
	const char *ca = getenv("AWS_CA_BUNDLE");
	char user[2 * AWS_WORD_SIZE + 1];

	snprintf(user, sizeof(user), "%s:%s", key->id, key->secret);
	curl_easy_setopt(c, CURLOPT_USERPWD, user);
	curl_easy_setopt(c, CURLOPT_AWS_SIGV4, a->sign);
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
	if (body != NULL)
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
	if (ca != NULL && *ca != '\0')
		curl_easy_setopt(c, CURLOPT_CAINFO, ca);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 3L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, 20L);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, reply);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, reply);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "hawser-csi/" HAWSER_VERSION);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
}

static void perform(struct aws *a, CURL *c, const char *path,
		    struct aws_reply *reply)
{
	auto_free char *url = malloc(strlen(a->url) + strlen(path) + 1);
	long status = 0;
	CURLcode code = CURLE_OUT_OF_MEMORY;

	if (url != NULL) {
		sprintf(url, "%s%s", a->url, path);
		curl_easy_setopt(c, CURLOPT_URL, url);
		code = curl_easy_perform(c);
	}
	if (code == CURLE_OK)
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	else
		snprintf(reply->error, sizeof(reply->error), "%s: %s", a->url,
			 curl_easy_strerror(code));
	reply->status = (int)status;
}

static void try_once(struct aws *a, const char *method, const char *path,
		     const char *body, struct aws_reply *reply)
{
	struct curl_slist *headers;
	struct aws_key key;
	CURL *c;

	memset(reply, 0, sizeof(*reply));
	if (aws_key_find(&key, reply->error, sizeof(reply->error)) < 0)
		return;
	c = take(a);
	if (c == NULL) {
		snprintf(reply->error, sizeof(reply->error), "out of memory");
		return;
	}
	headers = headers_of(&key, body);
	set_options(a, c, &key, method, body, reply);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	perform(a, c, path, reply);
	curl_slist_free_all(headers);
	give_back(a, c);
	explicit_bzero(&key, sizeof(key));
}

static bool is_worth_another(const struct aws_reply *reply)
{
	return reply->status == 0 || reply->status == 429 ||
	       reply->status >= 500;
}

void aws_request(struct aws *a, const char *method, const char *path,
		 const char *body, struct aws_reply *reply)
{
	struct timespec pause = { .tv_nsec = FIRST_PAUSE_MS * 1000000L };

	for (int i = 1;; i++) {
		try_once(a, method, path, body, reply);
		if (!is_worth_another(reply) || i == TRIES)
			return;
		log_debug("%s %s: %s, once more", method, path,
			  reply->status ? reply->type : reply->error);
		free(reply->body);
		nanosleep(&pause, NULL);
		pause.tv_nsec *= 2;
		if (pause.tv_nsec >= 1000000000L)
			pause = (struct timespec){ .tv_sec = 1 };
	}
}
