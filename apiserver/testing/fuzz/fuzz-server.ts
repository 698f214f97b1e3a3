import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { eventually } from '../../../shared/clock/eventually.js';
import type { KeyPair } from '../../../shared/pki/certificate.js';
import { RawClient } from '../raw-client.js';
import { makeServerFiles, ServerProcess } from '../server-process.js';
import { customDefinition, widgets } from './documents.js';
import { type FuzzRequest, namespace } from './family.js';
import { testFolder } from '../test-folder.js';

const monitor = new URL('./stall-monitor.js', import.meta.url).href;
const maxAnswerMs = 10_000;
const maxHeadBytes = 60 * 1024;
/** A stream has said enough after this. */
const streamMs = 50;
/** HTTP itself answers these before there is a request that could get a Status. */
const httpCodes = new Set([400, 408, 413, 414, 417, 431, 501, 505]);
/** What the API says of the future, of what is not there yet, and of nodes that cannot be reached. */
const specified = new Set([501, 502, 503, 504]);

/** What is wrong with an answer; undefined when it is as it should be. */
export type Fault = string | undefined;

/** The real server as a process of its own, with an eye on its event loop. */
export class FuzzServer {
  readonly #server: ServerProcess;
  readonly #admin: KeyPair;
  readonly #directory: string;
  readonly #known: Agent;
  readonly #nobody: Agent;
  readonly #raw: RawClient;

  private constructor(server: ServerProcess, admin: KeyPair, directory: string) {
    this.#server = server;
    this.#admin = admin;
    this.#directory = directory;
    const { certificate: cert, key } = admin;
    this.#known = new Agent({ ca: server.ca, cert, key, keepAlive: true, maxSockets: 16 });
    this.#nobody = new Agent({ ca: server.ca, keepAlive: true, maxSockets: 16 });
    this.#raw = new RawClient(server, admin);
  }

  static async start(): Promise<FuzzServer> {
    const directory = testFolder('fuzz');
    const files = await makeServerFiles(directory, join(directory, 'state'));
    const flags = [...files.flags, '--disable-admission-plugins', 'ServiceAccount,TaintNodesByCondition'];
    const server = await ServerProcess.start({ ...files, flags }, ['env', `NODE_OPTIONS=--import=${monitor}`]);
    const fuzz = new FuzzServer(server, files.admin, directory);
    await fuzz.#populate();
    return fuzz;
  }

