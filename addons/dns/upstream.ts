import { type Answer, decode, encode, type RecordType } from 'dns-packet';
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import type { Clock } from '../../shared/clock/clock.js';
import { rcode, type Reply } from './message.js';

export interface UpstreamOptions {
  readonly clock: Clock;
  /** Addresses of the resolvers to ask, in order; read at each question. `address` or `address#port`. */
  readonly servers: () => readonly string[];
  readonly timeoutMs?: number;
  /** Questions on their way at once. */
  readonly maxInFlight?: number;
}

interface Cached {
  readonly reply: Reply;
  readonly storedMs: number;
  readonly expiresMs: number;
}

const cachedAnswers = 10_000;
const longestTtl = 3_600;
const longestNegativeTtl = 30;
/** An expired answer is better than none while the resolvers are away. */
const staleMs = 30_000;
/** So long a question that nobody could answer is not asked again: clients repeat theirs, and each would wait all timeouts. */
const failureTtl = 5;
const rounds = 2;
const failure: Reply = { code: rcode.serverFailure, isAuthoritative: false };

/** Asks other resolvers what is not ours, remembers what they say as long as they say, and serves that a little longer when they are away. */
export class Upstream {
  readonly #options: Required<UpstreamOptions>;
  readonly #cache = new Map<string, Cached>();
  readonly #pending = new Map<string, Promise<Reply>>();

  constructor(options: UpstreamOptions) {
    this.#options = { timeoutMs: 2_000, maxInFlight: 1_000, ...options };
  }

  /** Never rejects: what cannot be found out is SERVFAIL. */
  resolve(name: string, type: string): Promise<Reply> {
    const key = `${name} ${type}`;
    const nowMs = this.#options.clock.monotonic();
    const cached = this.#cache.get(key);
    if (cached && cached.expiresMs > nowMs) return Promise.resolve(aged(cached, nowMs));
    const pending = this.#pending.get(key);
    if (pending) return pending;
    if (this.#pending.size >= this.#options.maxInFlight) return Promise.resolve(failure);
    const work = this.#ask(name, type, key, cached).finally(() => this.#pending.delete(key));
    this.#pending.set(key, work);
    return work;
  }

  async #ask(name: string, type: string, key: string, cached: Cached | undefined): Promise<Reply> {
    const { clock, servers } = this.#options;
    for (let round = 0; round < rounds; round++) {
      for (const server of servers()) {
        const reply = await this.#exchange(server, name, type);
        if (!reply || reply.code === rcode.serverFailure || reply.code === rcode.refused) continue;
        this.#remember(key, reply, lifetime(reply));
        return reply;
      }
    }
    const nowMs = clock.monotonic();
    if (cached && nowMs - cached.expiresMs < staleMs) return aged(cached, nowMs);
    this.#remember(key, failure, failureTtl);
    return failure;
  }

  #remember(key: string, reply: Reply, seconds: number): void {
    this.#cache.delete(key);
    if (seconds <= 0) return;
    const oldest = this.#cache.keys().next();
    if (this.#cache.size >= cachedAnswers && !oldest.done) this.#cache.delete(oldest.value);
    const storedMs = this.#options.clock.monotonic();
    this.#cache.set(key, { reply, storedMs, expiresMs: storedMs + seconds * 1000 });
  }

