/** A JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

/** Lists whose items are told apart by one of these fields; all others are replaced as a whole. */
const mergeKeys: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  volumes: ['name'],
  env: ['name'],
  imagePullSecrets: ['name'],
  volumeMounts: ['mountPath'],
  volumeDevices: ['devicePath'],
  hostAliases: ['ip'],
  ports: ['containerPort', 'port'],
};

/**
 * What a strategic merge patch makes of an object, for those that no server sees: of files (`--local`), and of what is only shown
 * (`--dry-run=client`). Knows the lists of pods and Services.
 */
export function strategicMerge(base: Fields, patch: Fields): Fields {
  const { $patch: how, ...changes } = patch;
  if (how === 'replace') return changes;
  const result = new Map(Object.entries(base));
  for (const [name, value] of Object.entries(changes)) {
    if (name.startsWith('$setElementOrder/')) continue;
    const before = result.get(name);
    const key = keyOf(name, before, value);
    if (value === null) result.delete(name);
    else if (isItems(value) && value.some(isReplacing))
      result.set(
        name,
        value.filter((item) => !isReplacing(item)),
      );
    else if (key !== undefined) result.set(name, mergedItems(before as Fields[], value as Fields[], key));
    else if (isFields(value)) result.set(name, strategicMerge(isFields(before) ? before : {}, value));
    else result.set(name, value);
  }
  return Object.fromEntries(result);
}

function keyOf(name: string, before: unknown, value: unknown): string | undefined {
  if (!isItems(before) || !isItems(value)) return undefined;
  return mergeKeys[name]?.find((key) => [...before, ...value].every((item) => Object.hasOwn(item, key)));
}

/** Items of the patch come before those that it does not name, unless the list had them in another order. */
function mergedItems(base: readonly Fields[], patch: readonly Fields[], key: string): Fields[] {
  const place = (item: Fields | undefined): number => base.findIndex((each) => each[key] === item?.[key]);
  const named = patch
    .filter((item) => item['$patch'] !== 'delete')
    .map((item) => strategicMerge(base[place(item)] ?? {}, item));
  const known = named.filter((item) => place(item) >= 0).sort((a, b) => place(a) - place(b));
  const right = named.map((item) => (place(item) < 0 ? item : (known.shift() ?? item)));
  const left = base.filter((item) => !patch.some((each) => each[key] === item[key]));
  const result: Fields[] = [];
  while (left.length > 0 && right.length > 0) {
    const [first, second] = [place(left[0]), place(right[0])];
    const next = second >= 0 && first < second ? left.shift() : right.shift();
    if (next) result.push(next);
  }
  return [...result, ...right, ...left];
}

const isReplacing = (item: Fields): boolean => item['$patch'] === 'replace';
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isItems = (value: unknown): value is Fields[] => Array.isArray(value) && value.every(isFields);

/** What a JSON merge patch (RFC 7386) makes of an object. */
export function jsonMerge(base: Fields, patch: Fields): Fields {
  const result = new Map(Object.entries(base));
  for (const [name, value] of Object.entries(patch)) {
    const before = result.get(name);
    if (value === null) result.delete(name);
    else result.set(name, isFields(value) ? jsonMerge(isFields(before) ? before : {}, value) : value);
  }
  return Object.fromEntries(result);
}
