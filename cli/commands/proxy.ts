import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Command } from 'commander';
import type { CommandHost } from '../command-host.js';
import type { CommandContext } from '../context.js';
import { Failure } from '../cluster/failure.js';
import { integerFlag } from '../flags.js';
import { listenFailure } from '../streams/listen-failure.js';

export interface ProxyFlags {
  port: number;
  address: string;
  apiPrefix: string;
  acceptHosts: string;
  acceptPaths: string;
  rejectPaths: string;
  rejectMethods: string;
}

export function register(program: Command, host: CommandHost): void {
  const command = program
    .command('proxy')
    .description('serve the API of the cluster, with our credentials, on a port of this machine')
    .option('--address <ip>', 'address to listen on', '127.0.0.1')
    .option('--api-prefix <path>', 'where the API is served', '/')
    .option(
      '--accept-hosts <pattern>',
      'host names that are accepted',
      String.raw`^localhost$,^127\.0\.0\.1$,^\[::1\]$`,
    )
    .option('--accept-paths <pattern>', 'paths that are accepted', '^.*')
    .option('--reject-paths <pattern>', 'paths that are refused', '^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach')
    .option('--reject-methods <pattern>', 'methods that are refused', '^$')
    .addOption(integerFlag('-p, --port <port>', 'port to listen on; 0 = any free one', 8001));
  host.bind<ProxyFlags>(command, (context, flags) => runProxy(context, flags));
}

const patterns = (text: string): RegExp[] => text.split(',').map((each) => new RegExp(each));

/** Whether a request is passed on: only for names of this machine, so that no web page reaches the cluster through a browser. */
export function proxyFilter(
  flags: Omit<ProxyFlags, 'port' | 'address'>,
): (request: { method: string; host: string; path: string }) => boolean {
  const [hosts, accepted, rejected, methods] = [
    flags.acceptHosts,
    flags.acceptPaths,
    flags.rejectPaths,
    flags.rejectMethods,
  ].map(patterns);
  const some = (list: readonly RegExp[] | undefined, text: string): boolean =>
    (list ?? []).some((pattern) => pattern.test(text));
  return ({ method, host, path }) => {
    const name = host.replace(/:\d+$/, '');
    return some(hosts, name) && some(accepted, path) && !some(rejected, path) && !some(methods, method);
  };
}

async function runProxy(context: CommandContext, flags: ProxyFlags): Promise<void> {
  const accepts = proxyFilter(flags);
  const prefix = flags.apiPrefix.replace(/\/$/, '');
  const server = createServer((request, response) => {
    const url = request.url ?? '/';
    const { pathname } = new URL(url, 'http://localhost');
    const asked = { method: request.method ?? 'GET', host: request.headers.host ?? '', path: pathname };
    if (!accepts(asked)) return void response.writeHead(403).end('Forbidden');
    if (!url.startsWith(prefix)) return void response.writeHead(404).end('Not Found');
    pass(context, request, response, url.slice(prefix.length) || '/').catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(502);
      response.end(error instanceof Error ? error.message : String(error));
    });
  });
  await listening(server, flags);
  const { port } = server.address() as AddressInfo;
  context.print(`Starting to serve on ${flags.address.includes(':') ? `[${flags.address}]` : flags.address}:${port}`);
  if (!context.signal.aborted) await once(context.signal, 'abort');
  server.closeAllConnections();
  server.close();
}

/** @throws Failure in the words of kubectl */
async function listening(server: Server, { port, address }: ProxyFlags): Promise<void> {
  if (port < 0 || port > 65_535) throw new Failure(`listen tcp: address ${port}: invalid port`);
  try {
    server.listen(port, address);
    await once(server, 'listening');
  } catch (error) {
    throw listenFailure(error, address, port);
  }
}

const hopByHop = new Set([
  'connection',
  'host',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'proxy-authorization',
  'authorization',
]);

async function pass(
  context: CommandContext,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> {
  const client = await context.client();
  const { url, tls, headers } = await client.webSocketAccess(path);
  const own = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !hopByHop.has(name)));
  const onward = httpsRequest(url.replace(/^ws/, 'http'), {
    ...tls,
    method: request.method,
    headers: { ...own, ...headers },
  });
  const answered = new Promise<IncomingMessage>((done, fail) => {
    onward.once('response', done);
    onward.once('error', fail);
  });
  request.pipe(onward);
  const answer = await answered;
  response.on('close', () => answer.destroy());
  response.writeHead(answer.statusCode ?? 502, answer.headers);
  answer.on('error', () => response.destroy());
  answer.pipe(response);
}
