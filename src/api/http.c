/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP, by libmicrohttpd on its own threads.  The library calls handle() for a
 * request again and again:
 *
 *	once, with the headers      ─▶ begin()
 *	for each piece of the body  ─▶ take_body()
 *	when all is there           ─▶ run(): refused at once, or handed over,
 *	                               and the connection is suspended
 *	when it has been resumed    ─▶ reply()
 *
 * Bounds: connections, bytes of head and body, time (api.h, deadline.h).
 */
#include "api/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "api/deadline.h"
#include "api/protocol.h"
#include "base/log.h"
#include "base/util.h"

enum { THREADS = 2, BODY_FIRST = 4096, BACKLOG = 128 };

struct api_http {
	struct MHD_Daemon *daemon;
	struct api_server *server;
	const struct api_service *open; /* or NULL */
	struct deadlines deadlines;
};

/*
 * A connection: the call that it has, which it frees if the library does not
 * say how the request ended (a head that is no good ends without a word), and
 * how long its client may take.
 */
struct link {
	struct api_http *http;
	struct api_call *call;
	struct deadline deadline;
};

static struct link *link_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static void wait_for_client(struct MHD_Connection *c, bool yes)
{
	struct link *l = link_of(c);

	if (l != NULL && yes)
		deadline_start(&l->http->deadlines, &l->deadline);
	else if (l != NULL)
		deadline_stop(&l->http->deadlines, &l->deadline);
}

/* ---------------------------------------------------------------- headers */

const char *api_header(const struct api_call *call, const char *name)
{
	return MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND,
					   name);
}

struct header_list {
	struct sigv4_header *list;
	size_t n, max;
};

static enum MHD_Result add_header(void *arg, enum MHD_ValueKind kind,
				  const char *name, const char *value)
{
	struct header_list *h = arg;

	if (h->n < h->max)
		h->list[h->n] =
			(struct sigv4_header){ name, value ? value : "" };
	h->n++;
	return MHD_YES;
}

size_t api_headers(const struct api_call *call, struct sigv4_header *list,
		   size_t max)
{
	struct header_list h = { list, 0, max };

	MHD_get_connection_values(call->connection, MHD_HEADER_KIND, add_header,
				  &h);
	return h.n;
}

/* ------------------------------------------------------------------ reply */

static enum MHD_Result queue(struct api_call *call, unsigned status, char *body)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(
		strlen(body), body, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result ok;
	const char *name;
	json_t *value;

	if (r == NULL) {
		free(body);
		return MHD_NO;
	}
	if (*body)
		MHD_add_response_header(
			r, "Content-Type",
			call->content_type
				? call->content_type
				: call->service->protocol->content_type);
	json_object_foreach(call->headers, name, value)
		MHD_add_response_header(r, name, json_string_value(value));
	MHD_add_response_header(r, "x-amzn-RequestId", call->id);
	if (call->error.code != NULL &&
	    call->service->protocol == &api_json_10) {
		char code[128];

		snprintf(code, sizeof(code), "%s;Sender", call->error.code);
		MHD_add_response_header(r, "x-amzn-query-error", code);
	}
	if (call->error.code != NULL)
		MHD_add_response_header(r, "x-amzn-ErrorType",
					call->error.code);
	ok = MHD_queue_response(call->connection, status, r);
	MHD_destroy_response(r);
	return ok;
}

static enum MHD_Result reply(struct api_call *call)
{
	unsigned status;
	char *body;

	status = api_reply(call, &body);
	return body ? queue(call, status, body) : MHD_NO;
}

/* Without reading its body, or who it is from; the connection ends. */
static enum MHD_Result refuse_unread(struct api_call *call, const char *code,
				     const char *text)
{
	call->service = api_service_find("elasticfilesystem");
	api_refuse(call, code, "%s", text);
	return reply(call);
}

/* ---------------------------------------------------------------- request */

