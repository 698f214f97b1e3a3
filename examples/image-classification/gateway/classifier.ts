import type { Clock } from '../../../shared/clock/clock.js';
import { byClass, probabilities } from './classes.js';
import type { ContractWatch } from './contract-watch.js';
import type { ModelClient } from './model-client.js';
import { pictureTensor } from './picture.js';
import type { PictureLimits } from './picture.js';
import { RequestError } from './request-error.js';

/** The answer to POST /predict. */
export interface Prediction {
  prediction: string;
  probability: number;
  /** Probability by class, in the order of the model's outputs. */
  predictions: Record<string, number>;
  /** What the model gave, before it was turned into probabilities. */
  scores: Record<string, number>;
  gateway: string;
  model_server: string | null;
  model: { name: string; version: number };
  attempts: number;
  latency_ms: number;
  model_latency_ms: number;
}

/** Turns the bytes of a picture into a prediction. */
export function classifier(options: {
  client: ModelClient;
  watch: Pick<ContractWatch, 'contract'>;
  limits: PictureLimits;
  classes: readonly string[];
  podName: string;
  clock: Clock;
}): (picture: Buffer) => Promise<Prediction> {
  const { client, watch, limits, classes, podName, clock } = options;
  return async (picture) => {
    const contract = watch.contract;
    if (contract === undefined) throw new RequestError(503, 'The model server has not answered yet, try again soon.');
    const start = clock.monotonic();
    const tensor = await pictureTensor(picture, contract, limits);
    const asked = clock.monotonic();
    const { scores, podName: modelServer, attempts } = await client.predict(contract, tensor);
    const end = clock.monotonic();
    const predictions = byClass(probabilities(scores), classes);
    const [best] = Object.entries(predictions).toSorted(([, left], [, right]) => right - left);
    if (best === undefined) throw new RequestError(502, 'The model server answered without scores.');
    return {
      prediction: best[0],
      probability: best[1],
      predictions,
      scores: byClass(scores, classes),
      gateway: podName,
      model_server: modelServer ?? null,
      model: { name: contract.name, version: contract.version },
      attempts,
      latency_ms: round(end - start),
      model_latency_ms: round(end - asked),
    };
  };
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
