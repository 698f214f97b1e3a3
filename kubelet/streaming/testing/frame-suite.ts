import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { readCorpusFile } from '../../../shared/fuzz/corpus-file.js';
import { unescapeLine } from '../../../shared/fuzz/corpus-line.js';
import { createKubeletWorld, type KubeletWorld } from '../kubelet-world.js';
import { frameCorpus } from './frames.js';

const idleMs = 500;
const inFlight = 8;
const exec = '/exec/default/web/main?command=cat&input=1&output=1';
const ports = '/portForward/default/web';
const webSocket = {
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'MDEyMzQ1Njc4OWFiY2RlZg==',
};
type Endpoint = readonly [method: string, path: string, headers: Record<string, string>];
const endpoints: Readonly<Record<'spdy' | 'websocket', readonly Endpoint[]>> = {
  spdy: [
    ['POST', exec, { upgrade: 'SPDY/3.1', 'x-stream-protocol-version': 'v4.channel.k8s.io' }],
    ['POST', ports, { upgrade: 'SPDY/3.1' }],
  ],
  websocket: [
    ['GET', exec, { ...webSocket, 'sec-websocket-protocol': 'v5.channel.k8s.io' }],
    ['GET', exec, { ...webSocket, 'sec-websocket-protocol': 'base64.channel.k8s.io' }],
    ['GET', ports, { ...webSocket, 'sec-websocket-protocol': 'SPDY/3.1+portforward.k8s.io' }],
  ],
};

/** Sends every `nth` line of the frames to the streaming endpoints of a kubelet. */
export function describeFrames(nth: number): void {
  describe(`hostile frames, one in ${nth}`, () => {
    let world: KubeletWorld;
    before(async () => {
      world = await createKubeletWorld(idleMs === undefined ? {} : { idleTimeoutMs: idleMs });
    });
    after(() => world.close());

    const send = async ([method, path, headers]: Endpoint, line: string): Promise<void> => {
      const upgraded = await world.upgrade(method, path, headers);
      assert.ok('socket' in upgraded, JSON.stringify(upgraded));
      const socket: Duplex = upgraded.socket;
      socket.on('error', () => undefined).resume();
      // A reset is an end too.
      const closed = new Promise((resolve) => socket.once('close', resolve));
      for (const word of unescapeLine(line).toString('latin1').split(' ')) {
        if (socket.writable) socket.write(Buffer.from(word, 'base64'));
      }
      socket.end();
      await closed;
    };

    for (const [name, targets] of Object.entries(endpoints)) {
      it(`${name}: each connection ends, and the server lives`, async () => {
        const lines = readCorpusFile(frameCorpus(name)).filter((_, index) => index % nth === 0);
        const queue = lines.map((line, index) => ({ line, target: targets[index % targets.length] as Endpoint }));
        const work = async (): Promise<void> => {
          for (let one = queue.shift(); one; one = queue.shift()) await send(one.target, one.line);
        };
        await Promise.all(Array.from({ length: inFlight }, work));
        assert.equal((await world.get('/healthz')).code, 200);
      });
    }
  });
}
