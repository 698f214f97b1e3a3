import type { Answer } from 'dns-packet';
import { encodeFailure, encodeReply, parseQuery, type Query, rcode, readdress, type Reply } from './message.js';
import type { Upstream } from './upstream.js';
import type { Lookup, Zone } from './zone.js';

export interface ResolverOptions {
  readonly zone: Zone;
  readonly upstream: Upstream;
  /** Grows whenever something that answers are made of changes. */
  readonly generation: () => number;
  /** In [0, 1): rotates the addresses of an answer. */
  readonly random: () => number;
  readonly onAnswer?: (code: number, source: 'zone' | 'upstream') => void;
}

const prebuiltAnswers = 10_000;
/** Aliases followed within our zone and out of it. */
const longestChain = 8;

const targetOf = (alias: Answer): string => (alias.type === 'CNAME' ? alias.data.toLowerCase() : '');

/** Answers messages: from the zone, from prebuilt bytes where nothing changed, else from upstream. */
export class Resolver {
  readonly #options: ResolverOptions;
  #prebuilt = new Map<string, Buffer>();
  #generation = -1;

  constructor(options: ResolverOptions) {
    this.#options = options;
  }

  /** The answer to a message; undefined when it deserves none. Never throws. */
  async answer(bytes: Buffer, isUdp: boolean): Promise<Buffer | undefined> {
    const parsed = parseQuery(bytes);
    if (!parsed) return undefined;
    if (!('query' in parsed)) return encodeFailure(parsed.id, parsed.code);
    const { query } = parsed;
    const key = `${query.name.toLowerCase()} ${query.type} ${isUdp ? query.udpLimit : 0} ${query.hasEdns}`;
    const known = this.#known(key);
    if (known) return readdress(known, query);
    const { reply, isLasting } = await this.#reply(query);
    this.#options.onAnswer?.(reply.code, reply.isAuthoritative ? 'zone' : 'upstream');
    const message = encodeReply(query, reply, isUdp);
    if (isLasting && this.#prebuilt.size < prebuiltAnswers) this.#prebuilt.set(key, message);
    return message;
  }

  #known(key: string): Buffer | undefined {
    const generation = this.#options.generation();
    if (generation !== this.#generation) {
      this.#generation = generation;
      this.#prebuilt = new Map();
    }
    return this.#prebuilt.get(key);
  }

  async #reply(query: Query): Promise<{ reply: Reply; isLasting: boolean }> {
    const { zone } = this.#options;
    if (query.type === 'ANY' || query.type === 'AXFR' || query.type === 'IXFR')
      return { reply: { code: rcode.refused, isAuthoritative: false }, isLasting: false };
    const name = query.name.toLowerCase().replace(/\.$/, '');
    const found = zone.lookup(name, query.type);
    if (found.kind === 'outside') return { reply: await this.#outside(name, query), isLasting: false };
    if (found.kind !== 'records') {
      const code = found.kind === 'nxdomain' ? rcode.nxdomain : rcode.ok;
      return { reply: { code, isAuthoritative: true, authorities: [zone.startOfAuthority()] }, isLasting: true };
    }
    const alias = found.answers.find((a) => a.type === 'CNAME');
    if (alias && query.type !== 'CNAME') return { reply: await this.#followed(alias, query), isLasting: false };
    const answers = this.#rotated(found.answers);
    return {
      reply: { code: rcode.ok, isAuthoritative: true, answers, additionals: found.additionals },
      isLasting: answers.length === 1,
    };
  }

  #outside(name: string, query: Query): Promise<Reply> {
    return this.#options.upstream.resolve(name, query.type);
  }

  /** An alias with what it leads to, as far as that can be found. */
  async #followed(first: Answer, query: Query): Promise<Reply> {
    const { zone } = this.#options;
    const answers: Answer[] = [first];
    let target = targetOf(first);
    for (let hop = 0; hop < longestChain; hop++) {
      const next: Lookup = zone.lookup(target, query.type);
      if (next.kind === 'outside') {
        const outside = await this.#outside(target, query);
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

  #rotated(answers: readonly Answer[]): readonly Answer[] {
    if (answers.length < 2) return answers;
    const from = Math.floor(this.#options.random() * answers.length);
    return [...answers.slice(from), ...answers.slice(0, from)];
  }
}
