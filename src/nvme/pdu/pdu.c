/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header of a PDU that was received (NVMe/TCP 3.6): which types may come
 * when, and what their fields may be.  A table holds what differs by type.
 */
#include <string.h>

#include "base/util.h"
#include "nvme/pdu/pdu.h"

enum {
	TO_HOST = 1 << 0,
	SETUP = 1 << 1,	   /* only before the connection is ready */
	TERM = 1 << 2,	   /* at any time */
	HAS_DATA = 1 << 3, /* may have */
};

static const struct pdu_type {
	uint8_t hlen; /* 0: there is no such type */
	uint8_t kind;
} types[] = {
	[NVME_TCP_ICREQ] = { 128, SETUP },
	[NVME_TCP_ICRESP] = { 128, SETUP | TO_HOST },
	[NVME_TCP_H2C_TERM_REQ] = { 24, TERM },
	[NVME_TCP_C2H_TERM_REQ] = { 24, TERM | TO_HOST },
	[NVME_TCP_CAPSULE_CMD] = { 72, HAS_DATA },
	[NVME_TCP_CAPSULE_RESP] = { 24, TO_HOST },
	[NVME_TCP_H2C_DATA] = { 24, HAS_DATA },
	[NVME_TCP_C2H_DATA] = { 24, HAS_DATA | TO_HOST },
	[NVME_TCP_R2T] = { 24, TO_HOST },
};

static bool fail(struct pdu_fault *fault, enum nvme_tcp_fes fes, uint32_t fei,
		 const char *text)
{
	*fault = (struct pdu_fault){ fes, fei, text };
	return false;
}

#define FIELD(type, member) offsetof(struct type, member)
#define BAD_FIELD(type, member, text)                                          \
	fail(fault, NVME_TCP_FES_HEADER_FIELD, FIELD(type, member), text)

/* ---------------------------------------------------------- common header */

static bool check_type(const struct pdu_rules *rules, uint8_t type,
		       struct pdu_fault *fault)
{
	const struct pdu_type *t;

	if (type >= ARRAY_SIZE(types) || types[type].hlen == 0)
		return BAD_FIELD(nvme_tcp_ch, type, "unknown PDU type");
	t = &types[type];
	if (!!(t->kind & TO_HOST) != rules->host)
		return BAD_FIELD(nvme_tcp_ch, type,
				 "PDU type of the other direction");
	if (t->kind & TERM)
		return true;
	if (!!(t->kind & SETUP) == rules->ready)
		return fail(fault, NVME_TCP_FES_SEQUENCE, 0,
			    rules->ready ? "second ICReq or ICResp"
					 : "PDU before ICReq or ICResp");
	return true;
}

/* Digest flags say what was agreed on, in PDUs that can have the digest. */
static bool check_flags(const struct pdu_rules *rules,
			const struct nvme_tcp_ch *ch, struct pdu_fault *fault)
{
	bool digests = !(types[ch->type].kind & (SETUP | TERM));
	bool header = digests && rules->header_digest;
	bool data = digests && rules->data_digest;

	if (!!(ch->flags & NVME_TCP_HDGSTF) != header)
		return BAD_FIELD(nvme_tcp_ch, flags, "header digest flag");
	if ((ch->flags & NVME_TCP_DDGSTF) && !data)
		return BAD_FIELD(nvme_tcp_ch, flags, "data digest flag");
	if (ch->plen > pdu_header_size(ch) && data &&
	    !(ch->flags & NVME_TCP_DDGSTF))
		return BAD_FIELD(nvme_tcp_ch, flags, "no data digest flag");
	return true;
}

