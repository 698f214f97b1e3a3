import { invalid, type FieldError } from '../../validation/field-error.js';

/** From what is open to everybody to what is hardened most. */
export type Level = 'privileged' | 'baseline' | 'restricted';

const levels: readonly Level[] = ['privileged', 'baseline', 'restricted'];
const modes = ['enforce', 'audit', 'warn'] as const;
const labelOf = (mode: string): string => `pod-security.kubernetes.io/${mode}`;

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

/** Asks for nothing. */
export const openPolicy: Policy = {
  enforce: { level: 'privileged', minor: Infinity },
  audit: { level: 'privileged', minor: Infinity },
  warn: { level: 'privileged', minor: Infinity },
};

/** Why a text is no level or version. */
interface Problem {
  readonly why: string;
}

export const parseLevel = (text: string): Level | Problem =>
  levels.find((level) => level === text) ?? { why: `must be one of ${levels.join(', ')}` };

export function parseVersion(text: string): number | Problem {
  if (text === 'latest') return Infinity;
  const found = /^v1\.(\d|[1-9]\d{1,8})$/.exec(text);
  return found ? Number(found[1]) : { why: 'must be "latest" or "v1.x"' };
}

/**
 * The policy is always whole: what cannot be read is the strictest rule for enforce, and none for audit and warn.
 * @param defaults what holds where the labels say nothing
 */
export function policyOf(
  labels: Readonly<Record<string, string>> = {},
  defaults: Policy = openPolicy,
): { policy: Policy; errors: FieldError[] } {
  const errors: FieldError[] = [];
  const refuse = (label: string, text: string, { why }: Problem): void => {
    errors.push(invalid(`metadata.labels[${label}]`, text, why));
  };
  const modeOf = (mode: keyof Policy): LevelVersion => {
    let { level, minor } = defaults[mode];
    const [levelLabel, versionLabel] = [labelOf(mode), `${labelOf(mode)}-version`];
    const [levelText, versionText] = [labels[levelLabel], labels[versionLabel]];
    if (levelText !== undefined) {
      const parsed = parseLevel(levelText);
      if (typeof parsed === 'object') refuse(levelLabel, levelText, parsed);
      level = typeof parsed === 'object' ? (mode === 'enforce' ? 'restricted' : 'privileged') : parsed;
    }
    if (versionText !== undefined) {
      const parsed = parseVersion(versionText);
      if (typeof parsed === 'object') refuse(versionLabel, versionText, parsed);
      minor = typeof parsed === 'object' ? Infinity : parsed;
    }
    return { level, minor };
  };
  return { policy: { enforce: modeOf('enforce'), audit: modeOf('audit'), warn: modeOf('warn') }, errors };
}

export const isOpen = (policy: Policy): boolean => modes.every((mode) => policy[mode].level === 'privileged');

/** What its labels ask of a namespace that is exempt, and does not hold; undefined where they ask for nothing of their own. */
export function ignoredText(
  policy: Policy,
  defaults: Policy,
  labels: Readonly<Record<string, string>> = {},
): string | undefined {
  if (isOpen(policy) || modes.every((mode) => isSame(policy[mode], defaults[mode]))) return undefined;
  const isSet = (mode: keyof Policy): boolean =>
    labels[labelOf(mode)] !== undefined || labels[`${labelOf(mode)}-version`] !== undefined;
  return modes
    .filter((mode) => policy[mode].level !== 'privileged' && isSet(mode))
    .map((mode) => `${mode}=${levelVersionText(policy[mode])}`)
    .join(', ');
}