static void note_peer(struct api_call *call)
{
	const union MHD_ConnectionInfo *info;
	struct addr a = {};

	info = MHD_get_connection_info(call->connection,
				       MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (info != NULL && info->client_addr != NULL) {
		a.len = info->client_addr->sa_family == AF_INET6 ? sizeof(a.in6)
								 : sizeof(a.in);
		memcpy(&a.sa, info->client_addr, a.len);
		addr_format_host(&a, call->peer);
	}
	info = MHD_get_connection_info(call->connection,
				       MHD_CONNECTION_INFO_DAEMON);
	call->secure = info != NULL &&
		       (MHD_get_daemon_info(info->daemon, MHD_DAEMON_INFO_FLAGS)
				->flags &
			MHD_USE_TLS);
}

static enum MHD_Result count_lengths(void *arg, enum MHD_ValueKind kind,
				     const char *name, const char *value)
{
	unsigned *n = arg;

	*n += strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 ||
	      strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
	return MHD_YES;
}

/* Where a body ends must not be a matter of who reads it (RFC 9112, 6.3). */
static bool has_one_length(const struct api_call *call)
{
	unsigned n = 0;

	MHD_get_connection_values(call->connection, MHD_HEADER_KIND,
				  count_lengths, &n);
	return n <= 1;
}

static enum MHD_Result begin(struct api_call *call, struct MHD_Connection *c,
			     const char *method)
{
	const char *length;

	call->begun = true;
	call->connection = c;
	if (strlen(method) >= sizeof(call->method))
		return MHD_NO;
	strcpy(call->method, method);
	note_peer(call);
	length = api_header(call, MHD_HTTP_HEADER_CONTENT_LENGTH);
	if (!has_one_length(call))
		return refuse_unread(call, "BadRequest",
				     "A request has one Content-Length, or "
				     "a Transfer-Encoding.");
	if (length != NULL && strtoull(length, NULL, 10) > API_BODY_MAX)
		return refuse_unread(call, "RequestEntityTooLarge",
				     "The body of the request is too large.");
	return MHD_YES;
}

/* A body without a length that is too long costs its sender the connection. */
static enum MHD_Result take_body(struct api_call *call, const char *data,
				 size_t *len)
{
	size_t size = MAX(call->body_size, (size_t)BODY_FIRST);
	char *body;

	if (call->body_len + *len > API_BODY_MAX)
		return MHD_NO;
	while (size <= call->body_len + *len)
		size *= 2;
	if (size > call->body_size) {
		body = realloc(call->body, size);
		if (body == NULL)
			return MHD_NO;
		call->body = body;
		call->body_size = size;
	}
	memcpy(call->body + call->body_len, data, *len);
	call->body_len += *len;
	call->body[call->body_len] = '\0';
	*len = 0;
	return MHD_YES;
}

static enum MHD_Result run(struct api_call *call)
{
	if (call->service == NULL && api_authenticate(call) < 0)
		return reply(call);
	if (api_parse(call) < 0)
		return reply(call);
	call->answered = true;
	wait_for_client(call->connection, false);
	MHD_suspend_connection(call->connection);
	if (api_call_start(call) < 0)
		MHD_resume_connection(call->connection);
	return MHD_YES;
}

void api_http_resume(struct api_call *call)
{
	MHD_resume_connection(call->connection);
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *c,
			      const char *url, const char *method,
			      const char *version, const char *data,
			      size_t *len, void **of_request)
{
	struct api_call *call = *of_request;

	if (call == NULL) /* no memory */
		return MHD_NO;
	if (!call->begun)
		return begin(call, c, method);
	if (*len > 0)
		return take_body(call, data, len);
	if (!call->answered)
		return run(call);
	wait_for_client(c, true);
	return reply(call);
}

static void drop_call(struct link *l)
{
	if (l->call != NULL)
		api_call_free(l->call);
	l->call = NULL;
}

static struct link *link_new(struct api_http *h, struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct link *l = info ? calloc(1, sizeof(*l)) : NULL;

	if (l == NULL)
		return NULL;
	l->http = h;
	deadline_add(&h->deadlines, &l->deadline, info->connect_fd);
	return l;
}

static void connection_changes(void *arg, struct MHD_Connection *c,
			       void **of_connection,
			       enum MHD_ConnectionNotificationCode what)
{
	struct link *l = *of_connection;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*of_connection = link_new(arg, c);
	} else if (l != NULL) {
		deadline_remove(&l->http->deadlines, &l->deadline);
		drop_call(l);
		free(l);
		*of_connection = NULL;
	}
}

