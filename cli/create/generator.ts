import type { Command } from 'commander';
import { Failure } from '../cluster/failure.js';
import type { ResourceMapper } from '../resource-mapper.js';
import type { AnyObject } from '../server-api.js';
import type { Files } from './generators.js';

/** What a subcommand of `create` makes its object of. */
export interface GeneratorInput<Flags> {
  /** Words in front of `--`. */
  readonly words: readonly string[];
  /** Words behind it. */
  readonly command: readonly string[];
  readonly flags: Flags;
  readonly files: Files;
  readonly namespace: string;
  readonly mapper: ResourceMapper;
}

/** One subcommand of `create`: its name, its flags, and the object that it makes. */
export interface Generator {
  /** `['secret', 'tls']` for `create secret tls`. */
  readonly path: readonly string[];
  readonly aliases?: readonly string[];
  readonly description: string;
  readonly flags?: (command: Command) => Command;
  readonly object: (input: GeneratorInput<never>) => AnyObject;
}

/** A generator whose flags have the type that its `object` reads. */
export const generator = <Flags>(
  parts: Omit<Generator, 'object'> & { readonly object: (input: GeneratorInput<Flags>) => AnyObject },
): Generator => ({ ...parts, object: (input) => parts.object(input) });

/** The only word. @throws Failure as kubectl says it. */
export function oneName(words: readonly string[], command: string): string {
  const [name] = words;
  if (name === undefined || words.length !== 1) {
    throw new Failure(
      `exactly one NAME is required, got ${words.length}\nSee 'knarr create ${command} -h' for help and examples`,
    );
  }
  return name;
}

/** `a=b,c=d` as a map. @throws Failure */
export function keyValues(texts: readonly string[], what: string): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at <= 0) throw new Failure(`invalid ${what} ${text}, expected key=value`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
