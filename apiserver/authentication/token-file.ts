import type { AuthenticatedToken, TokenAuthenticator } from './authenticator.js';
import type { User } from './user.js';

/** Tokens of a file that never changes while the server runs: `token,user,uid[,"group1,group2"]` a line. */
export class TokenFile implements TokenAuthenticator {
  readonly #users: ReadonlyMap<string, User>;

  /** Throws an Error that names the line where it cannot be read. */
  constructor(content: string) {
    const users = new Map<string, User>();
    for (const [index, line] of content.split(/\r?\n/).entries()) {
      if (line.trim() === '' || line.startsWith('#')) continue;
      const [token = '', name, uid, groups = ''] = readRecord(line, index + 1);
      if (name === undefined || uid === undefined)
        throw new Error(`line ${index + 1}: token file has less than three columns`);
      // A line without a token would let in whoever shows none.
      if (token === '') continue;
      const list = groups === '' ? [] : groups.split(',').map((group) => group.trim());
      users.set(token, { name, groups: list, ...(uid === '' ? {} : { uid }) });
    }
    this.#users = users;
  }

  authenticate(token: string, audiences: readonly string[]): Promise<AuthenticatedToken | undefined> {
    const user = this.#users.get(token);
    return Promise.resolve(user && { user, audiences });
  }
}

/** The columns of one line of CSV. */
function readRecord(line: string, number: number): string[] {
  const columns: string[] = [];
  for (let rest = line; ;) {
    const quoted = /^\s*"((?:[^"]|"")*)"\s*(,|$)/.exec(rest);
    const plain = quoted ?? /^([^",]*)(,|$)/.exec(rest);
    if (!plain) throw new Error(`line ${number}: a quotation mark where none may be`);
    const [all, text = '', end] = plain;
    columns.push(quoted ? text.replaceAll('""', '"') : text.trim());
    if (end === '') return columns;
    rest = rest.slice(all.length);
  }
}
