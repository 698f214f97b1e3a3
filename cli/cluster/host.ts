import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { Failure } from './failure.js';

const pingTimeoutMs = 5_000;

/** Network rules and the engine's socket are root's. */
export function requireRoot(argv: readonly string[]): void {
  if (process.platform !== 'linux') throw new Failure(`knarr runs clusters on Linux only; this is ${process.platform}`);
  if (process.getuid?.() === 0) return;
  throw new Failure(
    `This needs root for network rules and the Docker socket. Run: sudo env "PATH=$PATH" knarr ${argv.join(' ')}`,
  );
}

/** Path of the engine's socket in a `unix://` address. */
function socketPath(dockerHost: string): string {
  if (!dockerHost.startsWith('unix://'))
    throw new Failure(`The Docker address ${dockerHost} is not a unix:// socket; containers must run on this machine`);
  return dockerHost.slice('unix://'.length);
}

/** Resolves when the Docker Engine answers; otherwise throws one sentence with the remedy. */
export async function requireEngine(dockerHost: string): Promise<void> {
  const path = socketPath(dockerHost);
  if (!existsSync(path))
    throw new Failure(
      `There is no Docker Engine at ${path}. Install it with: apt-get install docker.io; start it with: systemctl start docker`,
    );
  const problem = await new Promise<string | undefined>((resolve) => {
    const call = request({ socketPath: path, path: '/_ping', timeout: pingTimeoutMs }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? undefined : `answered ${response.statusCode}`);
    });
    call.once('error', (error) => resolve(error.message));
    call.once('timeout', () => call.destroy(new Error(`no answer within ${pingTimeoutMs / 1000} s`)));
    call.end();
  });
  if (problem)
    throw new Failure(
      `The Docker Engine at ${path} does not answer (${problem}). Start it with: systemctl start docker`,
    );
}

interface Link {
  readonly ifname: string;
  readonly addr_info: readonly { readonly local?: string; readonly scope?: string }[];
}

/** All interfaces, also those without a carrier, which Node does not list: docker0 has none until a container runs. */
function links(): Link[] {
  return JSON.parse(execFileSync('ip', ['-json', '-4', 'addr'], { encoding: 'utf8' })) as Link[];
}

/** IPv4 addresses of this machine but loopback's. */
export function hostAddresses(): string[] {
  return links().flatMap((link) =>
    link.addr_info.flatMap((a) => (a.local && a.scope === 'global' && link.ifname !== 'lo' ? [a.local] : [])),
  );
}

/** The address on the interface of the default route; without one, that of Docker's own bridge. */
export function linkAddress(): string {
  const all = links();
  const address = (name: string | undefined): string | undefined =>
    all.find((l) => l.ifname === name)?.addr_info.find((a) => a.scope === 'global')?.local;
  const found =
    address(defaultRouteInterface(readFileSync('/proc/net/route', 'utf8'))) ?? address('docker0') ?? hostAddresses()[0];
  if (!found)
    throw new Failure(
      'This machine has no IPv4 address but loopback, and pods need one to reach the API server: add one, or start Docker, which makes docker0',
    );
  return found;
}

/** Name of the interface of the default route with the lowest metric in /proc/net/route. */
function defaultRouteInterface(table: string): string | undefined {
  const routes = table
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .filter((f) => f[1] === '00000000' && f[7] === '00000000');
  return routes.sort((a, b) => Number(a[6]) - Number(b[6]))[0]?.[0];
}

/** Whether nothing listens on a TCP port. */
function isPortFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** The first free port from `wanted` upwards in steps; a hundred are tried. */
export async function freePort(
  wanted: number,
  host: string,
  taken: ReadonlySet<number> = new Set(),
  step = 1,
): Promise<number> {
  for (let port = wanted; port < wanted + 100 * step; port += step) {
    if (!taken.has(port) && (await isPortFree(port, host))) return port;
  }
  throw new Failure(`No port is free from ${wanted} on ${host}`);
}

/** Gives loopback an address of a further node; having it already is fine. */
export function addLoopbackAddress(address: string): void {
  execFileSync('ip', ['addr', 'replace', `${address}/32`, 'dev', 'lo'], { stdio: 'ignore' });
}

/** Takes it away again; not having it is fine. */
export function removeLoopbackAddress(address: string): void {
  const has = links().some((link) => link.ifname === 'lo' && link.addr_info.some((a) => a.local === address));
  if (has) execFileSync('ip', ['addr', 'del', `${address}/32`, 'dev', 'lo'], { stdio: 'ignore' });
}
