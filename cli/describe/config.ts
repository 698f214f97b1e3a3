import type { ConfigMap, Secret } from '../../shared/api/generated/types.js';
import type { AnyMetadata } from '../server-api.js';
import { addHead, sortedEntries } from './format.js';
import type { Lines } from './lines.js';

export function describeConfigMap(lines: Lines, { metadata, data, binaryData }: ConfigMap): void {
  addHead(lines, metadata as unknown as AnyMetadata, { withNamespace: true });
  lines.blank();
  lines.add(0, 'Data');
  lines.add(0, '====');
  for (const [key, value] of sortedEntries(data)) {
    lines.add(0, `${key}:`);
    lines.add(0, '----');
    for (const line of value.split('\n')) lines.add(0, line);
    lines.blank();
  }
  lines.blank();
  lines.add(0, 'BinaryData');
  lines.add(0, '====');
  for (const [key, value] of sortedEntries(binaryData)) {
    lines.add(0, `${key}: ${Buffer.from(value, 'base64').length} bytes`);
  }
  lines.blank();
}

/** Only sizes: values of Secrets are never shown. */
export function describeSecret(lines: Lines, { metadata, data, type }: Secret): void {
  addHead(lines, metadata as unknown as AnyMetadata, { withNamespace: true });
  lines.blank();
  lines.add(0, 'Type:', type ?? '');
  lines.blank();
  lines.add(0, 'Data');
  lines.add(0, '====');
  for (const [key, value] of sortedEntries(data))
    lines.add(0, `${key}:`, `${Buffer.from(value, 'base64').length} bytes`);
}
