import { goJson } from '../printer/json.js';
import { formatManifest } from '../../shared/manifest/format.js';
import type { AnyObject } from '../server-api.js';

const head = [
  "# Please edit the object below. Lines beginning with a '#' will be ignored,",
  '# and an empty file will abort the edit. If an error occurs while saving this file will be',
  '# reopened with the relevant failures.',
  '#',
];

/** What the editor shows: how to leave, what was wrong the last time, and the objects. */
export function editText(objects: readonly AnyObject[], format: string, problems: readonly string[] = []): string {
  const [first] = objects;
  const shown =
    objects.length === 1 && first ? first : { apiVersion: 'v1', items: objects, kind: 'List', metadata: {} };
  const body = format === 'json' ? `${goJson(shown, 4)}\n` : formatManifest(shown);
  return withHead(body, problems);
}

/** The same text under a new head: what the person wrote stays when the editor opens again. */
export function withHead(text: string, problems: readonly string[]): string {
  return [
    ...head,
    ...problems.flatMap((each) => each.split('\n').map((line) => `# ${line}`)),
    ...(problems.length > 0 ? ['#'] : []),
    withoutComments(text),
  ].join('\n');
}

/** Without the lines that are for the person only. */
export const withoutComments = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n');

/** The merge patch (RFC 7386) that turns one object into the other; undefined when nothing differs. Lists are replaced whole. */
export function mergePatch(from: unknown, to: unknown): Record<string, unknown> | undefined {
  if (!isMap(from) || !isMap(to)) throw new Error('only mappings are compared');
  const patch: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const [before, after] = [from[key], to[key]];
    if (!(key in to)) patch[key] = null;
    else if (isMap(before) && isMap(after)) {
      const inner = mergePatch(before, after);
      if (inner) patch[key] = inner;
    } else if (JSON.stringify(before) !== JSON.stringify(after)) patch[key] = after;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
