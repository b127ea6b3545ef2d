/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CRC32C, by the processor's own instructions (ISA-L).
 */
#include <isa-l/crc.h>

#include "base/util.h"
#include "nvme/pdu/pdu.h"

uint32_t pdu_digest_add(uint32_t digest, const void *data, size_t len)
{
	while (len > 0) { /* its lengths are int */
		size_t n = MIN(len, MIB(64));

		digest = crc32_iscsi((unsigned char *)data, (int)n, digest);
		data = (const char *)data + n;
		len -= n;
	}
	return digest;
}

uint32_t pdu_digest(const void *data, size_t len)
{
	return pdu_digest_end(pdu_digest_add(PDU_DIGEST_START, data, len));
}
