import { balancerCommands, elementCommands, removeTable, sentinel, tableText, type TableOptions } from './nft-table.js';
import type { ChainObject, Contribution, Element } from './rule-set.js';

/** Commands for one `nft -f`, all or nothing; `commit` is called once they are in the kernel. */
export interface Transaction {
  readonly commands: readonly string[];
  readonly commit: () => void;
}

/** Identity of an element within the table. */
const idOf = ({ set, key }: Element): string => `${set} ${key}`;

/**
 * Keeps who wants what, and what was written, and turns a change into the smallest transaction. Two owners may want the same
 * element; the first one's value counts until it lets go.
 *
 *      set(owner, contribution) ... -> changes() -> nft -> commit     a failed write: everything() instead
 */
export class CommittedRules {
  readonly #contributions = new Map<string, Contribution>();
  readonly #claims = new Map<string, Map<string, Element>>();
  readonly #objects = new Map<string, { object: ChainObject; owners: Set<string> }>();
  readonly #dirtyElements = new Set<string>();
  readonly #dirtyObjects = new Set<string>();
  readonly #dirtyBalancers = new Set<number>();
  /** What is in the kernel as far as we know. */
  readonly #written = new Map<string, Element>();
  readonly #writtenObjects = new Map<string, ChainObject>();
  readonly #writtenBalancers = new Set<number>();

  /** Number of elements wanted. */
  get size(): number {
    return this.#claims.size;
  }

  /** Replaces what an owner wants; undefined: nothing any more. */
  set(owner: string, contribution: Contribution | undefined): void {
    const previous = this.#contributions.get(owner);
    const kept = new Set(contribution?.elements.map(idOf));
    for (const element of previous?.elements ?? []) if (!kept.has(idOf(element))) this.#release(owner, element);
    for (const name of previous?.objects.keys() ?? [])
      if (!contribution?.objects.has(name)) this.#releaseObject(owner, name);
    for (const element of contribution?.elements ?? []) this.#claim(owner, element);
    for (const [name, object] of contribution?.objects ?? []) this.#claimObject(owner, name, object);
    for (const count of contribution?.balancers ?? [])
      if (!this.#writtenBalancers.has(count)) this.#dirtyBalancers.add(count);
    if (contribution) this.#contributions.set(owner, contribution);
    else this.#contributions.delete(owner);
  }

  owners(): Iterable<string> {
    return this.#contributions.keys();
  }

  #claim(owner: string, element: Element): void {
    const id = idOf(element);
    const claims = this.#claims.get(id) ?? new Map<string, Element>();
    claims.set(owner, element);
    this.#claims.set(id, claims);
    this.#dirtyElements.add(id);
  }

  #release(owner: string, element: Element): void {
    const id = idOf(element);
    const claims = this.#claims.get(id);
    claims?.delete(owner);
    if (claims?.size === 0) this.#claims.delete(id);
    this.#dirtyElements.add(id);
  }

  #claimObject(owner: string, name: string, object: ChainObject): void {
    const claimed = this.#objects.get(name) ?? { object, owners: new Set<string>() };
    claimed.owners.add(owner);
    this.#objects.set(name, claimed);
    this.#dirtyObjects.add(name);
  }

  #releaseObject(owner: string, name: string): void {
    const claimed = this.#objects.get(name);
    claimed?.owners.delete(owner);
    if (claimed?.owners.size === 0) this.#objects.delete(name);
    this.#dirtyObjects.add(name);
  }

  #wanted(id: string): Element | undefined {
    const first = this.#claims.get(id)?.values().next();
    return first && !first.done ? first.value : undefined;
  }

  /**
   * The transaction that brings the kernel from what was written to what is wanted; undefined when nothing changed. What is set
   * after this call belongs to the next one. When it cannot be written, only `everything` may follow.
   */
  changes(): Transaction | undefined {
    const elements = [...this.#dirtyElements].map((id) => ({
      id,
      before: this.#written.get(id),
      after: this.#wanted(id),
    }));
    const differing = elements.filter(
      ({ before, after }) => before?.value !== after?.value || (before === undefined) !== (after === undefined),
    );
    const objects = [...this.#dirtyObjects].map((name) => ({
      name,
      before: this.#writtenObjects.get(name),
      after: this.#objects.get(name)?.object,
    }));
    const balancers = [...this.#dirtyBalancers];
    this.#clearDirty();
    const commands = [
      ...balancers.flatMap(balancerCommands),
      ...objects.flatMap(({ before, after }) => (before ? [] : (after?.create ?? []))),
      ...elementCommands(
        'delete',
        differing.flatMap(({ before }) => before ?? []),
      ),
      ...elementCommands(
        'add',
        differing.flatMap(({ after }) => after ?? []),
      ),
      ...objects.flatMap(({ before, after }) => (after ? [] : (before?.remove ?? []))),
    ];
    if (commands.length === 0) return undefined;
    const commit = (): void => {
      for (const { id, after } of differing) put(this.#written, id, after);
      for (const { name, after } of objects) put(this.#writtenObjects, name, after);
      for (const count of balancers) this.#writtenBalancers.add(count);
    };
    return { commands, commit };
  }

  /** The transaction that replaces the whole table, whatever is in it. */
  everything(options: TableOptions): Transaction {
    const balancers = new Set([...this.#contributions.values()].flatMap((c) => [...c.balancers]));
    const elements = [...this.#claims.keys()].flatMap((id) => this.#wanted(id) ?? []);
    const objects = [...this.#objects].map(([name, { object }]) => ({ name, object }));
    this.#clearDirty();
    const commands = [
      ...removeTable,
      tableText(options),
      ...[...balancers].flatMap(balancerCommands),
      ...objects.flatMap(({ object }) => object.create),
      ...elementCommands('add', [sentinel, ...elements]),
    ];
    const commit = (): void => {
      this.#written.clear();
      this.#writtenObjects.clear();
      this.#writtenBalancers.clear();
      for (const element of elements) this.#written.set(idOf(element), element);
      for (const { name, object } of objects) this.#writtenObjects.set(name, object);
      for (const count of balancers) this.#writtenBalancers.add(count);
    };
    return { commands, commit };
  }

  #clearDirty(): void {
    this.#dirtyElements.clear();
    this.#dirtyObjects.clear();
    this.#dirtyBalancers.clear();
  }
}

function put<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