/* The data begin where the receiver asked for, and are not too many. */
static bool check_data(const struct pdu_rules *rules,
		       const struct nvme_tcp_ch *ch, struct pdu_fault *fault)
{
	size_t align = 4 * ((size_t)rules->pda + 1);
	size_t digest = pdu_data_digest_size(ch);
	uint32_t max = ch->type == NVME_TCP_CAPSULE_CMD ? rules->max_in_capsule
							: rules->max_data;

	if (ch->pdo < pdu_header_size(ch) || ch->pdo % align != 0)
		return BAD_FIELD(nvme_tcp_ch, pdo, "data offset");
	if (ch->plen <= ch->pdo + digest)
		return BAD_FIELD(nvme_tcp_ch, plen, "PDU length without data");
	if (ch->plen - ch->pdo - digest <= max)
		return true;
	if (ch->type == NVME_TCP_CAPSULE_CMD)
		return BAD_FIELD(nvme_tcp_ch, plen, "in-capsule data too long");
	return fail(fault, NVME_TCP_FES_LIMIT, 0, "data transfer too long");
}

static bool check_length(const struct pdu_rules *rules,
			 const struct nvme_tcp_ch *ch, struct pdu_fault *fault)
{
	const struct pdu_type *t = &types[ch->type];
	size_t size = pdu_header_size(ch);

	if (ch->plen < size)
		return BAD_FIELD(nvme_tcp_ch, plen, "PDU length too short");
	if ((t->kind & TERM) && ch->plen > size + NVME_TCP_TERM_DATA_MAX)
		return BAD_FIELD(nvme_tcp_ch, plen, "termination too long");
	if ((t->kind & TERM) || ch->plen == size)
		return true;
	if (!(t->kind & HAS_DATA))
		return BAD_FIELD(nvme_tcp_ch, plen, "PDU length too long");
	return check_data(rules, ch, fault);
}

bool pdu_check_common(const struct pdu_rules *rules,
		      const struct nvme_tcp_ch *ch, struct pdu_fault *fault)
{
	if (!check_type(rules, ch->type, fault))
		return false;
	if (ch->hlen != types[ch->type].hlen)
		return BAD_FIELD(nvme_tcp_ch, hlen, "header length");
	return check_flags(rules, ch, fault) && check_length(rules, ch, fault);
}

/* ----------------------------------------------------------- whole header */

static bool check_ic(const struct nvme_tcp_ic *ic, bool host,
		     struct pdu_fault *fault)
{
	if (ic->pfv != 0)
		return fail(fault, NVME_TCP_FES_UNSUPPORTED,
			    FIELD(nvme_tcp_ic, pfv), "PDU format version");
	if (ic->pda > NVME_TCP_PDA_MAX)
		return BAD_FIELD(nvme_tcp_ic, pda, "data alignment");
	if (ic->dgst & ~(NVME_TCP_HDGSTF | NVME_TCP_DDGSTF))
		return BAD_FIELD(nvme_tcp_ic, dgst, "digest types");
	if (host && (ic->max < NVME_TCP_MAXH2CDATA_MIN || ic->max % 4 != 0))
		return BAD_FIELD(nvme_tcp_ic, max, "MAXH2CDATA");
	return true;
}

static bool check_transfer(const struct nvme_tcp_data *d,
			   struct pdu_fault *fault)
{
	if (d->length != pdu_data_size(&d->ch) || d->length == 0)
		return BAD_FIELD(nvme_tcp_data, length, "data length");
	if (d->offset % 4 != 0)
		return BAD_FIELD(nvme_tcp_data, offset, "data offset");
	if ((d->ch.flags & NVME_TCP_SUCCESS) &&
	    (d->ch.type == NVME_TCP_H2C_DATA ||
	     !(d->ch.flags & NVME_TCP_LAST_PDU)))
		return BAD_FIELD(nvme_tcp_ch, flags, "success flag");
	return true;
}

static bool check_header_digest(const struct nvme_tcp_ch *ch,
				struct pdu_fault *fault)
{
	uint32_t got;

	if (!(ch->flags & NVME_TCP_HDGSTF))
		return true;
	memcpy(&got, (const char *)ch + ch->hlen, sizeof(got));
	if (got == pdu_digest(ch, ch->hlen))
		return true;
	return fail(fault, NVME_TCP_FES_HDGST, got, "header digest");
}

