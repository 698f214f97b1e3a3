import { BlockList, isIP, isIPv6 } from 'node:net';

/**
 * Ranges that a URL sent by a stranger must not lead to: everything that is not public unicast (IANA special-purpose
 * registries), which includes loopback, link-local with the clouds' metadata addresses, and private networks, where
 * nodes, pods and Services live.
 */
const REFUSED_RANGES = [
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24',
  '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24',
  '224.0.0.0/4', '240.0.0.0/4',
  // IPv6: unspecified, loopback, and everything that carries an IPv4 address inside (mapped, translated, 6to4, Teredo).
  '::/96', '::ffff:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48', '100::/64', '2001::/23', '2001:db8::/32', '2002::/16',
  'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8',
]; // prettier-ignore

/** Says which addresses the gateway may fetch pictures from. */
export type AddressPolicy = (address: string) => boolean;

/** The default policy plus the cluster's own ranges refused, minus the ranges that are allowed by name. */
export function addressPolicy(options: {
  clusterRanges: readonly string[];
  allowedRanges: readonly string[];
}): AddressPolicy {
  const refused = blockList([...REFUSED_RANGES, ...options.clusterRanges]);
  const allowed = blockList(options.allowedRanges);
  return (text) => {
    const address = withoutMapping(text);
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (isIP(address) === 0) return false;
    return allowed.check(address, family) || !refused.check(address, family);
  };
}

/** ::ffff:127.0.0.1 is 127.0.0.1 to the kernel, and so it must be to the policy. */
function withoutMapping(address: string): string {
  const dotted = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (dotted?.[1] !== undefined) return dotted[1];
  const words = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(address);
  if (words?.[1] === undefined || words[2] === undefined) return address;
  const value = [words[1], words[2]].map((word) => Number.parseInt(word, 16));
  return value.flatMap((word) => [word >> 8, word & 255]).join('.');
}

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix = ''] = range.split('/');
    const length = Number(prefix);
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (isIP(address) === 0 || prefix === '' || !Number.isInteger(length))
      throw new Error(`${range} is not a range such as 10.244.0.0/16`);
    list.addSubnet(address, length, family);
  }
  return list;
}
