/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Identify returns: NVM Express Base 2.3, 5.2.13 and 5.2.13.2; NVM Command
 * Set 1.1, 4.1.5.  Members that are not named here are zero for us.
 */
#ifndef NVME_PDU_IDENTIFY_H
#define NVME_PDU_IDENTIFY_H

#include "nvme/pdu/nvme.h"

/* cdw10 7:0; 31:16 is a controller identifier.  cdw11 31:24 is CSI. */
enum nvme_identify_cns {
	NVME_CNS_NAMESPACE = 0x00,
	NVME_CNS_CONTROLLER = 0x01,
	NVME_CNS_ACTIVE_LIST = 0x02,
	NVME_CNS_DESCRIPTORS = 0x03,
	NVME_CNS_CSI_NAMESPACE = 0x05,
	NVME_CNS_CSI_CONTROLLER = 0x06,
	NVME_CNS_CSI_ACTIVE_LIST = 0x07,
	NVME_CNS_INDEPENDENT_NAMESPACE = 0x08,
	NVME_CNS_ALLOCATED_LIST = 0x10,
	NVME_CNS_ALLOCATED_NAMESPACE = 0x11,
	NVME_CNS_NS_CONTROLLER_LIST = 0x12,
	NVME_CNS_CONTROLLER_LIST = 0x13,
	NVME_CNS_IO_COMMAND_SETS = 0x1c,
};
enum { NVME_CSI_NVM = 0 };

struct NVME_PACKED nvme_id_power_state {
	uint16_t mp; /* 10 mW */
	uint8_t reserved2;
	uint8_t flags;
	uint32_t enlat, exlat; /* us */
	uint8_t rrt, rrl, rwt, rwl;
	uint16_t idlp;
	uint8_t ips;
	uint8_t reserved19;
	uint16_t actp;
	uint8_t apws;
	uint8_t reserved23[9];
};
NVME_SIZE(struct nvme_id_power_state, 32);

struct NVME_PACKED nvme_id_ctrl {
	uint16_t vid, ssvid;
	char sn[20], mn[40], fr[8]; /* padded with spaces */
	uint8_t rab;
	uint8_t ieee[3];
	uint8_t cmic;
	uint8_t mdts; /* 2^n pages of 4 KiB; 0: no limit */
	uint16_t cntlid;
	uint32_t ver;
	uint32_t rtd3r, rtd3e;
	uint32_t oaes;
	uint32_t ctratt;
	uint16_t rrls;
	uint8_t bpcap, reserved103;
	uint32_t nssl;
	uint8_t reserved108[2];
	uint8_t plsi;
	uint8_t cntrltype;
	uint8_t fguid[16];
	uint16_t crdt[3]; /* 100 ms */
	uint8_t crcap;
	uint8_t ciu;   /* Controller Instance Uniquifier */
	uint64_t cirn; /* Controller Instance Random Number */
	uint8_t reserved144[109];
	uint8_t nvmsr, vwci, mec;
	uint16_t oacs;
	uint8_t acl, aerl; /* 0's based */
	uint8_t frmw, lpa;
	uint8_t elpe; /* 0's based */
	uint8_t npss, avscc, apsta;
	uint16_t wctemp, cctemp; /* K */
	uint16_t mtfa;
	uint32_t hmpre, hmmin;
	uint8_t tnvmcap[16], unvmcap[16];
	uint32_t rpmbs;
	uint16_t edstt;
	uint8_t dsto, fwug;
	uint16_t kas; /* 100 ms */
	uint16_t hctma, mntmt, mxtmt;
	uint32_t sanicap, hmminds;
	uint16_t hmmaxd, nsetidmax, endgidmax;
	uint8_t anatt; /* s */
	uint8_t anacap;
	uint32_t anagrpmax, nanagrpid;
	uint32_t pels;
	uint16_t domainid;
	uint8_t kpioc, reserved359;
	uint16_t mptfawr;
	uint8_t reserved362[6];
	uint8_t megcap[16];
	uint8_t tmpthha, reserved385;
	uint16_t cqt; /* Command Quiesce Time, ms */
	uint8_t reserved388[124];

