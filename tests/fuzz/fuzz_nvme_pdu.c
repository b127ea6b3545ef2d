/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever header comes: it is judged within its bytes, and one that passes
 * has sizes that add up to PLEN.  The first byte chooses the rules.
 */
#include <stdlib.h>

#include "nvme/pdu/pdu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pdu_rules rules = { .max_in_capsule = 8192, .max_data = 131072 };
	uint8_t out[sizeof(struct nvme_tcp_term) + NVME_TCP_TERM_DATA_MAX];
	struct pdu_fault fault;
	struct nvme_tcp_ch ch;

	if (size < 1 + sizeof(ch))
		return 0;
	rules.host = *data & 1;
	rules.ready = *data & 2;
	rules.header_digest = *data & 4;
	rules.data_digest = *data & 8;
	rules.pda = *data >> 4;
	data++;
	size--;
	__builtin_memcpy(&ch, data, sizeof(ch));
	if (!pdu_check_common(&rules, &ch, &fault)) {
		pdu_make_term(out, rules.host, &fault, data, size);
		return 0;
	}
	if (pdu_header_size(&ch) > sizeof(struct nvme_tcp_ic) + 4 ||
	    pdu_header_size(&ch) + pdu_data_size(&ch) +
			    pdu_data_digest_size(&ch) >
		    ch.plen)
		abort();
	if (size < pdu_header_size(&ch))
		return 0;
	if (!pdu_check_header(&rules, data, &fault))
		pdu_make_term(out, rules.host, &fault, data, size);
	return 0;
}
