/* SPDX-License-Identifier: Apache-2.0 */
#include "nvme/target/registrants.h"

#include <stdlib.h>
#include <string.h>

enum {
	CONFLICT = NVME_SC_RESERVATION_CONFLICT | NVME_SC_DNR,
	INVALID = NVME_SC_INVALID_FIELD | NVME_SC_DNR,
};

void registrants_init(struct registrants *r)
{
	*r = (struct registrants){};
	list_init(&r->all);
}

static void drop(struct registrants *r, struct registrant *reg)
{
	list_del(&reg->link);
	free(reg);
	r->n--;
}

void registrants_fini(struct registrants *r)
{
	while (!list_empty(&r->all))
		drop(r, list_first(&r->all, struct registrant, link));
}

static struct registrant *find(const struct registrants *r,
			       const uint8_t host[16])
{
	struct registrant *reg;

	list_for_each (reg, &r->all, link)
		if (memcmp(reg->host, host, sizeof(reg->host)) == 0)
			return reg;
	return NULL;
}

static bool is_all_registrants(enum nvme_resv_type type)
{
	return type == NVME_RTYPE_WEAR || type == NVME_RTYPE_EAAR;
}

bool registrants_is_holder(const struct registrants *r,
			   const struct registrant *reg)
{
	return reg->holder || is_all_registrants(r->type);
}

static struct registrant *find_holder(const struct registrants *r)
{
	struct registrant *reg;

	list_for_each (reg, &r->all, link)
		if (reg->holder)
			return reg;
	return NULL;
}

static void tell(const struct registrants *r, const struct registrant *reg,
		 enum nvme_resv_notice what)
{
	if (r->told != NULL)
		r->told(r->arg, reg->host, what);
}

static void tell_others(const struct registrants *r, const uint8_t host[16],
			enum nvme_resv_notice what)
{
	const struct registrant *reg;

	list_for_each (reg, &r->all, link)
		if (memcmp(reg->host, host, sizeof(reg->host)) != 0)
			tell(r, reg, what);
}

static void hold(struct registrants *r, struct registrant *reg,
		 enum nvme_resv_type type)
{
	struct registrant *other;

	list_for_each (other, &r->all, link)
		other->holder = false;
	r->type = type;
	reg->holder = !is_all_registrants(type);
}

static void let_go(struct registrants *r)
{
	struct registrant *reg;

	r->type = NVME_RTYPE_NONE;
	list_for_each (reg, &r->all, link)
		reg->holder = false;
}

/* ---------------------------------------------------------------- register */

static uint16_t add(struct registrants *r, const uint8_t host[16], uint64_t key)
{
	struct registrant *reg;

	if (r->n >= REGISTRANTS_MAX)
		return NVME_SC_INTERNAL_ERROR | NVME_SC_DNR;
	reg = calloc(1, sizeof(*reg));
	if (reg == NULL)
		return NVME_SC_INTERNAL_ERROR;
	memcpy(reg->host, host, sizeof(reg->host));
	reg->key = key;
	list_append(&r->all, &reg->link);
	r->n++;
	return 0;
}

/* The reservation goes with its holder; with All Registrants, with the last
 * one.  Those who could do something by being registered learn that all can. */
static void unregister(struct registrants *r, struct registrant *reg)
{
	enum nvme_resv_type type = r->type;
	bool was_holder = reg->holder;

	drop(r, reg);
	if (!was_holder && !(is_all_registrants(type) && r->n == 0))
		return;
	let_go(r);
	if (type == NVME_RTYPE_WERO || type == NVME_RTYPE_EARO)
		list_for_each (reg, &r->all, link)
			tell(r, reg, NVME_RESV_RELEASED);
}

static uint16_t do_register(struct registrants *r, const uint8_t host[16],
			    uint8_t action, bool ignore_key, uint64_t current,
			    uint64_t new)
{
	struct registrant *reg = find(r, host);
	bool knows = reg != NULL && (ignore_key || reg->key == current);

	switch (action) {
	case NVME_RREGA_REGISTER:
		if (new == 0)
			return INVALID;
		if (reg == NULL)
			return add(r, host, new);
		return reg->key == new ? 0 : CONFLICT;
	case NVME_RREGA_UNREGISTER:
		if (!knows)
			return CONFLICT;
		unregister(r, reg);
		return 0;
	case NVME_RREGA_REPLACE:
		if (new == 0)
			return INVALID;
		if (reg == NULL && ignore_key)
			return add(r, host, new);
		if (!knows)
			return CONFLICT;
		reg->key = new;
		return 0;
	default:
		return INVALID;
	}
}

uint16_t registrants_register(struct registrants *r, const uint8_t host[16],
			      uint8_t action, bool ignore_key, uint64_t current,
			      uint64_t new)
{
	uint16_t status =
		do_register(r, host, action, ignore_key, current, new);

	if (status == 0)
		r->generation++;
	return status;
}

/* ----------------------------------------------------------------- acquire */

