const step = '  ';

/**
 * Writes a value as KYAML (KEP-5295): YAML with brackets around maps and lists and quotes around every string, so that blanks
 * and types cannot be misread. Keys in alphabetical order, as kubectl's `-o kyaml` prints what a server sent.
 */
export function formatKyaml(value: unknown): string {
  return `---\n${node(value, '')}`;
}

/** @param indent blanks in front of the line that the value begins on */
function node(value: unknown, indent: string): string {
  if (typeof value === 'string') return quoted(value, indent + step);
  if (Array.isArray(value)) return list(value, indent);
  if (value !== null && typeof value === 'object') return map(value, indent);
  return String(value);
}

/** Maps and lists stand side by side within their list's brackets, scalars on lines of their own. */
function list(values: readonly unknown[], indent: string): string {
  if (values.length === 0) return '[]';
  if (values.every((each) => each !== null && typeof each === 'object')) {
    return `[${values.map((each) => node(each, indent)).join(', ')}]`;
  }
  const inner = indent + step;
  return `[\n${values.map((each) => `${inner}${node(each, inner)},\n`).join('')}${indent}]`;
}

function map(value: object, indent: string): string {
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  if (entries.length === 0) return '{}';
  const inner = indent + step;
  const lines = entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, each]) => `${inner}${key(name)}: ${node(each, inner)},\n`);
  return `{\n${lines.join('')}${indent}}`;
}

function key(name: string): string {
  const isPlain = /^[\p{L}\p{N}_](?:[\p{L}\p{N}_./-]*[\p{L}\p{N}_])?$/u.test(name) && !isAmbiguous(name);
  return isPlain
    ? name
    : `"${Array.from(name, (each) => (each === '\n' ? '\\n' : each === '\t' ? '\\t' : escaped(each))).join('')}"`;
}

/** Whether some reader of YAML takes the text for something else than a string. */
function isAmbiguous(text: string): boolean {
  if (/^(?:null|~|true|y|yes|on|false|n|no|off|t|f|[-+]?\.inf|\.nan)$/i.test(text)) return true;
  const number = text.replaceAll('_', '');
  if (/^[-+]?(?:0b[01]+|0o?[0-7]+|0x[0-9a-f]+|\d+)$/i.test(number)) return true;
  if (
    /^[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)p[-+]?\d+|inf(?:inity)?|nan)$/i.test(
      number,
    )
  )
    return true;
  if (/^[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/.test(text)) return true;
  return /^\d{4}-\d{1,2}-\d{1,2}(?:$|[Tt ])/.test(text);
}

/** A text of several lines is shown as such: each ends in an escape, and blanks in front of the next one do not count. */
function quoted(text: string, indent: string): string {
  if (!text.includes('\n')) return `"${Array.from(text, escaped).join('')}"`;
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  const shown = lines.map((line) => `${line === '' ? `${indent} ` : lineOf(line, indent)}\\n\\\n`);
  return `"\\\n${shown.join('')}${last === '' ? '' : `${lineOf(last, indent)}\\\n`}${indent}"`;
}

const lineOf = (line: string, indent: string): string =>
  `${indent}${/^\s/u.test(line) ? '\\' : ' '}${Array.from(line, escaped).join('')}`;

const short: Readonly<Record<string, string>> = {
  '\t': '\t',
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\r': '\\r',
  '\v': '\\v',
  '\0': '\\0',
  '\x1b': '\\e',
  '\x85': '\\N',
  '\xa0': '\\_',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function escaped(character: string): string {
  const known = short[character];
  if (known !== undefined) return known;
  if (character === ' ' || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code >= 0xd800 && code <= 0xdfff) return '\\ufffd';
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`;
}
