import { ANNOTATION_LAST_APPLIED } from '../../shared/api/well-known.js';
import type { AnyMetadata } from '../server-api.js';
import type { Lines } from './lines.js';

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (value: number): string => String(value).padStart(2, '0');

/** A time as `describe` writes it (RFC 1123 with a numeric zone), in the machine's zone. */
export function timeText(timestamp: string | undefined): string {
  const time = new Date(timestamp ?? Number.NaN);
  if (Number.isNaN(time.getTime())) return '<unset>';
  const offset = -time.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  const date = `${days[time.getDay()]}, ${two(time.getDate())} ${months[time.getMonth()]} ${String(time.getFullYear()).padStart(4, '0')}`;
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())} ${zone}`;
}

export const sortedEntries = <T>(map: Readonly<Record<string, T>> | undefined): [string, T][] =>
  Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));

/** `app=web,tier=front`, or `none`. */
export function mapText(map: Readonly<Record<string, string>> | undefined, none = '<none>'): string {
  return (
    sortedEntries(map)
      .map(([key, value]) => `${key}=${value}`)
      .join(',') || none
  );
}

export function addLabels(lines: Lines, title: string, labels: Readonly<Record<string, string>> | undefined): void {
  lines.addList(
    0,
    title,
    sortedEntries(labels).map(([key, value]) => `${key}=${value}`),
  );
}

const maxAnnotationLength = 140;

export function addAnnotations(
  lines: Lines,
  title: string,
  annotations: Readonly<Record<string, string>> | undefined,
): void {
  const shown = sortedEntries(annotations).filter(([key]) => key !== ANNOTATION_LAST_APPLIED);
  const texts = shown.flatMap(([key, value]) => {
    if (!value.includes('\n') && `${key}: ${value}`.length <= maxAnnotationLength) return [`${key}: ${value}`];
    return [
      `${key}:`,
      ...value
        .trimEnd()
        .split('\n')
        .map((line) => `  ${shortened(line, maxAnnotationLength - 2)}`),
    ];
  });
  lines.addList(0, title, texts);
}

const shortened = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length)}...` : text;

/** The first lines of every description. */
export function addHead(
  lines: Lines,
  metadata: AnyMetadata,
  options: { withNamespace: boolean; withTime?: boolean; selectorText?: string },
): void {
  lines.add(0, 'Name:', metadata.name ?? '');
  if (options.withNamespace) lines.add(0, 'Namespace:', metadata.namespace ?? '');
  if (options.withTime) lines.add(0, 'CreationTimestamp:', timeText(metadata.creationTimestamp));
  if (options.selectorText !== undefined) lines.add(0, 'Selector:', options.selectorText);
  addLabels(lines, 'Labels:', metadata.labels);
  addAnnotations(lines, 'Annotations:', metadata.annotations);
}

/** `Deployment/web` of the owner that controls an object. */
export function controllerText(metadata: AnyMetadata): string | undefined {
  const owners = (metadata['ownerReferences'] ?? []) as { kind: string; name: string; controller?: boolean }[];
  const owner = owners.find((each) => each.controller);
  return owner && `${owner.kind}/${owner.name}`;
}
