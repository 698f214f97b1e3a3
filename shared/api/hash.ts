const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;
/** No vowels and no digits that look like one: a hash never spells a word (apimachinery util/rand). */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** FNV-1a, 32 bit, over the UTF-8 bytes. */
export function fnv1a32(text: string): number {
  let hash = OFFSET_BASIS;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, PRIME);
  return hash >>> 0;
}

/** Each character replaced by one that is safe in names, as apimachinery's rand.SafeEncodeString. */
export function safeEncode(text: string): string {
  let encoded = '';
  for (const byte of Buffer.from(text)) encoded += ALPHABET[byte % ALPHABET.length] ?? '';
  return encoded;
}

/** JSON with sorted keys and without undefined: equal values have equal texts. */
export function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (isPlainObject(inner) ? sorted(inner) : inner)) ?? 'null';
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sorted(object: Record<string, unknown>): Record<string, unknown> {
  // Object.fromEntries defines own properties, so a key __proto__ stays a key.
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/**
 * The short hash of a value for names and labels (`pod-template-hash`). `collisionCount` makes another one where two
 * values hash alike.
 */
export function shortHash(value: unknown, collisionCount?: number): string {
  const text = stableJson(value) + (collisionCount === undefined ? '' : String(collisionCount));
  return safeEncode(String(fnv1a32(text)));
}
