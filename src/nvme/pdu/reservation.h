/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reservation commands: NVM Express Base 2.3, 7.5 to 7.8 and 8.1.24, and their
 * log page, 5.2.12.1.x (Reservation Notification).
 */
#ifndef NVME_PDU_RESERVATION_H
#define NVME_PDU_RESERVATION_H

#include "nvme/pdu/nvme.h"

/* cdw10 2:0 of Register, Acquire, Release. */
enum nvme_resv_register {
	NVME_RREGA_REGISTER = 0,
	NVME_RREGA_UNREGISTER = 1,
	NVME_RREGA_REPLACE = 2,
};
enum nvme_resv_acquire {
	NVME_RACQA_ACQUIRE = 0,
	NVME_RACQA_PREEMPT = 1,
	NVME_RACQA_PREEMPT_AND_ABORT = 2,
};
enum nvme_resv_release { NVME_RRELA_RELEASE = 0, NVME_RRELA_CLEAR = 1 };

/* cdw10 15:8 of Acquire and Release. */
enum nvme_resv_type {
	NVME_RTYPE_NONE = 0,
	NVME_RTYPE_WE = 1,   /* Write Exclusive */
	NVME_RTYPE_EA = 2,   /* Exclusive Access */
	NVME_RTYPE_WERO = 3, /* Write Exclusive, Registrants Only */
	NVME_RTYPE_EARO = 4,
	NVME_RTYPE_WEAR = 5, /* Write Exclusive, All Registrants */
	NVME_RTYPE_EAAR = 6,
};

enum {
	NVME_RESV_IEKEY = 1 << 3,
	NVME_RESV_CPTPL_SHIFT = 30, /* of Register: 2 bits */
	NVME_CPTPL_NO_CHANGE = 0,
	NVME_CPTPL_RELEASE = 2, /* on power loss */
	NVME_CPTPL_PERSIST = 3,
	NVME_RESV_EDS = 1 << 0, /* cdw11 of Report */
};

struct NVME_PACKED nvme_resv_register_data {
	uint64_t crkey, nrkey;
};
struct NVME_PACKED nvme_resv_acquire_data {
	uint64_t crkey, prkey;
};
struct NVME_PACKED nvme_resv_release_data {
	uint64_t crkey;
};

/* Report with EDS: the header, then what has registered. */
struct NVME_PACKED nvme_resv_status {
	uint32_t gen;
	uint8_t rtype;
	uint16_t regctl;
	uint8_t reserved7[2];
	uint8_t ptpls;
	uint8_t reserved10[54];
};
NVME_SIZE(struct nvme_resv_status, 64);
struct NVME_PACKED nvme_resv_registrant {
	uint16_t cntlid;
	uint8_t rcsts;
	uint8_t reserved3[5];
	uint64_t rkey;
	uint8_t hostid[16];
	uint8_t reserved32[32];
};
NVME_SIZE(struct nvme_resv_registrant, 64);
enum { NVME_RCSTS_HOLDER = 1 << 0 };

/* rescap of Identify Namespace. */
enum {
	NVME_RESCAP_PTPL = 1 << 0,
	NVME_RESCAP_TYPES = 0x7e, /* all six */
	NVME_RESCAP_IEKEY13 = 1 << 7,
};

struct NVME_PACKED nvme_resv_log {
	uint64_t lpc; /* Log Page Count */
	uint8_t rnlpt;
	uint8_t nalp; /* more that can be read */
	uint8_t reserved10[2];
	uint32_t nsid;
	uint8_t reserved16[48];
};
NVME_SIZE(struct nvme_resv_log, 64);

/* Types of notifications; 1 << type masks one (feature 82h). */
enum nvme_resv_notice {
	NVME_RESV_LOG_EMPTY = 0,
	NVME_RESV_REGISTRATION_PREEMPTED = 1,
	NVME_RESV_RELEASED = 2,
	NVME_RESV_PREEMPTED = 3,
};
enum { NVME_RESV_MASKS = 7 << 1 };

#endif
