/**
 * A set of field paths in the form of managedFields' fieldsV1: a trie whose keys are path elements (`f:NAME` a field,
 * `k:{"name":"a"}` an item of a map list, `v:"a"` an item of a set, `i:0` an index). A node is a member itself when it
 * is empty or has the key `.`. Sets are never changed; operations share what they can.
 */
export interface FieldSet {
  readonly [element: string]: FieldSet;
}

/** A set under construction. */
export type MutableFieldSet = { [element: string]: FieldSet };

const self = '.';
/** A node that is a member and has nothing below. */
export const leaf: FieldSet = Object.freeze({});
export const emptySet: FieldSet = Object.freeze({});

export function isEmptySet(set: FieldSet): boolean {
  for (const element in set) if (element !== self) return false;
  return true;
}

const hasChildren = (node: FieldSet): boolean => !isEmptySet(node);

/** Whether a node below the root is a member, not only on the way to one. */
export const isMember = (node: FieldSet | undefined): boolean =>
  node !== undefined && (self in node || !hasChildren(node));

/** Builds a node; undefined when it would hold nothing. */
function nodeOf(isOwn: boolean, children: MutableFieldSet | undefined): FieldSet | undefined {
  if (!children || isEmptySet(children)) return isOwn ? leaf : undefined;
  if (!isOwn) return children;
  return { [self]: leaf, ...children };
}

function childrenOf(set: FieldSet): string[] {
  return Object.keys(set).filter((element) => element !== self);
}

const child = (set: FieldSet | undefined, element: string): FieldSet | undefined =>
  set !== undefined && Object.hasOwn(set, element) ? set[element] : undefined;

/** Node of a path element, if the set has anything at or below it. */
export const getChild = child;

function setChild(set: MutableFieldSet, element: string, node: FieldSet | undefined): void {
  if (node !== undefined) set[element] = node;
}

/** Fields of either set. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a)) return b;
  if (isEmptySet(b)) return a;
  const result: MutableFieldSet = {};
  for (const element of childrenOf(a)) {
    const left = a[element] as FieldSet;
    const right = child(b, element);
    setChild(result, element, right ? unionNodes(left, right) : left);
  }
  for (const element of childrenOf(b)) if (!Object.hasOwn(a, element)) result[element] = b[element] as FieldSet;
  return result;
}

const unionNodes = (a: FieldSet, b: FieldSet): FieldSet | undefined =>
  nodeOf(isMember(a) || isMember(b), union(withoutSelf(a), withoutSelf(b)));

function withoutSelf(node: FieldSet): FieldSet {
  if (!(self in node)) return node;
  const { [self]: _self, ...children } = node;
  return children;
}

/** Fields of `a` that are not members of `b`; membership of a field says nothing about those below it. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return combine(a, b, (inA, inB) => inA && !inB, true);
}

/** Fields that are members of both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return combine(a, b, (inA, inB) => inA && inB, false);
}

function combine(
  a: FieldSet,
  b: FieldSet,
  keeps: (inA: boolean, inB: boolean) => boolean,
  keepsUnmatched: boolean,
): FieldSet {
  const result: MutableFieldSet = {};
  for (const element of Object.keys(a)) {
    if (element === self) continue;
    const left = a[element] as FieldSet;
    const right = child(b, element);
    if (right) {
      const children = combine(left, right, keeps, keepsUnmatched);
      setChild(result, element, nodeOf(keeps(isMember(left), isMember(right)), children));
    } else if (keepsUnmatched) result[element] = left;
  }
  return result;
}

/** `a` without the fields of `b` and everything below them. */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  const result: MutableFieldSet = {};
  for (const element of childrenOf(a)) {
    const left = a[element] as FieldSet;
    const right = child(b, element);
    if (!right) result[element] = left;
    else if (!isMember(right)) setChild(result, element, nodeOf(isMember(left), recursiveDifference(left, right)));
  }
  return result;
}

/** Paths of all members, e.g. `.spec.containers[name="a"].image`. */
export function memberPaths(set: FieldSet, prefix = ''): string[] {
  const children = childrenOf(set).sort();
  const pathOf = (element: string): string => prefix + printElement(element);
  const members = children.filter((element) => isMember(set[element] as FieldSet)).map(pathOf);
  return [...members, ...children.flatMap((element) => memberPaths(set[element] as FieldSet, pathOf(element)))];
}

/** An element as messages show it: `.name`, `[name="a"]`, `[="a"]`. */
export function printElement(element: string): string {
  const rest = element.slice(2);
  switch (element.slice(0, 2)) {
    case 'k:':
      return `[${printKeys(rest)}]`;
    case 'v:':
      return `[=${rest}]`;
    case 'i:':
      return `[${rest}]`;
    default:
      return `.${rest}`;
  }
}

function printKeys(text: string): string {
  try {
    return Object.entries(JSON.parse(text) as Record<string, unknown>)
      .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
      .join(',');
  } catch {
    // Entries come from clients too: what cannot be read is shown as it is.
    return text;
  }
}