static uint16_t acquire(struct registrants *r, struct registrant *reg,
			uint8_t type)
{
	if (r->type == NVME_RTYPE_NONE) {
		hold(r, reg, type);
		return 0;
	}
	return registrants_is_holder(r, reg) && r->type == type ? 0 : CONFLICT;
}

static bool has_key(const struct registrants *r, uint64_t key)
{
	const struct registrant *reg;

	list_for_each (reg, &r->all, link)
		if (reg->key == key)
			return true;
	return false;
}

/* Unregisters those with the key (0: all), but not `spared`; `by` needs no
 * telling. */
static void preempt_key(struct registrants *r, uint64_t key,
			const struct registrant *spared,
			const struct registrant *by)
{
	struct registrant *reg, *tmp;

	list_for_each_safe (reg, tmp, &r->all, link) {
		if (reg == spared || (key != 0 && reg->key != key))
			continue;
		if (reg != by)
			tell(r, reg, NVME_RESV_REGISTRATION_PREEMPTED);
		drop(r, reg);
	}
	if (r->n == 0)
		let_go(r);
}

/* The reservation changes hands. */
static void take_over(struct registrants *r, struct registrant *reg,
		      uint8_t type, uint64_t key)
{
	enum nvme_resv_type old = r->type;

	preempt_key(r, key, reg, reg);
	hold(r, reg, type);
	if (old != type)
		tell_others(r, reg->host, NVME_RESV_RELEASED);
}

/*
 *	reservation    key              what happens
 *	---------------------------------------------------------------------
 *	none           of a registrant  those with it are unregistered
 *	one holder     the holder's     likewise, and the reservation is ours
 *	one holder     another's        those with it are unregistered
 *	all            0                all others are, and it is ours
 *	all            of a registrant  those with it are unregistered
 */
static uint16_t preempt(struct registrants *r, struct registrant *reg,
			uint8_t type, uint64_t key)
{
	const struct registrant *holder = find_holder(r);

	if (key == 0 && !is_all_registrants(r->type))
		return INVALID;
	if (key != 0 && !has_key(r, key))
		return CONFLICT;
	if (key == 0 || (holder != NULL && holder->key == key))
		take_over(r, reg, type, key);
	else
		preempt_key(r, key, NULL, reg);
	r->generation++;
	return 0;
}

static bool is_type(uint8_t type)
{
	return type >= NVME_RTYPE_WE && type <= NVME_RTYPE_EAAR;
}

uint16_t registrants_acquire(struct registrants *r, const uint8_t host[16],
			     uint8_t action, uint8_t type, uint64_t current,
			     uint64_t preempted)
{
	struct registrant *reg = find(r, host);

	if (action > NVME_RACQA_PREEMPT_AND_ABORT || !is_type(type))
		return INVALID;
	if (reg == NULL || reg->key != current)
		return CONFLICT;
	if (action == NVME_RACQA_ACQUIRE)
		return acquire(r, reg, type);
	return preempt(r, reg, type, preempted);
}

/* ----------------------------------------------------------------- release */

static uint16_t release(struct registrants *r, struct registrant *reg,
			uint8_t type)
{
	if (r->type == NVME_RTYPE_NONE || !registrants_is_holder(r, reg))
		return 0;
	if (r->type != type)
		return INVALID;
	let_go(r);
	if (type != NVME_RTYPE_WE && type != NVME_RTYPE_EA)
		tell_others(r, reg->host, NVME_RESV_RELEASED);
	return 0;
}

static void clear(struct registrants *r, const struct registrant *reg)
{
	tell_others(r, reg->host, NVME_RESV_PREEMPTED);
	let_go(r);
	registrants_fini(r);
	r->generation++;
}

uint16_t registrants_release(struct registrants *r, const uint8_t host[16],
			     uint8_t action, uint8_t type, uint64_t current)
{
	struct registrant *reg = find(r, host);

	if (action > NVME_RRELA_CLEAR)
		return INVALID;
	if (action == NVME_RRELA_RELEASE && !is_type(type))
		return INVALID;
	if (reg == NULL || reg->key != current)
		return CONFLICT;
	if (action == NVME_RRELA_RELEASE)
		return release(r, reg, type);
	clear(r, reg);
	return 0;
}

/* --------------------------------------------------------------------- I/O */

bool registrants_allow(const struct registrants *r, const uint8_t host[16],
		       bool write)
{
	const struct registrant *reg = find(r, host);

	if (reg != NULL && registrants_is_holder(r, reg))
		return true;
	switch (r->type) {
	case NVME_RTYPE_NONE:
		return true;
	case NVME_RTYPE_WE:
		return !write;
	case NVME_RTYPE_EA:
		return false;
	case NVME_RTYPE_WERO:
	case NVME_RTYPE_WEAR:
		return !write || reg != NULL;
	case NVME_RTYPE_EARO:
	case NVME_RTYPE_EAAR:
		return reg != NULL;
	}
	return false;
}
