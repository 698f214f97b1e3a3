import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { basename, dirname, extname, join } from 'node:path';
import type { Prediction } from './gateway/classifier.js';

/** A picture to send, with the class it shows when its name or folder tells. */
export interface DemoPicture {
  /** Its path below the folder. */
  name: string;
  file: string;
  expected: string | undefined;
}

/** What became of one picture. */
export type DemoResult =
  | {
      kind: 'answered';
      picture: string;
      expected: string | undefined;
      prediction: string;
      probability: number;
      gateway: string;
      modelServer: string;
      attempts: number;
      latencyMs: number;
    }
  | { kind: 'failed'; picture: string; expected: string | undefined; error: string; latencyMs: number };

const EXTENSIONS = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif', '.avif']);
const MAX_PICTURES = 10_000;
const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * The pictures of a folder and its folders, by path. The class is the folder's name (`hat/x.jpg`) or the start of the
 * file's (`hat-1.jpg`) when that is one of `classes`; a person's own photographs have none.
 */
export function readPictures(folder: string, classes: readonly string[]): DemoPicture[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => EXTENSIONS.has(extname(name).toLowerCase()))
    .toSorted()
    .slice(0, MAX_PICTURES);
  if (files.length === 0) throw new Error(`${folder} has no pictures (${[...EXTENSIONS].join(', ')})`);
  return files.map((name) => ({
    name,
    file: join(folder, name),
    expected: expectedClass(name, classes),
  }));
}

function expectedClass(name: string, classes: readonly string[]): string | undefined {
  const parent = basename(dirname(name));
  const start = basename(name, extname(name)).replace(/-\d+$/, '');
  return [parent, start].find((candidate) => classes.includes(candidate));
}

export interface SendOptions {
  /** For example http://203.0.113.5 */
  baseUrl: string;
  pictures: readonly DemoPicture[];
  concurrency: number;
  timeoutMs: number;
  /** Called after each picture, for a progress line. */
  onResult?: (result: DemoResult, done: number) => void;
  signal?: AbortSignal;
}

/** Sends the pictures, each over a connection of its own so that the Service balances them; results in the same order. */
export async function sendPictures(options: SendOptions): Promise<DemoResult[]> {
  const results: DemoResult[] = [];
  let next = 0;
  let done = 0;
  const worker = async (): Promise<void> => {
    while (next < options.pictures.length) {
      options.signal?.throwIfAborted();
      const index = next++;
      const picture = options.pictures[index];
      if (picture === undefined) return;
      const result = await sendPicture(picture, options);
      results[index] = result;
      options.onResult?.(result, ++done);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, options.concurrency) }, worker));
  return results;
}

async function sendPicture(picture: DemoPicture, options: SendOptions): Promise<DemoResult> {
  const { name, expected } = picture;
  const start = performance.now();
  const latency = (): number => performance.now() - start;
  try {
    const { status, text } = await post(
      new URL('/predict', options.baseUrl),
      await readFile(picture.file),
      options.timeoutMs,
    );
    if (status !== 200)
      return { kind: 'failed', picture: name, expected, error: errorOf(status, text), latencyMs: latency() };
    const answer = JSON.parse(text) as Prediction;
    return {
      kind: 'answered',
      picture: name,
      expected,
      prediction: answer.prediction,
      probability: answer.probability,
      gateway: answer.gateway,
      modelServer: answer.model_server ?? 'not named',
      attempts: answer.attempts,
      latencyMs: latency(),
    };
  } catch (error) {
    return {
      kind: 'failed',
      picture: name,
      expected,
      error: error instanceof Error ? error.message : String(error),
      latencyMs: latency(),
    };
  }
}

function errorOf(status: number, text: string): string {
  try {
    return `${status}: ${(JSON.parse(text) as { error?: string }).error ?? text}`;
  } catch {
    return `${status}: ${text.slice(0, 200)}`;
  }
}

function post(url: URL, body: Buffer, timeoutMs: number): Promise<{ status: number; text: string }> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/octet-stream', 'content-length': body.length };
    const signal = AbortSignal.timeout(timeoutMs);
    const outgoing = request(url, { method: 'POST', headers, agent: false, signal }, (response) => {
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      response.on('data', (chunk: Buffer) => {
        sizeBytes += chunk.length;
        if (sizeBytes > MAX_ANSWER_BYTES) response.destroy(new Error('the answer is too long'));
        else chunks.push(chunk);
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      );
      response.on('error', reject);
    });
    outgoing.on('error', (error) =>
      reject(signal.aborted ? new Error(`no answer within ${timeoutMs / 1000} s`) : error),
    );
    outgoing.end(body);
  });
}
