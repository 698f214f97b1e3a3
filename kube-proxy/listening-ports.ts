/** A TCP or UDP port on which a process of this host listens, e.g. `tcp 80`. */
export type HostPort = string;

const listening = '0A';
const udpUnconnected = '07';

/** Reads one of /proc/net/{tcp,tcp6,udp,udp6}: ports bound on all addresses or on `address`. */
export function parseListening(text: string, protocol: 'tcp' | 'udp', address: string): HostPort[] {
  const own = hexAddress(address);
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', , state] = line.trim().split(/\s+/);
      const [host = '', port = ''] = local.split(':');
      if (state !== (protocol === 'tcp' ? listening : udpUnconnected)) return [];
      const isOurs = /^0+$/.test(host) || host.endsWith(own);
      return isOurs ? [`${protocol} ${Number.parseInt(port, 16)}`] : [];
    });
}

/** An IPv4 address as the kernel prints it there: bytes in reverse order. */
function hexAddress(address: string): string {
  return address
    .split('.')
    .reverse()
    .map((byte) => Number(byte).toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();
}
