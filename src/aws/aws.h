/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of AWS's APIs, of hawserd's or of anybody's who speaks them, over
 * HTTP(S) and signed with Signature Version 4 by libcurl: REST with JSON (EFS),
 * AWS JSON (CloudWatch, KMS) and the query protocol with XML (EC2).
 *
 * What a program is not told it takes from where AWS's own tools look:
 *
 *   endpoint     AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, HAWSER_API_URL,
 *                else AWS's own, https://SERVICE.REGION.amazonaws.com
 *   region       AWS_REGION, AWS_DEFAULT_REGION, `region` of the profile in the
 *                credentials file or in AWS_CONFIG_FILE (~/.aws/config), else
 *                us-east-1
 *   profile      AWS_PROFILE, else "default"
 *   credentials  AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY and
 *                AWS_SESSION_TOKEN, unless a profile or a file is given; else
 *                the profile in AWS_SHARED_CREDENTIALS_FILE,
 *                HAWSER_AWS_CREDENTIALS or ~/.aws/credentials, whichever is
 *                the first to be there; else in what hawserd wrote, as
 *                HAWSER_STATE/credentials or /var/lib/hawser/credentials
 *   CA           AWS_CA_BUNDLE, else the system's
 *
 * An endpoint may have {service} and {region} in it, which are replaced.  One
 * that was told is reached without a proxy, AWS's own as the environment says.
 * Files are read again for each call, so that a key can be replaced.
 *
 * Calls block.  A client may be used by many threads at once; each call has a
 * connection of its own, and connections are kept for later calls.
 */
#ifndef AWS_AWS_H
#define AWS_AWS_H

#include <jansson.h>

struct aws_options {
	const char *endpoint, *region, *profile, *credentials_file, *ca_file;
	const char *default_endpoint; /* in place of AWS's own */
};

/* Why a call failed, for people; `code` for programs, "" when there is none. */
struct aws_error {
	int status;	/* HTTP's; 0: there was no answer */
	char code[64];	/* AWS's: "FileSystemNotFound" */
	char message[512];
};

struct aws_client;

/* Strings of `o` are copied.  0 or -ENOMEM. */
int aws_open(struct aws_client **client, const struct aws_options *o,
	     struct aws_error *e);

/* After the last call has returned. */
void aws_close(struct aws_client *client);

const char *aws_region(const struct aws_client *client);

/* The key that a request would be signed with now, for signatures that are none
 * of a request.  0 or -ENOENT with *e; free it in either case. */
struct aws_key {
	char *id, *secret, *token; /* token: may be NULL */
};
int aws_key_get(const struct aws_client *client, struct aws_key *key,
		struct aws_error *e);
void aws_key_free(struct aws_key *key);

/* Where a service is asked: "https://HOST[:PORT]". */
enum { AWS_ENDPOINT_SIZE = 1024 };
void aws_endpoint(const struct aws_client *client, const char *service,
		  char url[AWS_ENDPOINT_SIZE]);

/*
 * One request.  *reply becomes the caller's; an empty answer is an empty
 * object.
 *
 * 0; -EREMOTEIO: the service said no, *e says how, and *reply is the body of
 * that, or NULL; another -errno: there was no answer (-ETIMEDOUT,
 * -ECONNREFUSED, ...) or none that makes sense (-EPROTO), and *reply is NULL.
 * A request with an answer that asks for patience (429, 503) is made again, for
 * a few seconds; with JSON also one without an answer, or with another 5xx: so
 * it has to be one that does no harm when it is made twice, as with AWS's
 * tokens.
 */

/* REST: `path` begins with '/' and may have a query, percent-encoded and with
 * its parameters in order of their names; `body` is borrowed and may be NULL.
 */
int aws_rest(struct aws_client *client, const char *service,
	     const char *method, const char *path, const json_t *body,
	     json_t **reply, struct aws_error *e);

/* AWS JSON, version "1.0" or "1.1": `target` is
 * "GraniteServiceVersion20100801.DescribeAlarms". */
int aws_json(struct aws_client *client, const char *service,
	     const char *version, const char *target, const json_t *body,
	     json_t **reply, struct aws_error *e);

/* The query protocol: `version` is that of the API ("2016-11-15"), parameters
 * are an object of texts, borrowed.  The answer is as aws_xml_parse() has it.
 */
int aws_query(struct aws_client *client, const char *service,
	      const char *version, const char *action, const json_t *parameters,
	      json_t **reply, struct aws_error *e);

/* XML as JSON, the elements below the root: an object, the text of what has no
 * elements in it, a list of what has only <item>s or <member>s.  NULL: it is
 * not XML. */
json_t *aws_xml_parse(const char *text, size_t len);

#endif
