# SPDX-License-Identifier: Apache-2.0
# The configuration file: what it sets, and what it says of mistakes.

cat >good <<END
# everything
subnets:
  - cidr: 127.99.4.0/24
    zone: east
  - { cidr: fd00:77::/64, zone: west }
reactors: 1
lease: 10
root_squash: true
END
hawserd --config good --run 'hawser subnet list --json; hawser info' >out 2>err
grep -q '"zone": "east"' out
grep -q '"cidr": "fd00:77::/64"' out
grep -q '^reactors *1$' out
same 3 "$(hawserd --config good --reactors 3 --run \
	'hawser info --json' 2>err | json 'j["reactors"]')"
: >empty
hawserd --config empty --run true 2>err || fail "$(cat err)"

# mistake TEXT-OF-THE-FILE MESSAGE
mistake() {
	printf '%b' "$1" >bad
	refused 2 "$2" hawserd --config bad --run true
}
mistake 'lease: soon\n' 'bad:1: a number in 1..3600 is needed'
mistake 'reactors: 1\nlease: 0\n' 'bad:2: a number'
mistake 'colour: red\n' "bad:1: unknown key 'colour'"
mistake '- 1\n' 'KEY: VALUE is needed'
mistake 'subnets: 5\n' 'bad:1: a list is needed'
mistake 'metrics: { period: 61 }\n' 'bad:1: a number in 1..60'
mistake 'metrics: { http: here }\n' 'an address with a port'
mistake 'throughput: { elastic: 0 }\n' 'a number in 1..'
mistake 'alarm_actions:\n- { arn: "*" }\n' 'bad:2: an action needs'
mistake 'alarm_actions:\n- { arn: x, command: y, webhook: "http://127.0.0.1/" }
' 'an action needs'
mistake 'alarm_actions:\n- { arn: x, webhook: "https://example.org/" }\n' \
	'bad:2: http://ADDRESS:PORT/'
mistake 'subnets:\n- { cidr: 10.0.0.1/24, zone: a }\n' 'bad:2: a subnet needs'
mistake 'subnets:\n- { cidr: 10.0.0.0/24 }\n' 'a subnet needs'
mistake 'subnets:\n- { cidr: 10.0.0.0/8, zone: a }
- { cidr: 10.1.0.0/16, zone: b }\n' 'bad:3: 10.1.0.0/16 overlaps 10.0.0.0/8'
mistake 'root_squash: maybe\n' 'true or false'
mistake 'a: [\n' 'bad:2: '
refused 2 'No such file' hawserd --config missing --run true
