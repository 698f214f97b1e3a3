/** What one pass over the bytes of a JSON text tells before it is parsed. */
export interface JsonScan {
  readonly maxDepth: number;
  /** Number of `"key":` pairs, duplicates included. */
  readonly keys: number;
}

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;

/** Counts nesting and keys without building anything; the text need not be valid. */
export function scanJson(bytes: Uint8Array): JsonScan {
  let depth = 0;
  let maxDepth = 0;
  let keys = 0;
  for (let i = 0; i < bytes.length; i++) {
    switch (bytes[i]) {
      case quote:
        for (i++; i < bytes.length && bytes[i] !== quote; i++) if (bytes[i] === backslash) i++;
        break;
      case 0x7b: // {
      case 0x5b: // [
        if (++depth > maxDepth) maxDepth = depth;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth--;
        break;
      case colon:
        keys++;
    }
  }
  return { maxDepth, keys };
}

/** Whether a JSON text has more than `limit` different keys, by their hashes; the text need not be valid. */
export function hasMoreKeysThan(bytes: Uint8Array, limit: number): boolean {
  const seen = new Set<number>();
  let hash = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === colon) seen.add(hash);
    if (seen.size > limit) return true;
    if (bytes[i] !== quote) continue;
    hash = 0;
    for (i++; i < bytes.length && bytes[i] !== quote; i++) {
      hash = (Math.imul(hash, 31) + (bytes[i] ?? 0)) | 0;
      if (bytes[i] === backslash) i++;
    }
  }
  return false;
}

/** Number of keys in a parsed value: fewer than were scanned when some were duplicates. */
export function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') count += countKeys(item);
    return count;
  }
  for (const name of Object.keys(value)) {
    const item = (value as Record<string, unknown>)[name];
    count += typeof item === 'object' ? 1 + countKeys(item) : 1;
  }
  return count;
}

interface Level {
  /** Keys seen in an object; undefined for an array. */
  readonly seen: Set<string> | undefined;
  /** Next index of an array, last key of an object. */
  step: number | string;
}

/** Paths of the keys that stand twice in an object of a valid JSON text, each once, in order. */
export function findDuplicates(text: string, limit: number): string[] {
  const levels: Level[] = [];
  const found = new Set<string>();
  for (let i = 0; i < text.length && found.size < limit; i++) {
    const top = levels.at(-1);
    const c = text[i];
    if (c === '{') levels.push({ seen: new Set(), step: '' });
    else if (c === '[') levels.push({ seen: undefined, step: 0 });
    else if (c === '}' || c === ']') levels.pop();
    else if (c === ',' && top && typeof top.step === 'number') top.step++;
    else if (c === '"') {
      const end = endOfString(text, i);
      if (top?.seen && isFollowedByColon(text, end)) {
        const key = JSON.parse(text.slice(i, end)) as string;
        top.step = key;
        if (top.seen.has(key)) found.add(pathOf(levels));
        top.seen.add(key);
      }
      i = end - 1;
    }
  }
  return [...found];
}

/** Index after the closing quote of the string that starts at `start`. */
function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i + 1;
}

function isFollowedByColon(text: string, from: number): boolean {
  let i = from;
  while (text[i] === ' ' || text[i] === '\n' || text[i] === '\t' || text[i] === '\r') i++;
  return text[i] === ':';
}

const pathOf = (levels: readonly Level[]): string =>
  levels
    .map(({ step }) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
    .join('')
    .replace(/^\./, '');
