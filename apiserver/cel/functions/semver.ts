import { CelError } from '../errors.js';
import { constant, define, type Overload } from '../functions.js';
import { CelOpaque, type CelValue } from '../values.js';

class CelSemver extends CelOpaque {
  readonly typeName = 'kubernetes.Semver';
  readonly numbers: readonly bigint[];
  readonly prerelease: readonly string[];

  constructor(numbers: readonly bigint[], prerelease: readonly string[]) {
    super();
    this.numbers = numbers;
    this.prerelease = prerelease;
  }

  equals(other: CelValue): boolean {
    return other instanceof CelSemver && order(this, other) === 0n;
  }
}

const strict =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

function read(text: string): CelSemver | undefined {
  const match = text.length > 256 ? null : strict.exec(text);
  if (!match) return undefined;
  const [, major = '0', minor = '0', patch = '0', prerelease] = match;
  return new CelSemver([major, minor, patch].map(BigInt), prerelease?.split('.') ?? []);
}

/** Takes away a `v`, fills up missing numbers, drops zeros in front. */
function normalize(text: string): string {
  const [, core = '', rest = ''] = /^v?([\d.]*)(.*)$/s.exec(text.trim()) ?? [];
  const numbers = core.split('.').map((part) => part.replace(/^0+(?=\d)/, ''));
  while (numbers.length < 3) numbers.push('0');
  return numbers.join('.') + rest;
}

function parse(text: string, normalizes: boolean): CelSemver {
  const version = read(normalizes ? normalize(text) : text);
  if (!version) throw new CelError(`invalid semantic version ${JSON.stringify(text.slice(0, 64))}`);
  return version;
}

function order(a: CelSemver, b: CelSemver): bigint {
  for (let i = 0; i < 3; i++) {
    const difference = (a.numbers[i] ?? 0n) - (b.numbers[i] ?? 0n);
    if (difference !== 0n) return difference > 0n ? 1n : -1n;
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0) {
    return BigInt(Math.sign(b.prerelease.length - a.prerelease.length));
  }
  for (let i = 0; i < Math.max(a.prerelease.length, b.prerelease.length); i++) {
    const difference = orderIdentifiers(a.prerelease[i], b.prerelease[i]);
    if (difference !== 0) return BigInt(difference);
  }
  return 0n;
}

/** Numbers come before words, and a shorter list before a longer one. */
function orderIdentifiers(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  const [left, right] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (left && right) return BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0;
  if (left !== right) return left ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

export const semverFunctions: readonly Overload[] = [
  define('semver(string) -> semver', (text: string) => parse(text, false)),
  define('semver(string, bool) -> semver', parse),
  define('isSemver(string) -> bool', (text: string) => read(text) !== undefined),
  define(
    'isSemver(string, bool) -> bool',
    (text: string, normalizes: boolean) => read(normalizes ? normalize(text) : text) !== undefined,
  ),
  define('semver.isGreaterThan(semver) -> bool', (a: CelSemver, b: CelSemver) => order(a, b) > 0n, constant),
  define('semver.isLessThan(semver) -> bool', (a: CelSemver, b: CelSemver) => order(a, b) < 0n, constant),
  define('semver.compareTo(semver) -> int', order, constant),
  define('semver.major() -> int', ({ numbers }: CelSemver) => numbers[0] ?? 0n, constant),
  define('semver.minor() -> int', ({ numbers }: CelSemver) => numbers[1] ?? 0n, constant),
  define('semver.patch() -> int', ({ numbers }: CelSemver) => numbers[2] ?? 0n, constant),
];
