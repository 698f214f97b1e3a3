import { CachedObject } from './cached-object.js';
import { decodeObject, encodeObject } from '../registry/encoding.js';
import type { CacheEvent } from './event-ring.js';
import type { Selection } from './selection.js';

/** How objects look on one wire: as stored, as a table, as metadata only, in another version ... */
export interface Representation {
  /** Watchers with equal keys share encoded events. */
  readonly key: string;
  readonly encode: (object: CachedObject) => Buffer;
  /** Makes an event of an encoded object. */
  readonly frame: (type: FrameType, bytes: Buffer) => Buffer;
}

export type FrameType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';

const heads: Readonly<Record<FrameType, Buffer>> = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
  BOOKMARK: Buffer.from('{"type":"BOOKMARK","object":'),
  ERROR: Buffer.from('{"type":"ERROR","object":'),
};
const tail = Buffer.from('}\n');

/** One event of a stream of JSON, newline included. */
export function jsonFrame(type: FrameType, bytes: Buffer): Buffer {
  return Buffer.concat([heads[type], bytes, tail]);
}

/** The bytes as they are stored. */
export const storedRepresentation: Representation = { key: '', encode: (object) => object.bytes, frame: jsonFrame };

/** Encoded events, each made once for all watchers that want it in the same form. */
export class FrameCache {
  readonly #frames = new WeakMap<CacheEvent, Map<string, Buffer>>();

  /** What a watcher with `selection` is told of `event`; undefined when it concerns nothing that it sees. */
  frameOf(event: CacheEvent, selection: Selection, representation: Representation): Buffer | undefined {
    const type = visibleType(event, selection);
    if (!type) return undefined;
    const key = `${type} ${representation.key}`;
    let frames = this.#frames.get(event);
    if (!frames) this.#frames.set(event, (frames = new Map<string, Buffer>()));
    let bytes = frames.get(key);
    if (!bytes) {
      const leaves = type === 'DELETED' && event.type !== 'DELETED' && event.previous;
      const object = leaves ? atRevision(leaves, event.revision) : event.current;
      bytes = representation.frame(type, representation.encode(object));
      frames.set(key, bytes);
    }
    return bytes;
  }
}

/** An object that starts or ends to match a selector is ADDED or DELETED for those who use that selector. */
function visibleType(event: CacheEvent, selection: Selection): FrameType | undefined {
  if (selection.isEverything) return event.type;
  const before = event.previous !== undefined && selection.matches(event.previous);
  if (event.type === 'DELETED') return before ? 'DELETED' : undefined;
  const after = selection.matches(event.current);
  if (before) return after ? 'MODIFIED' : 'DELETED';
  return after ? 'ADDED' : undefined;
}

/** The last state that matched, carrying the revision of the change, so that a client resumes after it. */
function atRevision(object: CachedObject, revision: number): CachedObject {
  const { key, createRevision } = object;
  const value = encodeObject(decodeObject(object.bytes), revision);
  return new CachedObject({ key, value, revision, createRevision });
}
