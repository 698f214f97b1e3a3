import type { Recipe } from '../../../shared/fuzz/mutation.js';

/** One request of a fuzzer. */
export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Without the administrator's certificate. */
  readonly isAnonymous?: boolean;
}

/** Inputs for one parser, and how they reach it. */
export interface Family extends Recipe {
  readonly name: string;
  /** The request that carries an input, or the bytes to write on a connection of TLS as they are. */
  readonly send: (input: Buffer) => FuzzRequest | { readonly bytes: Buffer };
}

export const namespace = '/api/v1/namespaces/default';

/** For a query: what is no letter and no digit as its bytes. */
export const percent = (input: Buffer): string =>
  [...input]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[\w.~-]/.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`;
    })
    .join('');

/** For a request line: only what HTTP itself forbids there is escaped. */
export const printable = (input: Buffer): string =>
  [...input]
    .map((byte) => (byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`))
    .join('');

/** For the value of a header. */
export const headerValue = (input: Buffer): string =>
  input.toString('latin1').replaceAll(/[^\x20-\x7e\x80-\xff]/g, '?');

export const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');
