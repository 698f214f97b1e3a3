/** One condition of a field selector, as `spec.nodeName=node-1` or `status.phase!=Running`. */
export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** The text is not a field selector. The message is the original's. */
export class FieldSelectorError extends Error {
  override readonly name = 'FieldSelectorError';
}

/**
 * Reads `a=b,c==d,e!=f`; a backslash escapes comma, equals sign and itself in values.
 * Which fields can be selected is for the server to say.
 * @throws FieldSelectorError
 */
export function parseFieldSelector(text: string): FieldRequirement[] {
  return terms(text).map((term) => parseTerm(term, text));
}

/** Splits at commas that are not escaped; empty terms are ignored, and the others sorted, as in the original. */
function terms(text: string): string[] {
  const found: string[] = [];
  let start = 0;
  for (let at = 0; at <= text.length; at++) {
    if (text[at] === '\\') at++;
    else if (at === text.length || text[at] === ',') {
      if (at > start) found.push(text.slice(start, at));
      start = at + 1;
    }
  }
  if (start < text.length) found.push(text.slice(start));
  return [...new Set(found)].filter((term) => term !== '').sort();
}

function parseTerm(term: string, text: string): FieldRequirement {
  for (let at = 0; at < term.length; at++) {
    for (const operator of ['!=', '==', '='] as const) {
      if (!term.startsWith(operator, at)) continue;
      const value = unescape(term.slice(at + operator.length));
      return { field: term.slice(0, at), operator: operator === '!=' ? '!=' : '=', value };
    }
  }
  throw new FieldSelectorError(`invalid selector: '${text}'; can't understand '${term}'`);
}

function unescape(value: string): string {
  let plain = '';
  for (let at = 0; at < value.length; at++) {
    const character = value[at] ?? '';
    if (character === ',' || character === '=')
      throw new FieldSelectorError(`invalid field selector: unescaped character in value: ${character.charCodeAt(0)}`);
    if (character !== '\\') {
      plain += character;
      continue;
    }
    const escaped = value[++at] ?? '';
    if (!['\\', ',', '='].includes(escaped) || escaped === '')
      throw new FieldSelectorError(`invalid field selector: invalid escape sequence: \\${escaped}`);
    plain += escaped;
  }
  return plain;
}

/** `text` is that of the field in the object, empty where it has none. */
export function matchesField({ operator, value }: FieldRequirement, text: string): boolean {
  return (text === value) === (operator === '=');
}

export function formatFieldSelector(requirements: readonly FieldRequirement[]): string {
  const escape = (value: string): string => value.replace(/[\\,=]/g, '\\$&');
  return requirements.map(({ field, operator, value }) => `${field}${operator}${escape(value)}`).join(',');
}
