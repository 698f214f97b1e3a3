/** What a program does that uses the official JavaScript client for streams: `node stream-client.js NAMESPACE POD`. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { Server, type AddressInfo } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Exec, KubeConfig, Log, PortForward, type V1Status } from 'kubernetes-client-1.4';

const [namespace = '', pod = ''] = process.argv.slice(2);
const config = new KubeConfig();
config.loadFromFile(process.env['KUBECONFIG'] ?? '');

async function run(command: string[], input?: string): Promise<{ output: string; status: V1Status }> {
  const output = new PassThrough();
  const stdin = input === undefined ? null : Readable.from([input]);
  const status = await new Promise<V1Status>((resolve, reject) => {
    new Exec(config).exec(namespace, pod, 'main', command, output, output, stdin, false, resolve).catch(reject);
  });
  output.end();
  return { output: await text(output), status };
}

async function log(): Promise<string> {
  const lines = new PassThrough();
  await new Log(config).log(namespace, pod, 'main', lines, { follow: false });
  return text(lines);
}

/** A page of the pod through a port of this host. */
async function page(): Promise<string> {
  const forward = new PortForward(config);
  const server = new Server((socket) => void forward.portForward(namespace, pod, [8080], socket, null, socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const [answer] = (await once(get({ host: '127.0.0.1', port, path: '/', agent: false }), 'response')) as [
    IncomingMessage,
  ];
  const body = await text(answer);
  server.close();
  return body;
}

const done = await run(['sh', '-c', 'head -n 1'], 'from outside\n');
const failed = await run(['sh', '-c', 'exit 3']);
process.stdout.write(
  JSON.stringify({
    output: done.output,
    status: done.status.status,
    exitCode: failed.status.details?.causes?.[0]?.message,
    log: await log(),
    page: await page(),
  }),
);
process.exit(0);
