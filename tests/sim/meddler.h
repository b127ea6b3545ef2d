/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Somebody between client and server who answers some of the requests himself,
 * with statuses that a server seldom gives, loses some, and repeats some.
 */
#ifndef SIM_MEDDLER_H
#define SIM_MEDDLER_H

#include "world.h"

enum meddling {
	MEDDLE_DELAY,	 /* NFS4ERR_DELAY of SEQUENCE */
	MEDDLE_SESSION,	 /* NFS4ERR_BADSESSION, DEADSESSION */
	MEDDLE_DELAY_OP, /* NFS4ERR_DELAY, GRACE of the first operation; the
			    server never saw the sequence id that this used
			    up, so NFS4ERR_SEQ_MISORDERED comes later */
	MEDDLE_UNCACHED, /* NFS4ERR_RETRY_UNCACHED_REP, where the client did
			    not ask to have the reply kept */
	MEDDLE_STATEID,	 /* NFS4ERR_BAD_STATEID, EXPIRED of a READ */
	MEDDLE_LOSE,
	/* no answer at all */ MEDDLE_TWICE, /* the request goes to the server
						twice */
	MEDDLE_LATE, /* the reply is lost; the first repeat finds the
			request "still being worked on" (NFS4ERR_DELAY
			of SEQUENCE) */
	MEDDLINGS
};

enum { MEDDLER_LATE = 8 };

struct meddler {
	struct world *w;
	struct addr at;
	struct listener *listener;
	double chance[MEDDLINGS]; /* for each request */
	unsigned done[MEDDLINGS];
	struct pair *newest;	  /* connection */
	sessionid4 session;	  /* seen in a request */
	struct completion *reply; /* to our call */
	struct {
		uint32_t xid; /* 0: none */
		bool lost;    /* its reply was; the repeat is to come */
	} late[MEDDLER_LATE];
};

/* Calls the client on its connection, as the server would: CB_SEQUENCE with
 * `sequence`, then CB_NOTIFY_LOCK.  The status of the reply. */
nfsstat4 meddler_notify_lock(struct meddler *m, uint32_t sequence);

/* Listens at m->at, and works until meddler_stop(). */
void meddler_start(struct meddler *m, struct world *w);
void meddler_stop(struct meddler *m);

#endif
