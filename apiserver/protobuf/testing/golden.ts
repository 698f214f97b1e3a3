import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { JsonObject } from '../../../shared/api/json.js';

/** An object of the file, and its two forms. */
export interface Golden {
  readonly object: JsonObject;
  readonly bare: Buffer;
  readonly asOfGo: Buffer;
}

/** The objects of the file, by kind. */
export function readGolden(): Map<string, Golden> {
  const text = readFileSync(resolve('apiserver/protobuf/testdata/golden.txt'), 'utf8');
  const bytesOf = (lines: string): Buffer => Buffer.from(lines.replace(/#.*$/gm, '').replace(/\s+/g, ''), 'hex');
  const sections = text.split(/^== /m).slice(1);
  return new Map(
    sections.map((section) => {
      const [, kind = '', json = '', bare = '', asOfGo = ''] =
        /^(\w+)\n(.*)\n-- without what is not set\n([^]*)\n-- as Go writes it\n([^]*)$/.exec(section) ?? [];
      return [kind, { object: JSON.parse(json) as JsonObject, bare: bytesOf(bare), asOfGo: bytesOf(asOfGo) }];
    }),
  );
}
