import { Option, type Command } from 'commander';
import { Failure } from './cluster/failure.js';
import { isPatchType, patchHere } from './local-patch.js';
import type { AnyObject } from './server-api.js';
import { TypeTables } from './type-tables.js';

/** Flags of commands that make an object which a patch may change before it is sent. */
export interface OverrideFlags {
  overrides?: string;
  overrideType?: string;
}

export function addOverrideFlags(command: Command): Command {
  return command
    .option('--overrides <json>', 'a patch of the object that is made; it wins over all other flags')
    .addOption(new Option('--override-type <type>', 'json, merge or strategic').default('merge'));
}

/** @throws Failure for a patch that cannot be read, or does not apply. */
export function overridden(object: AnyObject, { overrides, overrideType = 'merge' }: OverrideFlags): AnyObject {
  if (!overrides) return object;
  if (!isPatchType(overrideType)) throw new Failure(`invalid override type: ${overrideType}`);
  return patchHere(object, readOverrides(overrides), overrideType, new TypeTables());
}

function readOverrides(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure('Invalid JSON Patch');
  }
}