bool pdu_check_header(const struct pdu_rules *rules, const void *header,
		      struct pdu_fault *fault)
{
	const struct nvme_tcp_ch *ch = header;

	if (!check_header_digest(ch, fault))
		return false;
	switch (ch->type) {
	case NVME_TCP_ICREQ:
	case NVME_TCP_ICRESP:
		return check_ic(header, rules->host, fault);
	case NVME_TCP_H2C_DATA:
	case NVME_TCP_C2H_DATA:
		return check_transfer(header, fault);
	default:
		return true;
	}
}

/* ----------------------------------------------------------------- pieces */

size_t pdu_header_size(const struct nvme_tcp_ch *ch)
{
	return ch->hlen + (ch->flags & NVME_TCP_HDGSTF ? NVME_TCP_DIGEST : 0);
}

size_t pdu_data_digest_size(const struct nvme_tcp_ch *ch)
{
	if (ch->plen == pdu_header_size(ch))
		return 0;
	return ch->flags & NVME_TCP_DDGSTF ? NVME_TCP_DIGEST : 0;
}

size_t pdu_data_size(const struct nvme_tcp_ch *ch)
{
	if (types[ch->type].kind & TERM)
		return ch->plen - ch->hlen;
	if (ch->plen == pdu_header_size(ch))
		return 0;
	return ch->plen - ch->pdo - pdu_data_digest_size(ch);
}

void pdu_set_common(struct nvme_tcp_ch *ch, enum nvme_tcp_type type,
		    uint8_t flags, size_t hlen, size_t data_len)
{
	size_t size = hlen;

	if (flags & NVME_TCP_HDGSTF)
		size += NVME_TCP_DIGEST;
	*ch = (struct nvme_tcp_ch){ .type = type,
				    .flags = flags,
				    .hlen = hlen };
	ch->plen = size + data_len;
	if (data_len == 0)
		return;
	ch->pdo = size;
	if (flags & NVME_TCP_DDGSTF)
		ch->plen += NVME_TCP_DIGEST;
}

size_t pdu_align_data(struct nvme_tcp_ch *ch, size_t align)
{
	size_t pad = (align - ch->pdo % align) % align;

	ch->pdo += pad;
	ch->plen += pad;
	return pad;
}

void pdu_put_header_digest(void *header)
{
	const struct nvme_tcp_ch *ch = header;
	uint32_t digest;

	if (!(ch->flags & NVME_TCP_HDGSTF))
		return;
	digest = pdu_digest(header, ch->hlen);
	memcpy((char *)header + ch->hlen, &digest, sizeof(digest));
}

size_t pdu_make_term(void *out, bool host, const struct pdu_fault *fault,
		     const void *header, size_t len)
{
	struct nvme_tcp_term *t = out;

	len = MIN(len, (size_t)NVME_TCP_TERM_DATA_MAX);
	memset(t, 0, sizeof(*t));
	pdu_set_common(&t->ch,
		       host ? NVME_TCP_H2C_TERM_REQ : NVME_TCP_C2H_TERM_REQ, 0,
		       sizeof(*t), len);
	t->ch.pdo = 0;
	t->fes = fault->fes;
	t->fei = fault->fei;
	memcpy(t + 1, header, len);
	return sizeof(*t) + len;
}

const char *pdu_fes_name(uint16_t fes)
{
	switch (fes) {
	case NVME_TCP_FES_HEADER_FIELD:
		return "invalid header field";
	case NVME_TCP_FES_SEQUENCE:
		return "PDU sequence error";
	case NVME_TCP_FES_HDGST:
		return "header digest error";
	case NVME_TCP_FES_OUT_OF_RANGE:
		return "data transfer out of range";
	case NVME_TCP_FES_LIMIT:
		return "data transfer limit exceeded";
	case NVME_TCP_FES_UNSUPPORTED:
		return "unsupported parameter";
	default:
		return "unknown fatal error";
	}
}