/* The first that is heard of a request: its URI as it came. */
static void *request_starts(void *arg, const char *uri,
			    struct MHD_Connection *c)
{
	struct link *l = link_of(c);
	struct api_http *h = arg;

	if (l == NULL) /* no memory */
		return NULL;
	drop_call(l);
	l->call = api_call_new(h->server, uri);
	if (l->call != NULL)
		l->call->service =
			h->open ? h->open : api_console_for(h->server, uri);
	return l->call;
}

static void request_ends(void *arg, struct MHD_Connection *c, void **of_request,
			 enum MHD_RequestTerminationCode why)
{
	struct link *l = link_of(c);

	if (l != NULL)
		drop_call(l);
	wait_for_client(c, true);
	*of_request = NULL;
}

__attribute__((format(printf, 2, 0))) static void library_says(
	void *arg, const char *format, va_list args)
{
	char text[256];
	int n = vsnprintf(text, sizeof(text), format, args);

	if (n > 0 && (size_t)n < sizeof(text) && text[n - 1] == '\n')
		text[n - 1] = '\0';
	log_debug("api: %s", text);
}

/* --------------------------------------------------------- start and stop */

static int listen_on(struct addr *at)
{
	int fd = socket(at->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1, error;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, &at->sa, at->len) < 0 || listen(fd, BACKLOG) < 0 ||
	    getsockname(fd, &at->sa, &at->len) < 0) {
		error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

static struct MHD_Daemon *start_daemon(struct api_http *h, int fd,
				       const struct api_tls *tls)
{
	struct MHD_OptionItem options[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0,
		  tls ? (void *)tls->certificate : NULL },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, tls ? (void *)tls->key : NULL },
		{ MHD_OPTION_END, 0, NULL },
	};
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD |
			 MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;

	if (tls == NULL)
		options[0].option = MHD_OPTION_END;
	return MHD_start_daemon(
		tls ? flags | MHD_USE_TLS : flags, 0, NULL, NULL, handle, h,
		MHD_OPTION_EXTERNAL_LOGGER, library_says, NULL,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE,
		(unsigned)THREADS, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)API_CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)API_HEAD_MAX,
		MHD_OPTION_URI_LOG_CALLBACK, request_starts, h,
		MHD_OPTION_NOTIFY_COMPLETED, request_ends, NULL,
		MHD_OPTION_NOTIFY_CONNECTION, connection_changes, h,
		MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

static void http_free(struct api_http *h)
{
	deadlines_fini(&h->deadlines);
	free(h);
}

int api_http_start(struct api_server *s, struct addr *at,
		   const struct api_tls *tls, const struct api_service *open,
		   struct api_http **out)
{
	struct api_http *h = calloc(1, sizeof(*h));
	int fd;

	if (h == NULL)
		return -ENOMEM;
	h->server = s;
	h->open = open;
	deadlines_init(&h->deadlines, API_CONNECTIONS_MAX * 3 / 4);
	fd = listen_on(at);
	if (fd >= 0)
		h->daemon = start_daemon(h, fd, tls);
	if (h->daemon == NULL) {
		if (fd >= 0)
			close(fd);
		http_free(h);
		return fd < 0 ? fd : -EPROTO;
	}
	*out = h;
	return 0;
}

void api_http_enforce(struct api_http *h)
{
	deadlines_enforce(&h->deadlines);
}

void api_http_quiesce(struct api_http *h)
{
	MHD_socket fd = MHD_quiesce_daemon(h->daemon);

	if (fd != MHD_INVALID_SOCKET)
		close(fd);
}

void api_http_stop(struct api_http *h)
{
	MHD_stop_daemon(h->daemon);
	http_free(h);
}
