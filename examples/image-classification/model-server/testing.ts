import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assetPath } from '../assets.js';
import type { Clock } from '../../../shared/clock/clock.js';
import type { Log } from '../log.js';
import { buildModelServer } from './build.js';
import type { ModelServer } from './build.js';
import { readModelFile } from './inference/model-file.js';
import { buildNetwork } from './inference/network.js';
import { networkServable } from './servable.js';
import type { Servable } from './servable.js';

/** The model folder of the demo, for tests. */
export function modelFolder(): string {
  return assetPath(import.meta.url, 'model');
}

/** The demo's real model. */
function demoServable(): Servable {
  const { description, weights } = readModelFile(modelFolder());
  return networkServable({ name: description.name, version: 1, network: buildNetwork(description, weights) });
}

/** A real model server on free loopback ports. */
export function startTestModelServer(
  options: {
    servable?: Servable;
    podName?: string;
    drainMs?: number;
    log?: Log;
    grpcPort?: number;
    clock?: Clock;
  } = {},
): Promise<ModelServer> {
  return buildModelServer({
    servable: options.servable ?? demoServable(),
    podName: options.podName ?? 'model-0',
    host: '127.0.0.1',
    grpcPort: options.grpcPort ?? 0,
    restPort: 0,
    maxBatch: 32,
    drainMs: options.drainMs ?? 0,
    log: options.log ?? (() => undefined),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
}

/** The model's reference pictures, scaled, with the probabilities they must give. */
export function references(): { picture: string; input: Float32Array; probabilities: number[] }[] {
  const file = JSON.parse(readFileSync(join(modelFolder(), 'model.json'), 'utf8')) as {
    reference: { outputs: { picture: string; probabilities: number[] }[] };
  };
  const pixels = readFileSync(join(modelFolder(), 'reference-inputs.bin'));
  const size = 96 * 96 * 3;
  return file.reference.outputs.map((reference, index) => ({
    ...reference,
    input: Float32Array.from(pixels.subarray(index * size, (index + 1) * size), (value) => value / 127.5 - 1),
  }));
}
