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
 *
 * To attach a referral is to start a service of its own, which its referrer
 * owns: services are trees, of which a user started the roots.  They may refer
 * to each other in circles: an address is asked once.
 */
#include "nvme/initiator/discovery.h"

#define TRY_AGAIN SEC(5)

/* Referrals in a row, and services below one that a user asked for. */
enum { DEPTH_MAX = 4, SERVICES_MAX = 64 };

/* ----------------------------------------------------------------- services */

struct nvmei_discovery *discovery_next(const struct nvmei *h,
				       const struct nvmei_discovery *d)
{
	const struct list *all;

	if (d == NULL)
		return list_first(&h->discoveries, struct nvmei_discovery,
				  link);
	if (!list_empty(&d->referrals))
		return list_first(&d->referrals, struct nvmei_discovery, link);
	for (; d != NULL; d = d->by) {
		all = d->by != NULL ? &d->by->referrals : &h->discoveries;
		if (d->link.next != all)
			return list_entry(d->link.next, struct nvmei_discovery,
					  link);
	}
	return NULL;
}

struct nvmei_discovery *discovery_root(struct nvmei_discovery *d)
{
	while (d->by != NULL)
		d = d->by;
	return d;
}

static bool is_asked(const struct nvmei_discovery *by, const struct addr *addr)
{
	const struct nvmei_discovery *d = NULL;

	while ((d = discovery_next(by->host, d)) != NULL)
		if (addr_equal(&d->addr, addr) &&
		    strcmp(d->only, by->only) == 0)
			return true;
	return false;
}

static unsigned depth_of(const struct nvmei_discovery *d)
{
	unsigned n = 0;

	for (; d->by != NULL; d = d->by)
		n++;
	return n;
}

static unsigned count_services(struct nvmei_discovery *root)
{
	struct nvmei_discovery *d = NULL;
	unsigned n = 0;

	while ((d = discovery_next(root->host, d)) != NULL)
		n += discovery_root(d) == root;
	return n;
}

/* --------------------------------------------------------------- the worker */

static struct nvmei_discovery *create(struct nvmei *h,
				      const struct nvmei_attach *a);
static int connect_service(struct nvmei_discovery *d, const char *subnqn,
			   char *text);
static void await_settled(const struct nvmei_discovery *d);

static int attach_way(struct nvmei_discovery *d, struct found *f, char *text)
{
	struct nvmei_attach a = d->attach;

	a.name = f->name;
	a.addr = f->addr;
	a.subnqn = f->subnqn;
	if (!f->secure)
		a.psk = NULL;
	return nvmei_attach(d->host, &a, text);
}

static int follow(struct nvmei_discovery *d, struct found *f, char *text)
{
	struct nvmei_attach a = d->attach;
	struct nvmei_discovery *service;
	int rc;

	if (is_asked(d, &f->addr))
		return -EALREADY;
	if (depth_of(d) >= DEPTH_MAX ||
	    count_services(discovery_root(d)) > SERVICES_MAX)
		return refuse_with(text, -EMLINK, "too many referrals");
	a.name = d->name;
	a.addr = f->addr;
	service = create(d->host, &a);
	if (service == NULL)
		return -ENOMEM;
	service->by = d;
	strcpy(service->only, d->only);
	list_append(&d->referrals, &service->link);
	rc = connect_service(service, f->subnqn, text);
	if (rc < 0) {
		discovery_end(service);
		return rc;
	}
	f->service = service;
	await_settled(service);
	return 0;
}

static bool attach(struct nvmei_discovery *d, struct found *f)
{
	char text[256] = "";
	int rc;

	f->busy = true;
	rc = f->referral ? follow(d, f, text) : attach_way(d, f, text);
	f->busy = false;
	f->attached = rc == 0 || rc == -EALREADY;
	f->others = rc == -EALREADY;
	if (!f->attached && !f->told && !d->ending)
		log_warn("nvme discovery %s: %s: %s", d->name, f->subnqn, text);
	f->told = !f->attached; /* it is tried for ever */
	return f->attached;
}

