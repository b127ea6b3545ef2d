/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gRPC.  Each of the threads has a completion queue of its own, on which it
 * takes one call at a time from beginning to end, so that a call is
 * straight-line code:
 *
 *	accept    ask for a call, wait until there is one
 *	receive   its message
 *	run       look the method up, decode, the handler (which may block)
 *	answer    the message or the refusal, and wait until it is sent
 *
 * More calls than threads wait inside of gRPC.
 */
#include "csi/server.h"

#include <errno.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/time.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "csi/internal.h"
#include "csi/text.h"

/* After a signal, calls have so long to end. */
enum { END_GRACE_S = 10 };

struct server {
	struct csi *csi;
	grpc_server *grpc;
	grpc_completion_queue *main_queue; /* of the shutdown */
	struct worker {
		struct server *server;
		grpc_completion_queue *queue;
		pthread_t thread;
	} workers[CSI_THREADS];
	unsigned n_workers; /* that run */
};

struct rpc {
	grpc_call *call;
	grpc_call_details details;
	grpc_metadata_array metadata;
	grpc_byte_buffer *message; /* NULL: the caller has gone */
};

/* Until what was asked for on this queue has happened; false: it failed, or the
 * server ends. */
static bool wait_for(struct worker *w)
{
	grpc_event event = grpc_completion_queue_next(
		w->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);

	return event.type == GRPC_OP_COMPLETE && event.success;
}

static bool batch(struct worker *w, struct rpc *rpc, const grpc_op *ops,
		  size_t n)
{
	return grpc_call_start_batch(rpc->call, ops, n, rpc, NULL) ==
		       GRPC_CALL_OK &&
	       wait_for(w);
}

static bool accept_call(struct worker *w, struct rpc *rpc)
{
	memset(rpc, 0, sizeof(*rpc));
	grpc_call_details_init(&rpc->details);
	grpc_metadata_array_init(&rpc->metadata);
	return grpc_server_request_call(w->server->grpc, &rpc->call,
					&rpc->details, &rpc->metadata, w->queue,
					w->queue, rpc) == GRPC_CALL_OK &&
	       wait_for(w);
}

static bool receive(struct worker *w, struct rpc *rpc)
{
	grpc_op op = { .op = GRPC_OP_RECV_MESSAGE,
		       .data.recv_message.recv_message = &rpc->message };

	return batch(w, rpc, &op, 1) && rpc->message != NULL;
}

static void end_call(struct rpc *rpc)
{
	if (rpc->message != NULL)
		grpc_byte_buffer_destroy(rpc->message);
	if (rpc->call != NULL)
		grpc_call_unref(rpc->call);
	grpc_metadata_array_destroy(&rpc->metadata);
	grpc_call_details_destroy(&rpc->details);
}

/* ---------------------------------------------------------------- messages */

static ProtobufCMessage *decode(struct rpc *rpc,
				const ProtobufCMessageDescriptor *descriptor)
{
	grpc_byte_buffer_reader reader;
	ProtobufCMessage *message;
	grpc_slice slice;

	if (!grpc_byte_buffer_reader_init(&reader, rpc->message))
		return NULL;
	slice = grpc_byte_buffer_reader_readall(&reader);
	message = protobuf_c_message_unpack(descriptor, NULL,
					    GRPC_SLICE_LENGTH(slice),
					    GRPC_SLICE_START_PTR(slice));
	if (message != NULL &&
	    !text_is_clean(descriptor, GRPC_SLICE_START_PTR(slice),
			   GRPC_SLICE_LENGTH(slice))) {
		protobuf_c_message_free_unpacked(message, NULL);
		message = NULL;
	}
	grpc_slice_unref(slice);
	grpc_byte_buffer_reader_destroy(&reader);
	return message;
}

static grpc_byte_buffer *encode(const ProtobufCMessage *message)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	grpc_slice slice = grpc_slice_malloc(size);
	grpc_byte_buffer *buffer;

	protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
	buffer = grpc_raw_byte_buffer_create(&slice, 1);
	grpc_slice_unref(slice);
	return buffer;
}

static void answer(struct worker *w, struct rpc *rpc,
		   const struct csi_call *call)
{
	grpc_slice text = grpc_slice_from_copied_string(call->text);
	int cancelled = 0;
	grpc_byte_buffer *message =
		call->status == GRPC_STATUS_OK ? encode(call->response) : NULL;
	const grpc_op ops[] = {
		{ .op = GRPC_OP_SEND_INITIAL_METADATA },
		{ .op = GRPC_OP_RECV_CLOSE_ON_SERVER,
		  .data.recv_close_on_server.cancelled = &cancelled },
		{ .op = GRPC_OP_SEND_STATUS_FROM_SERVER,
		  .data.send_status_from_server = { .status = call->status,
						    .status_details = &text } },
		{ .op = GRPC_OP_SEND_MESSAGE,
		  .data.send_message.send_message = message },
	};

	/* That a caller has gone is no news to anybody. */
	batch(w, rpc, ops, message ? 4 : 3);
	if (message != NULL)
		grpc_byte_buffer_destroy(message);
	grpc_slice_unref(text);
}

/* -------------------------------------------------------------------- calls */

