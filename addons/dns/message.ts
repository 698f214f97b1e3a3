import { type Answer, decode, encode, type Packet } from 'dns-packet';

/** Response codes of RFC 1035. */
export const rcode = { ok: 0, formatError: 1, serverFailure: 2, nxdomain: 3, notImplemented: 4, refused: 5 } as const;

const responseFlag = 0x8000;
const authoritativeFlag = 0x0400;
const truncatedFlag = 0x0200;
const recursionDesired = 0x0100;
const recursionAvailable = 0x0080;
const headerBytes = 12;
const smallestUdp = 512;
/** Larger answers would be cut into fragments on the way. */
const largestUdp = 1232;

/** One question as it came. */
export interface Query {
  readonly id: number;
  readonly flags: number;
  /** As asked, case kept. */
  readonly name: string;
  readonly type: string;
  /** Bytes of the question section: with type and class, case kept. */
  readonly question: Buffer;
  readonly hasEdns: boolean;
  /** Largest answer that the client takes over UDP. */
  readonly udpLimit: number;
}

/** What a message turned out to be: a question, or the code with which to answer it; `undefined`: not even that. */
export type Parsed = { readonly query: Query } | { readonly id: number; readonly code: number } | undefined;

/** Reads a message from the network. Never throws. */
export function parseQuery(bytes: Buffer): Parsed {
  if (bytes.length < headerBytes) return undefined;
  const id = bytes.readUInt16BE(0);
  const flags = bytes.readUInt16BE(2);
  // An answer to us would be a loop.
  if (flags & responseFlag) return undefined;
  if ((flags & 0x7800) !== 0) return { id, code: rcode.notImplemented };
  if (bytes.readUInt16BE(4) !== 1) return { id, code: rcode.formatError };
  let packet: Packet;
  try {
    packet = decode(bytes);
  } catch {
    return { id, code: rcode.formatError };
  }
  const [question] = packet.questions ?? [];
  if (!question || (question.class ?? 'IN') !== 'IN') return { id, code: rcode.refused };
  const end = questionEnd(bytes);
  if (end === undefined) return { id, code: rcode.formatError };
  const edns = (packet.additionals ?? []).find((a) => a.type === 'OPT');
  const offered = edns && 'udpPayloadSize' in edns ? edns.udpPayloadSize : smallestUdp;
  const udpLimit = Math.min(largestUdp, Math.max(smallestUdp, offered));
  return {
    query: {
      id,
      flags,
      name: question.name,
      type: question.type,
      question: bytes.subarray(headerBytes, end),
      hasEdns: edns !== undefined,
      udpLimit,
    },
  };
}

/** Offset behind the first question; undefined when it is cut off or compressed, which a first name cannot be. */
function questionEnd(bytes: Buffer): number | undefined {
  let at = headerBytes;
  for (;;) {
    const length = bytes[at];
    if (length === undefined || length > 63) return undefined;
    at += length + 1;
    if (length === 0) break;
  }
  return at + 4 <= bytes.length ? at + 4 : undefined;
}

export interface Reply {
  readonly code: number;
  readonly isAuthoritative: boolean;
  readonly answers?: readonly Answer[];
  readonly authorities?: readonly Answer[];
  readonly additionals?: readonly Answer[];
}

/** Encodes an answer; over UDP one that is too large comes empty with the truncation flag, and the client asks over TCP. */
export function encodeReply(query: Query, reply: Reply, isUdp: boolean): Buffer {
  const flags =
    (query.flags & recursionDesired) |
    recursionAvailable |
    (reply.isAuthoritative ? authoritativeFlag : 0) |
    reply.code;
  const edns: Answer[] = query.hasEdns
    ? [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: largestUdp,
          extendedRcode: 0,
          ednsVersion: 0,
          flags: 0,
          flag_do: false,
          options: [],
        },
      ]
    : [];
  const whole = (
    answers: readonly Answer[],
    authorities: readonly Answer[],
    additionals: readonly Answer[],
    more: number,
  ): Buffer =>
    withQuestion(
      encode({
        type: 'response',
        id: query.id,
        flags: flags | more,
        questions: [{ type: query.type as 'A', class: 'IN', name: query.name }],
        answers: [...answers],
        authorities: [...authorities],
        additionals: [...additionals, ...edns],
      }),
      query,
    );
  const { answers = [], authorities = [], additionals = [] } = reply;
  const complete = whole(answers, authorities, additionals, 0);
  if (!isUdp || complete.length <= query.udpLimit) return complete;
  const withoutExtras = whole(answers, authorities, [], 0);
  return withoutExtras.length <= query.udpLimit ? withoutExtras : whole([], [], [], truncatedFlag);
}

/** Puts the question in as it was asked: clients compare its case. */
function withQuestion(message: Buffer, query: Query): Buffer {
  query.question.copy(message, headerBytes);
  return message;
}

/** A bare answer with a code for what could not be read. */
export function encodeFailure(id: number, code: number): Buffer {
  const message = Buffer.alloc(headerBytes);
  message.writeUInt16BE(id, 0);
  message.writeUInt16BE(responseFlag | recursionAvailable | code, 2);
  return message;
}

/** A prebuilt answer for another client that asks the same: its id, flags and question are put in. */
export function readdress(prebuilt: Buffer, query: Query): Buffer {
  const message = Buffer.from(prebuilt);
  message.writeUInt16BE(query.id, 0);
  message[2] = ((message[2] ?? 0) & ~0x01) | ((query.flags & recursionDesired) >> 8);
  return withQuestion(message, query);
}
