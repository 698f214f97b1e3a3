import { stringify } from 'yaml';

/**
 * Writes a value as YAML in the form of kubectl's `-o yaml`: keys in alphabetical order, lists not indented, lines never folded, and
 * whatever YAML 1.1 would read as something else in quotes.
 */
export function formatManifest(value: unknown): string {
  return stringify(value, {
    version: '1.1',
    schema: 'yaml-1.1',
    indentSeq: false,
    lineWidth: 0,
    minContentWidth: 0,
    sortMapEntries: true,
    aliasDuplicateObjects: false,
    defaultStringType: 'PLAIN',
    defaultKeyType: 'PLAIN',
  });
}
