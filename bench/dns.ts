import { fork } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { encode, RECURSION_DESIRED } from 'dns-packet';
import { percentile, perSecond, type Figure, type Measures } from './figure.js';

const names = 1_000;
const questions = 100_000;
const inFlight = 64;
/** On loopback nothing is lost but by a server that is overrun: then the figure would be none. */
const timeoutMs = 30_000;

/**
 * Questions for the addresses of Services, a bounded number in flight over one socket: of names asked before, of names that
 * are not there, and the same packets to a server that only sends them back.
 */
export const measures: Measures = async ({ say }) => {
  const known = (index: number): string => `s-${index % names}.bench.svc.cluster.local`;
  const unknown = (index: number): string => `s-${index % names}.bench.svc.cluster.local.bench.svc.cluster.local`;
  const echo = await load('dns: UDP echo, the limit here', 'echo', known);
  const figures = [
    echo,
    await load('dns: address of a Service', 'resolver', known),
    await load('dns: no such name', 'resolver', unknown),
  ];
  for (const { measure, details } of figures) say(`  ${measure}: p99 ${details?.['p99']?.toFixed(2)} ms`);
  return figures;
};

async function load(measure: string, kind: 'echo' | 'resolver', nameOf: (index: number) => string): Promise<Figure> {
  const server = fork(fileURLToPath(new URL('./dns-server.js', import.meta.url)), [kind]);
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
  try {
    const [port] = (await once(server, 'message')) as [number];
    const packets = Array.from({ length: names }, (_, index) =>
      encode({ type: 'query', flags: RECURSION_DESIRED, questions: [{ type: 'A', name: nameOf(index) }] }),
    );
    await ask(socket, port, packets, questions / 4);
    const start = performance.now();
    const latencies = await ask(socket, port, packets, questions);
    const value = perSecond(questions, performance.now() - start);
    return {
      measure,
      value,
      unit: '/s',
      details: { p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) },
    };
  } finally {
    socket.close();
    server.kill();
  }
}

/** Sends `count` packets, a new one for each answer; resolves with the latencies in milliseconds. The id tells them apart. */
function ask(socket: Socket, port: number, packets: readonly Buffer[], count: number): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const sentMs = new Float64Array(65_536);
    const latencies: number[] = [];
    let sent = 0;
    const send = (): void => {
      const id = sent++ & 0xffff;
      const packet = Buffer.from(packets[id % packets.length] ?? []);
      packet.writeUInt16BE(id, 0);
      sentMs[id] = performance.now();
      socket.send(packet, port, '127.0.0.1', () => undefined);
    };
    const timer = setTimeout(() => reject(new Error(`${count - latencies.length} answers are missing`)), timeoutMs);
    const receive = (message: Buffer): void => {
      latencies.push(performance.now() - (sentMs[message.readUInt16BE(0)] ?? 0));
      if (sent < count) send();
      if (latencies.length < count) return;
      clearTimeout(timer);
      socket.off('message', receive);
      resolve(latencies);
    };
    socket.on('message', receive);
    for (let i = 0; i < inFlight; i++) send();
  });
}
