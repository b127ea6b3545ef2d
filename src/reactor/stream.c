/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all streams have in common; the kinds are socket.c and sim_net.c.
 */
#include <errno.h>

#include "reactor/backend.h"

enum { STREAM_MAGIC = 0x57e40001, LISTENER_MAGIC = 0x115e0001 };

void stream_init(struct stream *s, const struct stream_ops *ops)
{
	MAGIC_SET(s, STREAM_MAGIC);
	s->ops = ops;
	s->read_timeout = s->write_timeout = NSEC_NEVER;
}

void listener_init(struct listener *l, const struct listener_ops *ops)
{
	MAGIC_SET(l, LISTENER_MAGIC);
	l->ops = ops;
}

void iov_advance(struct iovec **iov, int *n, size_t done)
{
	while (*n > 0 && done >= (*iov)->iov_len) {
		done -= (*iov)->iov_len;
		(*iov)++;
		(*n)--;
	}
	if (*n > 0) {
		(*iov)->iov_base = (char *)(*iov)->iov_base + done;
		(*iov)->iov_len -= done;
	}
}

int stream_connect(const struct addr *to,
		   const struct stream_connect_options *options,
		   struct stream **out)
{
	const struct addr *local = NULL;
	nsec deadline = NSEC_NEVER;

	*out = NULL;
	if (options != NULL) {
		local = options->local;
		if (options->timeout > 0)
			deadline = nsec_after(reactor_now(), options->timeout);
	}
	return reactor_current->ops->net->connect(to, local, deadline, out);
}

int stream_listen(const struct addr *at, struct listener **out)
{
	return reactor_current->ops->net->listen(at, out);
}

int stream_accept(struct listener *l, struct stream **out)
{
	MAGIC_CHECK(l, LISTENER_MAGIC);
	return l->ops->accept(l, out);
}

void listener_cancel(struct listener *l)
{
	MAGIC_CHECK(l, LISTENER_MAGIC);
	l->ops->cancel(l);
}

void listener_close(struct listener *l)
{
	MAGIC_CHECK(l, LISTENER_MAGIC);
	MAGIC_CLEAR(l);
	l->ops->close(l);
}

const struct addr *listener_addr(const struct listener *l)
{
	return &l->addr;
}

ssize_t stream_readv(struct stream *s, const struct iovec *iov, int n)
{
	MAGIC_CHECK(s, STREAM_MAGIC);
	return s->ops->readv(s, iov, n);
}

ssize_t stream_read(struct stream *s, void *buf, size_t len)
{
	struct iovec iov = { buf, len };

	return stream_readv(s, &iov, 1);
}

int stream_read_full(struct stream *s, void *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = stream_read(s, (char *)buf + done, len - done);
		if (n < 0)
			return n;
		if (n == 0)
			return done == 0 ? -ENODATA : -ECONNRESET;
		done += n;
	}
	return 0;
}

int stream_wait_readable(struct stream *s, nsec deadline)
{
	MAGIC_CHECK(s, STREAM_MAGIC);
	return s->ops->wait_readable(s, deadline);
}

int stream_writev(struct stream *s, struct iovec *iov, int n)
{
	MAGIC_CHECK(s, STREAM_MAGIC);
	return s->ops->writev(s, iov, n);
}

int stream_write(struct stream *s, const void *buf, size_t len)
{
	struct iovec iov = { (void *)buf, len };

	return stream_writev(s, &iov, 1);
}

void stream_set_timeouts(struct stream *s, nsec read, nsec write)
{
	s->read_timeout = read;
	s->write_timeout = write;
}

void stream_abort(struct stream *s)
{
	MAGIC_CHECK(s, STREAM_MAGIC);
	s->ops->abort(s);
}

void stream_shutdown_write(struct stream *s)
{
	MAGIC_CHECK(s, STREAM_MAGIC);
	s->ops->shutdown_write(s);
}

void stream_acknowledge(struct stream *s)
{
	if (s->ops->acknowledge != NULL)
		s->ops->acknowledge(s);
}

void stream_close(struct stream *s)
{
	MAGIC_CHECK(s, STREAM_MAGIC);
	MAGIC_CLEAR(s);
	s->ops->close(s);
}

const struct addr *stream_local(const struct stream *s)
{
	return &s->local;
}

const struct addr *stream_peer(const struct stream *s)
{
	return &s->peer;
}

int stream_peer_uid(const struct stream *s, uid_t *uid)
{
	return s->ops->peer_uid(s, uid);
}

void stream_set_keepalive(struct stream *s, nsec interval, nsec patience)
{
	s->ops->set_keepalive(s, interval, patience);
}

nsec stream_silence(const struct stream *s)
{
	return s->ops->silence(s);
}
