import type { Recipe } from '../../../shared/fuzz/mutation.js';
import { controlFrame, dataFrame, frameType, uint32s } from '../spdy-frame.js';
import { HeaderWriter } from '../spdy-header.js';

/** Frames one after the other, each as a word of base64. */
const line = (...frames: readonly Buffer[]): string => frames.map((frame) => frame.toString('base64')).join(' ');

function spdySeeds(): string[] {
  const stream = (id: number, headers: Record<string, string>, writer = new HeaderWriter()): Buffer =>
    controlFrame(frameType.synStream, 0, uint32s(id, 0), Buffer.alloc(2), writer.write(headers));
  const typed = (id: number, streamtype: string): Buffer => stream(id, { streamtype });
  return [
    line(
      typed(1, 'error'),
      typed(3, 'stdin'),
      typed(5, 'stdout'),
      dataFrame(3, 0, Buffer.from('hello')),
      dataFrame(3, 1, Buffer.alloc(0)),
    ),
    line(
      stream(1, { streamtype: 'error', port: '80', requestid: '0' }),
      stream(3, { streamtype: 'data', port: '80', requestid: '0' }),
    ),
    line(typed(1, 'resize'), dataFrame(1, 0, Buffer.from('{"Width":80,"Height":24}'))),
    line(controlFrame(frameType.reset, 0, uint32s(1, 5)), dataFrame(9, 0, Buffer.from('x'))),
    line(
      controlFrame(6, 0, uint32s(1)),
      controlFrame(7, 0, uint32s(1, 0)),
      controlFrame(4, 0, uint32s(1, 7, 0x7fffffff)),
    ),
    line(
      controlFrame(9, 0, uint32s(1, 0x7fffffff)),
      controlFrame(8, 0, uint32s(1)),
      controlFrame(99, 255, Buffer.alloc(3)),
    ),
  ];
}

/** Masked by zeros, as a client must mask. */
function webSocketFrame(opcode: number, payload: Buffer, first = 0x80): Buffer {
  const mask = Buffer.alloc(4);
  return Buffer.concat([Buffer.from([first | opcode, 0x80 | payload.length]), mask, payload]);
}

const webSocketSeeds = (): string[] => [
  line(webSocketFrame(2, Buffer.from('\0hello')), webSocketFrame(2, Buffer.from([255, 0]))),
  line(webSocketFrame(2, Buffer.from('\u0004{"Width":80,"Height":24}')), webSocketFrame(9, Buffer.from('p'))),
  line(
    webSocketFrame(2, Buffer.from('\0part'), 0),
    webSocketFrame(0, Buffer.from('end')),
    webSocketFrame(8, Buffer.from([3, 232])),
  ),
  line(
    webSocketFrame(1, Buffer.from('MGhlbGxv')),
    webSocketFrame(10, Buffer.alloc(0)),
    webSocketFrame(3, Buffer.from('x')),
  ),
  line(Buffer.from([0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])),
];

const words = ['AAAA', '////', 'gAM=', 'gAMAAQ==', 'gv8=', 'AAAAAA==', '/w=='];

export const frameRecipes: Readonly<Record<'spdy' | 'websocket', Recipe>> = {
  spdy: { seeds: spdySeeds(), words, count: 300 },
  websocket: { seeds: webSocketSeeds(), words, count: 300 },
};

/** The corpora stay with the sources: modules run from dist/. */
export const frameCorpus = (name: string): URL =>
  new URL(`../../../../kubelet/streaming/testing/corpus/${name}.txt`, import.meta.url);