  async #exchange(server: string, name: string, type: string): Promise<Reply | undefined> {
    const [address = '', port = '53'] = server.split('#');
    // The id and the port of the socket are what a forger would have to guess.
    const id = randomInt(0, 0x10000);
    const question = { type: type as RecordType, class: 'IN' as const, name };
    const message = encode({ type: 'query', id, flags: 0x0100, questions: [question] });
    const overUdp = await this.#udp(address, Number(port), message, id, name, type);
    return overUdp === 'truncated' ? this.#tcp(address, Number(port), message, id, name, type) : overUdp;
  }

  #udp(
    address: string,
    port: number,
    message: Buffer,
    id: number,
    name: string,
    type: string,
  ): Promise<Reply | 'truncated' | undefined> {
    return new Promise((resolve) => {
      const socket = createSocket('udp4');
      const end = (reply: Reply | 'truncated' | undefined): void => {
        cancel();
        socket.removeAllListeners();
        socket.on('error', () => undefined);
        socket.close();
        resolve(reply);
      };
      const cancel = this.#options.clock.schedule(this.#options.timeoutMs, () => end(undefined));
      socket.once('error', () => end(undefined));
      socket.on('message', (bytes) => {
        const reply = readReply(bytes, id, name, type);
        if (reply) end(reply);
      });
      // Connected, the socket hears at once that nobody listens there, instead of waiting the whole timeout, and hears no
      // other sender.
      socket.once('connect', () => socket.send(message));
      socket.connect(port, address);
    });
  }

  #tcp(
    address: string,
    port: number,
    message: Buffer,
    id: number,
    name: string,
    type: string,
  ): Promise<Reply | undefined> {
    return new Promise((resolve) => {
      const socket = connect({ host: address, port });
      let received: Buffer = Buffer.alloc(0);
      const end = (reply: Reply | undefined): void => {
        cancel();
        socket.destroy();
        resolve(reply);
      };
      const cancel = this.#options.clock.schedule(this.#options.timeoutMs, () => end(undefined));
      socket.once('error', () => end(undefined));
      socket.once('close', () => end(undefined));
      socket.once('connect', () => {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(message.length);
        socket.write(Buffer.concat([length, message]));
      });
      socket.on('data', (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
        const reply = readReply(received.subarray(2, 2 + received.readUInt16BE(0)), id, name, type);
        end(reply === 'truncated' ? undefined : reply);
      });
    });
  }
}

/** The answer in a message; undefined when it is not the answer to our question. */
function readReply(bytes: Buffer, id: number, name: string, type: string): Reply | 'truncated' | undefined {
  if (bytes.length < 12 || bytes.readUInt16BE(0) !== id || (bytes[2] ?? 0) < 0x80) return undefined;
  try {
    const packet = decode(bytes);
    const [question] = packet.questions ?? [];
    if (question?.name.toLowerCase() !== name || question.type !== type) return undefined;
    if ((bytes[2] ?? 0) & 0x02) return 'truncated';
    const authorities = (packet.authorities ?? []).filter((a) => a.type === 'SOA');
    return { code: (bytes[3] ?? 0) & 0x0f, isAuthoritative: false, answers: packet.answers ?? [], authorities };
  } catch {
    return undefined;
  }
}

const ttlOf = (answer: Answer): number => ('ttl' in answer && typeof answer.ttl === 'number' ? answer.ttl : 0);

/** Seconds for which a reply may be kept: the least of its records'; of a negative one, what its SOA allows (RFC 2308). */
function lifetime({ code, answers = [], authorities = [] }: Reply): number {
  if (code !== rcode.ok && code !== rcode.nxdomain) return 0;
  if (answers.length > 0) return Math.min(longestTtl, ...answers.map(ttlOf));
  const soa = authorities.find((a) => a.type === 'SOA');
  return soa ? Math.min(longestNegativeTtl, ttlOf(soa), soa.data.minimum ?? longestNegativeTtl) : 0;
}

/** The reply with what is left of its lifetime. */
function aged({ reply, storedMs }: Cached, nowMs: number): Reply {
  const passed = Math.floor((nowMs - storedMs) / 1000);
  const younger = (answers: readonly Answer[]): Answer[] =>
    answers.map((a) => ('ttl' in a ? ({ ...a, ttl: Math.max(1, ttlOf(a) - passed) } as Answer) : a));
  return { ...reply, answers: younger(reply.answers ?? []), authorities: younger(reply.authorities ?? []) };
}

/** Resolvers named in a resolv.conf but loopback's and our own, which would be a loop. */
export function parseResolvers(text: string, own: ReadonlySet<string>): string[] {
  return text.split('\n').flatMap((line) => {
    const [, address] = /^nameserver\s+(\S+)/.exec(line) ?? [];
    return address && /^[\d.]+$/.test(address) && !address.startsWith('127.') && !own.has(address) ? [address] : [];
  });
}
