import { type Answer, decode, encode } from 'dns-packet';

/** Response codes of RFC 1035, and of RFC 6891. */
export const rcode = {
  ok: 0,
  formatError: 1,
  serverFailure: 2,
  nxdomain: 3,
  notImplemented: 4,
  refused: 5,
  badVersion: 16,
} as const;

const responseFlag = 0x8000;
const operationMask = 0x7800;
const authoritativeFlag = 0x0400;
const truncatedFlag = 0x0200;
const recursionDesired = 0x0100;
const recursionAvailable = 0x0080;
const headerBytes = 12;
const longestName = 255;
const classInternet = 1;
const typeOpt = 41;
const optBytes = 11;
const smallestUdp = 512;
/** Larger answers would be cut into fragments on the way. */
const largestUdp = 1232;
const largestTcp = 65_535;

/** One question as it came. */
export interface Query {
  readonly id: number;
  readonly flags: number;
  /** Number of the type asked for. */
  readonly typeCode: number;
  /** Bytes of the question section: with type and class, case kept. */
  readonly question: Buffer;
  readonly hasEdns: boolean;
  /** Largest answer that the client takes over UDP. */
  readonly udpLimit: number;
}

/** What a message turned out to be: a question, or the answer that says what is wrong; `undefined`: not even that. */
export type Parsed = { readonly query: Query } | { readonly failure: Buffer } | undefined;

/** Reads a message from the network. Never throws. */
export function parseQuery(bytes: Buffer): Parsed {
  if (bytes.length < headerBytes) return undefined;
  const flags = bytes.readUInt16BE(2);
  // An answer to us would be a loop.
  if (flags & responseFlag) return undefined;
  const fail = (code: number): Parsed => ({ failure: encodeFailure(bytes, code) });
  if ((flags & operationMask) !== 0) return fail(rcode.notImplemented);
  if (bytes.readUInt16BE(4) !== 1) return fail(rcode.formatError);
  const nameEnd = skipName(bytes, headerBytes, false);
  if (nameEnd === undefined || nameEnd + 4 > bytes.length) return fail(rcode.formatError);
  if (bytes.readUInt16BE(nameEnd + 2) !== classInternet) return fail(rcode.refused);
  const edns = readEdns(bytes, nameEnd + 4);
  if (edns === 'malformed') return fail(rcode.formatError);
  const query: Query = {
    id: bytes.readUInt16BE(0),
    flags,
    typeCode: bytes.readUInt16BE(nameEnd),
    question: bytes.subarray(headerBytes, nameEnd + 4),
    hasEdns: edns !== undefined,
    udpLimit: Math.min(largestUdp, Math.max(smallestUdp, edns?.size ?? 0)),
  };
  if (edns && edns.version > 0)
    return { failure: encodeReply(query, { code: rcode.badVersion, isAuthoritative: false }, true) };
  return { query };
}

/** Offset behind the name at `at`; undefined when it is cut off, too long, or compressed where it may not be. */
function skipName(bytes: Buffer, at: number, mayBeCompressed: boolean): number | undefined {
  const start = at;
  for (;;) {
    const length = bytes[at];
    if (length === undefined) return undefined;
    if (length >= 0xc0) return mayBeCompressed ? at + 2 : undefined;
    if (length > 63) return undefined;
    at += length + 1;
    if (at - start > longestName) return undefined;
    if (length === 0) return at;
  }
}

/** The OPT record among what follows the question. */
function readEdns(bytes: Buffer, from: number): { size: number; version: number } | 'malformed' | undefined {
  const others = bytes.readUInt16BE(6) + bytes.readUInt16BE(8);
  const count = others + bytes.readUInt16BE(10);
  let at = from;
  let found: { size: number; version: number } | undefined;
  for (let i = 0; i < count; i++) {
    const nameEnd = skipName(bytes, at, true);
    if (nameEnd === undefined || nameEnd + 10 > bytes.length) return 'malformed';
    if (i >= others && bytes.readUInt16BE(nameEnd) === typeOpt) {
      if (found) return 'malformed';
      found = { size: bytes.readUInt16BE(nameEnd + 2), version: bytes[nameEnd + 5] ?? 0 };
    }
    at = nameEnd + 10 + bytes.readUInt16BE(nameEnd + 8);
    if (at > bytes.length) return 'malformed';
  }
  return found;
}

/** What is the same for all who ask the same: the name in lower case, and the type. */
export function questionKey({ question, typeCode }: Query): string {
  return `${question.toString('latin1', 0, question.length - 4).toLowerCase()} ${typeCode}`;
}

