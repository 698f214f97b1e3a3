import { invalid, type FieldError } from '../../validation/field-error.js';

/** From what is open to everybody to what is hardened most. */
export type Level = 'privileged' | 'baseline' | 'restricted';

const levels: readonly Level[] = ['privileged', 'baseline', 'restricted'];
const labelPrefix = 'pod-security.kubernetes.io/';

/** The rules of one level as they were in one minor version of Kubernetes; Infinity is the latest. */
export interface LevelVersion {
  readonly level: Level;
  readonly minor: number;
}

/** What the labels of a namespace ask for: refuse, note in the audit log, warn. */
export interface Policy {
  readonly enforce: LevelVersion;
  readonly audit: LevelVersion;
  readonly warn: LevelVersion;
}

export const isStricter = (a: Level, b: Level): boolean => levels.indexOf(a) > levels.indexOf(b);
export const isSame = (a: LevelVersion, b: LevelVersion): boolean => a.level === b.level && a.minor === b.minor;

/** `restricted:latest`, `baseline:v1.24`. */
export function levelVersionText({ level, minor }: LevelVersion): string {
  return `${level}:${minor === Infinity ? 'latest' : `v1.${minor}`}`;
}

/** The policy is always whole: what cannot be read is the strictest rule for enforce, and none for audit and warn. */
export function policyOf(labels: Readonly<Record<string, string>> = {}): { policy: Policy; errors: FieldError[] } {
  const errors: FieldError[] = [];
  const modeOf = (mode: keyof Policy): LevelVersion => {
    const level = labels[`${labelPrefix}${mode}`];
    const version = labels[`${labelPrefix}${mode}-version`];
    return {
      level: level === undefined ? 'privileged' : readLevel(level, mode, errors),
      minor: version === undefined ? Infinity : readVersion(version, mode, errors),
    };
  };
  return { policy: { enforce: modeOf('enforce'), audit: modeOf('audit'), warn: modeOf('warn') }, errors };
}

function readLevel(text: string, mode: keyof Policy, errors: FieldError[]): Level {
  const known = levels.find((level) => level === text);
  if (known) return known;
  errors.push(invalid(`metadata.labels[${labelPrefix}${mode}]`, text, `must be one of ${levels.join(', ')}`));
  return mode === 'enforce' ? 'restricted' : 'privileged';
}

function readVersion(text: string, mode: keyof Policy, errors: FieldError[]): number {
  if (text === 'latest') return Infinity;
  const found = /^v1\.(\d|[1-9]\d{1,8})$/.exec(text);
  if (found) return Number(found[1]);
  errors.push(invalid(`metadata.labels[${labelPrefix}${mode}-version]`, text, 'must be "latest" or "v1.x"'));
  return Infinity;
}
