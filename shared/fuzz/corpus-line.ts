/** No line unfolds to more than this: what is longer tests only the limit of a body, which has tests of its own. */
const maxInputBytes = 4 * 1024 * 1024;
const token = /\\x[0-9a-f]{2}|\\\{\d+\*[^}]*\\\}|\\.|[A-Za-z0-9_]+|[^]/gy;
const escapes: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, '\\': 92 };

/** A text as a line of a corpus: one line, printable, `\n`, `\xHH` for a byte. */
export function escapeLine(text: string): string {
  return text.replaceAll(/[\\\n\r\t]|[^\x20-\x7e]/gu, (character) => {
    if (character === '\\') return '\\\\';
    if (character === '\n') return '\\n';
    if (character === '\r') return '\\r';
    if (character === '\t') return '\\t';
    return [...Buffer.from(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  });
}

/** Words, signs and escapes of a line: what a mutation may take apart and put together again. */
export const tokensOf = (line: string): string[] => line.match(token) ?? [];

/** The bytes that a line stands for. `\{1000*ab\}` is ab a thousand times. */
export function unescapeLine(line: string): Buffer {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for (const part of tokensOf(line)) {
    const bytes = bytesOf(part);
    sizeBytes += bytes.length;
    if (sizeBytes > maxInputBytes) break;
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

function bytesOf(part: string): Buffer {
  if (!part.startsWith('\\') || part.length === 1) return Buffer.from(part);
  const repeated = /^\\\{(\d+)\*([^}]*)\\\}$/.exec(part);
  if (repeated) {
    const [, count = '0', text = ''] = repeated;
    const piece = unescapeLine(text);
    const fits = Math.floor(maxInputBytes / Math.max(1, piece.length));
    return Buffer.concat(Array.from({ length: Math.min(Number(count), fits) }, () => piece));
  }
  if (part.length === 4 && part[1] === 'x') return Buffer.from([Number.parseInt(part.slice(2), 16)]);
  const byte = escapes[part[1] ?? ''];
  return byte === undefined ? Buffer.from(part) : Buffer.from([byte]);
}