/** Name and type of a question, in lower case; undefined when a label has a dot in it, which text cannot show. */
export function readQuestion({ question }: Query): { readonly name: string; readonly type: string } | undefined {
  const labels: string[] = [];
  for (let at = 0, length = question[0] ?? 0; length > 0; at += length + 1, length = question[at] ?? 0) {
    const label = question.toString('utf8', at + 1, at + 1 + length);
    if (label.includes('.')) return undefined;
    labels.push(label.toLowerCase());
  }
  // The package that encodes our records knows the names of types; it tells them of a message only.
  const probe = Buffer.alloc(headerBytes + 5);
  probe.writeUInt16BE(1, 4);
  question.copy(probe, headerBytes + 1, question.length - 4);
  return { name: labels.join('.'), type: decode(probe).questions?.[0]?.type ?? '' };
}

export interface Reply {
  readonly code: number;
  readonly isAuthoritative: boolean;
  readonly answers?: readonly Answer[];
  readonly authorities?: readonly Answer[];
  readonly additionals?: readonly Answer[];
}

const opt = (code: number): Buffer => {
  const record = Buffer.alloc(optBytes);
  record.writeUInt16BE(typeOpt, 1);
  record.writeUInt16BE(largestUdp, 3);
  record[5] = code >> 4;
  return record;
};

/**
 * Encodes an answer. What does not fit is left out and the truncation flag set, and the client asks over TCP; addresses
 * that only spare it another question are left out silently.
 */
export function encodeReply(query: Query, reply: Reply, isUdp: boolean): Buffer {
  const { question } = query;
  const asked = readQuestion(query)?.name;
  const edns = query.hasEdns ? [opt(reply.code)] : [];
  const limit = isUdp ? query.udpLimit : largestTcp;
  let room = limit - headerBytes - question.length - edns.length * optBytes;
  const fill = (records: readonly Answer[] = []): { taken: Buffer[]; isCut: boolean } => {
    const taken: Buffer[] = [];
    for (const record of records) {
      const bytes = encodeRecord(record, asked);
      if (bytes.length > room) return { taken, isCut: true };
      room -= bytes.length;
      taken.push(bytes);
    }
    return { taken, isCut: false };
  };
  const answers = fill(reply.answers);
  const authorities = answers.isCut ? { taken: [], isCut: true } : fill(reply.authorities);
  const additionals = authorities.isCut ? [] : fill(reply.additionals).taken;
  const header = Buffer.alloc(headerBytes);
  header.writeUInt16BE(query.id, 0);
  header.writeUInt16BE(
    responseFlag |
      (query.flags & recursionDesired) |
      recursionAvailable |
      (reply.isAuthoritative ? authoritativeFlag : 0) |
      (authorities.isCut ? truncatedFlag : 0) |
      (reply.code & 0x0f),
    2,
  );
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answers.taken.length, 6);
  header.writeUInt16BE(authorities.taken.length, 8);
  header.writeUInt16BE(additionals.length + edns.length, 10);
  return Buffer.concat([header, question, ...answers.taken, ...authorities.taken, ...additionals, ...edns]);
}

/** One record; an owner that is the name asked for becomes a pointer to it, which also keeps the case of the question. */
function encodeRecord(record: Answer, asked: string | undefined): Buffer {
  if (asked === undefined || asked === '' || record.name.toLowerCase() !== asked)
    return encode({ type: 'response', answers: [record] }).subarray(headerBytes);
  const rest = encode({ type: 'response', answers: [{ ...record, name: '.' }] }).subarray(headerBytes + 1);
  return Buffer.concat([Buffer.from([0xc0, headerBytes]), rest]);
}

/** A bare answer with a code for what could not be read. */
function encodeFailure(bytes: Buffer, code: number): Buffer {
  const message = Buffer.alloc(headerBytes);
  bytes.copy(message, 0, 0, 2);
  const kept = bytes.readUInt16BE(2) & (operationMask | recursionDesired);
  message.writeUInt16BE(responseFlag | kept | recursionAvailable | code, 2);
  return message;
}

/** A prebuilt answer for another client that asks the same: its id, flags and question are put in. */
export function readdress(prebuilt: Buffer, query: Query): Buffer {
  const message = Buffer.from(prebuilt);
  message.writeUInt16BE(query.id, 0);
  message[2] = ((message[2] ?? 0) & ~0x01) | ((query.flags & recursionDesired) >> 8);
  query.question.copy(message, headerBytes);
  return message;
}
