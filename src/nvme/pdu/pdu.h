/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nvme/pdu: NVMe's bytes, and nothing else: no I/O, no locks, no allocation.
 *
 * The structures stand in nvme.h, identify.h, log.h, fabrics.h and tcp.h.  Here
 * is what both ends of NVMe/TCP do to a PDU they receive: its header is judged
 * before anything is read that it describes, and digests are compared.
 *
 * Any thread.
 */
#ifndef NVME_PDU_PDU_H
#define NVME_PDU_PDU_H

#include <stdbool.h>

#include "nvme/pdu/tcp.h"

/* What the receiver of a PDU goes by. */
struct pdu_rules {
	bool host;  /* the receiver is the host, else the controller */
	bool ready; /* ICReq and ICResp have been exchanged */
	bool header_digest, data_digest;
	uint8_t pda; /* CPDA, or the host's HPDA: dwords, 0's based */
	uint32_t max_in_capsule; /* bytes; of commands */
	uint32_t max_data; /* bytes in an H2CData (MAXH2CDATA) or C2HData */
};

/* What the termination request says (NVMe/TCP 3.6.2.4, 3.6.2.5). */
struct pdu_fault {
	enum nvme_tcp_fes fes;
	uint32_t fei;
	const char *text; /* for the log; a literal */
};

/*
 * Judges the common header, the first 8 bytes, which are enough to know how
 * long the rest of the header is; false: *fault says why.  pdu_check_header()
 * judges the whole header, when `hlen` bytes and a digest, if there is one, are
 * there.
 */
bool pdu_check_common(const struct pdu_rules *rules,
		      const struct nvme_tcp_ch *ch, struct pdu_fault *fault);
bool pdu_check_header(const struct pdu_rules *rules, const void *header,
		      struct pdu_fault *fault);

/* Of a PDU whose common header is good: the bytes of its header with digest; of
 * its data; and of the digest behind those. */
size_t pdu_header_size(const struct nvme_tcp_ch *ch);
size_t pdu_data_size(const struct nvme_tcp_ch *ch);
size_t pdu_data_digest_size(const struct nvme_tcp_ch *ch);

/* CRC32C as in iSCSI; pieces of data are chained, from PDU_DIGEST_START on, and
 * the end is as on the wire. */
enum { PDU_DIGEST_START = 0xffffffffu };
uint32_t pdu_digest_add(uint32_t digest, const void *data, size_t len);
static inline uint32_t pdu_digest_end(uint32_t digest)
{
	return ~digest;
}
uint32_t pdu_digest(const void *data, size_t len);

/* Fills in a common header, without data digest; and puts a header digest
 * behind hlen bytes, if the flags say that there is one. */
void pdu_set_common(struct nvme_tcp_ch *ch, enum nvme_tcp_type type,
		    uint8_t flags, size_t hlen, size_t data_len);
void pdu_put_header_digest(void *header);
/* Has the data begin at a multiple of `align` bytes, 4 to 128 in steps of 4,
 * which the receiver asked for (CPDA, HPDA); before the header's digest is
 * made. Returns how many bytes go between header and data. */
size_t pdu_align_data(struct nvme_tcp_ch *ch, size_t align);

/* A termination request for a fault in a PDU of which `len` bytes of the header
 * are known; `out` takes sizeof(struct nvme_tcp_term) + NVME_TCP_TERM_DATA_MAX.
 * Returns its length. */
size_t pdu_make_term(void *out, bool host, const struct pdu_fault *fault,
		     const void *header, size_t len);

/* "invalid header field" */
const char *pdu_fes_name(uint16_t fes);

#endif
