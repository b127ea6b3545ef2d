/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is at the other end of a connection?
 *
 * Without TLS: nobody in particular.  A client that begins with a TLS handshake
 * (its first byte is that of a TLS record; an RPC record begins with 0x80) may
 * show a certificate, and options.identify() says what it is worth: a
 * principal, the export by which the client comes, or that it is refused.  One
 * who is refused gets NFS4ERR_ACCESS, so that his mount tells him why.
 *
 * The same client owner on connections with different identities is different
 * clients.  So the identity becomes part of the owner, here and in the records
 * in the store, and our own name differs, too:
 *
 *	somebody	OWNER NUL IDENTITY	(no NUL in the identity)
 *	nobody		OWNER			(no NUL in it)
 *			OWNER NUL		(else)
 *
 * Nobody by TLS is somebody else than nobody in the clear: Linux takes two
 * mounts of one server for one, and what is to be encrypted would go by the
 * connection that is not.
 *
 * For the same reason each tunnel (of amazon-efs-utils) has an owner of its
 * own: Linux would have the second mount go through the first one's, which ends
 * when that is unmounted.  Tunnels have no name that lasts, so they are
 * numbered as they come, by the first number that no other client has.
 * (EXCHANGE_ID is for mounts, and for who has lost his client: a tunnel that is
 * there again goes on with its session.)  After a restart of ours two of one
 * host may change their numbers, and with them their records, which are worth
 * the same.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>

#include "base/log.h"
#include "nfs/server/internal.h"
#include "reactor/tls.h"

enum { TLS_RECORD = 0x16 }; /* a handshake: RFC 8446 5.1 */
#define HANDSHAKE_TIMEOUT SEC(30)

/* What tells one identity from another; "" for nobody in particular. */
static void identity_text(const struct nfs_identity *who, char *text,
			  size_t size)
{
	text[0] = '\0';
	if (who->secure || who->export != 0 || who->principal[0])
		snprintf(text, size, "%llx:%s", (unsigned long long)who->export,
			 who->principal);
}

enum { IDENTITY_TEXT = NFS_PRINCIPAL_MAX + 32 };

static void numbered(const struct nfs_identity *who, unsigned tunnel,
		     char text[IDENTITY_TEXT])
{
	size_t len;

	identity_text(who, text, IDENTITY_TEXT);
	len = strlen(text);
	if (tunnel > 0)
		snprintf(text + len, IDENTITY_TEXT - len, "/%u", tunnel);
}

bool nfsd_identity_owner(struct nfsd_compound *c, unsigned tunnel,
			 struct xdr_bytes *owner)
{
	char text[IDENTITY_TEXT];
	size_t len, extra;
	uint8_t *all;

	numbered(&c->call->conn->who, tunnel, text);
	len = owner->len;
	if (text[0] == '\0' && (len == 0 || !memchr(owner->data, '\0', len)))
		return true;
	extra = strlen(text) + 1; /* the NUL stands between the two */
	all = arena_alloc(&c->call->arena, len + extra);
	if (all == NULL)
		return false;
	if (len > 0)
		memcpy(all, owner->data, len);
	memcpy(all + len, "\0", 1);
	memcpy(all + len + 1, text, extra - 1);
	*owner = (struct xdr_bytes){ all, len + extra };
	return true;
}

const char *nfsd_identity_server(struct nfsd_compound *c, unsigned tunnel)
{
	const char *own = c->srv->owner_text;
	char text[IDENTITY_TEXT];
	size_t size;
	char *all;

	numbered(&c->call->conn->who, tunnel, text);
	if (text[0] == '\0')
		return own;
	size = strlen(own) + strlen(text) + 2;
	all = arena_alloc(&c->call->arena, size);
	if (all != NULL)
		snprintf(all, size, "%s/%s", own, text);
	return all;
}

static void identify(struct nfsd_conn *c)
{
	const struct nfs_server_options *o = &c->srv->options;
	char text[IDENTITY_TEXT];
	uint8_t *der = NULL;
	int len;

	c->who.secure = c->who.tunnel = true;
	if (o->identify == NULL)
		return;
	len = tls_peer_certificate(c->stream, &der);
	c->refusal = o->identify(o->identify_arg, &c->peer, der, MAX(len, 0),
				 &c->who);
	OPENSSL_free(der);
	identity_text(&c->who, text, sizeof(text));
	if (text[0] != '\0')
		c->who_hash = hash_bytes(text, strlen(text)) | 1;
}

static int start_tls(struct nfsd_conn *c, uint8_t first)
{
	const struct tls_certificate *own = c->srv->options.tls;
	struct stream *tls = NULL;
	int r;

	if (own == NULL)
		return -EPROTO;
	r = tls_accept_certificate(c->stream, &first, 1, own,
				   reactor_now() + HANDSHAKE_TIMEOUT, &tls);
	c->stream = tls; /* NULL: it is closed */
	if (r < 0)
		return r;
	stream_set_timeouts(tls, NFSD_RECORD_TIMEOUT, NFSD_WRITE_TIMEOUT);
	identify(c);
	return c->broken ? -ECONNABORTED : 1;
}

int nfsd_greet(struct nfsd_conn *c)
{
	uint8_t first;
	void *room;
	ssize_t n;
	int r = stream_wait_readable(c->stream,
				     c->since + c->srv->options.unused_timeout);

	if (r < 0)
		return r;
	n = stream_read(c->stream, &first, 1);
	if (n <= 0)
		return (int)n;
	if (first == TLS_RECORD)
		return start_tls(c, first);
	if (record_reader_room(&c->reader, &room) == 0)
		return -ENOMEM;
	*(uint8_t *)room = first;
	record_reader_filled(&c->reader, 1);
	return 1;
}
