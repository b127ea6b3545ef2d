/* SPDX-License-Identifier: Apache-2.0 */
/* Transport addresses, as parameters and as results. */
#include "rpc/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct rpc_param nvmf_address_fields[] = {
	{ "trtype", RPC_STRING, RPC_REQUIRED, "TCP", "-t" },
	{ "traddr", RPC_STRING, RPC_REQUIRED, "IP address", "-a" },
	{ "trsvcid", RPC_STRING, RPC_OPTIONAL, "port", "-s" },
	{ "adrfam", RPC_STRING, RPC_OPTIONAL, "IPv4 or IPv6", "-f" },
	{},
};

int nvmf_address(struct rpc_call *call, const json_t *object, struct addr *a)
{
	const char *type, *host, *port = "", *family = NULL;
	char text[ADDR_TEXT_MAX];

	json_unpack((json_t *)object, "{s:s, s:s, s?s, s?s}", "trtype", &type,
		    "traddr", &host, "trsvcid", &port, "adrfam", &family);
	if (strcasecmp(type, "tcp") != 0)
		return rpc_refuse(call, RPC_INVALID_PARAMS,
				  "Invalid transport type '%.32s': it is TCP",
				  type);
	if (strlen(host) > 64 || port[0] < '1' || port[0] > '9' ||
	    strlen(port) > 5 || strspn(port, "0123456789") != strlen(port) ||
	    atoi(port) > UINT16_MAX)
		return rpc_refuse(call, RPC_INVALID_PARAMS,
				  "trsvcid is a port, 1 to 65535, not '%.32s'",
				  port);
	snprintf(text, sizeof(text), strchr(host, ':') ? "[%s]:%s" : "%s:%s",
		 host, port);
	if (addr_parse(a, text, 0) < 0 || a->sa.sa_family == AF_UNIX ||
	    (family &&
	     strcasecmp(family,
			a->sa.sa_family == AF_INET6 ? "ipv6" : "ipv4") != 0))
		return rpc_refuse(call, RPC_INVALID_PARAMS,
				  "traddr is an IP address%s%.8s, not '%.64s'",
				  family ? " of " : "", family ? family : "",
				  host);
	return 0;
}

json_t *nvmf_describe_address(const struct addr *a)
{
	char host[ADDR_TEXT_MAX], port[8];

	snprintf(port, sizeof(port), "%u", addr_port(a));
	return json_pack("{s:s, s:s, s:s, s:s}", "trtype", "TCP", "adrfam",
			 a->sa.sa_family == AF_INET6 ? "IPv6" : "IPv4",
			 "traddr", addr_format_host(a, host), "trsvcid", port);
}