	uint8_t sqes, cqes;
	uint16_t maxcmd;
	uint32_t nn;
	uint16_t oncs, fuses;
	uint8_t fna, vwc;
	uint16_t awun, awupf; /* 0's based */
	uint8_t icsvscc, nwpc;
	uint16_t acwu, cdfs;
	uint32_t sgls;
	uint32_t mnan;
	uint8_t maxdna[16];
	uint32_t maxcna;
	uint32_t oaqd;
	uint8_t reserved568[200];
	char subnqn[NVME_NQN_SIZE];
	uint8_t reserved1024[768];

	uint32_t ioccsz, iorcsz; /* 16 bytes */
	uint16_t icdoff;	 /* 16 bytes */
	uint8_t fcatt, msdbd;
	uint16_t ofcs;
	uint8_t dctype;
	uint8_t ccrl; /* Cross-Controller Reset Limit */
	uint8_t reserved1808[240];

	struct nvme_id_power_state psd[32];
	uint8_t vs[1024];
};
NVME_SIZE(struct nvme_id_ctrl, NVME_IDENTIFY_SIZE);
NVME_OFFSET(struct nvme_id_ctrl, cntlid, 78);
NVME_OFFSET(struct nvme_id_ctrl, cntrltype, 111);
NVME_OFFSET(struct nvme_id_ctrl, ciu, 135);
NVME_OFFSET(struct nvme_id_ctrl, nvmsr, 253);
NVME_OFFSET(struct nvme_id_ctrl, kas, 320);
NVME_OFFSET(struct nvme_id_ctrl, anatt, 342);
NVME_OFFSET(struct nvme_id_ctrl, cqt, 386);
NVME_OFFSET(struct nvme_id_ctrl, sqes, 512);
NVME_OFFSET(struct nvme_id_ctrl, sgls, 536);
NVME_OFFSET(struct nvme_id_ctrl, subnqn, 768);
NVME_OFFSET(struct nvme_id_ctrl, ioccsz, 1792);
NVME_OFFSET(struct nvme_id_ctrl, ccrl, 1807);
NVME_OFFSET(struct nvme_id_ctrl, psd, 2048);

enum { /* cmic */
       NVME_CMIC_MPORTS = 1 << 0,
       NVME_CMIC_MCTRS = 1 << 1,
       NVME_CMIC_ANARS = 1 << 3,
};
enum { /* oaes; the same bits in the Asynchronous Event Configuration */
       NVME_OAES_NSAN = 1 << 8,
       NVME_OAES_ANACN = 1 << 11,
       NVME_OAES_CCRCN = 1 << 20,
       NVME_OAES_DLPCN = 1u << 31,
};
enum {				  /* ctratt */
       NVME_CTRATT_HIDS = 1 << 0, /* 128-bit Host Identifier */
       NVME_CTRATT_TBKAS = 1 << 6,
       NVME_CTRATT_ELBAS = 1 << 15,
};
enum { NVME_DCTYPE_DDC = 1 };
enum { NVME_CNTRLTYPE_IO = 1, NVME_CNTRLTYPE_DISCOVERY = 2 };
enum {				/* lpa */
       NVME_LPA_CSES = 1 << 1,	/* Commands Supported and Effects */
       NVME_LPA_LPEDS = 1 << 2, /* extended data: NUMDU, LPO */
       NVME_LPA_MLPS = 1 << 5,	/* Supported Log Pages and the like */
};
enum { /* anacap */
       NVME_ANACAP_OPTIMIZED = 1 << 0,
       NVME_ANACAP_NON_OPTIMIZED = 1 << 1,
       NVME_ANACAP_INACCESSIBLE = 1 << 2,
       NVME_ANACAP_PERSISTENT_LOSS = 1 << 3,
       NVME_ANACAP_CHANGE = 1 << 4,
       NVME_ANACAP_FIXED_GRPID = 1 << 6,
};
enum { /* oncs */
       NVME_ONCS_COMPARE = 1 << 0,
       NVME_ONCS_DSM = 1 << 2,
       NVME_ONCS_WRITE_ZEROES = 1 << 3,
       NVME_ONCS_SAVE_SELECT = 1 << 4,
       NVME_ONCS_RESERVATIONS = 1 << 5,
       NVME_ONCS_VERIFY = 1 << 7,
};
enum { /* vwc */
       NVME_VWC_PRESENT = 1 << 0,
       NVME_VWC_FLUSH_NO_BROADCAST = 2 << 1,
       NVME_VWC_FLUSH_BROADCAST = 3 << 1,
};
enum {				       /* sgls */
       NVME_SGLS_BYTE = 1 << 0,	       /* any alignment and granularity */
       NVME_SGLS_DWORD = 2 << 0,       /* dword alignment and granularity */
       NVME_SGLS_IN_CAPSULE = 1 << 20, /* offset in SGL Data Blocks */
       NVME_SGLS_TRANSPORT = 1 << 21,
};

