/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NVMe over Fabrics: the Fabrics commands and the discovery log page.  NVM
 * Express Base 2.3, 6 (Fabrics Command Set) and 5.2.12.3.x (Discovery).
 */
#ifndef NVME_PDU_FABRICS_H
#define NVME_PDU_FABRICS_H

#include "nvme/pdu/nvme.h"

enum { NVME_OPC_FABRICS = 0x7f };

enum nvme_fctype {
	NVME_FCTYPE_PROPERTY_SET = 0x00,
	NVME_FCTYPE_CONNECT = 0x01,
	NVME_FCTYPE_PROPERTY_GET = 0x04,
	NVME_FCTYPE_AUTH_SEND = 0x05,
	NVME_FCTYPE_AUTH_RECEIVE = 0x06,
	NVME_FCTYPE_DISCONNECT = 0x08,
};

/* A Fabrics command has its type in place of the nsid. */
static inline uint8_t nvme_fctype(const struct nvme_sqe *sqe)
{
	return sqe->nsid & 0xff;
}

/* 6.3: Connect. */
struct NVME_PACKED nvme_connect_cmd {
	uint8_t opc, flags;
	uint16_t cid;
	uint8_t fctype;
	uint8_t reserved5[19];
	struct nvme_sgl sgl1;
	uint16_t recfmt;
	uint16_t qid;
	uint16_t sqsize; /* 0's based */
	uint8_t cattr;
	uint8_t reserved47;
	uint32_t kato; /* ms */
	uint8_t reserved52[12];
};
NVME_SIZE(struct nvme_connect_cmd, 64);
NVME_OFFSET(struct nvme_connect_cmd, recfmt, 40);
enum {
	NVME_CATTR_PRIORITY = 3,
	NVME_CATTR_NO_SQ_FLOW = 1 << 2,
};

struct NVME_PACKED nvme_connect_data {
	uint8_t hostid[16];
	uint16_t cntlid;
	uint8_t reserved18[238];
	char subnqn[NVME_NQN_SIZE];
	char hostnqn[NVME_NQN_SIZE];
	uint8_t reserved768[256];
};
NVME_SIZE(struct nvme_connect_data, 1024);
enum {
	NVME_CNTLID_DYNAMIC = 0xffff,
	NVME_CNTLID_STATIC = 0xfffe,
	NVME_CNTLID_MAX = 0xffef,
};

/* dw0 of the response: cntlid and authreq; or, when a parameter is invalid,
 * where it is. */
enum {
	NVME_CONNECT_ATR = 1 << 17, /* authentication required */
	NVME_CONNECT_ASCR = 1 << 18,
	NVME_CONNECT_IATTR_DATA = 1 << 16, /* offset into the data, not the
					      command */
};

/* 6.5, 6.6: Property Get and Set. */
struct NVME_PACKED nvme_property_cmd {
	uint8_t opc, flags;
	uint16_t cid;
	uint8_t fctype;
	uint8_t reserved5[35];
	uint8_t attrib; /* size: 0 is 4 bytes, 1 is 8 */
	uint8_t reserved41[3];
	uint32_t ofst;
	uint64_t value;
	uint8_t reserved56[8];
};
NVME_SIZE(struct nvme_property_cmd, 64);
NVME_OFFSET(struct nvme_property_cmd, ofst, 44);

/* 6.1, 6.2: Authentication Send and Receive. */
struct NVME_PACKED nvme_auth_cmd {
	uint8_t opc, flags;
	uint16_t cid;
	uint8_t fctype;
	uint8_t reserved5[19];
	struct nvme_sgl sgl1;
	uint8_t reserved40, spsp0, spsp1, secp;
	uint32_t length;
	uint8_t reserved48[16];
};
NVME_SIZE(struct nvme_auth_cmd, 64);

/* ----------------------------------------------------- discovery log page */

/* Of every discovery service that has no name of its own. */
#define NVME_DISCOVERY_NQN "nqn.2014-08.org.nvmexpress.discovery"

enum nvme_trtype { NVME_TRTYPE_RDMA = 1, NVME_TRTYPE_FC = 2, NVME_TRTYPE_TCP };
enum nvme_adrfam { NVME_ADRFAM_IPV4 = 1, NVME_ADRFAM_IPV6 = 2 };
enum nvme_subtype {
	NVME_SUBTYPE_REFERRAL = 1,
	NVME_SUBTYPE_NVM = 2,
	NVME_SUBTYPE_CURRENT_DISCOVERY = 3,
};
enum {
	NVME_TREQ_SECURE_NOT_SPECIFIED = 0,
	NVME_TREQ_SECURE_REQUIRED = 1,
	NVME_TREQ_SECURE_NOT_REQUIRED = 2,
	NVME_TREQ_NO_SQ_FLOW = 1 << 2,
};
enum {
	NVME_EFLAGS_DUPRETINFO = 1 << 0,
	NVME_EFLAGS_EPCSD = 1 << 1,
};
enum { /* tsas[0] of TCP */
       NVME_TSAS_TCP_NONE = 0,
       NVME_TSAS_TCP_TLS13 = 2,
};

struct NVME_PACKED nvme_discovery_entry {
	uint8_t trtype, adrfam, subtype, treq;
	uint16_t portid, cntlid, asqsz, eflags;
	uint8_t reserved12[20];
	char trsvcid[32];
	uint8_t reserved64[192];
	char subnqn[NVME_NQN_SIZE];
	char traddr[256];
	uint8_t tsas[256];
};
NVME_SIZE(struct nvme_discovery_entry, 1024);
NVME_OFFSET(struct nvme_discovery_entry, subnqn, 256);

struct NVME_PACKED nvme_discovery_log {
	uint64_t genctr, numrec;
	uint16_t recfmt;
	uint8_t reserved18[1006];
};
NVME_SIZE(struct nvme_discovery_log, 1024);

#endif
