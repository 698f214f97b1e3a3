import { Failure } from './cluster/failure.js';
import type { ResourceMapper, ResourceType } from './resource-mapper.js';

/** What the words after a command mean: objects by name, or whole types. */
export type Selection =
  | { readonly kind: 'names'; readonly targets: readonly Target[] }
  | { readonly kind: 'types'; readonly types: readonly ResourceType[] };
export interface Target {
  readonly type: ResourceType;
  readonly name: string;
}

/** Said where no words and no files tell what is meant. */
export const nothingNamed =
  "You must provide one or more resources by argument or filename.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'";

/** Reads `TYPE`, `TYPE,TYPE`, `TYPE NAME...`, `TYPE/NAME...`, and categories such as `all`. */
export function parseSelection(words: readonly string[], mapper: ResourceMapper): Selection {
  const [first, ...names] = words;
  if (first === undefined) throw new Failure(nothingNamed);
  if (words.some((word) => word.includes('/')))
    return { kind: 'names', targets: words.map((word) => slashed(word, mapper)) };
  const types = [...new Set(first.split(',').flatMap((word) => typesOf(word, mapper)))];
  if (names.length === 0) return { kind: 'types', types };
  return { kind: 'names', targets: types.flatMap((type) => names.map((name) => ({ type, name }))) };
}

function typesOf(word: string, mapper: ResourceMapper): ResourceType[] {
  if (word === '') throw new Failure('arguments in resource/name form may not have more than one slash');
  const type = mapper.find(word);
  if (type) return [type];
  const category = mapper.category(word);
  return category.length > 0 ? category : [mapper.resolve(word)];
}

function slashed(word: string, mapper: ResourceMapper): Target {
  const [type = '', name = '', ...more] = word.split('/');
  if (name === '' && more.length === 0 && !word.includes('/')) {
    throw new Failure(
      `there is no need to specify a resource type as a separate argument when passing arguments in resource/name form (e.g. 'knarr get resource/<resource_name>' instead of 'knarr get resource resource/<resource_name>'`,
    );
  }
  if (more.length > 0) throw new Failure('arguments in resource/name form may not have more than one slash');
  if (type === '' || name === '')
    throw new Failure('arguments in resource/name form must have a single resource and name');
  return { type: mapper.resolve(type), name };
}