/* NVM 4.1.5.1, with the members of Base 5.2.13.2.8 in their places. */
struct NVME_PACKED nvme_lbaf {
	uint16_t ms;
	uint8_t lbads; /* 2^n bytes */
	uint8_t rp;
};
struct NVME_PACKED nvme_id_ns {
	uint64_t nsze, ncap, nuse; /* blocks */
	uint8_t nsfeat;
	uint8_t nlbaf; /* 0's based */
	uint8_t flbas, mc, dpc, dps;
	uint8_t nmic;
	uint8_t rescap;
	uint8_t fpi, dlfeat;
	uint16_t nawun, nawupf, nacwu, nabsn, nabo, nabspf, noiob;
	uint8_t nvmcap[16];
	uint16_t npwg, npwa, npdg, npda, nows;
	uint16_t mssrl;
	uint32_t mcl;
	uint8_t msrc;
	uint8_t reserved81[11];
	uint32_t anagrpid;
	uint8_t reserved96[3];
	uint8_t nsattr;
	uint16_t nvmsetid, endgid;
	uint8_t nguid[16];
	uint8_t eui64[8];
	struct nvme_lbaf lbaf[64];
	uint8_t vs[3712];
};
NVME_SIZE(struct nvme_id_ns, NVME_IDENTIFY_SIZE);
NVME_OFFSET(struct nvme_id_ns, nmic, 30);
NVME_OFFSET(struct nvme_id_ns, nvmcap, 48);
NVME_OFFSET(struct nvme_id_ns, anagrpid, 92);
NVME_OFFSET(struct nvme_id_ns, nguid, 104);
NVME_OFFSET(struct nvme_id_ns, lbaf, 128);

enum {
	NVME_NSFEAT_THINP = 1 << 0,
	NVME_NSFEAT_DAE = 1 << 2, /* Deallocated or Unwritten Block Error */
	NVME_NSFEAT_OPTPERF = 1 << 4,
	NVME_NMIC_SHARED = 1 << 0,
	NVME_NSATTR_WP = 1 << 0,
	NVME_DLFEAT_ZEROES = 1, /* deallocated blocks read as zeroes */
	NVME_DLFEAT_WZ_DEAC = 1 << 3,
};

/* Base 5.2.13.2.8: I/O Command Set Independent Identify Namespace. */
struct NVME_PACKED nvme_id_ns_independent {
	uint8_t nsfeat, nmic, rescap, fpi;
	uint32_t anagrpid;
	uint8_t nsattr, reserved9;
	uint16_t nvmsetid, endgid;
	uint8_t nstat;
	uint8_t reserved15[4081];
};
NVME_SIZE(struct nvme_id_ns_independent, NVME_IDENTIFY_SIZE);
enum { NVME_NSTAT_NRDY = 1 << 0 };

/* Base 5.2.13.2.3: Namespace Identification Descriptor; nidl bytes follow. */
struct NVME_PACKED nvme_ns_descriptor {
	uint8_t nidt, nidl;
	uint8_t reserved2[2];
	uint8_t nid[];
};
enum {
	NVME_NIDT_EUI64 = 1, /* 8 bytes */
	NVME_NIDT_NGUID = 2, /* 16 */
	NVME_NIDT_UUID = 3,  /* 16 */
	NVME_NIDT_CSI = 4,   /* 1 */
};

/* NVM 4.1.5.4: Identify Controller of the NVM Command Set. */
struct NVME_PACKED nvme_id_ctrl_nvm {
	uint8_t vsl, wzsl, wusl, dmrl;
	uint32_t dmrsl;
	uint64_t dmsl;
	uint8_t reserved16[4080];
};
NVME_SIZE(struct nvme_id_ctrl_nvm, NVME_IDENTIFY_SIZE);

#endif
