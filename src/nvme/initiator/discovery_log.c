/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The discovery log page (NVMe Base 2.3, 5.2.12.3.1) becomes the list of what a
 * service has found.
 */
#include "nvme/initiator/discovery.h"

enum { FOUND_MAX = 1024, READ_ATTEMPTS = 5 };

/* A text field may end with spaces, zeroes, or not at all. */
static void get_text(char *out, const char *field, size_t size)
{
	size_t len = strnlen(field, size);

	while (len > 0 && field[len - 1] == ' ')
		len--;
	memcpy(out, field, len);
	out[len] = '\0';
}

static bool parse_addr(const struct nvme_discovery_entry *e, struct addr *out)
{
	char host[sizeof(e->traddr) + 1], port[sizeof(e->trsvcid) + 1];
	char text[sizeof(host) + sizeof(port) + 3];

	get_text(host, e->traddr, sizeof(e->traddr));
	get_text(port, e->trsvcid, sizeof(e->trsvcid));
	snprintf(text, sizeof(text),
		 e->adrfam == NVME_ADRFAM_IPV6 ? "[%s]:%s" : "%s:%s", host,
		 port);
	return addr_parse(out, text, 4420) == 0 && out->sa.sa_family != AF_UNIX;
}

static struct found *find(const struct nvmei_discovery *d,
			  const struct addr *addr, const char *subnqn)
{
	struct found *f;

	list_for_each (f, &d->found, link)
		if (addr_equal(&f->addr, addr) &&
		    strcmp(f->subnqn, subnqn) == 0)
			return f;
	return NULL;
}

static const struct found *find_subsystem(const struct nvmei_discovery *d,
					  const char *subnqn)
{
	const struct found *f;

	list_for_each (f, &d->found, link)
		if (!f->referral && strcmp(f->subnqn, subnqn) == 0)
			return f;
	return NULL;
}

/* All ways to a subsystem have one name, whichever service lists them. */
static void name_it(struct nvmei_discovery *d, struct found *f)
{
	struct nvmei_discovery *root = discovery_root(d), *other = NULL;
	const struct found *same;

	if (d->only[0] != '\0') {
		strcpy(f->name, root->name);
		return;
	}
	while ((other = discovery_next(d->host, other)) != NULL) {
		if (discovery_root(other) != root)
			continue;
		same = find_subsystem(other, f->subnqn);
		if (same != NULL) {
			strcpy(f->name, same->name);
			return;
		}
	}
	snprintf(f->name, sizeof(f->name), "%.*s%u", NVMEI_NAME_MAX - 10,
		 root->name, root->subsystems++);
}

static bool is_for_us(const struct nvme_discovery_entry *e)
{
	return (e->subtype == NVME_SUBTYPE_NVM ||
		e->subtype == NVME_SUBTYPE_REFERRAL) &&
	       e->trtype == NVME_TRTYPE_TCP;
}

/* Another host's loopback addresses are none of this one's. */
static bool is_reachable(const struct nvmei_discovery *d,
			 const struct addr *addr)
{
	return !addr_is_any(addr) &&
	       (!addr_is_loopback(addr) || addr_is_loopback(&d->addr));
}

static bool is_watched(const struct nvmei_discovery *d,
		       const struct nvme_discovery_entry *e, const char *subnqn)
{
	return d->only[0] == '\0' || e->subtype == NVME_SUBTYPE_REFERRAL ||
	       strcmp(d->only, subnqn) == 0;
}

static int take_entry(struct nvmei_discovery *d,
		      const struct nvme_discovery_entry *e)
{
	char subnqn[NVME_NQN_SIZE + 1];
	struct addr addr;
	struct found *f;

	get_text(subnqn, e->subnqn, NVME_NQN_SIZE);
	if (!is_for_us(e) || !parse_addr(e, &addr) || !is_reachable(d, &addr) ||
	    strlen(subnqn) >= NVME_NQN_SIZE || !is_watched(d, e, subnqn))
		return 0;
	f = find(d, &addr, subnqn);
	if (f == NULL) {
		f = calloc(1, sizeof(*f));
		if (f == NULL)
			return -ENOMEM;
		f->addr = addr;
		strcpy(f->subnqn, subnqn);
		f->referral = e->subtype == NVME_SUBTYPE_REFERRAL;
		if (!f->referral)
			name_it(d, f);
		list_append(&d->found, &f->link);
	}
	f->secure = (e->treq & 3) == NVME_TREQ_SECURE_REQUIRED;
	f->listed = true;
	return 0;
}

static int read_header(struct nvmei_life *l, struct nvme_discovery_log *out)
{
	int rc = admin_log_at(l, NVME_LOG_DISCOVERY, 0, out, sizeof(*out));

	if (rc == 0 && out->numrec > FOUND_MAX)
		return -E2BIG;
	return rc;
}

/* Header, entries; the generation is the same at the end, or *same is false. */
static int read_all(struct nvmei_life *l, struct nvme_discovery_log *head,
		    struct nvme_discovery_entry **entries, bool *same)
{
	uint64_t at = sizeof(*head), generation, n;
	int rc = read_header(l, head);

	if (rc != 0)
		return rc;
	n = head->numrec;
	generation = head->genctr;
	*entries = calloc(n + 1, sizeof(**entries));
	if (*entries == NULL)
		return -ENOMEM;
	for (uint64_t i = 0; rc == 0 && i < n; i++, at += sizeof(**entries))
		rc = admin_log_at(l, NVME_LOG_DISCOVERY, at, *entries + i,
				  sizeof(**entries));
	if (rc == 0)
		rc = read_header(l, head);
	*same = rc == 0 && head->genctr == generation && head->numrec == n;
	return rc;
}

/* Those that are not listed any more before they were attached. */
static void forget(struct nvmei_discovery *d)
{
	struct found *f, *next;

	list_for_each_safe (f, next, &d->found, link)
		if (!f->listed && !f->attached && !f->busy) {
			list_del(&f->link);
			free(f);
		}
}

static uint64_t count_attached(const struct nvmei_discovery *d)
{
	const struct found *f;
	uint64_t n = 0;

	list_for_each (f, &d->found, link)
		n += f->attached;
	return n;
}

/* What was attached may have to stay for a while: so there can be more than one
 * list has, but not without bound. */
static int take_all(struct nvmei_discovery *d,
		    const struct nvme_discovery_entry *entries, uint64_t n)
{
	struct found *f;
	int rc = 0;

	if (n + count_attached(d) > 2 * FOUND_MAX)
		return -E2BIG;
	list_for_each (f, &d->found, link)
		f->listed = false;
	for (uint64_t i = 0; rc == 0 && i < n; i++)
		rc = take_entry(d, &entries[i]);
	list_for_each (f, &d->found, link)
		f->listed |= rc < 0; /* nothing is detached for that */
	forget(d);
	d->news = true;
	waitq_wake_all(&d->host->changed);
	return rc;
}

int discovery_read(struct nvmei_life *l)
{
	struct nvme_discovery_log *head = malloc(sizeof(*head));
	struct nvme_discovery_entry *entries = NULL;
	bool same = false;
	int rc = head != NULL ? 0 : -ENOMEM;

	for (int i = 0; rc == 0 && !same && i < READ_ATTEMPTS; i++) {
		free(entries);
		entries = NULL;
		rc = read_all(l, head, &entries, &same);
	}
	if (rc == 0 && l->dead)
		rc = -ECONNABORTED;
	if (rc == 0 && same) /* else an event will tell of the next change */
		rc = take_all(l->ctrl->discovery, entries, head->numrec);
	free(entries);
	free(head);
	return rc;
}
