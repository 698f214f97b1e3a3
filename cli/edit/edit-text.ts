import { goJson } from '../printer/json.js';
import { formatManifest } from '../../shared/manifest/format.js';
import type { AnyObject } from '../server-api.js';

/** Why the editor opens again: what was wrong, and its parts. */
export interface EditReason {
  readonly head: string;
  readonly other: readonly string[];
}

export type EditFormat = 'json' | 'yaml';

/** What stands above the objects; JSON has no comments. */
export interface EditHead {
  readonly format: EditFormat;
  /** How to leave the editor, each line without its `# `. */
  readonly advice: readonly string[];
}

export const editAdvice: readonly string[] = [
  "Please edit the object below. Lines beginning with a '#' will be ignored,",
  'and an empty file will abort the edit. If an error occurs while saving this file will be',
  'reopened with the relevant failures.',
  '',
];

/** Objects as the editor shows them: one alone, or a List. */
export function editBody(objects: readonly AnyObject[], format: EditFormat): string {
  const [first] = objects;
  const shown =
    objects.length === 1 && first ? first : { apiVersion: 'v1', items: objects, kind: 'List', metadata: {} };
  return format === 'json' ? `${goJson(shown, 4)}\n` : formatManifest(shown);
}

/** A text under its head: how to leave, and what was wrong the last time. */
export function withHead(text: string, { format, advice }: EditHead, reasons: readonly EditReason[] = []): string {
  if (format === 'json') return text;
  const lines = [...advice, ...reasons.flatMap(reasonLines)];
  return [...lines.map((line) => (line === '' ? '#' : `# ${line}`)), text].join('\n');
}

const reasonLines = ({ head, other }: EditReason): string[] =>
  [other.length > 0 ? `${head}:` : head, ...other.map((each) => `* ${each}`), ''].flatMap((text) => text.split('\n'));

/** Without the lines that are for the person only. */
export const withoutComments = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n');

/** A program that knows only the line ends of Windows shall find those. */
export const withWindowsLineEnds = (text: string): string => text.replaceAll(/\r?\n/g, '\r\n');