/* The answer may borrow from the request: that goes after it. */
static ProtobufCMessage *run(struct csi_call *call, struct rpc *rpc)
{
	const char *path =
		(const char *)GRPC_SLICE_START_PTR(rpc->details.method);
	int len = GRPC_SLICE_LENGTH(rpc->details.method);
	const struct csi_method *method = csi_method_find(path, len);
	ProtobufCMessage *request;

	if (method == NULL) {
		csi_refuse(call, GRPC_STATUS_UNIMPLEMENTED, "%.*s is not there",
			   MIN(len, 200), path);
		return NULL;
	}
	request = decode(rpc, method->request);
	if (request == NULL) {
		csi_refuse(call, GRPC_STATUS_INVALID_ARGUMENT,
			   "the message is not one of %s, or a text in it is "
			   "not UTF-8 or has a NUL",
			   method->path);
		return NULL;
	}
	log_debug("%s", method->path);
	call->request = request;
	call->response = csi_message(call, method->response);
	if (method->handler(call) < 0)
		log_info("%s: %s", strrchr(method->path, '/') + 1, call->text);
	return request;
}

static void run_and_answer(struct worker *w, struct rpc *rpc)
{
	struct csi_call call = { .csi = w->server->csi,
				 .status = GRPC_STATUS_OK };
	ProtobufCMessage *request;

	arena_init(&call.arena, NULL, 0, CSI_ANSWER_MEMORY);
	request = run(&call, rpc);
	answer(w, rpc, &call);
	protobuf_c_message_free_unpacked(request, NULL);
	arena_fini(&call.arena);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct rpc rpc;
	bool more;

	do {
		more = accept_call(w, &rpc);
		if (more && receive(w, &rpc))
			run_and_answer(w, &rpc);
		end_call(&rpc);
	} while (more);
	return NULL;
}

/* --------------------------------------------------------- start and end */

/* Only who runs this process may connect: a volume's data are at stake. */
static int listen_on(struct server *s, const char *path)
{
	grpc_server_credentials *plain =
		grpc_insecure_server_credentials_create();
	char address[200];
	mode_t mask;
	int ok;

	snprintf(address, sizeof(address), "unix:%s", path);
	mask = umask(0177);
	ok = grpc_server_add_http2_port(s->grpc, address, plain);
	umask(mask);
	grpc_server_credentials_release(plain);
	if (ok)
		return 0;
	log_error("%s: cannot listen there", path);
	return -EADDRNOTAVAIL;
}

static int create(struct server *s)
{
	grpc_arg most = { .type = GRPC_ARG_INTEGER,
			  .key = (char *)GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
			  .value.integer = CSI_MESSAGE_MAX };
	grpc_channel_args args = { 1, &most };

	s->grpc = grpc_server_create(&args, NULL);
	if (s->grpc == NULL)
		return -ENOMEM;
	s->main_queue = grpc_completion_queue_create_for_next(NULL);
	grpc_server_register_completion_queue(s->grpc, s->main_queue, NULL);
	for (size_t i = 0; i < CSI_THREADS; i++) {
		struct worker *w = &s->workers[i];

		w->server = s;
		w->queue = grpc_completion_queue_create_for_next(NULL);
		grpc_server_register_completion_queue(s->grpc, w->queue, NULL);
	}
	return 0;
}

static int start(struct server *s)
{
	int r = 0;

	grpc_server_start(s->grpc);
	for (; s->n_workers < CSI_THREADS && r == 0; s->n_workers += r == 0)
		r = pthread_create(&s->workers[s->n_workers].thread, NULL, work,
				   &s->workers[s->n_workers]);
	if (r != 0)
		log_error("a thread can't be started: %s", strerror(r));
	return -r;
}

static gpr_timespec in_seconds(int seconds)
{
	return gpr_time_add(gpr_now(GPR_CLOCK_REALTIME),
			    gpr_time_from_seconds(seconds, GPR_TIMESPAN));
}

static void stop(struct server *s)
{
	grpc_event event;

	grpc_server_shutdown_and_notify(s->grpc, s->main_queue, s);
	event = grpc_completion_queue_next(s->main_queue,
					   in_seconds(END_GRACE_S), NULL);
	if (event.type != GRPC_QUEUE_TIMEOUT)
		return;
	/* Whoever called will call again. */
	log_warn("calls that have not ended are cut off");
	_exit(EXIT_FAILURE);
}

static void destroy(struct server *s)
{
	for (size_t i = 0; i < s->n_workers; i++)
		pthread_join(s->workers[i].thread, NULL);
	grpc_server_destroy(s->grpc);
	for (size_t i = 0; i < CSI_THREADS; i++) {
		grpc_completion_queue_shutdown(s->workers[i].queue);
		while (wait_for(&s->workers[i]))
			;
		grpc_completion_queue_destroy(s->workers[i].queue);
	}
	grpc_completion_queue_shutdown(s->main_queue);
	grpc_completion_queue_next(s->main_queue, in_seconds(1), NULL);
	grpc_completion_queue_destroy(s->main_queue);
}

static void wait_for_signal(void)
{
	sigset_t set;
	int signal;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigwait(&set, &signal);
}

int csi_serve(struct csi *csi, const char *path)
{
	static struct server s;
	int r;

	s.csi = csi;
	grpc_init();
	r = create(&s);
	if (r < 0)
		return r;
	r = listen_on(&s, path);
	if (r == 0) {
		r = start(&s);
		if (r == 0) {
			log_info("listening on %s", path);
			wait_for_signal();
		}
	}
	stop(&s);
	destroy(&s);
	unlink(path);
	grpc_shutdown();
	return r;
}
