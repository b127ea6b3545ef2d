/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NVMe/TCP protocol data units: NVM Express TCP Transport 1.0c (and 1.1), 3.6.
 *
 *	| header (HLEN) | HDGST? | pad to PDO | data | DDGST? |     PLEN in all
 */
#ifndef NVME_PDU_TCP_H
#define NVME_PDU_TCP_H

#include "nvme/pdu/nvme.h"

enum nvme_tcp_type {
	NVME_TCP_ICREQ = 0x00,
	NVME_TCP_ICRESP = 0x01,
	NVME_TCP_H2C_TERM_REQ = 0x02,
	NVME_TCP_C2H_TERM_REQ = 0x03,
	NVME_TCP_CAPSULE_CMD = 0x04,
	NVME_TCP_CAPSULE_RESP = 0x05,
	NVME_TCP_H2C_DATA = 0x06,
	NVME_TCP_C2H_DATA = 0x07,
	NVME_TCP_R2T = 0x09,
};

/* Common header. */
struct NVME_PACKED nvme_tcp_ch {
	uint8_t type, flags, hlen, pdo;
	uint32_t plen;
};
NVME_SIZE(struct nvme_tcp_ch, 8);

enum {
	NVME_TCP_HDGSTF = 1 << 0,
	NVME_TCP_DDGSTF = 1 << 1,
	NVME_TCP_LAST_PDU = 1 << 2,
	NVME_TCP_SUCCESS = 1 << 3, /* of C2HData: no response capsule follows */
};

/* ICReq and ICResp. */
struct NVME_PACKED nvme_tcp_ic {
	struct nvme_tcp_ch ch;
	uint16_t pfv;
	uint8_t pda;  /* HPDA or CPDA, dwords, 0's based */
	uint8_t dgst; /* NVME_TCP_HDGSTF, NVME_TCP_DDGSTF */
	uint32_t max; /* MAXR2T (0's based) or MAXH2CDATA (bytes) */
	uint8_t reserved16[112];
};
NVME_SIZE(struct nvme_tcp_ic, 128);
enum {
	NVME_TCP_PDA_MAX = 31,
	NVME_TCP_MAXH2CDATA_MIN = 4096,
};

struct NVME_PACKED nvme_tcp_term {
	struct nvme_tcp_ch ch;
	uint16_t fes;
	uint32_t fei;
	uint8_t reserved14[10];
};
NVME_SIZE(struct nvme_tcp_term, 24);
enum { NVME_TCP_TERM_DATA_MAX = 128 }; /* of the header in error */

/* Fatal Error Status, and what Fatal Error Information is then. */
enum nvme_tcp_fes {
	NVME_TCP_FES_HEADER_FIELD = 1, /* the field's offset in the header */
	NVME_TCP_FES_SEQUENCE = 2,
	NVME_TCP_FES_HDGST = 3, /* the digest that was received */
	NVME_TCP_FES_OUT_OF_RANGE = 4,
	NVME_TCP_FES_LIMIT = 5, /* of data to the controller, or of R2Ts */
	NVME_TCP_FES_UNSUPPORTED = 6, /* the parameter's offset in the header */
};

struct NVME_PACKED nvme_tcp_cmd {
	struct nvme_tcp_ch ch;
	struct nvme_sqe sqe;
};
NVME_SIZE(struct nvme_tcp_cmd, 72);

struct NVME_PACKED nvme_tcp_resp {
	struct nvme_tcp_ch ch;
	struct nvme_cqe cqe;
};
NVME_SIZE(struct nvme_tcp_resp, 24);

/* H2CData, C2HData (without ttag) and R2T. */
struct NVME_PACKED nvme_tcp_data {
	struct nvme_tcp_ch ch;
	uint16_t cccid, ttag;
	uint32_t offset, length; /* DATAO and DATAL, or R2TO and R2TL */
	uint8_t reserved20[4];
};
NVME_SIZE(struct nvme_tcp_data, 24);

enum { NVME_TCP_DIGEST = 4, NVME_TCP_HEADER_MAX = 128 };

#endif
