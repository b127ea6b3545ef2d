/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log pages, features and asynchronous events: NVM Express Base 2.3, 5.2.12,
 * 5.2.26 (Set Features) and 5.2.2 (Asynchronous Event Request).  The discovery
 * log page is in fabrics.h.
 */
#ifndef NVME_PDU_LOG_H
#define NVME_PDU_LOG_H

#include "nvme/pdu/nvme.h"

/* -------------------------------------------------------------- log pages */

/* cdw10 7:0 */
enum nvme_log_page {
	NVME_LOG_SUPPORTED = 0x00,
	NVME_LOG_ERROR = 0x01,
	NVME_LOG_SMART = 0x02,
	NVME_LOG_FIRMWARE = 0x03,
	NVME_LOG_CHANGED_NS = 0x04,
	NVME_LOG_COMMANDS = 0x05,
	NVME_LOG_ANA = 0x0c,
	NVME_LOG_FEATURES = 0x12,
	NVME_LOG_MI_COMMANDS = 0x13,
	NVME_LOG_CCR = 0x1e,
	NVME_LOG_LOST_HOST = 0x1f,
	NVME_LOG_DISCOVERY = 0x70,
	NVME_LOG_RESERVATION = 0x80,
};

static inline uint8_t nvme_log_lsp(const struct nvme_sqe *sqe)
{
	return sqe->cdw10 >> 8 & 0x7f;
}
enum { NVME_LOG_OT = 1 << 23 };	  /* cdw14: the offset is an index */
enum { NVME_LOG_LSUPP = 1 << 0 }; /* of a page, in the supported pages */
enum { NVME_LOG_RAE = 1 << 15 };  /* cdw10: Retain Asynchronous Event */
/* Bytes asked for (up to 2^34). */
static inline uint64_t nvme_log_length(const struct nvme_sqe *sqe)
{
	uint32_t numd = (sqe->cdw11 & 0xffff) << 16 | sqe->cdw10 >> 16;

	return ((uint64_t)numd + 1) * 4;
}
static inline uint64_t nvme_log_offset(const struct nvme_sqe *sqe)
{
	return (uint64_t)sqe->cdw13 << 32 | sqe->cdw12;
}

struct NVME_PACKED nvme_error_entry {
	uint64_t error_count;
	uint16_t sqid, cid, status, location;
	uint64_t lba;
	uint32_t nsid;
	uint8_t vs, trtype, csi, opc;
	uint64_t cs;
	uint16_t ttsi;
	uint8_t reserved42[21];
	uint8_t lpver;
};
NVME_SIZE(struct nvme_error_entry, 64);

/* Numbers of 16 bytes have their low half first. */
struct NVME_PACKED nvme_smart_log {
	uint8_t cw;
	uint16_t ctemp; /* K */
	uint8_t avsp, avspt, pused, egcws;
	uint8_t reserved7[25];
	uint64_t dur[2], duw[2]; /* 1000 x 512 bytes, rounded up */
	uint64_t hrc[2], hwc[2]; /* commands */
	uint64_t cbt[2], pwrc[2], poh[2], upl[2], mdie[2], neile[2];
	uint32_t wctt, cctt;
	uint16_t tsen[8];
	uint32_t tmt1tc, tmt2tc, tttmt1, tttmt2;
	uint8_t reserved232[280];
};
NVME_SIZE(struct nvme_smart_log, 512);
NVME_OFFSET(struct nvme_smart_log, wctt, 192);

struct NVME_PACKED nvme_firmware_log {
	uint8_t afi;
	uint8_t reserved1[7];
	char frs[7][8];
	uint8_t reserved64[448];
};
NVME_SIZE(struct nvme_firmware_log, 512);

enum { NVME_CHANGED_NS_MAX = 1024 }; /* nsids; more: NVME_NSID_ALL alone */

struct NVME_PACKED nvme_commands_log {
	uint32_t acs[256], iocs[256];
	uint8_t reserved2048[2048];
};
NVME_SIZE(struct nvme_commands_log, 4096);
enum {
	NVME_CSE_CSUPP = 1 << 0,
	NVME_CSE_LBCC = 1 << 1,
	NVME_CSE_NCC = 1 << 2,
	NVME_CSE_NIC = 1 << 3,
	NVME_CSE_CCC = 1 << 4,
};

