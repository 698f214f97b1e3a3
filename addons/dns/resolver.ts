import type { Answer } from 'dns-packet';
import {
  encodeReply,
  parseQuery,
  type Query,
  questionKey,
  rcode,
  readdress,
  readQuestion,
  type Reply,
} from './message.js';
import type { Upstream } from './upstream.js';
import type { Lookup, Zone } from './zone.js';

export interface ResolverOptions {
  readonly zone: Zone;
  readonly upstream: Upstream;
  /** Grows whenever something that answers are made of changes. */
  readonly generation: () => number;
  /** In [0, 1): rotates the addresses of an answer. */
  readonly random: () => number;
  /** False: the zone is not known yet, and its names fail instead of being denied. Absent: it is. */
  readonly isReady?: () => boolean;
  /** Told of what should not happen; the question is answered with SERVFAIL. */
  readonly onError?: (error: unknown) => void;
  readonly onAnswer?: (code: number, source: 'zone' | 'upstream') => void;
}

const prebuiltAnswers = 10_000;
/** Of an answer with several records that many rotations are kept. */
const prebuiltRotations = 8;
const failure: Reply = { code: rcode.serverFailure, isAuthoritative: false };
const refusal: Reply = { code: rcode.refused, isAuthoritative: false };
/** Aliases followed within our zone and out of it. */
const longestChain = 8;

interface Prebuilt {
  readonly code: number;
  readonly messages: readonly Buffer[];
}

const targetOf = (alias: Answer): string => (alias.type === 'CNAME' ? alias.data.toLowerCase() : '');

/** Answers messages: from the zone, from prebuilt bytes where nothing changed, else from upstream. */
export class Resolver {
  readonly #options: ResolverOptions;
  #prebuilt = new Map<string, Prebuilt>();
  #generation = -1;

  constructor(options: ResolverOptions) {
    this.#options = options;
  }

  /** The answer to a message, at once where it is known; undefined when it deserves none. Never throws, never rejects. */
  answer(bytes: Buffer, isUdp: boolean): Buffer | undefined | Promise<Buffer | undefined> {
    const parsed = parseQuery(bytes);
    if (!parsed) return undefined;
    if (!('query' in parsed)) return parsed.failure;
    const { query } = parsed;
    const key = `${questionKey(query)} ${isUdp ? query.udpLimit : 0} ${query.hasEdns}`;
    const known = this.#known(key);
    if (known) return this.#serve(known, query);
    const question = readQuestion(query);
    try {
      // Answers of the zone are made at once, so that a burst of one question makes one answer, not many.
      const local = question ? this.#local(question.name, question.type) : refusal;
      if (!local) return this.#ask(query, question?.name ?? '', question?.type ?? '', isUdp);
      const messages = rotations(local.answers ?? []).map((answers) =>
        encodeReply(query, { ...local, answers }, isUdp),
      );
      const prebuilt = { code: local.code, messages };
      if (local.isAuthoritative) this.#keep(key, prebuilt);
      return this.#serve(prebuilt, query);
    } catch (error) {
      return this.#fail(query, error, isUdp);
    }
  }

  #fail(query: Query, error: unknown, isUdp: boolean): Buffer {
    this.#options.onError?.(error);
    this.#options.onAnswer?.(failure.code, 'zone');
    return encodeReply(query, failure, isUdp);
  }

  #serve({ code, messages }: Prebuilt, query: Query): Buffer {
    this.#options.onAnswer?.(code, 'zone');
    return readdress(messages[Math.floor(this.#options.random() * messages.length)] ?? Buffer.alloc(0), query);
  }

  #known(key: string): Prebuilt | undefined {
    const generation = this.#options.generation();
    if (generation !== this.#generation) {
      this.#generation = generation;
      this.#prebuilt = new Map();
    }
    return this.#prebuilt.get(key);
  }

  /** An answer that others are asked for. */
  async #ask(query: Query, name: string, type: string, isUdp: boolean): Promise<Buffer> {
    const { onAnswer, zone } = this.#options;
    try {
      const found = zone.lookup(name, type);
      const [alias] = found.kind === 'records' ? found.answers : [];
      const reply = alias ? await this.#followed(alias, type) : await this.#outside(name, type);
      const message = encodeReply(query, reply, isUdp);
      onAnswer?.(reply.code, reply.isAuthoritative ? 'zone' : 'upstream');
      return message;
    } catch (error) {
      return this.#fail(query, error, isUdp);
    }
  }

  /** Names that do not exist must not push out for good those that do: the oldest goes. */
  #keep(key: string, prebuilt: Prebuilt): void {
    const oldest = this.#prebuilt.keys().next();
    if (this.#prebuilt.size >= prebuiltAnswers && !oldest.done) this.#prebuilt.delete(oldest.value);
    this.#prebuilt.set(key, prebuilt);
  }

  /** What the zone alone can say; undefined when others have to be asked. */
  #local(name: string, type: string): Reply | undefined {
    const { zone, isReady } = this.#options;
    if (['ANY', 'AXFR', 'IXFR'].includes(type)) return refusal;
    const found = zone.lookup(name, type);
    if (found.kind === 'outside') return undefined;
    if (isReady?.() === false) return failure;
    if (found.kind !== 'records') {
      const code = found.kind === 'nxdomain' ? rcode.nxdomain : rcode.ok;
      return { code, isAuthoritative: true, authorities: [zone.startOfAuthority()] };
    }
    const { answers, additionals } = found;
    if (type !== 'CNAME' && answers.some((a) => a.type === 'CNAME')) return undefined;
    return { code: rcode.ok, isAuthoritative: true, answers, additionals };
  }

  #outside(name: string, type: string): Promise<Reply> {
    return this.#options.upstream.resolve(name, type);
  }

  /** An alias with what it leads to, as far as that can be found. */
  async #followed(first: Answer, type: string): Promise<Reply> {
    const { zone } = this.#options;
    const answers: Answer[] = [first];
    let target = targetOf(first);
    for (let hop = 0; hop < longestChain; hop++) {
      const next: Lookup = zone.lookup(target, type);
      if (next.kind === 'outside') {
        const outside = await this.#outside(target, type);
        return { code: rcode.ok, isAuthoritative: true, answers: [...answers, ...(outside.answers ?? [])] };
      }
      if (next.kind !== 'records')
        return { code: rcode.ok, isAuthoritative: true, answers, authorities: [zone.startOfAuthority()] };
      answers.push(...next.answers);
      const alias = next.answers.find((a) => a.type === 'CNAME');
      if (!alias) break;
      target = targetOf(alias);
    }
    return { code: rcode.ok, isAuthoritative: true, answers };
  }
}

/** The answers from several starts, evenly spaced. An alias stays before what it leads to. */
function rotations(answers: readonly Answer[]): readonly (readonly Answer[])[] {
  if (answers.length < 2 || answers.some((a) => a.type === 'CNAME')) return [answers];
  const count = Math.min(answers.length, prebuiltRotations);
  return Array.from({ length: count }, (_, i) => {
    const from = Math.floor((i * answers.length) / count);
    return [...answers.slice(from), ...answers.slice(0, from)];
  });
}
