import type { CommittedRules } from './committed-rules.js';
import type { Execute } from './execute.js';
import { removeTable, sentinel, type TableOptions } from './nft-table.js';

/** Brings the rules into the kernel, one transaction at a time. */
export class NftWriter {
  readonly #execute: Execute;
  readonly #rules: CommittedRules;
  readonly #options: TableOptions;
  #isKnown = false;

  constructor(execute: Execute, rules: CommittedRules, options: TableOptions) {
    this.#execute = execute;
    this.#rules = rules;
    this.#options = options;
  }

  /** Writes what changed, or everything after a start, a failure or a loss. Returns the number of commands written. */
  async write(): Promise<number> {
    const transaction = this.#isKnown ? this.#rules.changes() : this.#rules.everything(this.#options);
    if (!transaction) return 0;
    const wasKnown = this.#isKnown;
    this.#isKnown = false;
    try {
      await this.#execute('nft', ['-f', '-'], `${transaction.commands.join('\n')}\n`);
    } catch (error) {
      // Someone else changed the table under us: replace it as a whole.
      if (wasKnown) return this.write();
      throw error;
    }
    transaction.commit();
    this.#isKnown = true;
    return transaction.commands.length;
  }

  /** Looks whether somebody flushed or removed our rules; true when the next write() replaces everything. */
  async isDamaged(): Promise<boolean> {
    if (!this.#isKnown) return true;
    const intact = await this.#looksIntact();
    this.#isKnown = intact;
    return !intact;
  }

  async #looksIntact(): Promise<boolean> {
    try {
      // The sentinel tells that the map was not emptied; the rules, that the chains were not.
      await this.#execute('nft', ['get', 'element', 'ip', 'knarr', sentinel.set, `{ ${sentinel.key} }`]);
      const chains = await Promise.all(
        ['services', 'prerouting', 'output', 'postrouting'].map((c) =>
          this.#execute('nft', ['list', 'chain', 'ip', 'knarr', c]),
        ),
      );
      const [services = '', prerouting = '', output = '', postrouting = ''] = chains;
      return (
        services.includes('@service_ports') &&
        services.includes('@node_ports') &&
        prerouting.includes('jump services') &&
        output.includes('jump services') &&
        postrouting.includes('@hairpin')
      );
    } catch {
      return false;
    }
  }
}

/** Removes the table; its absence is fine. */
export async function removeRules(execute: Execute): Promise<void> {
  await execute('nft', ['-f', '-'], `${removeTable.join('\n')}\n`);
}