static bool is_same(const struct found *f, const struct found *g)
{
	return f != g && !f->referral && !g->referral &&
	       addr_equal(&f->addr, &g->addr) &&
	       strcmp(f->subnqn, g->subnqn) == 0;
}

/* Another service lists it, too: it is that one's from now on. */
static bool hand_over(struct nvmei *h, const struct found *f)
{
	struct nvmei_discovery *d = NULL;
	struct found *g;

	while ((d = discovery_next(h, d)) != NULL)
		list_for_each (g, &d->found, link)
			if (is_same(f, g) && g->others && g->listed) {
				strcpy(g->name, f->name);
				g->others = false;
				return true;
			}
	return false;
}

/* Nobody asks there any more: who refers to it, too, may do so. */
static void may_be_followed(struct nvmei *h, const struct addr *addr)
{
	struct nvmei_discovery *d = NULL;
	struct found *f;

	while ((d = discovery_next(h, d)) != NULL)
		list_for_each (f, &d->found, link)
			if (f->referral && f->others &&
			    addr_equal(&f->addr, addr)) {
				f->attached = f->others = false;
				d->news = true;
			}
	waitq_wake_all(&h->changed);
}

/* Parks.  What is others' stays. */
static int let_go(struct nvmei *h, struct found *f)
{
	if (f->others || !f->attached)
		return 0;
	if (!f->referral)
		return hand_over(h, f) ? 0 : nvmei_detach(h, f->name, &f->addr);
	discovery_end(f->service);
	may_be_followed(h, &f->addr);
	return 0;
}

