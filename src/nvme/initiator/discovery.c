/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Discovery (NVMe Base 2.3, 3.1.3.3 and 5.2.12.3.1): what a discovery service
 * lists is attached, and stays as the service lists it.
 *
 *	controller up, or event ─▶ discovery_read(): the log page into `found`
 *	                              │ news
 *	worker task ◀─────────────────┘
 *	    ├─▶ attach what is listed and is not attached
 *	    └─▶ detach what is attached and is not listed any more
 *
 * The worker looks again after a while if something failed.  It alone adds to
 * and takes from what is attached; discovery_read() adds to `found` and says
 * what is listed.
 */
#include "nvme/initiator/internal.h"

#define TRY_AGAIN SEC(5)

enum { FOUND_MAX = 1024, READ_ATTEMPTS = 5 };

/* A way to a subsystem. */
struct found {
	struct list link; /* discovery.found */
	struct addr addr;
	char subnqn[NVME_NQN_SIZE];
	char name[NVMEI_NAME_MAX + 1]; /* what it is attached as */
	bool secure, listed, attached;
	bool others; /* it was attached already, by somebody else */
	bool busy;   /* the worker parks with it in its hands */
};

/* ------------------------------------------------------------ the log page */

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

/* All ways to a subsystem have one name. */
static void name_it(struct nvmei_discovery *d, struct found *f)
{
	const struct found *other;

	list_for_each (other, &d->found, link)
		if (strcmp(other->subnqn, f->subnqn) == 0) {
			strcpy(f->name, other->name);
			return;
		}
	snprintf(f->name, sizeof(f->name), "%.*s%u", NVMEI_NAME_MAX - 10,
		 d->name, d->subsystems++);
}

