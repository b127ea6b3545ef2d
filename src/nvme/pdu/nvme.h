/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NVMe on the wire: commands, completions, status, properties; as in NVM
 * Express Base 2.3 and NVM Command Set 1.1, in their words.  What else there is
 * stands in identify.h and log.h (data structures), fabrics.h and tcp.h.
 *
 * The structures are the bytes themselves: little-endian, as the machines are
 * that this is built for, and of any alignment.
 */
#ifndef NVME_PDU_NVME_H
#define NVME_PDU_NVME_H

#include <stddef.h>
#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the structures of nvme/pdu are little-endian"
#endif

#define NVME_PACKED __attribute__((packed))
#define NVME_SIZE(type, bytes)                                                 \
	_Static_assert(sizeof(type) == (bytes), #type " is " #bytes " bytes")
#define NVME_OFFSET(type, member, bytes)                                       \
	_Static_assert(offsetof(type, member) == (bytes),                      \
		       #member " is at byte " #bytes)

enum {
	NVME_NSID_ALL = 0xffffffffu,
	NVME_NQN_SIZE = 256, /* of the field; the text has 223 bytes at most */
	NVME_IDENTIFY_SIZE = 4096,
};

/* --------------------------------------------------------------- commands */

/* Base 4.1.1: in NVMe over Fabrics a command has one SGL, in SGL1. */
struct NVME_PACKED nvme_sgl {
	uint64_t addr; /* or an offset into the capsule */
	uint32_t len;
	uint8_t reserved[3];
	uint8_t type; /* SGL Descriptor Type << 4 | Sub Type */
};
NVME_SIZE(struct nvme_sgl, 16);

enum nvme_sgl_type {
	/* Data Block, sub type Offset: data in the capsule. */
	NVME_SGL_DATA_OFFSET = 0x01,
	/* Transport Data Block, sub type NVMe Transport Specific: data by
	 * H2CData or C2HData. */
	NVME_SGL_TRANSPORT = 0x5a,
};

/* Base 4.1: Common Command Format. */
struct NVME_PACKED nvme_sqe {
	uint8_t opc;
	uint8_t flags; /* FUSE in 1:0, PSDT in 7:6 */
	uint16_t cid;
	uint32_t nsid;
	uint32_t cdw2, cdw3;
	uint64_t mptr;
	struct nvme_sgl sgl1;
	uint32_t cdw10, cdw11, cdw12, cdw13, cdw14, cdw15;
};
NVME_SIZE(struct nvme_sqe, 64);
NVME_OFFSET(struct nvme_sqe, cdw10, 40);

enum {
	NVME_SQE_FUSE = 0x03,
	NVME_SQE_PSDT = 0xc0,
	NVME_SQE_PSDT_SGL = 0x40, /* the only one in NVMe over Fabrics */
};

/* Bits 1:0 of an opcode say which way its data go. */
enum { NVME_OPC_TO_CONTROLLER = 1, NVME_OPC_TO_HOST = 2 };

/* Base 4.2: Common Completion Queue Entry. */
struct NVME_PACKED nvme_cqe {
	union {
		uint64_t result;
		struct {
			uint32_t dw0, dw1;
		};
	};
	uint16_t sqhd, sqid, cid;
	uint16_t status; /* enum nvme_status << 1; phase tag in bit 0 */
};
NVME_SIZE(struct nvme_cqe, 16);

enum nvme_admin_opcode {
	NVME_ADMIN_DELETE_SQ = 0x00,
	NVME_ADMIN_CREATE_SQ = 0x01,
	NVME_ADMIN_GET_LOG_PAGE = 0x02,
	NVME_ADMIN_DELETE_CQ = 0x04,
	NVME_ADMIN_CREATE_CQ = 0x05,
	NVME_ADMIN_IDENTIFY = 0x06,
	NVME_ADMIN_ABORT = 0x08,
	NVME_ADMIN_SET_FEATURES = 0x09,
	NVME_ADMIN_GET_FEATURES = 0x0a,
	NVME_ADMIN_ASYNC_EVENT = 0x0c,
	NVME_ADMIN_NS_MANAGEMENT = 0x0d,
	NVME_ADMIN_FW_COMMIT = 0x10,
	NVME_ADMIN_FW_DOWNLOAD = 0x11,
	NVME_ADMIN_NS_ATTACHMENT = 0x15,
	NVME_ADMIN_KEEP_ALIVE = 0x18,
	NVME_ADMIN_CROSS_CONTROLLER_RESET = 0x38,
	NVME_ADMIN_FORMAT_NVM = 0x80,
};

enum nvme_io_opcode {
	NVME_IO_FLUSH = 0x00,
	NVME_IO_WRITE = 0x01,
	NVME_IO_READ = 0x02,
	NVME_IO_WRITE_UNCORRECTABLE = 0x04,
	NVME_IO_COMPARE = 0x05,
	NVME_IO_WRITE_ZEROES = 0x08,
	NVME_IO_DSM = 0x09,
	NVME_IO_VERIFY = 0x0c,
	NVME_IO_RESV_REGISTER = 0x0d,
	NVME_IO_RESV_REPORT = 0x0e,
	NVME_IO_RESV_ACQUIRE = 0x11,
	NVME_IO_RESV_RELEASE = 0x15,
	NVME_IO_COPY = 0x19,
};

/* NVM 3.3: cdw12 of Read, Write, Compare, Write Zeroes, Verify. */
enum {
	NVME_RW_NLB = 0xffff, /* 0's based */
	NVME_RW_DEAC = 1 << 25,
	NVME_RW_PRINFO = 0xf << 26,
	NVME_RW_FUA = 1 << 30,
	NVME_RW_LR = 1u << 31,
};

static inline uint64_t nvme_slba(const struct nvme_sqe *sqe)
{
	return (uint64_t)sqe->cdw11 << 32 | sqe->cdw10;
}

/* NVM 3.3.3: Dataset Management; cdw10 7:0 is the number of ranges - 1. */
struct NVME_PACKED nvme_dsm_range {
	uint32_t cattr;
	uint32_t nlb;
	uint64_t slba;
};
NVME_SIZE(struct nvme_dsm_range, 16);
enum { NVME_DSM_AD = 1 << 2, NVME_DSM_RANGES_MAX = 256 };

/* Base 5.4.3: Cross-Controller Reset: cdw10 names the impacted controller, with
 * the instance in cdw12 and cdw13 (CIRN). */
static inline uint16_t nvme_ccr_icid(const struct nvme_sqe *sqe)
{
	return sqe->cdw10 & 0xffff;
}
static inline uint8_t nvme_ccr_ciu(const struct nvme_sqe *sqe)
{
	return sqe->cdw10 >> 16 & 0xff;
}
static inline uint64_t nvme_ccr_cirn(const struct nvme_sqe *sqe)
{
	return (uint64_t)sqe->cdw13 << 32 | sqe->cdw12;
}
enum { NVME_CCR_IRS = 1 << 0 }; /* dw0: Immediate Reset Successful */

/* ----------------------------------------------------------------- status */

/* Base 4.2.3: Status Code Type << 8 | Status Code. */
enum nvme_status {
	/* Generic Command Status */
	NVME_SC_SUCCESS = 0x000,
	NVME_SC_INVALID_OPCODE = 0x001,
	NVME_SC_INVALID_FIELD = 0x002,
	NVME_SC_CID_CONFLICT = 0x003,
	NVME_SC_DATA_TRANSFER_ERROR = 0x004,
	NVME_SC_INTERNAL_ERROR = 0x006,
	NVME_SC_ABORT_REQUESTED = 0x007,
	NVME_SC_ABORT_SQ_DELETION = 0x008,
	NVME_SC_ABORT_MISSING_FUSED = 0x00a,
	NVME_SC_INVALID_NS = 0x00b,
	NVME_SC_COMMAND_SEQUENCE = 0x00c,
	NVME_SC_SGL_LENGTH_INVALID = 0x00f,
	NVME_SC_SGL_TYPE_INVALID = 0x011,
	NVME_SC_OPERATION_DENIED = 0x015,
	NVME_SC_SGL_OFFSET_INVALID = 0x016,
	NVME_SC_HOST_ID_INCONSISTENT = 0x018,
	NVME_SC_KEEP_ALIVE_EXPIRED = 0x019,
	NVME_SC_KEEP_ALIVE_INVALID = 0x01a,
	NVME_SC_ABORT_PREEMPT = 0x01b,
	NVME_SC_NS_WRITE_PROTECTED = 0x020,
	NVME_SC_COMMAND_INTERRUPTED = 0x021,
	NVME_SC_TRANSIENT_TRANSPORT = 0x022,
	NVME_SC_LBA_OUT_OF_RANGE = 0x080,
	NVME_SC_CAPACITY_EXCEEDED = 0x081,
	NVME_SC_NS_NOT_READY = 0x082,
	NVME_SC_RESERVATION_CONFLICT = 0x083,

	/* Command Specific Status */
	NVME_SC_INVALID_QUEUE_ID = 0x101,
	NVME_SC_INVALID_QUEUE_SIZE = 0x102,
	NVME_SC_ABORT_LIMIT = 0x103,
	NVME_SC_ASYNC_LIMIT = 0x105,
	NVME_SC_INVALID_LOG_PAGE = 0x109,
	NVME_SC_FEATURE_NOT_SAVEABLE = 0x10d,
	NVME_SC_FEATURE_NOT_CHANGEABLE = 0x10e,
	NVME_SC_FEATURE_NOT_PER_NS = 0x10f,
	NVME_SC_INVALID_CONTROLLER_ID = 0x11f,
	NVME_SC_IOCS_NOT_SUPPORTED = 0x129,
	NVME_SC_IOCS_COMBINATION_REJECTED = 0x12b,
	NVME_SC_INVALID_IOCS = 0x12c,
	NVME_SC_CCR_IN_PROGRESS = 0x13f,
	NVME_SC_CCR_LOG_FULL = 0x140,
	NVME_SC_CCR_LIMIT_EXCEEDED = 0x141,
	NVME_SC_INVALID_PROTECTION_INFO = 0x181,
	NVME_SC_READ_ONLY_RANGE = 0x182,

	/* Command Specific Status of the Fabrics commands */
	NVME_SC_CONNECT_INCOMPATIBLE_FORMAT = 0x180,
	NVME_SC_CONNECT_CONTROLLER_BUSY = 0x181,
	NVME_SC_CONNECT_INVALID_PARAM = 0x182,
	NVME_SC_CONNECT_RESTART_DISCOVERY = 0x183,
	NVME_SC_CONNECT_INVALID_HOST = 0x184,
	NVME_SC_DISCOVERY_RESTART = 0x190,
	NVME_SC_AUTH_REQUIRED = 0x191,

	/* Media and Data Integrity Errors */
	NVME_SC_WRITE_FAULT = 0x280,
	NVME_SC_READ_ERROR = 0x281,
	NVME_SC_COMPARE_FAILED = 0x285,
	NVME_SC_ACCESS_DENIED = 0x286,

	/* Path Related Status */
	NVME_SC_INTERNAL_PATH_ERROR = 0x300,
	NVME_SC_ANA_PERSISTENT_LOSS = 0x301,
	NVME_SC_ANA_INACCESSIBLE = 0x302,
	NVME_SC_ANA_TRANSITION = 0x303,
	NVME_SC_CONTROLLER_PATH_ERROR = 0x360,
	NVME_SC_HOST_PATH_ERROR = 0x370,
	NVME_SC_HOST_ABORTED = 0x371,

	NVME_SC_MASK = 0x7ff,
	NVME_SC_CRD = 0x1800, /* Command Retry Delay */
	NVME_SC_MORE = 0x2000,
	NVME_SC_DNR = 0x4000, /* Do Not Retry */
};

/* ------------------------------------------------------------- properties */

/* Base 3.1.4: offsets. */
enum nvme_property {
	NVME_PROP_CAP = 0x00,  /* 8 bytes */
	NVME_PROP_VS = 0x08,   /* 4 */
	NVME_PROP_CC = 0x14,   /* 4 */
	NVME_PROP_CSTS = 0x1c, /* 4 */
	NVME_PROP_NSSR = 0x20, /* 4 */
	NVME_PROP_CRTO = 0x68, /* 4 */
};

#define NVME_CAP_MQES(n)  ((uint64_t)(n)) /* 0's based */
#define NVME_CAP_CQR	  (1ull << 16)
#define NVME_CAP_TO(n)	  ((uint64_t)(n) << 24) /* 500 ms */
#define NVME_CAP_CSS_NVM  (1ull << 37)
#define NVME_CAP_CSS_IOCS (1ull << 43)

#define NVME_VS(major, minor, tertiary)                                        \
	((uint32_t)(major) << 16 | (minor) << 8 | (tertiary))

enum {
	NVME_CC_EN = 1 << 0,
	NVME_CC_CSS_SHIFT = 4,
	NVME_CC_CSS = 7 << NVME_CC_CSS_SHIFT,
	NVME_CC_CSS_NVM = 0 << NVME_CC_CSS_SHIFT,
	NVME_CC_CSS_IOCS = 6 << NVME_CC_CSS_SHIFT,
	NVME_CC_MPS = 0xf << 7,
	NVME_CC_AMS = 7 << 11,
	NVME_CC_SHN_SHIFT = 14,
	NVME_CC_SHN = 3 << NVME_CC_SHN_SHIFT,
	NVME_CC_IOSQES = 0xf << 16,
	NVME_CC_IOCQES = 0xf << 20,
};

enum {
	NVME_CSTS_RDY = 1 << 0,
	NVME_CSTS_CFS = 1 << 1,
	NVME_CSTS_SHST = 3 << 2,
	NVME_CSTS_SHST_OCCURRING = 1 << 2,
	NVME_CSTS_SHST_COMPLETE = 2 << 2,
};

#endif