  /** What the requests are about. */
  async #populate(): Promise<void> {
    const spec = { containers: [{ name: 'c', image: 'i' }] };
    const deployment = {
      metadata: { name: 'd', labels: { a: 'b' }, finalizers: ['f.example.com/f'] },
      spec: { selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec } },
    };
    const widgetType = { apiVersion: 'fuzz.example.com/v1', kind: 'Widget' };
    const objects: [string, object][] = [
      [`${namespace}/configmaps`, { metadata: { name: 'a' }, data: { k: 'v' } }],
      [`${namespace}/configmaps`, { metadata: { name: 'b' }, data: { k: 'v' } }],
      [`${namespace}/pods`, { metadata: { name: 'p', labels: { a: 'b' } }, spec }],
      ['/apis/apps/v1/namespaces/default/deployments', deployment],
      ['/apis/apiextensions.k8s.io/v1/customresourcedefinitions', customDefinition],
      [widgets, { ...widgetType, metadata: { name: 'w' }, spec: { color: 'red', parts: [{ name: 'a' }] } }],
    ];
    for (const [path, body] of objects) {
      await eventually(async () => {
        const { code, text } = await this.#raw.send(path, { body });
        assert.equal(code, 201, text);
      });
    }
    // The monitor keeps silent while a server starts.
    await new Promise((resolve) => setTimeout(resolve, 3000));
  }

  /** Sends it, and judges the answer: none at all, a 500 and a refusal without a Status are faults. */
  async send(input: FuzzRequest | { readonly bytes: Buffer }): Promise<Fault> {
    return 'bytes' in input ? this.#write(input.bytes) : this.#request(input);
  }

  #request(input: FuzzRequest, isAgain = false): Promise<Fault> {
    const { method, path, headers = {}, body, isAnonymous } = input;
    const agent = isAnonymous ? this.#nobody : this.#known;
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    return new Promise((resolve) => {
      const options = { host: '127.0.0.1', port: this.#server.port, method, path, agent, timeout: maxAnswerMs };
      const sent = request({ ...options, headers: { ...headers, ...length } });
      sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
      // A head beyond the limit may be cut off while it is still being sent.
      const mayBeCut = path.length + JSON.stringify(headers).length > maxHeadBytes;
      sent.on('error', (error) => {
        // The server may close a connection in the moment in which it is used again.
        if (sent.reusedSocket && !isAgain) resolve(this.#request(input, true));
        else resolve(mayBeCut ? undefined : `${method} ${path}: ${error.message}`);
      });
      sent.on('response', (answer) => {
        const { statusCode = 0 } = answer;
        const chunks: Buffer[] = [];
        const isStream = statusCode === 200 && /[?&]watch\b|\/watch\//.test(path);
        const settle = (): void => resolve(faultOf(statusCode, Buffer.concat(chunks), isStream));
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', settle);
        answer.on('end', settle);
        if (!isStream) return;
        setTimeout(() => {
          settle();
          sent.destroy();
        }, streamMs);
      });
      sent.end(body);
    });
  }

  /** Writes bytes on a connection of their own and takes what comes until there is silence. */
  #write(bytes: Buffer): Promise<Fault> {
    return new Promise((resolve) => {
      const { certificate: cert, key } = this.#admin;
      const socket = connect({ host: '127.0.0.1', port: this.#server.port, ca: this.#server.ca, cert, key });
      let first = '';
      const settle = (): void => {
        socket.destroy();
        const code = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? 0);
        const isFine = code < 500 || httpCodes.has(code) || specified.has(code);
        resolve(isFine ? undefined : `answered ${first.slice(0, 300)}`);
      };
      socket.setTimeout(streamMs, settle);
      socket.on('error', settle);
      socket.on('close', settle);
      socket.on('data', (chunk: Buffer) => (first ||= chunk.toString('latin1')));
      socket.on('secureConnect', () => socket.end(bytes));
    });
  }

  /** Longest computation since the process has served, in milliseconds; 0 when none was worth a line. */
  maxStallMs(since = 0): number {
    const stalls = this.#server.lines.slice(since).filter((line) => line.startsWith('{"stallMs"'));
    return Math.max(0, ...stalls.map((line) => (JSON.parse(line) as { stallMs: number }).stallMs));
  }

  /** A place in what the process has said so far. */
  get mark(): number {
    return this.#server.lines.length;
  }

  /** What the process has said beside its requests: crashes and errors. */
  complaints(): string[] {
    return this.#server.lines.filter((line) => /"level":(50|60)|"level":"(error|fatal)"|^\s+at /.test(line));
  }

  /** Resident memory in bytes; fails when the server is gone. */
  async residentBytes(): Promise<number> {
    const { text } = await eventually(async () => {
      const answer = await this.#raw.send('/metrics');
      assert.equal(answer.code, 200);
      return answer;
    });
    return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1] ?? Number.NaN);
  }

  async close(): Promise<void> {
    for (const client of [this.#known, this.#nobody]) client.destroy();
    this.#raw.close();
    await this.#server.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

function faultOf(code: number, body: Buffer, isStream: boolean): Fault {
  if (code < 400 || isStream) return undefined;
  const text = body.toString('utf8');
  if (code >= 500 && !specified.has(code)) return `answered ${code}: ${text.slice(0, 500)}`;
  // HTTP's own refusals have no body.
  if (httpCodes.has(code) && text === '') return undefined;
  try {
    if ((JSON.parse(text) as { kind?: unknown }).kind === 'Status') return undefined;
  } catch {
    // What is no JSON is no Status.
  }
  return `answered ${code} without a Status: ${text.slice(0, 300)}`;
}