static int take_entry(struct nvmei_discovery *d,
		      const struct nvme_discovery_entry *e)
{
	char subnqn[NVME_NQN_SIZE + 1];
	struct addr addr;
	struct found *f;

	get_text(subnqn, e->subnqn, NVME_NQN_SIZE);
	if (e->subtype != NVME_SUBTYPE_NVM || e->trtype != NVME_TRTYPE_TCP ||
	    !parse_addr(e, &addr) || strlen(subnqn) >= NVME_NQN_SIZE)
		return 0; /* not for us */
	f = find(d, &addr, subnqn);
	if (f == NULL) {
		f = calloc(1, sizeof(*f));
		if (f == NULL)
			return -ENOMEM;
		f->addr = addr;
		strcpy(f->subnqn, subnqn);
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

/* -------------------------------------------------------------- the worker */

static bool attach(struct nvmei_discovery *d, struct found *f)
{
	struct nvmei_attach a = d->attach;
	char text[256] = "";
	int rc;

	a.name = f->name;
	a.addr = f->addr;
	a.subnqn = f->subnqn;
	if (!f->secure)
		a.psk = NULL;
	f->busy = true;
	rc = nvmei_attach(d->host, &a, text);
	f->busy = false;
	f->attached = rc == 0 || rc == -EALREADY;
	f->others = rc == -EALREADY;
	if (!f->attached)
		log_warn("nvme discovery %s: %s: %s", d->name, f->subnqn, text);
	return f->attached;
}

static bool detach(struct nvmei_discovery *d, struct found *f)
{
	int rc;

	f->busy = true;
	rc = f->others ? 0 : nvmei_detach(d->host, f->name, &f->addr);
	f->busy = false;
	if (rc < 0 && rc != -ENOENT)
		return false;
	list_del(&f->link);
	free(f);
	return true;
}

/* One that has to be attached (`listed`), or taken away; the first `skip` of
 * them failed in this round.  It parks in between: the search begins anew. */
static struct found *next_to_do(struct nvmei_discovery *d, bool listed,
				unsigned skip)
{
	struct found *f;

	list_for_each (f, &d->found, link)
		if (f->listed == listed && !(listed && f->attached) &&
		    skip-- == 0)
			return f;
	return NULL;
}

/* True if nothing failed. */
static bool work(struct nvmei_discovery *d)
{
	unsigned failed = 0, kept = 0;
	struct found *f;

	while (!d->ending && (f = next_to_do(d, true, failed)) != NULL)
		failed += !attach(d, f);
	while (!d->ending && (f = next_to_do(d, false, kept)) != NULL)
		kept += !detach(d, f);
	return failed == 0 && kept == 0;
}

static void worker(void *arg)
{
	struct nvmei_discovery *d = arg;
	struct nvmei *h = d->host;
	nsec again = NSEC_NEVER;

	while (!d->ending) {
		if (!d->news && reactor_now() < again) {
			waitq_wait(&h->changed, again);
			continue;
		}
		d->news = false;
		again = work(d) ? NSEC_NEVER : reactor_now() + TRY_AGAIN;
		d->settled = true;
		waitq_wake_all(&h->changed);
	}
	d->working = false;
	h->tasks--;
	waitq_wake_all(&h->changed);
}

/* ---------------------------------------------------------- start and stop */

static void free_string(const char **s)
{
	if (*s != NULL)
		explicit_bzero((char *)*s, strlen(*s));
	free((char *)*s);
	*s = NULL;
}

static bool copy_string(const char **s)
{
	if (*s == NULL)
		return true;
	*s = strdup(*s);
	return *s != NULL;
}

static void discovery_free(struct nvmei_discovery *d)
{
	free_string(&d->attach.dhchap_key);
	free_string(&d->attach.dhchap_ctrlr_key);
	free_string(&d->attach.psk);
	free(d);
}

static struct nvmei_discovery *create(struct nvmei *h,
				      const struct nvmei_attach *a)
{
	struct nvmei_discovery *d = calloc(1, sizeof(*d));
	bool all;

	if (d == NULL)
		return NULL;
	d->host = h;
	d->attach = *a;
	d->addr = a->addr;
	strcpy(d->name, a->name);
	list_init(&d->found);
	all = copy_string(&d->attach.dhchap_key);
	all &= copy_string(&d->attach.dhchap_ctrlr_key);
	all &= copy_string(&d->attach.psk);
	list_init(&d->link);
	if (all)
		return d;
	discovery_free(d);
	return NULL;
}

void discovery_end(struct nvmei_discovery *d)
{
	struct nvmei *h = d->host;
	struct found *f;

	d->ending = true;
	list_del(&d->link);
	waitq_wake_all(&h->changed);
	while (d->working)
		waitq_wait(&h->changed, NSEC_NEVER);
	if (d->ctrl != NULL)
		ctrl_free(d->ctrl);
	while ((f = list_first(&d->found, struct found, link))) {
		if (f->attached && !f->others)
			nvmei_detach(h, f->name, &f->addr);
		list_del(&f->link);
		free(f);
	}
	discovery_free(d);
}

static struct nvmei_discovery *find_discovery(const struct nvmei *h,
					      const char *name)
{
	struct nvmei_discovery *d;

	list_for_each (d, &h->discoveries, link)
		if (strcmp(d->name, name) == 0)
			return d;
	return NULL;
}

static int connect_service(struct nvmei_discovery *d, char *text)
{
	struct nvmei_attach a = { .name = "",
				  .addr = d->addr,
				  .subnqn = NVME_DISCOVERY_NQN,
				  .header_digest = d->attach.header_digest,
				  .data_digest = d->attach.data_digest,
				  .dhchap_key = d->attach.dhchap_key };
	struct nvmei_ctrl *c = ctrl_create(d->host, &a);
	int rc;

	if (c == NULL)
		return -ENOMEM;
	c->discovery = d;
	rc = ctrl_start(c, &a, text);
	if (rc < 0)
		return rc;
	d->ctrl = c;
	rc = task_spawn("nvmei-discovery", worker, d);
	if (rc < 0)
		return rc;
	d->working = true;
	d->host->tasks++;
	while (!d->settled)
		waitq_wait(&d->host->changed, NSEC_NEVER);
	return 0;
}

int nvmei_discovery_start(struct nvmei *h, const struct nvmei_attach *a,
			  char text[256])
{
	struct nvmei_discovery *d;
	int rc;

	if (strlen(a->name) == 0 || strlen(a->name) > NVMEI_NAME_MAX - 10)
		return refuse_with(text, -EINVAL, "the name has 1 to %d bytes",
				   NVMEI_NAME_MAX - 10);
	if (find_discovery(h, a->name) != NULL)
		return refuse_with(text, -EEXIST, "%s is watched already",
				   a->name);
	d = create(h, a);
	if (d == NULL)
		return -ENOMEM;
	list_append(&h->discoveries, &d->link);
	rc = connect_service(d, text);
	if (rc < 0)
		discovery_end(d);
	return rc;
}

int nvmei_discovery_stop(struct nvmei *h, const char *name)
{
	struct nvmei_discovery *d = find_discovery(h, name);

	if (d == NULL)
		return -ENOENT;
	if (!d->settled)
		return -EBUSY;
	discovery_end(d);
	return 0;
}

bool nvmei_discovery_get(const struct nvmei *h, unsigned i,
			 struct nvmei_discovery_info *out)
{
	const struct nvmei_discovery *d;
	const struct found *f;

	list_for_each (d, &h->discoveries, link) {
		if (i-- > 0)
			continue;
		*out = (struct nvmei_discovery_info){ .name = d->name,
						      .addr = d->addr };
		out->connected = d->ctrl != NULL && d->ctrl->life != NULL &&
				 d->ctrl->life->up;
		list_for_each (f, &d->found, link)
			out->attached += f->attached;
		return true;
	}
	return false;
}
