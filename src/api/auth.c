/* SPDX-License-Identifier: Apache-2.0 */
/* Who signed the request, and for which service. */
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

#include "api/internal.h"
#include "api/protocol.h"
#include "base/util.h"
#include "reactor/reactor.h"

static bool find_secret(void *arg, const char *id,
			char secret[SIGV4_SECRET_MAX + 1])
{
	struct api_call *call = arg;
	struct access_key key;

	if (!access_key_find(call->server->options.keys, id, &key))
		return false;
	strcpy(secret, key.secret);
	strcpy(call->user, key.user);
	call->policy = key.policy;
	OPENSSL_cleanse(&key, sizeof(key));
	return true;
}

/* An unsigned request does not say which service it is for: those of the query
 * protocols have a version. */
static void find_service(struct api_call *call)
{
	const char *form = call->body ? call->body : call->query;

	call->service = api_service_find(call->scope.service);
	if (call->service != NULL)
		return;
	if (strstr(form, "Version=2010-08-01"))
		call->service = api_service_find("monitoring");
	else if (strstr(form, "Version=2016-11-15"))
		call->service = api_service_find("ec2");
	else if (strstr(form, "Version=2011-06-15"))
		call->service = api_service_find("sts");
	else
		call->service = api_service_find("elasticfilesystem");
}

int api_authenticate(struct api_call *call)
{
	struct sigv4_header headers[API_HEADERS_MAX];
	struct sigv4_request r = {
		.method = call->method,
		.path = call->path,
		.query = call->query,
		.headers = headers,
		.n_headers = api_headers(call, headers, API_HEADERS_MAX),
		.now = reactor_realtime() / SEC(1),
	};
	/* One that is not looked at might still mean something. */
	bool too_many = r.n_headers > API_HEADERS_MAX;
	const struct api_auth_error *error;
	enum sigv4_verdict verdict;
	char text[SIGV4_TEXT];

	SHA256((const uint8_t *)(call->body ? call->body : ""), call->body_len,
	       r.body);
	r.n_headers = MIN(r.n_headers, (size_t)API_HEADERS_MAX);
	verdict = sigv4_check(&r, find_secret, call, &call->scope, text);
	if (verdict == SIGV4_VALID && too_many) {
		verdict = SIGV4_INCOMPLETE;
		snprintf(text, sizeof(text), "A request has up to %d headers.",
			 API_HEADERS_MAX);
	}
	find_service(call);
	if (call->service->by_target && api_header(call, "X-Amz-Target"))
		call->service = call->service->by_target;
	if (verdict == SIGV4_VALID &&
	    strcmp(call->service->name, call->scope.service) != 0) {
		verdict = SIGV4_MISMATCH;
		snprintf(
			text, sizeof(text),
			"Credential should be scoped to correct service: '%s'.",
			call->service->name);
	}
	if (verdict == SIGV4_VALID)
		return 0;
	error = &call->service->protocol->auth_errors[verdict];
	call->status = error->status;
	return api_refuse(call, error->code, "%s", text);
}
