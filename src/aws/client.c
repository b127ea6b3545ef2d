/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests and answers.  A client keeps the libcurl handles that are idle, with
 * their connections; a call takes one, or makes one.
 */
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "aws/internal.h"
#include "base/util.h"

enum {
	CONNECT_MS = 5000,
	ANSWER_MS = 20000,
	ANSWER_MAX = 64 << 20, /* 10,000 access points are 6 MB */
	IDLE_MAX = 16,
	TRIES = 4, /* with 0.1, 0.2 and 0.4 s between them */
};

struct aws_client {
	struct aws_settings settings;
	pthread_mutex_t lock; /* of idle, idle_count; held for no call */
	CURL *idle[IDLE_MAX];
	int idle_count;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

int aws_open(struct aws_client **client, const struct aws_options *o,
	     struct aws_error *e)
{
	struct aws_client *c = calloc(1, sizeof(*c));

	*e = (struct aws_error){ 0 };
	if (c == NULL)
		return aws_fail(e, -ENOMEM, "no memory");
	pthread_once(&once, init);
	pthread_mutex_init(&c->lock, NULL);
	if (settings_load(&c->settings, o) < 0) {
		aws_close(c);
		return aws_fail(e, -ENOMEM, "no memory");
	}
	*client = c;
	return 0;
}

void aws_close(struct aws_client *c)
{
	while (c->idle_count > 0)
		curl_easy_cleanup(c->idle[--c->idle_count]);
	pthread_mutex_destroy(&c->lock);
	settings_free(&c->settings);
	free(c);
}

const char *aws_region(const struct aws_client *c)
{
	return c->settings.region;
}

int aws_key_get(const struct aws_client *c, struct aws_key *key,
		struct aws_error *e)
{
	*e = (struct aws_error){ 0 };
	return settings_key(&c->settings, key, e);
}

void aws_endpoint(const struct aws_client *c, const char *service,
		  char url[AWS_ENDPOINT_SIZE])
{
	settings_endpoint(&c->settings, service, url, AWS_ENDPOINT_SIZE);
}

static CURL *take_handle(struct aws_client *c)
{
	CURL *handle = NULL;

	pthread_mutex_lock(&c->lock);
	if (c->idle_count > 0)
		handle = c->idle[--c->idle_count];
	pthread_mutex_unlock(&c->lock);
	return handle != NULL ? handle : curl_easy_init();
}

static void return_handle(struct aws_client *c, CURL *handle)
{
	curl_easy_reset(handle); /* its connection stays open */
	pthread_mutex_lock(&c->lock);
	if (c->idle_count < IDLE_MAX) {
		c->idle[c->idle_count++] = handle;
		handle = NULL;
	}
	pthread_mutex_unlock(&c->lock);
	if (handle != NULL)
		curl_easy_cleanup(handle);
}

static size_t on_data(char *data, size_t size, size_t count, void *arg)
{
	struct answer *a = arg;
	size_t len = size * count;
	char *text;

	if (len > ANSWER_MAX - a->len)
		return 0;
	text = realloc(a->text, a->len + len + 1);
	if (text == NULL)
		return 0;
	memcpy(text + a->len, data, len);
	a->text = text;
	a->len += len;
	text[a->len] = '\0';
	return len;
}

static struct curl_slist *headers(const struct aws_key *key,
				  const struct request *request)
{
	struct curl_slist *list = NULL;
	char line[4200];

	if (request->body != NULL) {
		snprintf(line, sizeof(line), "Content-Type: %s",
			 request->content_type);
		list = curl_slist_append(list, line);
	}
	if (request->target != NULL) {
		snprintf(line, sizeof(line), "X-Amz-Target: %s",
			 request->target);
		list = curl_slist_append(list, line);
	}
	if (key->token != NULL) {
		snprintf(line, sizeof(line), "X-Amz-Security-Token: %s",
			 key->token);
		list = curl_slist_append(list, line);
	}
	return curl_slist_append(list, "Accept: */*");
}

static void set_up(const struct aws_client *c, CURL *handle,
		   const struct aws_key *key, const struct request *request,
		   struct answer *answer)
{
	const struct aws_settings *s = &c->settings;
	char base[AWS_ENDPOINT_SIZE], sign[256];
	auto_free char *url = NULL;

	if (settings_endpoint(s, request->service, base, sizeof(base)))
		curl_easy_setopt(handle, CURLOPT_NOPROXY, "*");
	if (asprintf(&url, "%s%s", base, request->path) < 0)
		url = NULL;
	snprintf(sign, sizeof(sign), "aws:amz:%s:%s", s->region,
		 request->service);
	curl_easy_setopt(handle, CURLOPT_URL, url);
	curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request->method);
	if (request->body != NULL)
		curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request->body);
	curl_easy_setopt(handle, CURLOPT_AWS_SIGV4, sign);
	curl_easy_setopt(handle, CURLOPT_USERNAME, key->id);
	curl_easy_setopt(handle, CURLOPT_PASSWORD, key->secret);
	if (s->ca != NULL)
		curl_easy_setopt(handle, CURLOPT_CAINFO, s->ca);
	curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)ANSWER_MS);
	curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(handle, CURLOPT_WRITEDATA, answer);
}

static int to_errno(CURLcode code)
{
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_COULDNT_CONNECT:
		return -ECONNREFUSED;
	case CURLE_COULDNT_RESOLVE_HOST:
		return -EHOSTUNREACH;
	case CURLE_WRITE_ERROR:
		return -EMSGSIZE;
	default:
		return -ECONNRESET;
	}
}

static int try_once(struct aws_client *c, CURL *handle,
		    const struct aws_key *key, const struct request *request,
		    struct answer *answer, struct aws_error *e)
{
	struct curl_slist *list = headers(key, request);
	char text[CURL_ERROR_SIZE] = "", url[AWS_ENDPOINT_SIZE];
	CURLcode code;
	long status = 0;

	*answer = (struct answer){ 0 };
	set_up(c, handle, key, request, answer);
	curl_easy_setopt(handle, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, text);
	code = curl_easy_perform(handle);
	curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, NULL);
	curl_slist_free_all(list);
	if (code == CURLE_OK) {
		answer->status = (int)status;
		return 0;
	}
	free(answer->text);
	*answer = (struct answer){ 0 };
	aws_endpoint(c, request->service, url);
	return aws_fail(e, to_errno(code), "%s: %s", url,
			text[0] ? text : curl_easy_strerror(code));
}

static bool is_worth_another(int r, const struct request *request,
			     const struct answer *answer)
{
	if (r == 0 && (answer->status == 429 || answer->status == 503))
		return true;
	return !request->once && (r < 0 || answer->status >= 500);
}

int exchange(struct aws_client *c, const struct request *request,
	     struct answer *answer, struct aws_error *e)
{
	struct aws_key key;
	CURL *handle;
	int r;

	*e = (struct aws_error){ 0 };
	r = settings_key(&c->settings, &key, e);
	handle = r == 0 ? take_handle(c) : NULL;
	if (r == 0 && handle == NULL)
		r = aws_fail(e, -ENOMEM, "no memory");
	for (int i = 0; r == 0; i++) {
		struct timespec pause = { .tv_nsec = 100000000L << i };

		r = try_once(c, handle, &key, request, answer, e);
		if (i == TRIES - 1 || !is_worth_another(r, request, answer))
			break;
		free(answer->text);
		nanosleep(&pause, NULL);
		curl_easy_reset(handle);
		r = 0;
	}
	if (handle != NULL)
		return_handle(c, handle);
	aws_key_free(&key);
	return r;
}
