/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Share reservations (RFC 8881 9.7): which opens of a file get along.  An OPEN
 * is checked against every open of the file, its own owner's not excepted.
 *
 * Hardly any client denies anything, so opens that do are counted, and the
 * others are walked only when one of the two sides denies.
 */
#include "nfs/server/internal.h"

struct nfsd_state *nfsd_share_conflict(const struct nfsd_file *f,
				       unsigned access, unsigned deny)
{
	struct nfsd_state *s;

	if (deny == 0 && f->ndenials == 0)
		return NULL;
	list_for_each (s, &f->opens, by_file)
		if ((access & s->deny) || (deny & s->access))
			return s;
	return NULL;
}

void nfsd_share_set(struct nfsd_state *s, unsigned access, unsigned deny)
{
	struct nfsd_file *f = s->file;

	if (list_empty(&s->by_file))
		list_append(&f->opens, &s->by_file);
	f->ndenials += (deny != 0) - (s->deny != 0);
	s->access = access;
	s->deny = deny;
}

void nfsd_share_drop(struct nfsd_state *s)
{
	if (list_empty(&s->by_file))
		return;
	s->file->ndenials -= s->deny != 0;
	list_del(&s->by_file);
}
