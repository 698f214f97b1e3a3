import { goText } from '../../shared/api/go-text.js';
import { Failure } from '../cluster/failure.js';
import type { AnyObject } from '../server-api.js';
import { JsonPath } from './jsonpath.js';
import { alignColumns } from './text-table.js';

/** `-o custom-columns=NAME:.metadata.name,NODE:.spec.nodeName`. */
export class CustomColumns {
  readonly #columns: readonly { head: string; path: JsonPath }[];

  constructor(columns: readonly { head: string; path: JsonPath }[]) {
    this.#columns = columns;
  }

  static parse(text: string): CustomColumns {
    const columns = text.split(',').map((part) => {
      const at = part.indexOf(':');
      if (at < 0) {
        throw new Failure(`unexpected custom-columns spec: ${part}, expected <header>:<json-path-expr>`);
      }
      return { head: part.slice(0, at), path: JsonPath.parseRelaxed(part.slice(at + 1)) };
    });
    return new CustomColumns(columns);
  }

  /** The form of a file: a line of heads, and under it a line of paths. */
  static parseFile(text: string): CustomColumns {
    const [heads = [], paths = []] = text.split('\n').map((line) => line.trim().split(/\s+/));
    if (heads.length !== paths.length) {
      throw new Failure(`number of headers (${heads.length}) and field specifications (${paths.length}) don't match`);
    }
    return new CustomColumns(heads.map((head, index) => ({ head, path: JsonPath.parseRelaxed(paths[index] ?? '') })));
  }

  print(objects: readonly AnyObject[], headers = true): string {
    const rows = objects.map((object) =>
      this.#columns.map(({ path }) => {
        const values = path.find(object).filter((value) => value !== undefined && value !== null);
        return values.length === 0 ? '<none>' : values.map(goText).join(',');
      }),
    );
    return alignColumns([...(headers ? [this.#columns.map(({ head }) => head)] : []), ...rows]).join('\n');
  }
}