static bool detach(struct nvmei_discovery *d, struct found *f)
{
	int rc;

	f->busy = true;
	rc = let_go(d->host, f);
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
	list_init(&d->referrals);
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
		let_go(h, f);
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

/* A controller of the service at that address, which has told what there is. */
static int connect_to(struct nvmei_discovery *d, const struct addr *addr,
		      const char *subnqn, struct nvmei_ctrl **out, char *text)
{
	struct nvmei_attach a = { .name = "",
				  .addr = *addr,
				  .subnqn = subnqn,
				  .header_digest = d->attach.header_digest,
				  .data_digest = d->attach.data_digest,
				  .dhchap_key = d->attach.dhchap_key };
	struct nvmei_ctrl *c = ctrl_create(d->host, &a);
	int rc;

	if (c == NULL)
		return -ENOMEM;
	c->discovery = d;
	rc = ctrl_start(c, &a, text);
	if (rc == 0)
		*out = c;
	return rc;
}

static int connect_service(struct nvmei_discovery *d, const char *subnqn,
			   char *text)
{
	int rc = connect_to(d, &d->addr, subnqn, &d->ctrl, text);

	if (rc == 0)
		rc = task_spawn("nvmei-discovery", worker, d);
	if (rc < 0)
		return rc;
	d->working = true;
	d->host->tasks++;
	return 0;
}

static void await_settled(const struct nvmei_discovery *d)
{
	while (!d->settled)
		waitq_wait(&d->host->changed, NSEC_NEVER);
}

int nvmei_discovery_start(struct nvmei *h, const struct nvmei_attach *a,
			  char text[256])
{
	struct nvmei_discovery *d;
	int rc;

	if (strlen(a->name) == 0 || strlen(a->name) > NVMEI_NAME_MAX - 10)
		return refuse_with(text, -EINVAL, "the name has 1 to %d bytes",
				   NVMEI_NAME_MAX - 10);
	list_for_each (d, &h->discoveries, link)
		if (strcmp(d->name, a->name) == 0 ||
		    addr_equal(&d->addr, &a->addr))
			return refuse_with(text, -EEXIST,
					   "it is watched already, as %s",
					   d->name);
	rc = nvmei_check_timeouts(a->ctrlr_loss_timeout_sec,
				  a->reconnect_delay_sec,
				  a->fast_io_fail_timeout_sec, text);
	if (rc < 0)
		return rc;
	d = create(h, a);
	if (d == NULL)
		return -ENOMEM;
	list_append(&h->discoveries, &d->link);
	rc = connect_service(d, NVME_DISCOVERY_NQN, text);
	if (rc < 0)
		discovery_end(d);
	else
		await_settled(d);
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

int nvmei_watch_start(struct nvmei *h, const struct nvmei_attach *a,
		      struct nvmei_discovery **out, char text[256])
{
	struct nvmei_discovery *d;
	int rc;

	assert(strlen(a->name) <= NVMEI_NAME_MAX &&
	       strlen(a->subnqn) < NVME_NQN_SIZE);
	d = create(h, a);
	if (d == NULL)
		return -ENOMEM;
	strcpy(d->only, a->subnqn);
	list_append(&h->discoveries, &d->link);
	rc = connect_service(d, NVME_DISCOVERY_NQN, text);
	if (rc < 0)
		discovery_end(d);
	else
		*out = d;
	return rc;
}

bool nvmei_watch_is_up(const struct nvmei_discovery *d)
{
	return d->ctrl->life != NULL && d->ctrl->life->up;
}

int nvmei_watch_move(struct nvmei_discovery *d, const struct addr *addr,
		     char text[256])
{
	struct nvmei_ctrl *before = d->ctrl;
	struct addr from = d->addr;
	int rc;

	d->addr = *addr;
	rc = connect_to(d, addr, NVME_DISCOVERY_NQN, &d->ctrl, text);
	if (rc == 0)
		ctrl_free(before);
	else
		d->addr = from;
	return rc;
}

bool discovery_give(struct nvmei *h, const struct nvmei_attach *a)
{
	struct nvmei_discovery *d = NULL;
	struct found *f;

	while ((d = discovery_next(h, d)) != NULL)
		list_for_each (f, &d->found, link)
			if (d->only[0] != '\0' && !f->referral && f->attached &&
			    !f->others && strcmp(f->name, a->name) == 0 &&
			    strcmp(f->subnqn, a->subnqn) == 0 &&
			    addr_equal(&f->addr, &a->addr)) {
				f->others = true;
				return true;
			}
	return false;
}

/* Those that it refers to, too. */
static unsigned count_attached(struct nvmei_discovery *root)
{
	struct nvmei_discovery *d = NULL;
	const struct found *f;
	unsigned n = 0;

	while ((d = discovery_next(root->host, d)) != NULL) {
		if (discovery_root(d) != root)
			continue;
		list_for_each (f, &d->found, link)
			n += f->attached && !f->referral;
	}
	return n;
}

static struct nvmei_discovery *get_discovery(const struct nvmei *h, unsigned i)
{
	struct nvmei_discovery *d;

	list_for_each (d, &h->discoveries, link)
		if (i-- == 0)
			return d;
	return NULL;
}

bool nvmei_discovery_get(const struct nvmei *h, unsigned i,
			 struct nvmei_discovery_info *out)
{
	struct nvmei_discovery *d = get_discovery(h, i);

	if (d == NULL)
		return false;
	*out = (struct nvmei_discovery_info){
		.name = d->name,
		.addr = d->addr,
		.connected = d->ctrl != NULL && nvmei_watch_is_up(d),
		.attached = count_attached(d),
	};
	return true;
}

bool nvmei_discovery_referral(const struct nvmei *h, unsigned i, unsigned j,
			      struct addr *out)
{
	struct nvmei_discovery *root = get_discovery(h, i), *d = NULL;

	while (root != NULL && (d = discovery_next(h, d)) != NULL)
		if (d != root && discovery_root(d) == root && j-- == 0) {
			*out = d->addr;
			return true;
		}
	return false;
}
