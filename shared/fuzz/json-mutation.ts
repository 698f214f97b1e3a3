type Below = (limit: number) => number;
type Tree = Record<string, unknown> | unknown[];

const hostileValues: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  2 ** 31,
  Number.MAX_SAFE_INTEGER,
  1e300,
  '',
  ' ',
  'x'.repeat(300),
  '..',
  '-',
  'a/b/c',
  '\u0000',
  '\u{1f600}',
  '9'.repeat(40),
  '2026-01-01T00:00:00Z',
  '__proto__',
  [],
  [[]],
  [null],
  {},
  { '': '' },
  { __proto: { a: 1 } },
];

const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null;

/** Every place of a value: what holds it, and where. */
function placesOf(tree: Tree): [Tree, string][] {
  return Object.entries(tree).flatMap(([key, value]) => [
    [tree, key] as [Tree, string],
    ...(isTree(value) ? placesOf(value) : []),
  ]);
}

/** A JSON text (after a first word, where there is one) with some of its values changed; undefined when it is none. */
export function disturbJson(text: string, words: readonly string[], changes: number, below: Below): string | undefined {
  const [, head = '', json = ''] = /^((?:\/\S* )?)([[{].*)$/s.exec(text) ?? [];
  let root: unknown;
  try {
    root = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!isTree(root)) return undefined;
  for (let change = 0; change < changes; change++) {
    const places = placesOf(root);
    const [tree, key] = places[below(places.length)] ?? [root, 'x'];
    const [other, otherKey] = places[below(places.length)] ?? [root, 'x'];
    const word = words[below(words.length)] ?? '';
    const value = below(3) === 0 ? word : hostileValues[below(hostileValues.length)];
    disturb(tree, key, { value, word, copied: structuredClone((other as Record<string, unknown>)[otherKey]) }, below);
  }
  return head + JSON.stringify(root);
}

interface Material {
  readonly value: unknown;
  readonly word: string;
  /** The value of another place. */
  readonly copied: unknown;
}

function disturb(tree: Tree, key: string, { value, word, copied }: Material, below: Below): void {
  const fields = tree as Record<string, unknown>;
  switch (below(5)) {
    case 0:
      if (Array.isArray(tree)) tree.splice(Number(key), 1);
      else delete fields[key];
      return;
    case 1:
      fields[key] = copied;
      return;
    case 2:
      if (Array.isArray(tree)) tree.push(structuredClone(tree[Number(key)]), value);
      else fields[word] = value;
      return;
    case 3:
      fields[key] = below(2) === 0 ? [fields[key]] : { [word]: fields[key] };
      return;
    default:
      fields[key] = value;
  }
}
