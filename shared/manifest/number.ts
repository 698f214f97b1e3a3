const integer = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|0[0-7]*|[1-9][0-9]*)$/;
const float = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;

/**
 * The number that a plain scalar stands for in the YAML reader of Kubernetes, which parses with Go's rules: `0644` and
 * `0o644` are octal, `08` is decimal, `1_000` has digits in groups. Undefined where it is text, as what has no end is.
 */
export function goNumber(text: string): number | undefined {
  // Behind a leading point only what Go's own literals may have: digits on both sides.
  if (text.startsWith('.') && /_(?![0-9])|(?<![0-9])_/.test(text)) return undefined;
  const plain = text.replaceAll('_', '');
  return wholeNumber(plain) ?? finite(plain);
}

/** Within 64 bits; what is larger may still be a float. */
function wholeNumber(text: string): number | undefined {
  const [, sign = '', digits = ''] = integer.exec(text) ?? [];
  if (digits === '') return undefined;
  const magnitude = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits.toLowerCase());
  const limit = sign === '' ? 2n ** 64n : sign === '-' ? 2n ** 63n + 1n : 2n ** 63n;
  if (magnitude >= limit) return undefined;
  // Whole numbers have no negative zero.
  return Number(sign === '-' ? -magnitude : magnitude);
}

function finite(text: string): number | undefined {
  const value = float.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

const truths = /^(y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const falsehoods = /^(n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/;

/** The key of a JSON object that a plain word becomes as a key: that of the boolean or number which it stands for. */
export function keyOfWord(word: string): string {
  if (truths.test(word)) return 'true';
  if (falsehoods.test(word)) return 'false';
  const value = /^[-+.0-9]/.test(word) ? goNumber(word) : undefined;
  if (value === undefined || Math.abs(value) > Number.MAX_SAFE_INTEGER) return word;
  return Number.isInteger(value) && !/[.eE]/.test(word) ? String(value) : keyOfFraction(value);
}

/** As Go prints the shortest number of 32 bits: with an exponent from a million on, and below a ten-thousandth. */
function keyOfFraction(value: number): string {
  const single = Math.fround(value);
  let precision = 1;
  while (precision < 9 && Math.fround(Number(single.toPrecision(precision))) !== single) precision++;
  const [digits = '', power = '0'] = single.toExponential(precision - 1).split('e');
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 6) return String(Number(single.toPrecision(precision)));
  return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}