/* Base 8.1.1: ANA; the descriptors follow the header, each with its nsids. */
struct NVME_PACKED nvme_ana_log {
	uint64_t chgcnt;
	uint16_t nagd;
	uint8_t reserved10[6];
};
NVME_SIZE(struct nvme_ana_log, 16);
struct NVME_PACKED nvme_ana_group {
	uint32_t agid, nnv;
	uint64_t chgcnt;
	uint8_t ana_state;
	uint8_t reserved17[15];
	uint32_t nsid[];
};
NVME_SIZE(struct nvme_ana_group, 32);
enum { NVME_ANA_LSP_RGO = 1 << 0 }; /* Return Groups Only */

/* Base 5.2.12.3.1: Cross-Controller Reset. */
struct NVME_PACKED nvme_ccr_entry {
	uint16_t icid;
	uint8_t ciu, reserved3;
	uint16_t acid;
	uint8_t ccrs, ccrf;
};
NVME_SIZE(struct nvme_ccr_entry, 8);
enum { NVME_CCR_ENTRIES_MAX = 511 };
struct NVME_PACKED nvme_ccr_log {
	uint16_t ne;
	uint8_t reserved2[6];
	struct nvme_ccr_entry entries[NVME_CCR_ENTRIES_MAX];
};
NVME_SIZE(struct nvme_ccr_log, 4096);
enum nvme_ccr_status {
	NVME_CCRS_IN_PROGRESS = 0,
	NVME_CCRS_SUCCESS = 1,
	NVME_CCRS_FAILED = 2,
};
enum { /* ccrf */
       NVME_CCRF_VALIDATED = 1 << 0,
       NVME_CCRF_INITIATED = 1 << 1,
};
enum { NVME_CCR_LSP_RMC = 1 << 0 }; /* Remove Completed */

/* --------------------------------------------------------------- features */

/* cdw10 7:0; Get Features has SEL in 10:8, Set Features SV in 31. */
enum nvme_feature {
	NVME_FEAT_ARBITRATION = 0x01,
	NVME_FEAT_POWER = 0x02,
	NVME_FEAT_TEMPERATURE = 0x04,
	NVME_FEAT_ERROR_RECOVERY = 0x05,
	NVME_FEAT_WRITE_CACHE = 0x06,
	NVME_FEAT_QUEUES = 0x07,
	NVME_FEAT_IRQ_COALESCE = 0x08,
	NVME_FEAT_IRQ_CONFIG = 0x09,
	NVME_FEAT_WRITE_ATOMICITY = 0x0a,
	NVME_FEAT_ASYNC_EVENTS = 0x0b,
	NVME_FEAT_KEEP_ALIVE = 0x0f,
	NVME_FEAT_HOST_BEHAVIOR = 0x16,
	NVME_FEAT_IOCS_PROFILE = 0x19,
	NVME_FEAT_HOST_ID = 0x81,
	NVME_FEAT_RESV_MASK = 0x82,
	NVME_FEAT_RESV_PERSIST = 0x83,
	NVME_FEAT_WRITE_PROTECT = 0x84,
};
enum {
	NVME_FEAT_SEL_CURRENT = 0,
	NVME_FEAT_SEL_DEFAULT = 1,
	NVME_FEAT_SEL_SAVED = 2,
	NVME_FEAT_SEL_SUPPORTED = 3,
	NVME_FEAT_SV = 1u << 31,
};
enum { NVME_HOST_ID_EXHID = 1 << 0 }; /* cdw11: 128 bits */

/* Feature Identifiers Supported and Effects (log page 12h). */
enum {
	NVME_FSE_FSUPP = 1 << 0,
	NVME_FSE_NS_SCOPE = 1 << 20,
	NVME_FSE_CTRL_SCOPE = 1 << 21,
};

/* -------------------------------------------------------------- async events
 */

enum nvme_aer_type {
	NVME_AER_ERROR = 0,
	NVME_AER_SMART = 1,
	NVME_AER_NOTICE = 2,
	NVME_AER_IMMEDIATE = 3,
	NVME_AER_IO_SPECIFIC = 6,
};
enum nvme_aer_notice {
	NVME_AER_NS_CHANGED = 0x00,
	NVME_AER_ANA_CHANGED = 0x03,
	NVME_AER_DISCOVERY_CHANGED = 0xf0,
	NVME_AER_CCR_COMPLETED = 0xf4,
	NVME_AER_LOST_HOST = 0xf5,
};
enum { NVME_AER_TRANSIENT_ERROR = 0x04 };    /* of ERROR */
enum { NVME_AER_RESV_LOG_AVAILABLE = 0x00 }; /* of IO_SPECIFIC */

static inline uint32_t nvme_aer_result(enum nvme_aer_type type, uint8_t info,
				       uint8_t log_page)
{
	return (uint32_t)log_page << 16 | (uint32_t)info << 8 | type;
}

#endif
